-- pg_net's surface: requests are queued, and nobody sends them. Its objects are in `net` whatever the extension's schema.

CREATE SCHEMA net;

CREATE TABLE net.http_request_queue (
    id bigserial,
    method text NOT NULL,
    url text NOT NULL,
    headers jsonb,
    body bytea,
    timeout_milliseconds integer NOT NULL
);
CREATE TABLE net._http_response (
    id bigint,
    status_code integer,
    content_type text,
    headers jsonb,
    content text,
    timed_out boolean,
    error_msg text,
    created timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION net.http_get(
    url text, params jsonb DEFAULT '{}', headers jsonb DEFAULT '{}', timeout_milliseconds integer DEFAULT 5000
) RETURNS bigint LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO net.http_request_queue (method, url, headers, timeout_milliseconds)
    VALUES ('GET', http_get.url, http_get.headers, http_get.timeout_milliseconds)
    RETURNING id;
END;

CREATE FUNCTION net.http_post(
    url text, body jsonb DEFAULT '{}', params jsonb DEFAULT '{}',
    headers jsonb DEFAULT '{"Content-Type": "application/json"}', timeout_milliseconds integer DEFAULT 5000
) RETURNS bigint LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO net.http_request_queue (method, url, headers, body, timeout_milliseconds)
    VALUES (
        'POST', http_post.url, http_post.headers, convert_to(http_post.body::text, 'UTF8'), http_post.timeout_milliseconds
    )
    RETURNING id;
END;

CREATE FUNCTION net.http_delete(
    url text, params jsonb DEFAULT '{}', headers jsonb DEFAULT '{}', timeout_milliseconds integer DEFAULT 5000,
    body jsonb DEFAULT NULL
) RETURNS bigint LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO net.http_request_queue (method, url, headers, body, timeout_milliseconds)
    VALUES (
        'DELETE', http_delete.url, http_delete.headers, convert_to(http_delete.body::text, 'UTF8'),
        http_delete.timeout_milliseconds
    )
    RETURNING id;
END;
