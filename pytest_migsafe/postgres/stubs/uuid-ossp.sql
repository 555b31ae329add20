-- version: 1.1
-- What contrib/uuid-ossp offers, without its library, which the bundled server's system may lack.
-- Names, parameters, volatility and strictness are the real extension's. v3, v4 and v5 are true; the versions by time
-- have a random node instead of the network card's address.

CREATE FUNCTION uuid_nil() RETURNS uuid
IMMUTABLE STRICT PARALLEL SAFE LANGUAGE sql
AS $$ SELECT '00000000-0000-0000-0000-000000000000'::uuid $$;

-- RFC 9562, 6.6: the name spaces.
CREATE FUNCTION uuid_ns_dns() RETURNS uuid
IMMUTABLE STRICT PARALLEL SAFE LANGUAGE sql
AS $$ SELECT '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid $$;

CREATE FUNCTION uuid_ns_url() RETURNS uuid
IMMUTABLE STRICT PARALLEL SAFE LANGUAGE sql
AS $$ SELECT '6ba7b811-9dad-11d1-80b4-00c04fd430c8'::uuid $$;

CREATE FUNCTION uuid_ns_oid() RETURNS uuid
IMMUTABLE STRICT PARALLEL SAFE LANGUAGE sql
AS $$ SELECT '6ba7b812-9dad-11d1-80b4-00c04fd430c8'::uuid $$;

CREATE FUNCTION uuid_ns_x500() RETURNS uuid
IMMUTABLE STRICT PARALLEL SAFE LANGUAGE sql
AS $$ SELECT '6ba7b814-9dad-11d1-80b4-00c04fd430c8'::uuid $$;

-- Version 1: tenths of microseconds since 1582-10-15 (RFC 9562, 5.1). The clock sequence and the node are a random
-- UUID's last 16 digits, with the multicast bit of the node set, as the RFC wants of a node that is no address (6.10).
CREATE FUNCTION uuid_generate_v1mc() RETURNS uuid
VOLATILE STRICT PARALLEL SAFE LANGUAGE plpgsql
AS $$
DECLARE
    since_epoch bigint := extract(epoch FROM pg_catalog.clock_timestamp()) * 10000000;
    digits text := pg_catalog.lpad(pg_catalog.to_hex(since_epoch + 122192928000000000), 15, '0');
    random text := pg_catalog.overlay(pg_catalog.gen_random_uuid()::text, '3', 26);
BEGIN
    RETURN pg_catalog.substr(digits, 8) || '-' || pg_catalog.substr(digits, 4, 4)
        || '-1' || pg_catalog.substr(digits, 1, 3) || pg_catalog.substr(random, 19);
END
$$;

CREATE FUNCTION uuid_generate_v1() RETURNS uuid
VOLATILE STRICT PARALLEL SAFE LANGUAGE plpgsql
AS $$
DECLARE
    since_epoch bigint := extract(epoch FROM pg_catalog.clock_timestamp()) * 10000000;
    digits text := pg_catalog.lpad(pg_catalog.to_hex(since_epoch + 122192928000000000), 15, '0');
    random text := pg_catalog.overlay(pg_catalog.gen_random_uuid()::text, '3', 26);
BEGIN
    RETURN pg_catalog.substr(digits, 8) || '-' || pg_catalog.substr(digits, 4, 4)
        || '-1' || pg_catalog.substr(digits, 1, 3) || pg_catalog.substr(random, 19);
END
$$;

-- Versions 3 and 5: a hash of the name space's bytes and the name's, with version and variant put in (RFC 9562, 5.3).
CREATE FUNCTION uuid_generate_v3(namespace uuid, name text) RETURNS uuid
IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql
AS $$
DECLARE
    hash bytea := pg_catalog.decode(pg_catalog.md5(
        pg_catalog.uuid_send(namespace) || pg_catalog.convert_to(name, pg_catalog.getdatabaseencoding())), 'hex');
