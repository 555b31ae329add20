-- pgjwt's surface. A token has the form of one; its signature is a plain digest and convinces nobody else.

CREATE FUNCTION url_encode(data bytea) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN translate(encode(data, 'base64'), E'+/=\n', '-_');

CREATE FUNCTION url_decode(data text) RETURNS bytea LANGUAGE sql IMMUTABLE
    RETURN decode(rpad(translate(data, '-_', '+/'), (length(data) + 3) / 4 * 4, '='), 'base64');

CREATE FUNCTION algorithm_sign(signables text, secret text, algorithm text) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN url_encode(sha256(convert_to(algorithm || secret || signables, 'UTF8')));

CREATE FUNCTION sign(payload json, secret text, algorithm text DEFAULT 'HS256') RETURNS text LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    WITH signables AS (
        SELECT url_encode(convert_to(jsonb_build_object('alg', algorithm, 'typ', 'JWT')::text, 'UTF8'))
            || '.' || url_encode(convert_to(payload::text, 'UTF8')) AS data
    )
    SELECT data || '.' || algorithm_sign(data, secret, algorithm) FROM signables;
END;

CREATE FUNCTION verify(token text, secret text, algorithm text DEFAULT 'HS256')
RETURNS TABLE (header json, payload json, valid boolean) LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT
        convert_from(url_decode(split_part(token, '.', 1)), 'UTF8')::json,
        convert_from(url_decode(split_part(token, '.', 2)), 'UTF8')::json,
        split_part(token, '.', 3)
            = algorithm_sign(split_part(token, '.', 1) || '.' || split_part(token, '.', 2), secret, algorithm);
END;
