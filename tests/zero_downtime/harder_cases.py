"""Migrations that are easy to get wrong on an empty database: what depends on rows, on plans, on who looks how far.

Most begin with a lock that lasts, so that the question is only whether what comes after it grows with a table.
"""

from tests.zero_downtime.cases import case, complete

_LOCK = "ALTER TABLE other ADD z integer"
_LOCK_C = "ALTER TABLE c ADD z integer"
_BARE = "autocommit"

_QUERIES = tuple(
    case(f"locked, then {name}", _LOCK, *statements)
    for name, statements in {
        "create table as in order of the key": ("CREATE TABLE f AS SELECT * FROM c ORDER BY id",),
        "count by an index": ("SELECT count(*) FROM c WHERE k > 0",),
        "write by key": ("UPDATE c SET s = 'x' WHERE id = 7",),
        "write by several keys": ("UPDATE c SET s = 'x' WHERE id IN (1, 2, 3)",),
        "write by an array of keys": ("UPDATE c SET s = 'x' WHERE id = ANY ('{1,2}')",),
        "write by one key or another": ("UPDATE c SET s = 'x' WHERE id = 1 OR id = 2",),
        "write by key and more": ("UPDATE c SET s = 'x' WHERE id = 1 AND flag",),
        "write by a column without index": ("UPDATE c SET s = 'x' WHERE p_id = 7",),
        "write by the greatest key": ("UPDATE c SET s = 'x' WHERE id = (SELECT max(id) FROM c)",),
        "write by text": ("UPDATE c SET s = 'x' WHERE s = 'nothing'",),
        "write of nothing": ("UPDATE c SET s = 'x' WHERE false",),
        "write of all but few": ("UPDATE c SET s = 'x' WHERE id > 5",),
        "write of all by join": ("UPDATE c SET s = p.code FROM p WHERE p.id = c.p_id",),
        "delete by key": ("DELETE FROM c WHERE id = 7",),
        "delete of a key that is not there": ("DELETE FROM c WHERE id = -1",),
        "delete by a column without index": ("DELETE FROM c WHERE s = 'nothing'",),
        "delete of those without partner": (
            "DELETE FROM c WHERE NOT EXISTS (SELECT FROM p WHERE p.id = c.p_id)",
        ),
        "delete by join": ("DELETE FROM c USING p WHERE p.id = c.p_id AND p.code = 'none'",),
        "insert by key": ("INSERT INTO p (id, name) SELECT -id, s FROM c WHERE id = 5",),
        "insert of a constant": ("INSERT INTO p (id, name) VALUES (-1, 'x')",),
        "insert if it is not there": (
            "INSERT INTO p (id, name) SELECT -1, 'x' WHERE NOT EXISTS (SELECT 1 FROM p WHERE id = -1)",
        ),
        "insert if no such name is there": (
            "INSERT INTO p (id, name) SELECT -1, 'x' WHERE NOT EXISTS (SELECT 1 FROM p WHERE name = 'x')",
        ),
        "insert or update": (
            "INSERT INTO p (id, name) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET name = 'y'",
        ),
        "insert of a series": ("INSERT INTO p (id, name) SELECT -g, 'x' FROM generate_series(1, 20) AS g",),
        "with and write": (
            "WITH old AS (SELECT id FROM c WHERE id = 1) UPDATE c SET s = 'x' FROM old WHERE c.id = old.id",
        ),
        "with and write of all": (
            "WITH old AS (DELETE FROM c WHERE s = 'none' RETURNING *) SELECT count(*) FROM old",
        ),
        "select by key": ("SELECT s FROM c WHERE id = 5",),
        "select distinct": ("SELECT DISTINCT flag FROM c",),
        "select by union": ("SELECT id FROM p WHERE id = 1 UNION SELECT id FROM c WHERE id = 1",),
        "select in order with limit": ("SELECT id FROM c ORDER BY id LIMIT 1",),
        "select in order of what has no index with limit": ("SELECT id FROM c ORDER BY s LIMIT 1",),
        "join by keys of one row": ("SELECT p.name FROM c JOIN p ON p.id = c.p_id WHERE c.id = 5",),
        "lock of a row": ("SELECT 1 FROM c WHERE id = 5 FOR UPDATE",),
        "explain": ("EXPLAIN UPDATE c SET s = 'x'",),
        "values": ("VALUES (1), (2)",),
        "analyze": ("ANALYZE c",),
        "setval of the greatest key": ("SELECT setval('seq', coalesce((SELECT max(id) FROM c), 1))",),
        "check in a do block": (
            "DO $$ BEGIN IF (SELECT count(*) FROM c WHERE s IS NULL) > 0 THEN RAISE EXCEPTION 'x'; END IF; END $$",
        ),
        "check by key in a do block": (
            "DO $$ BEGIN IF EXISTS (SELECT FROM c WHERE id = -1) THEN RAISE EXCEPTION 'x'; END IF; END $$",
        ),
        "check of existence by what has no index": (
            "DO $$ BEGIN IF EXISTS (SELECT FROM c WHERE s = 'none') THEN RAISE EXCEPTION 'x'; END IF; END $$",
        ),
        "catalog in a do block": (
            "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'x') THEN NULL; END IF; END $$",
        ),
        "information schema in a do block": (
            "DO $$ BEGIN IF EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'c') THEN NULL; END IF; END $$",
        ),
        "loop that writes each": (
            "DO $$ DECLARE r record; BEGIN FOR r IN SELECT id FROM c LOOP UPDATE c SET s = 'x' WHERE id = r.id; END LOOP; END $$",
        ),
        "loop over constants": (
            "DO $$ BEGIN FOR i IN 1..3 LOOP INSERT INTO p (id, name) VALUES (-i, 'x'); END LOOP; END $$",
        ),
        "copy out": ("DO $$ BEGIN PERFORM 1 FROM c WHERE id = 3; END $$",),
        "write through a view": ("UPDATE all_c SET k = 1",),
        "write of one through a view": ("UPDATE all_c SET k = 1 WHERE id = 5",),
        "select through a view": ("SELECT count(*) FROM all_c",),
        "truncate of another": ("TRUNCATE c",),
        "drop of another": ("DROP TABLE c",),
        "comment": ("COMMENT ON TABLE c IS 'x'",),
        "grant": ("GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC",),
        "check not valid on another": ("ALTER TABLE c ADD CONSTRAINT z CHECK (k > 0) NOT VALID",),
        "column of another": ("ALTER TABLE c ADD z integer DEFAULT 3",),
        "view": ("CREATE VIEW w AS SELECT count(*) FROM c",),
        "function": ("CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM c'",),
        "function that is called": (
            "CREATE FUNCTION f() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM c); END'",
            "SELECT f()",
        ),
        "function of one row that is called": (
            "CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT s FROM c WHERE id = 4); END'",
            "SELECT f()",
        ),
        "procedure that is called": (
            "CREATE PROCEDURE f() LANGUAGE plpgsql AS 'BEGIN UPDATE c SET s = ''x''; END'",
            "CALL f()",
        ),
        "materialized view without rows": ("CREATE MATERIALIZED VIEW mm AS SELECT * FROM c WITH NO DATA",),
        "new table with rows and an index": (
            "CREATE TABLE f (id int PRIMARY KEY, t text)",
            "INSERT INTO f VALUES (1, 'a'), (2, 'b')",
            "CREATE INDEX ON f (t)",
            "ALTER TABLE f ALTER t SET NOT NULL",
        ),
        "new enum and table": ("CREATE TYPE en AS ENUM ('a')", "CREATE TABLE f (e en DEFAULT 'a')"),
        "set config": ("SELECT set_config('a.b', 'x', true)",),
        "version": ("SELECT version()",),
    }.items()
)
_QUERIES = tuple(
    case(
        one.name,
        *one.migration,
        before="CREATE SEQUENCE seq; CREATE VIEW all_c AS SELECT id, k, s FROM c; ALTER TABLE c ADD CONSTRAINT unused CHECK (id > -1) NOT VALID"
        if any(word in one.text for word in ("seq", "all_c"))
        else "",
    )
    for one in _QUERIES
)

