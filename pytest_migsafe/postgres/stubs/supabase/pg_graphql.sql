-- pg_graphql's entry point; it resolves nothing.

CREATE FUNCTION resolve(
    query text, variables jsonb DEFAULT '{}', "operationName" text DEFAULT NULL, extensions jsonb DEFAULT NULL
) RETURNS jsonb LANGUAGE sql
    RETURN jsonb_build_object('data', NULL::jsonb);
