-- schema: pgmq
-- pgmq's surface: queues are tables, as the real ones are; a message that is read stays out of sight for its time.

CREATE TABLE meta (
    queue_name varchar UNIQUE NOT NULL,
    is_partitioned boolean NOT NULL,
    is_unlogged boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TYPE message_record AS (
    msg_id bigint, read_ct integer, enqueued_at timestamptz, vt timestamptz, message jsonb
);
CREATE TYPE queue_record AS (
    queue_name varchar, is_partitioned boolean, is_unlogged boolean, created_at timestamptz
);

CREATE FUNCTION "create"(queue_name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE TABLE IF NOT EXISTS @extschema@.%I (
            msg_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
            read_ct integer NOT NULL DEFAULT 0,
            enqueued_at timestamptz NOT NULL DEFAULT now(),
            vt timestamptz NOT NULL,
            message jsonb,
            headers jsonb
        )', 'q_' || lower(queue_name)
    );
    EXECUTE format(
        'CREATE TABLE IF NOT EXISTS @extschema@.%I (
            msg_id bigint PRIMARY KEY,
            read_ct integer NOT NULL DEFAULT 0,
            enqueued_at timestamptz NOT NULL DEFAULT now(),
            archived_at timestamptz NOT NULL DEFAULT now(),
            vt timestamptz NOT NULL,
            message jsonb,
            headers jsonb
        )', 'a_' || lower(queue_name)
    );
    EXECUTE format(
        'CREATE INDEX IF NOT EXISTS %I ON @extschema@.%I (vt)',
        'q_' || lower(queue_name) || '_vt_idx', 'q_' || lower(queue_name)
    );
    INSERT INTO @extschema@.meta VALUES (queue_name, false, false) ON CONFLICT DO NOTHING;
END
$$;

CREATE FUNCTION create_non_partitioned(queue_name text) RETURNS void LANGUAGE sql
    AS $$ SELECT @extschema@."create"(queue_name) $$;
CREATE FUNCTION create_unlogged(queue_name text) RETURNS void LANGUAGE sql
    AS $$ SELECT @extschema@."create"(queue_name) $$;

CREATE FUNCTION drop_queue(queue_name text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('DROP TABLE IF EXISTS @extschema@.%I', 'q_' || lower(queue_name));
    EXECUTE format('DROP TABLE IF EXISTS @extschema@.%I', 'a_' || lower(queue_name));
    DELETE FROM @extschema@.meta WHERE meta.queue_name = drop_queue.queue_name;
    RETURN true;
END
$$;

CREATE FUNCTION list_queues() RETURNS SETOF queue_record LANGUAGE sql
    AS $$ SELECT queue_name, is_partitioned, is_unlogged, created_at FROM @extschema@.meta $$;

CREATE FUNCTION send(queue_name text, msg jsonb, delay integer DEFAULT 0) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'INSERT INTO @extschema@.%I (vt, message) VALUES (clock_timestamp() + make_interval(secs => $2), $1)
        RETURNING msg_id', 'q_' || lower(queue_name)
    ) USING msg, delay;
END
$$;

CREATE FUNCTION send_batch(queue_name text, msgs jsonb[], delay integer DEFAULT 0) RETURNS SETOF bigint
LANGUAGE sql AS $$ SELECT @extschema@.send(queue_name, msg, delay) FROM unnest(msgs) AS msg $$;

CREATE FUNCTION read(queue_name text, vt integer, qty integer) RETURNS SETOF message_record LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'UPDATE @extschema@.%1$I AS queue
        SET vt = clock_timestamp() + make_interval(secs => $1), read_ct = read_ct + 1
        WHERE msg_id IN (
            SELECT msg_id FROM @extschema@.%1$I WHERE vt <= clock_timestamp() ORDER BY msg_id LIMIT $2
            FOR UPDATE SKIP LOCKED
        )
        RETURNING msg_id, read_ct, enqueued_at, vt, message', 'q_' || lower(queue_name)
    ) USING vt, qty;
END
$$;

CREATE FUNCTION pop(queue_name text) RETURNS SETOF message_record LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'DELETE FROM @extschema@.%1$I
        WHERE msg_id = (
            SELECT msg_id FROM @extschema@.%1$I WHERE vt <= clock_timestamp() ORDER BY msg_id LIMIT 1
            FOR UPDATE SKIP LOCKED
        )
        RETURNING msg_id, read_ct, enqueued_at, vt, message', 'q_' || lower(queue_name)
    );
END
$$;

CREATE FUNCTION delete(queue_name text, msg_ids bigint[]) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'DELETE FROM @extschema@.%I WHERE msg_id = ANY ($1) RETURNING msg_id', 'q_' || lower(queue_name)
    ) USING msg_ids;
END
$$;

CREATE FUNCTION archive(queue_name text, msg_ids bigint[]) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'WITH archived AS (DELETE FROM @extschema@.%I WHERE msg_id = ANY ($1) RETURNING *)
        INSERT INTO @extschema@.%I (msg_id, read_ct, enqueued_at, vt, message, headers)
        SELECT msg_id, read_ct, enqueued_at, vt, message, headers FROM archived
        RETURNING msg_id', 'q_' || lower(queue_name), 'a_' || lower(queue_name)
    ) USING msg_ids;
END
$$;

CREATE FUNCTION delete(queue_name text, msg_id bigint) RETURNS boolean LANGUAGE sql
    AS $$ SELECT EXISTS (SELECT FROM @extschema@.delete(queue_name, ARRAY[msg_id])) $$;
CREATE FUNCTION archive(queue_name text, msg_id bigint) RETURNS boolean LANGUAGE sql
    AS $$ SELECT EXISTS (SELECT FROM @extschema@.archive(queue_name, ARRAY[msg_id])) $$;

CREATE FUNCTION purge_queue(queue_name text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    purged bigint;
BEGIN
    EXECUTE format('DELETE FROM @extschema@.%I', 'q_' || lower(queue_name));
    GET DIAGNOSTICS purged = ROW_COUNT;
    RETURN purged;
END
$$;
