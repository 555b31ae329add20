-- The surface of http (pgsql-http). A rehearsal calls nobody: every answer is 503.

CREATE DOMAIN http_method AS text;
CREATE DOMAIN content_type AS text CHECK (VALUE ~ '^\S+\/\S+');
CREATE TYPE http_header AS (field varchar, value varchar);
CREATE TYPE http_request AS (
    method http_method, uri varchar, headers http_header[], content_type varchar, content varchar
);
CREATE TYPE http_response AS (status integer, content_type varchar, headers http_header[], content varchar);

CREATE FUNCTION http(request http_request) RETURNS http_response LANGUAGE sql
    RETURN ROW(503, 'text/plain', ARRAY[]::http_header[], 'a rehearsal calls nobody')::http_response;

CREATE FUNCTION http_header(field varchar, value varchar) RETURNS http_header LANGUAGE sql
    RETURN ROW(field, value)::http_header;

CREATE FUNCTION http_get(uri varchar) RETURNS http_response LANGUAGE sql
    RETURN http(ROW('GET', uri, NULL, NULL, NULL)::http_request);
CREATE FUNCTION http_get(uri varchar, data jsonb) RETURNS http_response LANGUAGE sql
    RETURN http(ROW('GET', uri, NULL, NULL, data::text)::http_request);
CREATE FUNCTION http_post(uri varchar, content varchar, content_type varchar) RETURNS http_response LANGUAGE sql
    RETURN http(ROW('POST', uri, NULL, content_type, content)::http_request);
CREATE FUNCTION http_post(uri varchar, data jsonb) RETURNS http_response LANGUAGE sql
    RETURN http(ROW('POST', uri, NULL, 'application/x-www-form-urlencoded', data::text)::http_request);
CREATE FUNCTION http_put(uri varchar, content varchar, content_type varchar) RETURNS http_response LANGUAGE sql
    RETURN http(ROW('PUT', uri, NULL, content_type, content)::http_request);
CREATE FUNCTION http_patch(uri varchar, content varchar, content_type varchar) RETURNS http_response LANGUAGE sql
    RETURN http(ROW('PATCH', uri, NULL, content_type, content)::http_request);
CREATE FUNCTION http_delete(uri varchar) RETURNS http_response LANGUAGE sql
    RETURN http(ROW('DELETE', uri, NULL, NULL, NULL)::http_request);
CREATE FUNCTION http_delete(uri varchar, content varchar, content_type varchar) RETURNS http_response LANGUAGE sql
    RETURN http(ROW('DELETE', uri, NULL, content_type, content)::http_request);
CREATE FUNCTION http_head(uri varchar) RETURNS http_response LANGUAGE sql
    RETURN http(ROW('HEAD', uri, NULL, NULL, NULL)::http_request);

CREATE FUNCTION http_set_curlopt(curlopt varchar, value varchar) RETURNS boolean LANGUAGE sql
    RETURN true;
CREATE FUNCTION http_reset_curlopt() RETURNS boolean LANGUAGE sql
    RETURN true;
