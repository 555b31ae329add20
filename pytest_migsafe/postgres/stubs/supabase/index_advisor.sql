-- requires: hypopg
-- index_advisor's entry point; it has no advice.

CREATE FUNCTION index_advisor(query text) RETURNS TABLE (
    startup_cost_before jsonb, startup_cost_after jsonb, total_cost_before jsonb, total_cost_after jsonb,
    index_statements text[], errors text[]
) LANGUAGE sql STABLE AS $$
    SELECT NULL::jsonb, NULL::jsonb, NULL::jsonb, NULL::jsonb, ARRAY[]::text[], ARRAY[]::text[]
$$;