BEGIN
    hash := pg_catalog.set_byte(hash, 6, (pg_catalog.get_byte(hash, 6) & 15) | 48);
    hash := pg_catalog.set_byte(hash, 8, (pg_catalog.get_byte(hash, 8) & 63) | 128);
    RETURN pg_catalog.encode(hash, 'hex')::uuid;
END
$$;

CREATE FUNCTION uuid_generate_v4() RETURNS uuid
VOLATILE STRICT PARALLEL SAFE LANGUAGE sql
AS $$ SELECT pg_catalog.gen_random_uuid() $$;

-- The server has no SHA-1 of its own, so here it is (RFC 3174), in bigint because a sum of five words outgrows integer.
-- Parentheses everywhere: PostgreSQL gives <<, &, | and # one precedence (manual, "Operator Precedence").
CREATE FUNCTION uuid_generate_v5(namespace uuid, name text) RETURNS uuid
IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql
AS $$
DECLARE
    mask constant bigint := 4294967295;
    message bytea := pg_catalog.uuid_send(namespace)
        || pg_catalog.convert_to(name, pg_catalog.getdatabaseencoding());
    bits bigint := 8 * pg_catalog.length(message);
    h bigint[] := '{1732584193, 4023233417, 2562383102, 271733878, 3285377520}';
    w bigint[];
    a bigint; b bigint; c bigint; d bigint; e bigint;
    f bigint; k bigint; x bigint;
    hash bytea := '';
BEGIN
    -- A one, zeros up to 56 bytes in the last block, and the length in bits.
    message := message || '\x80'::bytea
        || pg_catalog.decode(pg_catalog.repeat('00', (119 - pg_catalog.length(message) % 64) % 64), 'hex')
        || pg_catalog.int8send(bits);
    FOR start IN 0 .. pg_catalog.length(message) - 64 BY 64 LOOP
        w := '{}';
        FOR t IN 0 .. 15 LOOP
            w[t] := (pg_catalog.get_byte(message, start + 4 * t)::bigint << 24)
                | (pg_catalog.get_byte(message, start + 4 * t + 1) << 16)
                | (pg_catalog.get_byte(message, start + 4 * t + 2) << 8)
                | pg_catalog.get_byte(message, start + 4 * t + 3);
        END LOOP;
        FOR t IN 16 .. 79 LOOP
            x := w[t - 3] # w[t - 8] # w[t - 14] # w[t - 16];
            w[t] := ((x << 1) | (x >> 31)) & mask;
        END LOOP;
        a := h[1]; b := h[2]; c := h[3]; d := h[4]; e := h[5];
        FOR t IN 0 .. 79 LOOP
            IF t < 20 THEN
                f := (b & c) | ((b # mask) & d);
                k := 1518500249;
            ELSIF t < 40 THEN
                f := b # c # d;
                k := 1859775393;
            ELSIF t < 60 THEN
                f := (b & c) | (b & d) | (c & d);
                k := 2400959708;
            ELSE
                f := b # c # d;
                k := 3395469782;
            END IF;
            x := ((((a << 5) | (a >> 27)) & mask) + f + e + k + w[t]) & mask;
            e := d; d := c; c := ((b << 30) | (b >> 2)) & mask; b := a; a := x;
        END LOOP;
        h := ARRAY[
            (h[1] + a) & mask, (h[2] + b) & mask, (h[3] + c) & mask, (h[4] + d) & mask, (h[5] + e) & mask];
    END LOOP;
    FOR i IN 1 .. 4 LOOP
        hash := hash || pg_catalog.substr(pg_catalog.int8send(h[i]), 5);
    END LOOP;
    hash := pg_catalog.set_byte(hash, 6, (pg_catalog.get_byte(hash, 6) & 15) | 80);
    hash := pg_catalog.set_byte(hash, 8, (pg_catalog.get_byte(hash, 8) & 63) | 128);
    RETURN pg_catalog.encode(hash, 'hex')::uuid;
END
$$;