_SHARE_PARENT = "CREATE TABLE fresh (p_id integer REFERENCES p)"

_SHAPES = (
    case(
        "locked, then delete of a parent by key",
        _LOCK,
        "DELETE FROM p WHERE id = -5",
        rows="INSERT INTO p (id, name) VALUES (-5, 'x')",
    ),
    case(
        "locked, then delete of a parent whose children have an index",
        _LOCK,
        "DELETE FROM p WHERE id = -5",
        before="CREATE INDEX ON c (p_id)",
        rows="INSERT INTO p (id, name) VALUES (-5, 'x')",
    ),
    case(
        "column with default, then not null",
        "ALTER TABLE c ADD z integer DEFAULT 5",
        "ALTER TABLE c ALTER z SET NOT NULL",
    ),
    case(
        "column with default and not null in one",
        "ALTER TABLE c ADD z integer DEFAULT 5, ALTER z SET NOT NULL",
    ),
    case(
        "column, not null check not valid, validated",
        "ALTER TABLE c ADD z integer DEFAULT 5",
        "ALTER TABLE c ADD CONSTRAINT zz CHECK (z IS NOT NULL) NOT VALID",
        "ALTER TABLE c VALIDATE CONSTRAINT zz",
    ),
    case(
        "two validations in one transaction",
        "ALTER TABLE c VALIDATE CONSTRAINT a",
        "ALTER TABLE c VALIDATE CONSTRAINT b",
        before="ALTER TABLE c ADD CONSTRAINT a CHECK (k > 0) NOT VALID; ALTER TABLE c ADD CONSTRAINT b CHECK (id > 0) NOT VALID",
    ),
    case(
        "validation, then brief lock",
        "ALTER TABLE c VALIDATE CONSTRAINT a",
        "ALTER TABLE c ADD z integer",
        before="ALTER TABLE c ADD CONSTRAINT a CHECK (k > 0) NOT VALID",
    ),
    case(
        "validation, then not null that it proves",
        "ALTER TABLE c VALIDATE CONSTRAINT a",
        "ALTER TABLE c ALTER k SET NOT NULL",
        "ALTER TABLE c DROP CONSTRAINT a",
        before="ALTER TABLE c ADD CONSTRAINT a CHECK (k IS NOT NULL) NOT VALID",
    ),
    case(
        "parent locked by new child, then validation elsewhere",
        _SHARE_PARENT,
        "ALTER TABLE c VALIDATE CONSTRAINT a",
        before="ALTER TABLE c ADD CONSTRAINT a CHECK (k > 0) NOT VALID",
    ),
    case(
        "foreign key validate, then lock",
        "ALTER TABLE other VALIDATE CONSTRAINT f",
        "ALTER TABLE other ADD z integer",
        before="ALTER TABLE other ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES p NOT VALID",
    ),
    case(
        "foreign key add and validate by commands",
        "ALTER TABLE other ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES p NOT VALID, ADD y integer",
    ),
    case(
        "two foreign keys of a new table",
        "CREATE TABLE fresh (p_id integer REFERENCES p, c_id integer REFERENCES c)",
    ),
    case(
        "new table with key to itself",
        "CREATE TABLE fresh (id integer PRIMARY KEY, up integer REFERENCES fresh)",
    ),
    case(
        "index of new table after its foreign key",
        "CREATE TABLE fresh (id integer PRIMARY KEY, p_id integer REFERENCES p)",
        "CREATE INDEX ON fresh (p_id)",
    ),
    case(
        "trigger on new table",
        "CREATE TABLE fresh (id integer)",
        "CREATE TRIGGER t BEFORE UPDATE ON fresh FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    ),
    case(
        "write by trigger",
        "ALTER TABLE p ADD z integer",
        "UPDATE p SET name = 'x' WHERE id = 1",
        before="CREATE FUNCTION spread() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE c SET k = 1; RETURN NEW; END'; CREATE TRIGGER t AFTER UPDATE ON p FOR EACH STATEMENT EXECUTE FUNCTION spread()",
    ),
    case(
        "type of both ends of a key",
        "ALTER TABLE c DROP CONSTRAINT c_p_id_fkey",
        "ALTER TABLE p ALTER id TYPE bigint",
        "ALTER TABLE c ALTER p_id TYPE bigint",
    ),
    case(
        "type to constrained domain",
        "ALTER TABLE c ALTER s TYPE short",
        before="CREATE DOMAIN short AS text CHECK (length(value) < 500)",
    ),
    case("type to plain domain", "ALTER TABLE c ALTER s TYPE short", before="CREATE DOMAIN short AS text"),
    case("type from domain", "ALTER TABLE d ALTER x TYPE integer", before="@domain"),
    case(
        "type of timestamptz without precision",
        "ALTER TABLE c ALTER z TYPE timestamptz",
        before="ALTER TABLE c ADD z timestamptz(3)",
    ),
    case("type of timestamptz with precision", "ALTER TABLE c ALTER tz TYPE timestamptz(0)"),
    case("type of interval", "ALTER TABLE c ALTER z TYPE interval", before="ALTER TABLE c ADD z interval(3)"),
    case(
        "type of bit wider", "ALTER TABLE c ALTER z TYPE varbit(20)", before="ALTER TABLE c ADD z varbit(10)"
    ),
    case("type of char wider", "ALTER TABLE c ALTER label TYPE char(20)"),
    case("type of char to varchar", "ALTER TABLE c ALTER label TYPE varchar(10)"),
    case(
        "type of text to uuid",
        "ALTER TABLE e ALTER t TYPE uuid USING t::uuid",
        before="CREATE TABLE e (t text, w text)",
        rows="INSERT INTO e SELECT gen_random_uuid(), repeat('x', 400) FROM generate_series(1, :n)",
    ),
    case(
        "type of enum to another",
        "ALTER TABLE c ALTER m TYPE mood2 USING m::text::mood2",
        before="CREATE TYPE mood AS ENUM ('a'); CREATE TYPE mood2 AS ENUM ('a', 'b'); ALTER TABLE c ADD m mood",
    ),
    case(
        "type of serial key with children",
        "ALTER TABLE parent ALTER id TYPE bigint",
        before="CREATE TABLE parent (id serial PRIMARY KEY, w text); CREATE TABLE kid (parent_id integer REFERENCES parent, w text)",
        rows="INSERT INTO parent (w) SELECT repeat('x', 400) FROM generate_series(1, :n); INSERT INTO kid SELECT g, repeat('x', 400) FROM generate_series(1, :n) AS g",
    ),
    case(
        "type of identity",
        "ALTER TABLE i ALTER id TYPE bigint",
        before="CREATE TABLE i (id integer GENERATED ALWAYS AS IDENTITY, w text)",
        rows="INSERT INTO i (w) SELECT repeat('x', 400) FROM generate_series(1, :n)",
    ),
    case(
        "type wider with unique index in use by foreign key",
        "ALTER TABLE cv ALTER v TYPE varchar(30)",
        before="CREATE TABLE pv (v varchar(20) PRIMARY KEY); CREATE TABLE cv (v varchar(20) REFERENCES pv, w text)",
        rows="INSERT INTO pv SELECT g FROM generate_series(1, :n) AS g; INSERT INTO cv SELECT g, repeat('x', 400) FROM generate_series(1, :n) AS g",
    ),
    case(
        "type wider with gin index",
        "ALTER TABLE c ALTER tags TYPE varchar(20)[]",
        before="CREATE INDEX ON c USING gin (tags)",
    ),
    case(
        "type wider with trigger",
        "ALTER TABLE c ALTER v TYPE varchar(60)",
        before="CREATE TRIGGER t BEFORE UPDATE ON c FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    ),
    case(
        "type wider with exclusion",
        "ALTER TABLE c ALTER v TYPE varchar(60)",
        before="ALTER TABLE c ADD EXCLUDE USING btree (v WITH =)",
    ),
    case(
        "type wider with include",
        "ALTER TABLE c ALTER v TYPE varchar(60)",
        before="CREATE INDEX ON c (k) INCLUDE (v)",
    ),
    case(
        "type wider with text_pattern_ops",
        "ALTER TABLE c ALTER v TYPE text",
        before="CREATE INDEX ON c (v varchar_pattern_ops)",
    ),
    case(
        "type wider with index on partitions",
        "ALTER TABLE pt ALTER w TYPE varchar(900)",
        before="@pt; CREATE INDEX ON pt (w)",
    ),
    case(
        "type wider with collation in index",
        "ALTER TABLE c ALTER v TYPE varchar(60)",
        before='CREATE INDEX ON c (v COLLATE "C")',
    ),
    case("not null of typed child only", "ALTER TABLE child ALTER k SET NOT NULL", before="@inherit"),
    case(
        "not null of parent only",
        "ALTER TABLE ONLY base ADD CONSTRAINT q CHECK (k IS NOT NULL) NO INHERIT NOT VALID",
        before="@inherit",
    ),
    case("not null of partition", "ALTER TABLE pt1 ALTER k SET NOT NULL", before="@pt"),
    case(
        "not null proven of partitioned",
        "ALTER TABLE pt ALTER k SET NOT NULL",
        before="@pt; ALTER TABLE pt ADD CONSTRAINT q CHECK (k IS NOT NULL)",
    ),
    case("partition key not null", "ALTER TABLE pn ALTER day SET NOT NULL", before="@pn"),
    case("primary key of partitioned", "ALTER TABLE pn ADD PRIMARY KEY (day, k)", before="@pn"),
    case(
        "check not valid of partitioned",
        "ALTER TABLE pt ADD CONSTRAINT q CHECK (k > 0) NOT VALID",
        before="@pt",
    ),
    case(
        "check of partitioned validated",
        "ALTER TABLE pt VALIDATE CONSTRAINT q",
        before="@pt; ALTER TABLE pt ADD CONSTRAINT q CHECK (k > 0) NOT VALID",
    ),
    case("column of partitioned dropped", "ALTER TABLE pt DROP COLUMN k", before="@pt"),
    case(
        "attach with foreign key to check",
        "ALTER TABLE pn ATTACH PARTITION ext FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')",
        before="@pn; ALTER TABLE pn ADD FOREIGN KEY (k) REFERENCES p; @ext; ALTER TABLE ext ADD CHECK (day IS NOT NULL AND day >= '2021-01-01' AND day < '2022-01-01')",
        rows="@ext",
    ),
    case(
        "attach with foreign key there",
        "ALTER TABLE pn ATTACH PARTITION ext FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')",
        before="@pn; ALTER TABLE pn ADD FOREIGN KEY (k) REFERENCES p; @ext; ALTER TABLE ext ADD FOREIGN KEY (k) REFERENCES p; ALTER TABLE ext ADD CHECK (day IS NOT NULL AND day >= '2021-01-01' AND day < '2022-01-01')",
        rows="@ext",
    ),
    case(
        "attach with check not valid",
        "ALTER TABLE pn ATTACH PARTITION ext FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')",
        before="@pn; @ext; ALTER TABLE ext ADD CHECK (day IS NOT NULL AND day >= '2021-01-01' AND day < '2022-01-01') NOT VALID",
        rows="@ext",
    ),
    case(
        "attach with check that lets null pass",
        "ALTER TABLE pn ATTACH PARTITION ext FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')",
        before="@pn; @ext; ALTER TABLE ext ADD CHECK (day >= '2021-01-01' AND day < '2022-01-01')",
        rows="@ext",
    ),
    case("attach as default", "ALTER TABLE pn ATTACH PARTITION ext DEFAULT", before="@pn; @ext", rows="@ext"),
    case(
        "attach of a new table filled from another",
        "CREATE TABLE fresh (day date, k integer, w varchar(500))",
        "INSERT INTO fresh SELECT '2021-01-01', k, w FROM pn",
        "ALTER TABLE pn ATTACH PARTITION fresh FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')",
        before="@pn",
    ),
    case(
        "attach by list",
        "ALTER TABLE li ATTACH PARTITION le FOR VALUES IN ('b')",
        before="CREATE TABLE li (x text, w text) PARTITION BY LIST (x); CREATE TABLE le (x text, w text)",
        rows="INSERT INTO le SELECT 'b', repeat('x', 400) FROM generate_series(1, :n)",
    ),
    case(
        "partition of hash",
        "CREATE TABLE h1 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
        before="CREATE TABLE h (x integer, w text) PARTITION BY HASH (x); CREATE TABLE h0 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
    ),
    case(
        "partition of with foreign key",
        "CREATE TABLE fresh PARTITION OF pn FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')",
        before="@pn; ALTER TABLE pn ADD FOREIGN KEY (k) REFERENCES p",
    ),
    case(
        "partition of with index",
        "CREATE TABLE fresh PARTITION OF pn FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')",
        before="@pn; CREATE INDEX ON pn (k)",
    ),
    case(
        "partition of that is referred to",
        "CREATE TABLE fresh PARTITION OF pk FOR VALUES FROM (500000) TO (600000)",
        before="@pk",
        rows="@pk",
    ),
    case(
        "partition below partition with default",
        "CREATE TABLE fresh PARTITION OF sub FOR VALUES FROM (10) TO (20)",
        before="CREATE TABLE top (x integer, y integer, w text) PARTITION BY RANGE (x); CREATE TABLE sub PARTITION OF top FOR VALUES FROM (0) TO (100) PARTITION BY RANGE (y); CREATE TABLE subd PARTITION OF sub DEFAULT",
        rows="INSERT INTO top SELECT 1, 100 + g, repeat('x', 400) FROM generate_series(1, :n) AS g",
    ),
    case(
        "partition moved from default",
        "CREATE TABLE fresh (LIKE ptd)",
        "INSERT INTO fresh SELECT * FROM ptd",
        "DELETE FROM ptd",
        "ALTER TABLE pt ATTACH PARTITION fresh FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')",
        before="@pt",
    ),
    case(
        "detach and attach elsewhere",
        "ALTER TABLE pn DETACH PARTITION pn1",
        "ALTER TABLE pn ATTACH PARTITION pn1 FOR VALUES FROM ('2020-01-01') TO ('2020-06-01')",
        before="@pn",
    ),
    case("drop default partition", "DROP TABLE ptd", before="@pt"),
    case(
        "index of sub-partitioned",
        "CREATE INDEX ON top (y)",
        before="CREATE TABLE top (x integer, y integer, w text) PARTITION BY RANGE (x); CREATE TABLE sub PARTITION OF top FOR VALUES FROM (0) TO (100) PARTITION BY RANGE (y); CREATE TABLE subd PARTITION OF sub DEFAULT",
        rows="INSERT INTO top SELECT 1, 100 + g, repeat('x', 400) FROM generate_series(1, :n) AS g",
    ),
    case("index drop of partitioned", "DROP INDEX pk_i", before="@pt; CREATE INDEX pk_i ON pt (k)"),
    case(
        "index drop of partitioned, then work",
        "DROP INDEX pk_i",
        "UPDATE c SET s = 'x'",
        before="@pt; CREATE INDEX pk_i ON pt (k)",
    ),
    case("index rename, then work", "ALTER INDEX c_k RENAME TO kk", "UPDATE other SET note = 'x'"),
    case(
        "index set option, then work", "ALTER INDEX c_k SET (fillfactor = 70)", "UPDATE other SET note = 'x'"
    ),
    case(
        "reindex partitioned table concurrently",
        "REINDEX TABLE CONCURRENTLY pt",
        before="@pt; CREATE INDEX pk_i ON pt (k)",
        mode=_BARE,
    ),
    case("reindex in do block", "DO $$ BEGIN EXECUTE 'REINDEX INDEX c_k'; END $$"),
    case("reindex materialized view", "REINDEX TABLE m", before="@matview"),
    case(
        "index concurrently if not exists that is there",
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS c_k ON c (k)",
        mode=_BARE,
    ),
    case(
        "index concurrently on partition and attach",
        "CREATE INDEX pt_k ON ONLY pt (k)",
        "CREATE INDEX CONCURRENTLY pt1_k ON pt1 (k)",
        "CREATE INDEX CONCURRENTLY ptd_k ON ptd (k)",
        "ALTER INDEX pt_k ATTACH PARTITION pt1_k",
        "ALTER INDEX pt_k ATTACH PARTITION ptd_k",
        before="@pt",
        mode=_BARE,
    ),
    case("drop materialized view index", "DROP INDEX m_s", before="@matview; CREATE INDEX m_s ON m (s)"),
    case(
        "materialized view renamed, then refreshed",
        "ALTER MATERIALIZED VIEW m RENAME TO mm",
        "REFRESH MATERIALIZED VIEW mm",
        before="@matview",
    ),
    case(
        "materialized views exchanged",
        "CREATE MATERIALIZED VIEW mm AS SELECT id, s FROM c",
        "DROP MATERIALIZED VIEW m",
        "ALTER MATERIALIZED VIEW mm RENAME TO m",
        before="@matview",
    ),
    case(
        "materialized view exchanged by renaming first",
        "ALTER MATERIALIZED VIEW m RENAME TO m_old",
        "CREATE MATERIALIZED VIEW m AS SELECT id, s FROM c",
        "DROP MATERIALIZED VIEW m_old",
        before="@matview",
    ),
    case(
        "refresh of a view on a view",
        "REFRESH MATERIALIZED VIEW mm",
        before="@matview; CREATE MATERIALIZED VIEW mm AS SELECT count(*) FROM m",
    ),
    case("refresh after lock", _LOCK, "REFRESH MATERIALIZED VIEW CONCURRENTLY m", before="@matview"),
    case("sequence restarted", "ALTER SEQUENCE q RESTART 500", before="CREATE SEQUENCE q"),
    case(
        "sequence of identity restarted, then work",
        "ALTER TABLE i ALTER id RESTART WITH 500",
        "UPDATE c SET s = 'x'",
        before="CREATE TABLE i (id integer GENERATED ALWAYS AS IDENTITY)",
    ),
    case(
        "sequence unlogged, then work",
        "ALTER SEQUENCE q SET UNLOGGED",
        "UPDATE c SET s = 'x'",
        before="CREATE SEQUENCE q",
        since=15,
    ),
    case(
        "sequence renamed, then work",
        "ALTER SEQUENCE q RENAME TO qq",
        "UPDATE c SET s = 'x'",
        before="CREATE SEQUENCE q",
    ),
    case(
        "sequence dropped, then work", "DROP SEQUENCE q", "UPDATE c SET s = 'x'", before="CREATE SEQUENCE q"
    ),
    case(
        "sequence set, then work",
        "SELECT setval('q', 100)",
        "UPDATE c SET s = 'x'",
        before="CREATE SEQUENCE q",
    ),
    case(
        "view dropped, then work",
        "DROP VIEW w",
        "UPDATE c SET s = 'x'",
        before="CREATE VIEW w AS SELECT 1 AS x",
    ),
    case(
        "view altered, then work",
        "ALTER VIEW w SET (security_barrier = true)",
        "UPDATE c SET s = 'x'",
        before="CREATE VIEW w AS SELECT 1 AS x",
    ),
    case(
        "view renamed, then work",
        "ALTER VIEW w RENAME TO ww",
        "UPDATE c SET s = 'x'",
        before="CREATE VIEW w AS SELECT 1 AS x",
    ),
    case(
        "view granted, then work",
        "GRANT SELECT ON w TO PUBLIC",
        "UPDATE c SET s = 'x'",
        before="CREATE VIEW w AS SELECT 1 AS x",
    ),
    case("policy, then work", "CREATE POLICY y ON c USING (true)", "UPDATE other SET note = 'x'"),
    case("row security, then work", "ALTER TABLE c ENABLE ROW LEVEL SECURITY", "UPDATE other SET note = 'x'"),
    case(
        "rule, then work", "CREATE RULE r AS ON DELETE TO p DO INSTEAD NOTHING", "UPDATE other SET note = 'x'"
    ),
    case("owner, then work", "ALTER TABLE c OWNER TO CURRENT_USER", "UPDATE other SET note = 'x'"),
    case(
        "statistics target, then work",
        "ALTER TABLE c ALTER s SET STATISTICS 500",
        "UPDATE other SET note = 'x'",
    ),
    case("fillfactor, then work", "ALTER TABLE c SET (fillfactor = 70)", "UPDATE other SET note = 'x'"),
    case("storage, then work", "ALTER TABLE c ALTER s SET STORAGE external", "UPDATE other SET note = 'x'"),
    case("default, then work", "ALTER TABLE c ALTER s SET DEFAULT 'x'", "UPDATE other SET note = 'x'"),
    case("drop not null, then work", "ALTER TABLE p ALTER name DROP NOT NULL", "UPDATE other SET note = 'x'"),
    case("replica identity, then work", "ALTER TABLE c REPLICA IDENTITY FULL", "UPDATE other SET note = 'x'"),
    case("cluster on, then work", "ALTER TABLE c CLUSTER ON c_k", "UPDATE other SET note = 'x'"),
    case(
        "set schema, then work",
        "CREATE SCHEMA archive",
        "ALTER TABLE other SET SCHEMA archive",
        "UPDATE c SET s = 'x'",
    ),
    case(
        "inherit, then work",
        "ALTER TABLE heir INHERIT base",
        "UPDATE other SET note = 'x'",
        before="@inherit; CREATE TABLE heir (k integer, w varchar(500))",
    ),
    case(
        "enum value, then work",
        "ALTER TYPE mood ADD VALUE 'b'",
        "UPDATE other SET note = 'x'",
        before="CREATE TYPE mood AS ENUM ('a'); ALTER TABLE c ADD m mood",
    ),
    case(
        "domain default, then work",
        "ALTER DOMAIN dom SET DEFAULT 5",
        "UPDATE other SET note = 'x'",
        before="@domain",
    ),
    case(
        "domain check not valid, then work",
        "ALTER DOMAIN dom ADD CONSTRAINT z CHECK (value > 0) NOT VALID",
        "UPDATE other SET note = 'x'",
        before="@domain",
    ),
    case(
        "type dropped cascade, then work",
        "DROP TYPE mood CASCADE",
        "UPDATE other SET note = 'x'",
        before="CREATE TYPE mood AS ENUM ('a'); ALTER TABLE c ADD m mood",
    ),
    case(
        "function dropped, then work",
        "DROP FUNCTION f()",
        "UPDATE other SET note = 'x'",
        before="CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    ),
    case(
        "statistics object, then work", "CREATE STATISTICS st ON k, s FROM c", "UPDATE other SET note = 'x'"
    ),
    case(
        "statistics object dropped, then work",
        "DROP STATISTICS st",
        "UPDATE other SET note = 'x'",
        before="CREATE STATISTICS st ON k, s FROM c",
    ),
    case(
        "publication dropped, then work",
        "DROP PUBLICATION pub",
        "UPDATE other SET note = 'x'",
        before="CREATE PUBLICATION pub FOR TABLE c",
    ),
    case(
        "new table of all kinds, then work",
        "CREATE TABLE f (LIKE c INCLUDING ALL)",
        "UPDATE other SET note = 'x'",
    ),
    case(
        "new table that inherits, then work",
        "CREATE TABLE f () INHERITS (base)",
        "UPDATE other SET note = 'x'",
        before="@inherit",
    ),
    case(
        "constraint renamed, then work",
        "ALTER TABLE c RENAME CONSTRAINT c_pkey TO cc",
        "UPDATE other SET note = 'x'",
    ),
    case(
        "deferrable, then work",
        "ALTER TABLE c ALTER CONSTRAINT c_p_id_fkey DEFERRABLE",
        "UPDATE other SET note = 'x'",
    ),
    case(
        "unique using index, then work",
        "ALTER TABLE c ADD CONSTRAINT u UNIQUE USING INDEX ui",
        "UPDATE other SET note = 'x'",
        before="CREATE UNIQUE INDEX ui ON c (k)",
    ),
    case("truncate, then insert", "TRUNCATE other", "INSERT INTO other VALUES (1, 'x')"),
    case(
        "all written before the first lock",
        "UPDATE c SET s = 'x'",
        "UPDATE other SET note = 'x'",
        "ALTER TABLE p ADD z integer",
    ),
    case(
        "temp table written under lock",
        _LOCK,
        "CREATE TEMP TABLE t (id int)",
        "INSERT INTO t VALUES (1)",
        "UPDATE t SET id = 2",
        "CREATE INDEX ON t (id)",
    ),
    case(
        "temp table alone",
        "CREATE TEMP TABLE t ON COMMIT DROP AS SELECT id FROM c WHERE id < 5",
        "ALTER TABLE t ADD PRIMARY KEY (id)",
    ),
    case(
        "search path that leads elsewhere",
        "SET search_path = app, public",
        "ALTER TABLE t ADD z integer",
        "SELECT count(*) FROM t",
        before="@app",
    ),
    case("table in another schema rewritten", "ALTER TABLE app.t ALTER k TYPE bigint", before="@app"),
    case(
        "table with quotes rewritten",
        'ALTER TABLE "Odd ""one""" ALTER "K k" TYPE bigint',
        before='CREATE TABLE "Odd ""one""" ("K k" integer, w text)',
        rows='INSERT INTO "Odd ""one""" SELECT g, repeat($$x$$, 400) FROM generate_series(1, :n) AS g',
    ),
    case(
        "table with toast rewritten",
        "ALTER TABLE f ALTER k TYPE bigint",
        before="CREATE TABLE f (k integer, w text); ALTER TABLE f ALTER w SET STORAGE external",
        rows="INSERT INTO f SELECT g, repeat('x', 5000) FROM generate_series(1, :n / 4) AS g",
    ),
    case("table without columns", "ALTER TABLE e ADD z integer", before="CREATE TABLE e ()"),
    case(
        "row security table scanned",
        "ALTER TABLE f ALTER k SET NOT NULL",
        before="CREATE TABLE f (k integer, w text); ALTER TABLE f ENABLE ROW LEVEL SECURITY; ALTER TABLE f FORCE ROW LEVEL SECURITY",
        rows="INSERT INTO f SELECT g, repeat('x', 400) FROM generate_series(1, :n) AS g",
    ),
    case(
        "several statements, the last grows",
        "ALTER TABLE p ADD y integer",
        "ALTER TABLE p ALTER y SET DEFAULT 4",
        "COMMENT ON COLUMN p.y IS 'x'",
        "ALTER TABLE p ADD CONSTRAINT yy CHECK (y > 0)",
    ),
    case(
        "exception block that rolls back the lock",
        "DO $$ BEGIN BEGIN ALTER TABLE c ADD z integer; RAISE EXCEPTION 'x'; EXCEPTION WHEN raise_exception THEN NULL; END; UPDATE other SET note = 'x'; END $$",
    ),
    case(
        "nested savepoints",
        "SAVEPOINT a",
        _LOCK_C,
        "SAVEPOINT b",
        "ALTER TABLE p ADD z integer",
        "ROLLBACK TO b",
        "UPDATE other SET note = 'x'",
    ),
    case(
        "own transaction with rollback",
        "BEGIN",
        _LOCK_C,
        "ROLLBACK",
        "UPDATE other SET note = 'x'",
        mode=_BARE,
    ),
    case(
        "two own transactions",
        "BEGIN",
        _LOCK_C,
        "COMMIT",
        "BEGIN",
        "UPDATE c SET z = 1",
        "COMMIT",
        mode=_BARE,
    ),
    case(
        "bare statements of locks",
        _LOCK_C,
        "ALTER TABLE c ALTER z SET DEFAULT 1",
        "CREATE INDEX CONCURRENTLY zi ON c (z)",
        "ALTER TABLE c ADD CONSTRAINT zz CHECK (z > 0) NOT VALID",
        "ALTER TABLE c VALIDATE CONSTRAINT zz",
        mode=_BARE,
    ),
    case(
        "set not null by the safe way, bare",
        "ALTER TABLE c ADD CONSTRAINT nn CHECK (k IS NOT NULL) NOT VALID",
        "ALTER TABLE c VALIDATE CONSTRAINT nn",
        "ALTER TABLE c ALTER k SET NOT NULL",
        "ALTER TABLE c DROP CONSTRAINT nn",
        mode=_BARE,
    ),
    case(
        "foreign key by the safe way, bare",
        "ALTER TABLE other ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES p NOT VALID",
        "ALTER TABLE other VALIDATE CONSTRAINT f",
        mode=_BARE,
    ),
    case(
        "primary key by the safe way, bare",
        "CREATE UNIQUE INDEX CONCURRENTLY oi ON other (id)",
        "ALTER TABLE other ADD CONSTRAINT nn CHECK (id IS NOT NULL) NOT VALID",
        "ALTER TABLE other VALIDATE CONSTRAINT nn",
        "ALTER TABLE other ALTER id SET NOT NULL",
        "ALTER TABLE other ADD PRIMARY KEY USING INDEX oi",
        mode=_BARE,
    ),
    case("vacuum full of all", "VACUUM FULL", mode=_BARE),
    case("vacuum analyze of all", "VACUUM (ANALYZE)", mode=_BARE),
    case("analyze verbose", "ANALYZE VERBOSE c, p", mode=_BARE),
    case("reindex system", "REINDEX (VERBOSE) TABLE CONCURRENTLY c", mode=_BARE),
    case("reindex in parentheses", "REINDEX (CONCURRENTLY) TABLE c", mode=_BARE),
    case("refresh with data written out", "REFRESH MATERIALIZED VIEW m WITH DATA", before="@matview"),
)

_SEQ = "CREATE SEQUENCE seq OWNED BY c.id; ALTER TABLE c ALTER id SET DEFAULT nextval('seq')"

_MORE = (
    case(
        "locked, then serial sequence set by key",
        _LOCK,
        "SELECT setval(pg_get_serial_sequence('c', 'id'), (SELECT max(id) FROM c))",
        before=_SEQ,
    ),
    case(
        "locked, then sequence set in the select list",
        _LOCK,
        "SELECT setval('seq', coalesce(max(id), 0) + 1, false) FROM c",
        before=_SEQ,
    ),
    case(
        "locked, then sequence set by what has no index",
        _LOCK,
        "SELECT setval('seq', coalesce(max(p_id), 0) + 1, false) FROM c",
        before=_SEQ,
    ),
    case(
        "locked, then sequence restarted in do block",
        _LOCK,
        "DO $$ DECLARE m bigint; BEGIN SELECT coalesce(max(id), 0) INTO m FROM c; EXECUTE format('ALTER SEQUENCE seq RESTART WITH %s', m + 1); END $$",
        before=_SEQ,
    ),
    case(
        "locked, then write in execute format",
        _LOCK,
        "DO $$ BEGIN EXECUTE format('UPDATE %I SET s = %L', 'c', 'x'); END $$",
    ),
    case(
        "locked, then write of one in execute",
        _LOCK,
        "DO $$ BEGIN EXECUTE 'UPDATE c SET s = ''x'' WHERE id = $1' USING 5; END $$",
    ),
    case("locked, then select into", _LOCK, "SELECT * INTO f FROM c"),
    case("locked, then table command", _LOCK, "CREATE TABLE f AS TABLE c"),
    case("locked, then insert of a table", _LOCK, "CREATE TABLE f (LIKE c)", "INSERT INTO f TABLE c"),
    case(
        "locked, then create table as without data", _LOCK, "CREATE TABLE f AS SELECT * FROM c WITH NO DATA"
    ),
    case("locked, then cursor without fetch", _LOCK, "DECLARE cu CURSOR FOR SELECT * FROM c"),
    case(
        "locked, then prepared and not run",
        _LOCK,
        "PREPARE never AS UPDATE c SET s = 'x'",
        "DEALLOCATE never",
    ),
    case("locked, then parent written", _LOCK, "UPDATE base SET k = 1", before="@inherit"),
    case("locked, then parent only written", _LOCK, "UPDATE ONLY base SET k = 1", before="@inherit"),
    case("locked, then partitioned written", _LOCK, "UPDATE pt SET k = 1", before="@pt"),
    case(
        "locked, then a partition's slice deleted",
        _LOCK,
        "DELETE FROM pt WHERE day = '2020-01-01'",
        before="@pt",
    ),
    case("locked, then old rows deleted", _LOCK, "DELETE FROM c WHERE at < now() - interval '1 year'"),
    case(
        "locked, then insert of an array",
        _LOCK,
        "INSERT INTO p (id, name) SELECT -x, 'n' FROM unnest(ARRAY[1, 2, 3]) AS x",
    ),
    case(
        "locked, then lookup by unique code",
        _LOCK,
        "UPDATE p SET name = 'x' WHERE code = 'none'",
        before="CREATE UNIQUE INDEX ON p (code, id); CREATE UNIQUE INDEX ON p (id, code)",
    ),
    case(
        "locked, then one by unique code",
        _LOCK,
        "UPDATE q SET w = 'x' WHERE code = 'c5'",
        before="CREATE TABLE q (code text UNIQUE, w text)",
        rows="INSERT INTO q SELECT 'c' || g, repeat('x', 400) FROM generate_series(1, :n) AS g",
    ),
    case(
        "locked, then child inserted with its parent",
        _LOCK,
        "INSERT INTO p (id, name) VALUES (-1, 'x')",
        "INSERT INTO c (id, p_id) VALUES (-1, -1)",
    ),
    case(
        "locked, then exclusive lock and insert",
        "LOCK TABLE other IN EXCLUSIVE MODE",
        "INSERT INTO other SELECT id, s FROM c",
    ),
    case(
        "row exclusive lock and insert",
        "LOCK TABLE other IN ROW EXCLUSIVE MODE",
        "INSERT INTO other SELECT id, s FROM c",
    ),
    case(
        "triggers off, one row, triggers on",
        "ALTER TABLE c DISABLE TRIGGER USER",
        "UPDATE c SET s = 'x' WHERE id = 5",
        "ALTER TABLE c ENABLE TRIGGER USER",
    ),
    case(
        "identity added and its sequence set",
        "ALTER TABLE c ALTER id ADD GENERATED BY DEFAULT AS IDENTITY",
        "SELECT setval(pg_get_serial_sequence('c', 'id'), (SELECT max(id) FROM c))",
    ),
    case(
        "identity added and its sequence set without index",
        "ALTER TABLE other ALTER id SET NOT NULL",
        "ALTER TABLE other ALTER id ADD GENERATED BY DEFAULT AS IDENTITY",
        "SELECT setval(pg_get_serial_sequence('other', 'id'), (SELECT max(id) FROM other))",
    ),
    case(
        "materialized view index and refresh",
        "CREATE UNIQUE INDEX ON mm (id)",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY mm",
        before="CREATE MATERIALIZED VIEW mm AS SELECT id, pad FROM c",
        rows="REFRESH MATERIALIZED VIEW mm",
    ),
    case(
        "materialized view index dropped and refresh",
        "DROP INDEX m_s",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY m",
        before="@matview; CREATE INDEX m_s ON m (s)",
    ),
    case(
        "column copied under its new name",
        "ALTER TABLE c ADD s2 text",
        "UPDATE c SET s2 = s",
        "CREATE INDEX ON c (s2)",
    ),
    case(
        "column with default from a table's function",
        "ALTER TABLE c ADD z bigint DEFAULT counted()",
        before="CREATE FUNCTION counted() RETURNS bigint STABLE LANGUAGE sql AS 'SELECT count(*) FROM p'",
    ),
    case("type in autocommit", "ALTER TABLE c ALTER k TYPE bigint", mode=_BARE),
    case("check in single query", "ALTER TABLE c ADD CONSTRAINT z CHECK (k > 0)", mode="single-query"),
)

HARDER = tuple(complete(one) for one in (*_QUERIES, *_SHAPES, *_MORE))
