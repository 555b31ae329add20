"""Migrations of every kind, dangerous ones and their safe twins; what is dangerous about them is measured, not said here.

The sections are those of our notes on hazards. All cases find the same world; ``before`` is what earlier migrations added.
"""

from tests.zero_downtime.oracle import Case

WORLD = """
CREATE TABLE p (id integer PRIMARY KEY, name text NOT NULL, code text);
CREATE TABLE c (
    id integer PRIMARY KEY, p_id integer REFERENCES p, k integer, v varchar(50), s text, n numeric(10, 2),
    at timestamp(3), tz timestamptz, day date, doc json, flag boolean, label char(10), tags varchar(10)[], net cidr,
    pad text
);
CREATE INDEX c_k ON c (k);
CREATE TABLE other (id bigint, note text);
"""
WORLD_ROWS = """
INSERT INTO p SELECT g, 'name of ' || g, repeat('x', 400) FROM generate_series(1, :n) AS g;
INSERT INTO c (id, p_id, k, v, s, n, at, tz, day, doc, flag, label, tags, net, pad)
SELECT g, g, g, 'v' || g, 's' || g, g, '2020-01-01', '2020-01-01', '2020-01-01', '{}', true, 'l', '{a}', '10.0.0.0/8', repeat('x', 400)
FROM generate_series(1, :n) AS g;
INSERT INTO other SELECT g, repeat('x', 400) FROM generate_series(1, :n) AS g;
"""


def case(
    name: str,
    *migration: str,
    before: str = "",
    rows: str = "",
    mode: str = "transaction",
    since: int = 14,
    until: int = 99,
) -> Case:
    return Case(name=name, migration=migration, before=before, rows=rows, mode=mode, since=since, until=until)


_BARE = "autocommit"

_INVALID_INDEX = (
    "CREATE INDEX bad ON c (s); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'bad'::regclass"
)

_INDEXES = (
    case("index", "CREATE INDEX ON c (s)"),
    case("index concurrently", "CREATE INDEX CONCURRENTLY c_s ON c (s)", mode=_BARE),
    case("index unique", "CREATE UNIQUE INDEX ON c (id, k)"),
    case("index unique concurrently", "CREATE UNIQUE INDEX CONCURRENTLY u ON c (id, k)", mode=_BARE),
    case("index partial", "CREATE INDEX ON c (k) WHERE flag IS FALSE"),
    case("index on expression", "CREATE INDEX ON c (lower(s))"),
    case("index hash", "CREATE INDEX ON c USING hash (s)"),
    case("index brin", "CREATE INDEX ON c USING brin (id)"),
    case("index gin", "CREATE INDEX ON c USING gin (tags)"),
    case("index gist", "CREATE INDEX ON c USING gist (net inet_ops)"),
    case("index if not exists that is there", "CREATE INDEX IF NOT EXISTS c_k ON c (k)"),
    case("index if not exists that is not there", "CREATE INDEX IF NOT EXISTS c_new ON c (k)"),
    case("index autocommit", "CREATE INDEX ON c (s)", mode=_BARE),
    case("index of single query", "CREATE INDEX ON c (s)", "CREATE INDEX ON p (name)", mode="single-query"),
    case("index on new table", "CREATE TABLE fresh (id bigint)", "CREATE INDEX ON fresh (id)"),
    case("index on temp table", "CREATE TEMP TABLE t (i int)", "CREATE INDEX ON t (i)"),
    case(
        "index on table filled in the file",
        "CREATE TABLE fresh AS SELECT * FROM generate_series(1, 100) AS g",
        "CREATE INDEX ON fresh (g)",
    ),
    case("index drop", "DROP INDEX c_k"),
    case("index drop concurrently", "DROP INDEX CONCURRENTLY c_k", mode=_BARE),
    case("index drop and build", "DROP INDEX c_k", "CREATE INDEX c_k ON c (k, id)"),
    case("index build and drop", "CREATE INDEX c_k2 ON c (k, id)", "DROP INDEX c_k"),
    case(
        "index build concurrently and drop",
        "CREATE INDEX CONCURRENTLY c_k2 ON c (k, id)",
        "DROP INDEX CONCURRENTLY c_k",
        mode=_BARE,
    ),
    case("index rename", "ALTER INDEX c_k RENAME TO c_kk"),
    case("index set option", "ALTER INDEX c_k SET (fillfactor = 70)"),
    case(
        "index statistics",
        "ALTER INDEX e ALTER COLUMN 1 SET STATISTICS 100",
        before="CREATE INDEX e ON c (lower(s))",
    ),
    case("reindex index", "REINDEX INDEX c_k"),
    case("reindex table", "REINDEX TABLE c"),
    case("reindex index concurrently", "REINDEX INDEX CONCURRENTLY c_k", mode=_BARE),
    case("reindex table concurrently", "REINDEX TABLE CONCURRENTLY c", mode=_BARE),
    case("reindex schema", "REINDEX SCHEMA public", mode=_BARE),
    case("index in transaction after column", "ALTER TABLE c ADD z integer", "CREATE INDEX ON c (z)"),
    case(
        "index in transaction on other table after lock",
        "ALTER TABLE p ADD z integer",
        "CREATE INDEX ON other (id)",
    ),
    case("index of partitioned", "CREATE INDEX ON pt (k)", before="@pt"),
    case("index only on partitioned", "CREATE INDEX pt_k ON ONLY pt (k)", before="@pt"),
    case(
        "index of partition concurrently",
        "CREATE INDEX CONCURRENTLY pt1_k ON pt1 (k)",
        before="@pt",
        mode=_BARE,
    ),
    case(
        "index attach",
        "ALTER INDEX pt_k ATTACH PARTITION pt1_k",
        before="@pt; CREATE INDEX pt_k ON ONLY pt (k); CREATE INDEX pt1_k ON pt1 (k)",
    ),
    case(
        "index of partitioned all attached in one file",
        "CREATE INDEX pt_k ON ONLY pt (k)",
        "CREATE INDEX pt1_k ON pt1 (k)",
        "ALTER INDEX pt_k ATTACH PARTITION pt1_k",
        before="@pt",
    ),
    case(
        "index of partitioned where parts have it",
        "CREATE INDEX ON pt (k)",
        before="@pt; CREATE INDEX ON pt1 (k); CREATE INDEX ON ptd (k)",
    ),
    case(
        "index of materialized view",
        "CREATE INDEX ON m (k)",
        before="CREATE MATERIALIZED VIEW m AS SELECT id, k FROM c",
    ),
    case("index in do block", "DO $$ BEGIN CREATE INDEX ON c (s); END $$"),
    case("index in execute", "DO $$ BEGIN EXECUTE format('CREATE INDEX ON %I (s)', 'c'); END $$"),
    case(
        "index in function",
        "SELECT make()",
        before="CREATE FUNCTION make() RETURNS void LANGUAGE sql AS 'CREATE INDEX ON c (s)'",
    ),
    case(
        "do block that skips",
        "DO $$ BEGIN IF to_regclass('c_k') IS NULL THEN CREATE INDEX c_k ON c (k); END IF; END $$",
    ),
    case("do block without work", "DO $$ BEGIN PERFORM 1; END $$"),
    case(
        "do block with caught error",
        "DO $$ BEGIN ALTER TABLE c ADD k integer; EXCEPTION WHEN duplicate_column THEN NULL; END $$",
    ),
    case(
        "do block with undone index",
        "DO $$ BEGIN CREATE INDEX q ON c (s); RAISE EXCEPTION 'x'; EXCEPTION WHEN raise_exception THEN NULL; END $$",
    ),
    case(
        "index on quoted table",
        'CREATE INDEX ON "Big Table" ("K k")',
        before='CREATE TABLE "Big Table" ("K k" integer, w text)',
        rows="""INSERT INTO "Big Table" SELECT g, repeat('x', 400) FROM generate_series(1, :n) AS g""",
    ),
    case("index in other schema", "CREATE INDEX ON app.t (k)", before="@app"),
    case("index by search path", "SET LOCAL search_path = app", "CREATE INDEX ON t (k)", before="@app"),
    case(
        "index on unlogged table",
        "CREATE INDEX ON u (k)",
        before="CREATE UNLOGGED TABLE u (k integer, w text)",
        rows="INSERT INTO u SELECT g, repeat('x', 400) FROM generate_series(1, :n) AS g",
    ),
    case(
        "index rolled back to savepoint",
        "SAVEPOINT s",
        "CREATE INDEX ON c (s)",
        "ROLLBACK TO s",
        "ALTER TABLE other ADD z integer",
    ),
    case(
        "lock rolled back to savepoint, then work",
        "SAVEPOINT s",
        "ALTER TABLE c ADD z integer",
        "ROLLBACK TO s",
        "UPDATE p SET code = 'x'",
    ),
    case(
        "lock released with savepoint, then work",
        "SAVEPOINT s",
        "ALTER TABLE c ADD z integer",
        "RELEASE s",
        "UPDATE p SET code = 'x'",
    ),
    case("index of inheritance parent", "CREATE INDEX ON base (k)", before="@inherit"),
    case("index with lock timeout", "SET LOCAL lock_timeout = '2s'", "CREATE INDEX ON c (s)"),
    case("index own transaction", "BEGIN", "CREATE INDEX ON c (s)", "COMMIT", mode=_BARE),
    case(
        "column and index in own transactions",
        "BEGIN",
        "ALTER TABLE c ADD z integer",
        "COMMIT",
        "CREATE INDEX CONCURRENTLY c_z ON c (z)",
        mode=_BARE,
    ),
    case(
        "column then select of all in own transactions",
        "ALTER TABLE c ADD z integer",
        "UPDATE other SET note = 'x'",
        mode=_BARE,
    ),
)

_ADD_COLUMN = (
    case("column", "ALTER TABLE c ADD COLUMN z integer"),
    case("column if not exists that is there", "ALTER TABLE c ADD COLUMN IF NOT EXISTS k bigint DEFAULT 0"),
    case("column with constant default", "ALTER TABLE c ADD z integer NOT NULL DEFAULT 7"),
    case("column with now()", "ALTER TABLE c ADD z timestamptz NOT NULL DEFAULT now()"),
    case("column with current_timestamp", "ALTER TABLE c ADD z timestamptz DEFAULT CURRENT_TIMESTAMP"),
    case(
        "column with now() and interval", "ALTER TABLE c ADD z timestamptz DEFAULT now() + interval '1 day'"
    ),
    case("column with lower()", "ALTER TABLE c ADD z text DEFAULT lower('ABC')"),
    case("column with array default", "ALTER TABLE c ADD z text[] NOT NULL DEFAULT ARRAY[]::text[]"),
    case("column with json default", "ALTER TABLE c ADD z jsonb NOT NULL DEFAULT '{}'"),
    case("column with current_user", "ALTER TABLE c ADD z text DEFAULT current_user"),
    case("column with gen_random_uuid()", "ALTER TABLE c ADD z uuid DEFAULT gen_random_uuid()"),
    case("column with random()", "ALTER TABLE c ADD z double precision DEFAULT random()"),
    case("column with clock_timestamp()", "ALTER TABLE c ADD z timestamptz DEFAULT clock_timestamp()"),
    case("column with timeofday()", "ALTER TABLE c ADD z text DEFAULT timeofday()"),
    case(
        "column with nextval", "ALTER TABLE c ADD z bigint DEFAULT nextval('q')", before="CREATE SEQUENCE q"
    ),
    case(
        "column then volatile default",
        "ALTER TABLE c ADD z uuid",
        "ALTER TABLE c ALTER z SET DEFAULT gen_random_uuid()",
    ),
    case(
        "column with volatile sql function that is inlined",
        "ALTER TABLE c ADD z integer DEFAULT seven()",
        before="CREATE FUNCTION seven() RETURNS integer LANGUAGE sql AS 'SELECT 7'",
    ),
    case(
        "column with volatile plpgsql function",
        "ALTER TABLE c ADD z integer DEFAULT seven()",
        before="CREATE FUNCTION seven() RETURNS integer LANGUAGE plpgsql AS 'BEGIN RETURN 7; END'",
    ),
    case(
        "column with stable plpgsql function",
        "ALTER TABLE c ADD z integer DEFAULT seven()",
        before="CREATE FUNCTION seven() RETURNS integer STABLE LANGUAGE plpgsql AS 'BEGIN RETURN 7; END'",
    ),
    case("column serial", "ALTER TABLE c ADD z bigserial"),
    case("column identity", "ALTER TABLE c ADD z bigint GENERATED ALWAYS AS IDENTITY"),
    case("column stored generated", "ALTER TABLE c ADD z integer GENERATED ALWAYS AS (k * 2) STORED"),
    case(
        "column virtual generated",
        "ALTER TABLE c ADD z integer GENERATED ALWAYS AS (k * 2) VIRTUAL",
        since=18,
    ),
    case(
        "column generated by default of the version",
        "ALTER TABLE c ADD z integer GENERATED ALWAYS AS (k * 2)",
        since=18,
    ),
    case(
        "column virtual generated not null",
        "ALTER TABLE c ADD z integer NOT NULL GENERATED ALWAYS AS (k * 2) VIRTUAL",
        since=18,
    ),
    case(
        "column of constrained domain",
        "ALTER TABLE c ADD z positive",
        before="CREATE DOMAIN positive AS integer CHECK (value > 0)",
    ),
    case(
        "column of constrained domain with default",
        "ALTER TABLE c ADD z positive DEFAULT 1",
        before="CREATE DOMAIN positive AS integer CHECK (value > 0)",
    ),
    case("column of plain domain", "ALTER TABLE c ADD z plain", before="CREATE DOMAIN plain AS integer"),
    case(
        "column of domain with default",
        "ALTER TABLE c ADD z plain",
        before="CREATE DOMAIN plain AS integer DEFAULT 3",
    ),
    case("column of enum", "ALTER TABLE c ADD z mood DEFAULT 'ok'", before="CREATE TYPE mood AS ENUM ('ok')"),
    case("column with check", "ALTER TABLE c ADD z integer CHECK (z > 0)"),
    case("column with default and check", "ALTER TABLE c ADD z integer DEFAULT 1 CHECK (z > 0)"),
    case(
        "column then check not valid",
        "ALTER TABLE c ADD z integer",
        "ALTER TABLE c ADD CONSTRAINT zc CHECK (z > 0) NOT VALID",
    ),
    case("column with reference", "ALTER TABLE c ADD z integer REFERENCES p"),
    case("column with reference and default null", "ALTER TABLE c ADD z integer DEFAULT NULL REFERENCES p"),
    case("column with reference and default", "ALTER TABLE c ADD z integer DEFAULT 1 REFERENCES p"),
    case("column with self reference", "ALTER TABLE c ADD z integer REFERENCES c"),
    case(
        "column then reference not valid",
        "ALTER TABLE c ADD z integer",
        "ALTER TABLE c ADD FOREIGN KEY (z) REFERENCES p NOT VALID",
    ),
    case("column unique", "ALTER TABLE c ADD z integer UNIQUE"),
    case("column primary key", "ALTER TABLE other ADD z bigserial PRIMARY KEY"),
    case("column json", "ALTER TABLE c ADD z json"),
    case("column frozen default", "ALTER TABLE c ADD z timestamptz DEFAULT 'now'::timestamptz"),
    case("column with collation", 'ALTER TABLE c ADD z text COLLATE "C"'),
    case("column to partitioned", "ALTER TABLE pt ADD z integer DEFAULT 4", before="@pt"),
    case(
        "column volatile to partitioned", "ALTER TABLE pt ADD z uuid DEFAULT gen_random_uuid()", before="@pt"
    ),
    case("column to inheritance parent", "ALTER TABLE base ADD z integer", before="@inherit"),
    case(
        "column check to inheritance parent",
        "ALTER TABLE base ADD z integer CHECK (z > 0)",
        before="@inherit",
    ),
    case("columns in one statement", "ALTER TABLE c ADD y integer, ADD z text DEFAULT 'x'"),
    case(
        "columns in one statement of which one rewrites",
        "ALTER TABLE c ADD y integer, ADD z uuid DEFAULT gen_random_uuid()",
    ),
    case(
        "column to new table",
        "CREATE TABLE fresh (id integer)",
        "ALTER TABLE fresh ADD z uuid DEFAULT gen_random_uuid()",
    ),
    case("column in do block", "DO $$ BEGIN ALTER TABLE c ADD z uuid DEFAULT gen_random_uuid(); END $$"),
    case("column constant in do block", "DO $$ BEGIN ALTER TABLE c ADD z int DEFAULT 4; END $$"),
    case("column to several tables", "ALTER TABLE c ADD z integer", "ALTER TABLE p ADD z integer"),
    case(
        "column to composite type",
        "ALTER TYPE pair ADD ATTRIBUTE z integer",
        before="CREATE TYPE pair AS (x integer)",
    ),
    case(
        "attribute of typed table",
        "ALTER TYPE pair ADD ATTRIBUTE z integer CASCADE",
        before="CREATE TYPE pair AS (x integer, w text); CREATE TABLE typed OF pair",
        rows="INSERT INTO typed SELECT g, repeat('x', 400) FROM generate_series(1, :n) AS g",
    ),
    case(
        "attribute type of typed table",
        "ALTER TYPE pair ALTER ATTRIBUTE x TYPE bigint CASCADE",
        before="CREATE TYPE pair AS (x integer, w text); CREATE TABLE typed OF pair",
        rows="INSERT INTO typed SELECT g, repeat('x', 400) FROM generate_series(1, :n) AS g",
    ),
)

_TYPES_FREE = {
    "varchar wider": ("v", "varchar(100)"),
    "varchar to text": ("v", "text"),
    "varchar unbounded": ("v", "varchar"),
    "text to varchar": ("s", "varchar"),
    "numeric wider": ("n", "numeric(12, 2)"),
    "numeric unbounded": ("n", "numeric"),
    "timestamp precise": ("at", "timestamp"),
    "cidr to inet": ("net", "inet"),
    "same type": ("k", "integer"),
    "integer to oid": ("k", "oid"),
    "collation same": ("s", "text"),
}
_TYPES_REWRITTEN = {
    "integer to bigint": ("k", "bigint"),
    "integer to text": ("k", "text"),
    "varchar narrower": ("v", "varchar(20)"),
    "text to varchar(n)": ("s", "varchar(100)"),
    "char to text": ("label", "text"),
    "numeric scale": ("n", "numeric(10, 3)"),
    "timestamp less precise": ("at", "timestamp(0)"),
    "date to timestamp": ("day", "timestamp"),
    "json to jsonb": ("doc", "jsonb"),
    "array of varchar to array of text": ("tags", "text[]"),
    "timestamp to timestamptz in utc": ("at", "timestamptz(3)"),
    "timestamptz to timestamp in utc": ("tz", "timestamp"),
    "integer to smallint": ("k", "smallint"),
    "boolean to text": ("flag", "text"),
}

_CHANGE_COLUMN = (
    *(
        case(f"type {name}", f"ALTER TABLE c ALTER COLUMN {column} TYPE {to}")
        for name, (column, to) in (_TYPES_FREE | _TYPES_REWRITTEN).items()
    ),
    case("type using", "ALTER TABLE c ALTER k TYPE integer USING k + 1"),
    case("type using itself", "ALTER TABLE c ALTER v TYPE text USING v"),
    case(
        "type timestamptz elsewhere",
        "SET LOCAL TimeZone = 'Europe/Berlin'",
        "ALTER TABLE c ALTER tz TYPE timestamp",
    ),
    case(
        "type wider with expression index",
        "ALTER TABLE c ALTER v TYPE varchar(100)",
        before="CREATE INDEX ON c (lower(v))",
    ),
    case(
        "type wider with partial index",
        "ALTER TABLE c ALTER v TYPE varchar(100)",
        before="CREATE INDEX ON c (k) WHERE v <> ''",
    ),
    case(
        "type wider with plain index",
        "ALTER TABLE c ALTER v TYPE varchar(100)",
        before="CREATE INDEX ON c (v)",
    ),
    case(
        "type wider with unique constraint",
        "ALTER TABLE c ALTER v TYPE varchar(100)",
        before="ALTER TABLE c ADD UNIQUE (v)",
    ),
    case("type to text with plain index", "ALTER TABLE c ALTER v TYPE text", before="CREATE INDEX ON c (v)"),
    case(
        "type wider with check",
        "ALTER TABLE c ALTER v TYPE varchar(100)",
        before="ALTER TABLE c ADD CHECK (v <> '')",
    ),
    case(
        "type wider with check not valid",
        "ALTER TABLE c ALTER v TYPE varchar(100)",
        before="ALTER TABLE c ADD CONSTRAINT vc CHECK (v <> '') NOT VALID",
    ),
    case(
        "type wider with check on another column",
        "ALTER TABLE c ALTER v TYPE varchar(100)",
        before="ALTER TABLE c ADD CHECK (s <> '')",
    ),
    case(
        "type wider with not null",
        "ALTER TABLE c ALTER v TYPE varchar(100)",
        before="ALTER TABLE c ALTER v SET NOT NULL",
    ),
    case(
        "type timestamp to timestamptz with index",
        "ALTER TABLE c ALTER at TYPE timestamptz(3)",
        before="CREATE INDEX ON c (at)",
    ),
    case(
        "type collation change with index",
        'ALTER TABLE c ALTER s TYPE text COLLATE "POSIX"',
        before="CREATE INDEX ON c (s)",
    ),
    case("type collation change", 'ALTER TABLE c ALTER s TYPE text COLLATE "POSIX"'),
    case("type of referenced column", "ALTER TABLE p ALTER id TYPE bigint"),
    case("type of referencing column", "ALTER TABLE c ALTER p_id TYPE bigint"),
    case(
        "type wider at both ends",
        "ALTER TABLE pv ALTER v TYPE varchar(30)",
        before="CREATE TABLE pv (v varchar(20) PRIMARY KEY); CREATE TABLE cv (v varchar(20) REFERENCES pv, w text)",
        rows="INSERT INTO pv SELECT g FROM generate_series(1, :n) AS g; INSERT INTO cv SELECT g, repeat('x', 400) FROM generate_series(1, :n) AS g",
    ),
    case(
        "type wider with statistics object",
        "ALTER TABLE c ALTER v TYPE varchar(100)",
        before="CREATE STATISTICS st ON v, s FROM c",
    ),
    case("type wider of partitioned", "ALTER TABLE pt ALTER w TYPE varchar(1000)", before="@pt"),
    case("type rewritten of partitioned", "ALTER TABLE pt ALTER k TYPE bigint", before="@pt"),
    case("type rewritten of inheritance parent", "ALTER TABLE base ALTER k TYPE bigint", before="@inherit"),
    case(
        "type of serial to bigint",
        "ALTER TABLE ser ALTER id TYPE bigint",
        before="CREATE TABLE ser (id serial, w text)",
        rows="INSERT INTO ser (w) SELECT repeat('x', 400) FROM generate_series(1, :n) AS g",
    ),
    case("types in one statement", "ALTER TABLE c ALTER v TYPE text, ALTER s TYPE varchar"),
    case(
        "types in one statement of which one rewrites", "ALTER TABLE c ALTER v TYPE text, ALTER k TYPE bigint"
    ),
    case("type in do block", "DO $$ BEGIN EXECUTE 'ALTER TABLE c ALTER k TYPE bigint'; END $$"),
    case(
        "type of view's column",
        "DROP VIEW w",
        "ALTER TABLE c ALTER v TYPE text",
        "CREATE VIEW w AS SELECT v FROM c",
        before="CREATE VIEW w AS SELECT v FROM c",
    ),
    case(
        "type of generated column's base",
        "ALTER TABLE g ALTER z TYPE bigint",
        before="CREATE TABLE g (k integer, w text, z integer GENERATED ALWAYS AS (k * 2) STORED)",
        rows="INSERT INTO g SELECT g, repeat('x', 400) FROM generate_series(1, :n) AS g",
    ),
    case("set not null", "ALTER TABLE c ALTER k SET NOT NULL"),
    case("set not null that is", "ALTER TABLE c ALTER id SET NOT NULL"),
    case(
        "set not null proven",
        "ALTER TABLE c ALTER k SET NOT NULL",
        before="ALTER TABLE c ADD CONSTRAINT nn CHECK (k IS NOT NULL) NOT VALID; ALTER TABLE c VALIDATE CONSTRAINT nn",
    ),
    case(
        "set not null proven by more",
        "ALTER TABLE c ALTER k SET NOT NULL",
        before="ALTER TABLE c ADD CHECK (k > 0 AND k IS NOT NULL)",
    ),
    case(
        "set not null not proven by k > 0",
        "ALTER TABLE c ALTER k SET NOT NULL",
        before="ALTER TABLE c ADD CHECK (k > 0)",
    ),
    case(
        "set not null not proven as not valid",
        "ALTER TABLE c ALTER k SET NOT NULL",
        before="ALTER TABLE c ADD CONSTRAINT nn CHECK (k IS NOT NULL) NOT VALID",
    ),
    case(
        "set not null proven, then check dropped",
        "ALTER TABLE c ALTER k SET NOT NULL",
        "ALTER TABLE c DROP CONSTRAINT nn",
        before="ALTER TABLE c ADD CONSTRAINT nn CHECK (k IS NOT NULL)",
    ),
    case(
        "set not null after its check is dropped",
        "ALTER TABLE c DROP CONSTRAINT nn",
        "ALTER TABLE c ALTER k SET NOT NULL",
        before="ALTER TABLE c ADD CONSTRAINT nn CHECK (k IS NOT NULL)",
    ),
    case(
        "set not null after validating another",
        "ALTER TABLE c VALIDATE CONSTRAINT u",
        "ALTER TABLE c ALTER k SET NOT NULL",
        before="ALTER TABLE c ADD CONSTRAINT u CHECK (id > 0) NOT VALID",
    ),
    case("set not null of partitioned", "ALTER TABLE pt ALTER k SET NOT NULL", before="@pt"),
    case("set not null of two", "ALTER TABLE c ALTER k SET NOT NULL, ALTER s SET NOT NULL"),
    case(
        "set not null of two of which one is proven",
        "ALTER TABLE c ALTER k SET NOT NULL, ALTER s SET NOT NULL",
        before="ALTER TABLE c ADD CONSTRAINT nn CHECK (k IS NOT NULL)",
    ),
    case("not null not valid", "ALTER TABLE c ADD CONSTRAINT nn NOT NULL k NOT VALID", since=18),
    case(
        "not null validated",
        "ALTER TABLE c VALIDATE CONSTRAINT nn",
        before="ALTER TABLE c ADD CONSTRAINT nn NOT NULL k NOT VALID",
        since=18,
    ),
    case(
        "not null not valid, then set",
        "ALTER TABLE c ALTER k SET NOT NULL",
        before="ALTER TABLE c ADD CONSTRAINT nn NOT NULL k NOT VALID",
        since=18,
    ),
    case("not null added", "ALTER TABLE c ADD CONSTRAINT nn NOT NULL k", since=18),
    case("drop not null", "ALTER TABLE p ALTER name DROP NOT NULL"),
    case("drop column", "ALTER TABLE c DROP COLUMN s"),
    case("drop column with index", "ALTER TABLE c DROP COLUMN k"),
    case("drop column with foreign key", "ALTER TABLE c DROP COLUMN p_id"),
    case("drop column if exists that is not there", "ALTER TABLE c DROP COLUMN IF EXISTS zz"),
    case("drop column, then write all", "ALTER TABLE c DROP COLUMN s", "UPDATE c SET k = k + 1"),
    case("rename column", "ALTER TABLE c RENAME s TO ss"),
    case("rename table", "ALTER TABLE c RENAME TO cc"),
    case("rename table behind a view", "ALTER TABLE c RENAME TO c2", "CREATE VIEW c AS SELECT * FROM c2"),
    case("rename table, then write all", "ALTER TABLE c RENAME TO c2", "UPDATE c2 SET s = 'x'"),
    case("set default", "ALTER TABLE c ALTER k SET DEFAULT 4"),
    case("drop default", "ALTER TABLE c ALTER k DROP DEFAULT"),
    case("add identity", "ALTER TABLE c ALTER id ADD GENERATED BY DEFAULT AS IDENTITY"),
    case(
        "drop identity",
        "ALTER TABLE i ALTER id DROP IDENTITY",
        before="CREATE TABLE i (id integer GENERATED ALWAYS AS IDENTITY)",
    ),
    case("set storage", "ALTER TABLE c ALTER s SET STORAGE external"),
    case("set compression", "ALTER TABLE c ALTER s SET COMPRESSION pglz"),
    case("set statistics", "ALTER TABLE c ALTER s SET STATISTICS 500"),
    case("set n_distinct", "ALTER TABLE c ALTER s SET (n_distinct = 5)"),
    case("set fillfactor", "ALTER TABLE c SET (fillfactor = 70)"),
    case("set autovacuum option", "ALTER TABLE c SET (autovacuum_enabled = false)"),
    case("cluster on", "ALTER TABLE c CLUSTER ON c_k"),
    case(
        "set expression",
        "ALTER TABLE g ALTER z SET EXPRESSION AS (k * 3)",
        before="@generated",
        rows="@generated",
        since=17,
    ),
    case("drop expression", "ALTER TABLE g ALTER z DROP EXPRESSION", before="@generated", rows="@generated"),
    case(
        "set expression of virtual",
        "ALTER TABLE g ALTER z SET EXPRESSION AS (k * 3)",
        before="CREATE TABLE g (k integer, w text, z integer GENERATED ALWAYS AS (k * 2) VIRTUAL)",
        rows="@generated",
        since=18,
    ),
    case("alter sequence", "ALTER SEQUENCE q INCREMENT 2", before="CREATE SEQUENCE q"),
    case("alter sequence owned", "ALTER SEQUENCE q OWNED BY c.id", before="CREATE SEQUENCE q"),
    case(
        "alter sequence, then write",
        "ALTER SEQUENCE q INCREMENT 2",
        "UPDATE other SET note = 'x'",
        before="CREATE SEQUENCE q",
    ),
    case(
        "alter sequence type, then write",
        "ALTER SEQUENCE q AS bigint",
        "UPDATE other SET note = 'x'",
        before="CREATE SEQUENCE q AS integer",
    ),
    case(
        "setval over all rows", "SELECT setval('q', (SELECT max(id) FROM other))", before="CREATE SEQUENCE q"
    ),
    case(
        "lock sequence's owner, then setval over all rows",
        "ALTER TABLE c ADD z integer",
        "SELECT setval('q', (SELECT max(k + id) FROM c))",
        before="CREATE SEQUENCE q",
    ),
)

_CONSTRAINTS = (
    case("check", "ALTER TABLE c ADD CONSTRAINT z CHECK (k > 0)"),
    case("check not valid", "ALTER TABLE c ADD CONSTRAINT z CHECK (k > 0) NOT VALID"),
    case(
        "check validate",
        "ALTER TABLE c VALIDATE CONSTRAINT z",
        before="ALTER TABLE c ADD CONSTRAINT z CHECK (k > 0) NOT VALID",
    ),
    case(
        "check validate in the same transaction",
        "ALTER TABLE c ADD CONSTRAINT z CHECK (k > 0) NOT VALID",
        "ALTER TABLE c VALIDATE CONSTRAINT z",
    ),
    case(
        "check validate autocommit",
        "ALTER TABLE c ADD CONSTRAINT z CHECK (k > 0) NOT VALID",
        "ALTER TABLE c VALIDATE CONSTRAINT z",
        mode=_BARE,
    ),
    case(
        "check validate in a second transaction",
        "BEGIN",
        "ALTER TABLE c ADD CONSTRAINT z CHECK (k > 0) NOT VALID",
        "COMMIT",
        "BEGIN",
        "ALTER TABLE c VALIDATE CONSTRAINT z",
        "COMMIT",
        mode=_BARE,
    ),
    case(
        "check validate twice",
        "ALTER TABLE c VALIDATE CONSTRAINT z",
        before="ALTER TABLE c ADD CONSTRAINT z CHECK (k > 0)",
    ),
    case("check not enforced", "ALTER TABLE c ADD CONSTRAINT z CHECK (k > 0) NOT ENFORCED", since=18),
    case("check of partitioned", "ALTER TABLE pt ADD CONSTRAINT z CHECK (k > 0)", before="@pt"),
    case(
        "check only on inheritance parent",
        "ALTER TABLE ONLY base ADD CONSTRAINT z CHECK (k > 0) NO INHERIT",
        before="@inherit",
    ),
    case("check of inheritance parent", "ALTER TABLE base ADD CONSTRAINT z CHECK (k > 0)", before="@inherit"),
    case(
        "check that is there, merged",
        "ALTER TABLE c ADD CONSTRAINT z CHECK (k > 0), ADD CONSTRAINT y CHECK (k > 0) NOT VALID",
    ),
    case(
        "foreign key",
        "ALTER TABLE other ADD FOREIGN KEY (id) REFERENCES q",
        before="CREATE TABLE q (id bigint PRIMARY KEY)",
        rows="INSERT INTO q SELECT generate_series(1, :n)",
    ),
    case("foreign key not valid", "ALTER TABLE other ADD FOREIGN KEY (id) REFERENCES p NOT VALID"),
    case(
        "foreign key validate",
        "ALTER TABLE other VALIDATE CONSTRAINT f",
        before="ALTER TABLE other ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES p NOT VALID",
    ),
    case(
        "foreign key validate in the same transaction",
        "ALTER TABLE other ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES p NOT VALID",
        "ALTER TABLE other VALIDATE CONSTRAINT f",
    ),
    case(
        "foreign key validate with lock on another",
        "ALTER TABLE c ADD z integer",
        "ALTER TABLE other VALIDATE CONSTRAINT f",
        before="ALTER TABLE other ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES p NOT VALID",
    ),
    case("foreign key of new table", "CREATE TABLE fresh (p_id integer REFERENCES p)"),
    case(
        "foreign key of new table, then work",
        "CREATE TABLE fresh (p_id integer REFERENCES p)",
        "UPDATE other SET note = 'x'",
    ),
    case(
        "foreign key of new table filled from the parent",
        "CREATE TABLE fresh (p_id integer REFERENCES p)",
        "INSERT INTO fresh SELECT id FROM p",
    ),
    case(
        "new table filled, then foreign key",
        "CREATE TABLE fresh AS SELECT id FROM other",
        "ALTER TABLE fresh ADD FOREIGN KEY (id) REFERENCES p",
    ),
    case(
        "new empty table, then foreign key",
        "CREATE TABLE fresh (id integer)",
        "ALTER TABLE fresh ADD FOREIGN KEY (id) REFERENCES p",
    ),
    case("foreign key from partitioned", "ALTER TABLE pt ADD FOREIGN KEY (k) REFERENCES p", before="@pt"),
    case(
        "foreign key from partitioned not valid",
        "ALTER TABLE pt ADD FOREIGN KEY (k) REFERENCES p NOT VALID",
        before="@pt",
        since=18,
    ),
    case(
        "foreign key from partition",
        "ALTER TABLE pt1 ADD FOREIGN KEY (k) REFERENCES p NOT VALID",
        before="@pt",
    ),
    case(
        "foreign key to partitioned",
        "ALTER TABLE other ADD FOREIGN KEY (id) REFERENCES pk",
        before="CREATE TABLE pk (id integer PRIMARY KEY, w text) PARTITION BY RANGE (id); CREATE TABLE pk1 PARTITION OF pk FOR VALUES FROM (0) TO (1000000)",
        rows="INSERT INTO pk SELECT g, repeat('x', 400) FROM generate_series(1, :n) AS g",
    ),
    case(
        "foreign key not enforced",
        "ALTER TABLE other ADD FOREIGN KEY (id) REFERENCES p NOT ENFORCED",
        since=18,
    ),
    case(
        "foreign key enforced",
        "ALTER TABLE other ALTER CONSTRAINT f ENFORCED",
        before="ALTER TABLE other ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES p NOT ENFORCED",
        since=18,
    ),
    case("foreign key deferrable", "ALTER TABLE c ALTER CONSTRAINT c_p_id_fkey DEFERRABLE"),
    case("foreign key drop", "ALTER TABLE c DROP CONSTRAINT c_p_id_fkey"),
    case("foreign key to itself", "ALTER TABLE c ADD FOREIGN KEY (k) REFERENCES c"),
    case("foreign key to itself not valid", "ALTER TABLE c ADD FOREIGN KEY (k) REFERENCES c NOT VALID"),
    case(
        "foreign key drop and add not valid",
        "ALTER TABLE c DROP CONSTRAINT c_p_id_fkey, ADD CONSTRAINT c_p_id_fkey FOREIGN KEY (p_id) REFERENCES p ON DELETE CASCADE NOT VALID",
    ),
    case(
        "foreign key drop and add",
        "ALTER TABLE c DROP CONSTRAINT c_p_id_fkey",
        "ALTER TABLE c ADD CONSTRAINT c_p_id_fkey FOREIGN KEY (p_id) REFERENCES p ON DELETE CASCADE",
    ),
    case("unique", "ALTER TABLE c ADD CONSTRAINT u UNIQUE (k, id)"),
    case(
        "unique using index",
        "ALTER TABLE c ADD CONSTRAINT u UNIQUE USING INDEX ui",
        before="CREATE UNIQUE INDEX ui ON c (k)",
    ),
    case("unique deferrable", "ALTER TABLE c ADD CONSTRAINT u UNIQUE (k) DEFERRABLE INITIALLY DEFERRED"),
    case(
        "unique concurrently, then constraint",
        "CREATE UNIQUE INDEX CONCURRENTLY ui ON c (k)",
        "ALTER TABLE c ADD CONSTRAINT u UNIQUE USING INDEX ui",
        mode=_BARE,
    ),
    case("unique of partitioned", "ALTER TABLE pt ADD UNIQUE (day, k)", before="@pt"),
    case(
        "unique drop", "ALTER TABLE c DROP CONSTRAINT u", before="ALTER TABLE c ADD CONSTRAINT u UNIQUE (k)"
    ),
    case("primary key", "ALTER TABLE other ADD PRIMARY KEY (id)"),
    case(
        "primary key using index not null",
        "ALTER TABLE other ADD PRIMARY KEY USING INDEX oi",
        before="CREATE UNIQUE INDEX oi ON other (id); ALTER TABLE other ALTER id SET NOT NULL",
    ),
    case(
        "primary key using index nullable",
        "ALTER TABLE other ADD PRIMARY KEY USING INDEX oi",
        before="CREATE UNIQUE INDEX oi ON other (id)",
    ),
    case(
        "primary key using index proven",
        "ALTER TABLE other ADD PRIMARY KEY USING INDEX oi",
        before="CREATE UNIQUE INDEX oi ON other (id); ALTER TABLE other ADD CHECK (id IS NOT NULL)",
    ),
    case(
        "primary key of new table",
        "CREATE TABLE fresh (id bigint NOT NULL)",
        "ALTER TABLE fresh ADD PRIMARY KEY (id)",
    ),
    case(
        "primary key drop",
        "ALTER TABLE other DROP CONSTRAINT other_pkey",
        before="ALTER TABLE other ADD PRIMARY KEY (id)",
    ),
    case(
        "primary key exchanged",
        "ALTER TABLE other DROP CONSTRAINT other_pkey, ADD PRIMARY KEY USING INDEX oi",
        before="ALTER TABLE other ADD PRIMARY KEY (id); CREATE UNIQUE INDEX oi ON other (id)",
    ),
    case("exclusion", "ALTER TABLE c ADD EXCLUDE USING gist (net inet_ops WITH &&) WHERE (id < 0)"),
    case("constraint rename", "ALTER TABLE c RENAME CONSTRAINT c_pkey TO c_key"),
    case(
        "domain check",
        "ALTER DOMAIN dom ADD CONSTRAINT z CHECK (value > 0)",
        before="@domain",
        rows="@domain",
    ),
    case(
        "domain check not valid",
        "ALTER DOMAIN dom ADD CONSTRAINT z CHECK (value > 0) NOT VALID",
        before="@domain",
        rows="@domain",
    ),
    case(
        "domain validate",
        "ALTER DOMAIN dom VALIDATE CONSTRAINT z",
        before="@domain; ALTER DOMAIN dom ADD CONSTRAINT z CHECK (value > 0) NOT VALID",
        rows="@domain",
    ),
    case("domain not null", "ALTER DOMAIN dom SET NOT NULL", before="@domain", rows="@domain"),
    case(
        "domain drop constraint",
        "ALTER DOMAIN dom DROP CONSTRAINT z",
        before="@domain; ALTER DOMAIN dom ADD CONSTRAINT z CHECK (value > 0)",
        rows="@domain",
    ),
    case("domain default", "ALTER DOMAIN dom SET DEFAULT 5", before="@domain", rows="@domain"),
    case(
        "domain without users",
        "ALTER DOMAIN alone ADD CHECK (value > 0)",
        before="CREATE DOMAIN alone AS integer",
    ),
    case(
        "check and index", "ALTER TABLE c ADD CONSTRAINT z CHECK (k > 0) NOT VALID", "CREATE INDEX ON c (s)"
    ),
    case(
        "index and check", "CREATE INDEX ON c (s)", "ALTER TABLE c ADD CONSTRAINT z CHECK (k > 0) NOT VALID"
    ),
    case(
        "commands without work",
        "ALTER TABLE c ADD z integer, ADD CONSTRAINT y CHECK (k > 0) NOT VALID, ALTER s SET DEFAULT ''",
    ),
    case(
        "commands with work",
        "ALTER TABLE c ADD z integer, ADD CONSTRAINT y CHECK (k > 0), ALTER s SET NOT NULL",
    ),
)

_FRESH_PARTITION = "CREATE TABLE fresh (day date, k integer, w varchar(500))"

_TABLES = (
    case("drop table", "DROP TABLE other"),
    case("drop table with foreign key", "DROP TABLE c"),
    case("drop table if exists that is not there", "DROP TABLE IF EXISTS nothing"),
    case("drop table cascade", "DROP TABLE p CASCADE"),
    case("drop table, then work", "DROP TABLE other", "UPDATE c SET s = 'x'"),
    case("drop and create", "DROP TABLE other", "CREATE TABLE other (id bigint)"),
    case("drop schema cascade", "DROP SCHEMA app CASCADE", before="@app"),
    case("drop view", "DROP VIEW w", before="CREATE VIEW w AS SELECT id FROM c"),
    case(
        "drop function",
        "DROP FUNCTION f()",
        before="CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    ),
    case(
        "drop type cascade",
        "DROP TYPE mood CASCADE",
        before="CREATE TYPE mood AS ENUM ('a'); ALTER TABLE c ADD m mood",
    ),
    case("drop sequence", "DROP SEQUENCE q", before="CREATE SEQUENCE q"),
    case("truncate", "TRUNCATE other"),
    case("truncate cascade", "TRUNCATE p CASCADE"),
    case("truncate restart", "TRUNCATE ser RESTART IDENTITY", before="CREATE TABLE ser (id serial)"),
    case("truncate, then fill from another", "TRUNCATE other", "INSERT INTO other SELECT id, s FROM c"),
    case("set unlogged", "ALTER TABLE other SET UNLOGGED"),
    case(
        "set logged",
        "ALTER TABLE u SET LOGGED",
        before="CREATE UNLOGGED TABLE u (k integer, w text)",
        rows="INSERT INTO u SELECT g, repeat('x', 400) FROM generate_series(1, :n) AS g",
    ),
    case("set logged that is", "ALTER TABLE other SET LOGGED"),
    case("set access method that is", "ALTER TABLE other SET ACCESS METHOD heap", since=15),
    case("set tablespace that is", "ALTER TABLE other SET TABLESPACE pg_default"),
    case("vacuum", "VACUUM other", mode=_BARE),
    case("vacuum analyze", "VACUUM (ANALYZE) other", mode=_BARE),
    case("vacuum full", "VACUUM FULL other", mode=_BARE),
    case("vacuum full in parentheses", "VACUUM (FULL, ANALYZE) c", mode=_BARE),
    case("cluster", "CLUSTER c USING c_k"),
    case("cluster autocommit", "CLUSTER c USING c_k", mode=_BARE),
    case("cluster all", "CLUSTER", before="ALTER TABLE c CLUSTER ON c_k", mode=_BARE),
    case("analyze", "ANALYZE c"),
    case("analyze autocommit", "ANALYZE c", mode=_BARE),
    case("refresh", "REFRESH MATERIALIZED VIEW m", before="@matview"),
    case("refresh concurrently", "REFRESH MATERIALIZED VIEW CONCURRENTLY m", before="@matview"),
    case(
        "refresh concurrently autocommit",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY m",
        before="@matview",
        mode=_BARE,
    ),
    case("refresh with no data", "REFRESH MATERIALIZED VIEW m WITH NO DATA", before="@matview"),
    case("refresh autocommit", "REFRESH MATERIALIZED VIEW m", before="@matview", mode=_BARE),
    case("create materialized view", "CREATE MATERIALIZED VIEW m AS SELECT * FROM c"),
    case(
        "create materialized view with no data", "CREATE MATERIALIZED VIEW m AS SELECT * FROM c WITH NO DATA"
    ),
    case(
        "drop and create materialized view",
        "DROP MATERIALIZED VIEW m",
        "CREATE MATERIALIZED VIEW m AS SELECT id FROM c",
        before="@matview",
    ),
    case("create table as", "CREATE TABLE fresh AS SELECT * FROM c"),
    case(
        "create table as after a lock",
        "ALTER TABLE other ADD z integer",
        "CREATE TABLE fresh AS SELECT * FROM c",
    ),
    case(
        "create table as, then a lock",
        "CREATE TABLE fresh AS SELECT * FROM c",
        "ALTER TABLE other ADD z integer",
    ),
    case("create table like", "CREATE TABLE fresh (LIKE c INCLUDING ALL)"),
    case("lock table", "LOCK TABLE other IN ACCESS EXCLUSIVE MODE"),
    case("lock table, then work", "LOCK TABLE other IN ACCESS EXCLUSIVE MODE", "UPDATE other SET note = 'x'"),
    case("lock table share, then work", "LOCK TABLE other IN SHARE MODE", "SELECT count(*) FROM other"),
    case(
        "lock table share update exclusive, then work",
        "LOCK TABLE other IN SHARE UPDATE EXCLUSIVE MODE",
        "SELECT count(*) FROM other",
    ),
    case(
        "trigger",
        "CREATE TRIGGER t BEFORE INSERT ON c FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    ),
    case(
        "trigger, then work",
        "CREATE TRIGGER t BEFORE UPDATE ON c FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "UPDATE c SET s = s || 'x'",
    ),
    case(
        "trigger drop",
        "DROP TRIGGER t ON c",
        before="CREATE TRIGGER t BEFORE UPDATE ON c FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    ),
    case(
        "trigger disabled, then work",
        "ALTER TABLE c DISABLE TRIGGER USER",
        "UPDATE c SET s = 'x'",
        "ALTER TABLE c ENABLE TRIGGER USER",
    ),
    case("trigger disabled", "ALTER TABLE c DISABLE TRIGGER USER"),
    case("policy", "CREATE POLICY y ON c USING (true)"),
    case("row security", "ALTER TABLE c ENABLE ROW LEVEL SECURITY"),
    case("rule", "CREATE RULE r AS ON DELETE TO other DO INSTEAD NOTHING"),
    case("owner", "ALTER TABLE c OWNER TO CURRENT_USER"),
    case("grant", "GRANT SELECT ON c TO PUBLIC"),
    case("revoke", "REVOKE ALL ON c FROM PUBLIC"),
    case("grant, then work", "GRANT SELECT ON c TO PUBLIC", "UPDATE other SET note = 'x'"),
    case("comment", "COMMENT ON TABLE c IS 'x'"),
    case("comment, then work", "COMMENT ON TABLE c IS 'x'", "UPDATE other SET note = 'x'"),
    case(
        "comment on column, then check validated",
        "COMMENT ON COLUMN c.k IS 'x'",
        "ALTER TABLE c VALIDATE CONSTRAINT z",
        before="ALTER TABLE c ADD CONSTRAINT z CHECK (k > 0) NOT VALID",
    ),
    case("replica identity full", "ALTER TABLE c REPLICA IDENTITY FULL"),
    case(
        "replica identity index",
        "ALTER TABLE other REPLICA IDENTITY USING INDEX oi",
        before="ALTER TABLE other ALTER id SET NOT NULL; CREATE UNIQUE INDEX oi ON other (id)",
    ),
    case("publication", "CREATE PUBLICATION pub FOR TABLE c"),
    case("publication of all", "CREATE PUBLICATION pub FOR ALL TABLES"),
    case("publication, then work", "CREATE PUBLICATION pub FOR TABLE c", "UPDATE other SET note = 'x'"),
    case("statistics object", "CREATE STATISTICS st ON k, s FROM c"),
    case("set schema", "ALTER TABLE other SET SCHEMA app", before="@app"),
    case(
        "inherit",
        "ALTER TABLE heir INHERIT base",
        before="@inherit; CREATE TABLE heir (k integer, w varchar(500))",
    ),
    case("no inherit", "ALTER TABLE child NO INHERIT base", before="@inherit"),
    case(
        "of type",
        "ALTER TABLE t OF pair",
        before="CREATE TYPE pair AS (x integer); CREATE TABLE t (x integer)",
    ),
    case("not of", "ALTER TABLE t NOT OF", before="CREATE TYPE pair AS (x integer); CREATE TABLE t OF pair"),
    case("toast option", "ALTER TABLE c SET (toast.autovacuum_enabled = false)"),
    case(
        "enum value",
        "ALTER TYPE mood ADD VALUE 'b'",
        before="CREATE TYPE mood AS ENUM ('a'); ALTER TABLE c ADD m mood",
    ),
    case(
        "enum value renamed",
        "ALTER TYPE mood RENAME VALUE 'a' TO 'b'",
        before="CREATE TYPE mood AS ENUM ('a'); ALTER TABLE c ADD m mood",
    ),
    case(
        "enum to text",
        "ALTER TABLE c ALTER m TYPE text",
        before="CREATE TYPE mood AS ENUM ('a'); ALTER TABLE c ADD m mood",
    ),
    case("view", "CREATE VIEW w AS SELECT id FROM c"),
    case(
        "view replaced",
        "CREATE OR REPLACE VIEW w AS SELECT id, k FROM c",
        before="CREATE VIEW w AS SELECT id FROM c",
    ),
    case(
        "view replaced, then work",
        "CREATE OR REPLACE VIEW w AS SELECT id, k FROM c",
        "UPDATE other SET note = 'x'",
        before="CREATE VIEW w AS SELECT id FROM c",
    ),
    case(
        "view dropped and created",
        "DROP VIEW w",
        "CREATE VIEW w AS SELECT k FROM c",
        before="CREATE VIEW w AS SELECT id FROM c",
    ),
    case(
        "function replaced",
        "CREATE OR REPLACE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 2'",
        before="CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    ),
    case(
        "function, then work",
        "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 2'",
        "UPDATE other SET note = 'x'",
    ),
    case("extension", "CREATE EXTENSION IF NOT EXISTS plpgsql"),
    case("temp table filled and indexed", "CREATE TEMP TABLE t AS SELECT * FROM c", "CREATE INDEX ON t (k)"),
    case(
        "temp table filled after lock",
        "ALTER TABLE c ADD z integer",
        "CREATE TEMP TABLE t AS SELECT * FROM c",
    ),
    case(
        "table copied and exchanged",
        "CREATE TABLE c_new (LIKE other)",
        "INSERT INTO c_new SELECT * FROM other",
        "ALTER TABLE other RENAME TO other_old",
        "ALTER TABLE c_new RENAME TO other",
    ),
    case(
        "table locked, copied and exchanged",
        "LOCK TABLE other IN SHARE MODE",
        "CREATE TABLE c_new (LIKE other)",
        "INSERT INTO c_new SELECT * FROM other",
        "ALTER TABLE other RENAME TO other_old",
        "ALTER TABLE c_new RENAME TO other",
    ),
    # Partitions
    case(
        "attach with default and rows",
        "ALTER TABLE pt ATTACH PARTITION ext FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')",
        before="@pt; @ext",
        rows="@ext",
    ),
    case(
        "attach with check, default without",
        "ALTER TABLE pt ATTACH PARTITION ext FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')",
        before="@pt; @ext; ALTER TABLE ext ADD CHECK (day IS NOT NULL AND day >= '2021-01-01' AND day < '2022-01-01')",
        rows="@ext",
    ),
    case(
        "attach with check on both",
        "ALTER TABLE pt ATTACH PARTITION ext FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')",
        before="@pt; @ext; ALTER TABLE ext ADD CHECK (day IS NOT NULL AND day >= '2021-01-01' AND day < '2022-01-01'); ALTER TABLE ptd ADD CHECK (day IS NOT NULL AND (day < '2021-01-01' OR day >= '2022-01-01'))",
        rows="@ext",
    ),
    case(
        "attach without default",
        "ALTER TABLE pn ATTACH PARTITION ext FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')",
        before="@pn; @ext",
        rows="@ext",
    ),
    case(
        "attach without default with check",
        "ALTER TABLE pn ATTACH PARTITION ext FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')",
        before="@pn; @ext; ALTER TABLE ext ADD CHECK (day IS NOT NULL AND day >= '2021-01-01' AND day < '2022-01-01')",
        rows="@ext",
    ),
    case(
        "attach with missing index",
        "ALTER TABLE pn ATTACH PARTITION ext FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')",
        before="@pn; CREATE INDEX ON pn (k); @ext; ALTER TABLE ext ADD CHECK (day IS NOT NULL AND day >= '2021-01-01' AND day < '2022-01-01')",
        rows="@ext",
    ),
    case(
        "attach with index there",
        "ALTER TABLE pn ATTACH PARTITION ext FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')",
        before="@pn; CREATE INDEX ON pn (k); @ext; CREATE INDEX ON ext (k); ALTER TABLE ext ADD CHECK (day IS NOT NULL AND day >= '2021-01-01' AND day < '2022-01-01')",
        rows="@ext",
    ),
    case(
        "attach new table, no default",
        _FRESH_PARTITION,
        "ALTER TABLE pn ATTACH PARTITION fresh FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')",
        before="@pn",
    ),
    case(
        "attach new table, default",
        _FRESH_PARTITION,
        "ALTER TABLE pt ATTACH PARTITION fresh FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')",
        before="@pt",
    ),
    case(
        "partition of with default",
        "CREATE TABLE fresh PARTITION OF pt FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')",
        before="@pt",
    ),
    case(
        "partition of with checked default",
        "CREATE TABLE fresh PARTITION OF pt FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')",
        before="@pt; ALTER TABLE ptd ADD CHECK (day IS NOT NULL AND (day < '2021-01-01' OR day >= '2022-01-01'))",
    ),
    case(
        "partition of without default",
        "CREATE TABLE fresh PARTITION OF pn FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')",
        before="@pn",
    ),
    case("default partition", "CREATE TABLE fresh PARTITION OF pn DEFAULT", before="@pn"),
    case(
        "partitions of without default, then work",
        "CREATE TABLE fresh PARTITION OF pn FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')",
        "UPDATE other SET note = 'x'",
        before="@pn",
    ),
    case("detach", "ALTER TABLE pn DETACH PARTITION pn1", before="@pn"),
    case("detach with default", "ALTER TABLE pt DETACH PARTITION pt1", before="@pt"),
    case("detach concurrently", "ALTER TABLE pn DETACH PARTITION pn1 CONCURRENTLY", before="@pn", mode=_BARE),
    case("detach and drop", "ALTER TABLE pn DETACH PARTITION pn1", "DROP TABLE pn1", before="@pn"),
    case("detach, then work", "ALTER TABLE pn DETACH PARTITION pn1", "DELETE FROM other", before="@pn"),
    case("detach with referencing key", "ALTER TABLE pk DETACH PARTITION pk1", before="@pk", rows="@pk"),
    case("drop partition", "DROP TABLE pt1", before="@pt"),
    case(
        "new partitioned table",
        "CREATE TABLE np (d date) PARTITION BY RANGE (d)",
        "CREATE TABLE np1 PARTITION OF np DEFAULT",
        "CREATE INDEX ON np (d)",
    ),
)

_TRANSACTIONS = (
    case("write all", "UPDATE c SET s = 'x'"),
    case("write all autocommit", "UPDATE c SET s = 'x'", mode=_BARE),
    case("write one", "UPDATE c SET s = 'x' WHERE id = 5"),
    case("write one after lock", "ALTER TABLE c ADD z integer", "UPDATE c SET z = 1 WHERE id = 5"),
    case("write all after lock", "ALTER TABLE c ADD z integer", "UPDATE c SET z = k"),
    case("write all before lock", "UPDATE c SET s = 'x'", "ALTER TABLE c ADD z integer"),
    case("write all after lock of another", "ALTER TABLE p ADD z integer", "UPDATE c SET s = 'x'"),
    case(
        "write all in own transaction after lock",
        "BEGIN",
        "ALTER TABLE c ADD z integer",
        "COMMIT",
        "UPDATE c SET z = k",
        mode=_BARE,
    ),
    case(
        "write all after lock in do block",
        "DO $$ BEGIN ALTER TABLE c ADD z integer; UPDATE c SET z = k; END $$",
    ),
    case("write all in do block", "DO $$ BEGIN UPDATE c SET s = 'x'; END $$"),
    case("delete all", "DELETE FROM other"),
    case("delete all after lock", "ALTER TABLE other ADD z integer", "DELETE FROM other"),
    case("delete some by key", "DELETE FROM c WHERE id IN (1, 2, 3)"),
    case("insert select", "INSERT INTO other SELECT id, s FROM c"),
    case(
        "insert select after lock", "ALTER TABLE other ADD z integer", "INSERT INTO other SELECT id, s FROM c"
    ),
    case(
        "insert values after lock", "ALTER TABLE other ADD z integer", "INSERT INTO other VALUES (0, 'x', 1)"
    ),
    case(
        "insert into new table",
        "CREATE TABLE fresh (id integer)",
        "INSERT INTO fresh SELECT generate_series(1, 50)",
    ),
    case(
        "insert select into new table",
        "CREATE TABLE fresh (id integer)",
        "INSERT INTO fresh SELECT id FROM c",
    ),
    case(
        "insert on conflict after lock",
        "ALTER TABLE p ADD z integer",
        "INSERT INTO p (id, name) VALUES (1, 'x') ON CONFLICT (id) DO NOTHING",
    ),
    case(
        "merge after lock",
        "ALTER TABLE other ADD z integer",
        "MERGE INTO other o USING c ON c.id = o.id WHEN MATCHED THEN UPDATE SET z = c.k",
        since=15,
    ),
    case("select count after lock", "ALTER TABLE other ADD z integer", "SELECT count(*) FROM other"),
    case("select one after lock", "ALTER TABLE c ADD z integer", "SELECT 1 FROM c WHERE id = 5"),
    case("select of a constant after lock", "ALTER TABLE c ADD z integer", "SELECT 1"),
    case("catalog query after lock", "ALTER TABLE c ADD z integer", "SELECT count(*) FROM pg_class"),
    case(
        "add null, default, backfill, not null in one",
        "ALTER TABLE c ADD z integer",
        "ALTER TABLE c ALTER z SET DEFAULT 1",
        "UPDATE c SET z = 1 WHERE z IS NULL",
        "ALTER TABLE c ALTER z SET NOT NULL",
    ),
    case(
        "backfill with check first",
        "UPDATE c SET s = '' WHERE s IS NULL",
        "ALTER TABLE c ADD CONSTRAINT z CHECK (s IS NOT NULL) NOT VALID",
        rows="UPDATE c SET s = NULL",
    ),
    case(
        "backfill by batches in procedure",
        "DO $$ BEGIN FOR i IN 0..3 LOOP UPDATE c SET s = 'x' WHERE id BETWEEN i * 10 AND i * 10 + 9; COMMIT; END LOOP; END $$",
        mode=_BARE,
    ),
    case("set local outside", "SET LOCAL lock_timeout = '1s'", "ALTER TABLE c ADD z integer", mode=_BARE),
    case(
        "autocommit of several",
        "ALTER TABLE c ADD z integer",
        "ALTER TABLE c ALTER z SET DEFAULT 3",
        "UPDATE c SET z = 3 WHERE z IS NULL",
        mode=_BARE,
    ),
    case("delete of parents by key", "DELETE FROM p WHERE id = 0"),
    case(
        "truncate in do block after fill",
        "DO $$ BEGIN INSERT INTO other SELECT id, s FROM c; LOCK TABLE p; END $$",
    ),
    case(
        "copy of rows in new table",
        "CREATE TABLE fresh (id integer PRIMARY KEY, c_id integer REFERENCES c)",
        "INSERT INTO fresh VALUES (1, NULL), (2, NULL)",
    ),
    case(
        "prepared statement of work",
        "PREPARE x AS UPDATE c SET s = 'x'",
        "ALTER TABLE p ADD z integer",
        "EXECUTE x",
    ),
    case(
        "cursor over all",
        "DECLARE cu CURSOR FOR SELECT * FROM c",
        "ALTER TABLE other ADD z integer",
        "FETCH ALL FROM cu",
    ),
    case(
        "security label of nothing",
        "SELECT set_config('lock_timeout', '1s', true)",
        "ALTER TABLE c ADD z integer",
    ),
    case(
        "explain analyze after lock", "ALTER TABLE other ADD z integer", "EXPLAIN ANALYZE SELECT * FROM other"
    ),
    case("explain after lock", "ALTER TABLE other ADD z integer", "EXPLAIN SELECT * FROM other"),
    case(
        "do loop over rows after lock",
        "ALTER TABLE other ADD z integer",
        "DO $$ DECLARE r record; BEGIN FOR r IN SELECT id FROM c LOOP NULL; END LOOP; END $$",
    ),
    case(
        "function that counts in default after lock",
        "ALTER TABLE other ADD z integer",
        "SELECT total()",
        before="CREATE FUNCTION total() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM c'",
    ),
    case(
        "range of keys after lock",
        "ALTER TABLE c ADD z integer",
        "UPDATE c SET z = 1 WHERE id BETWEEN 1 AND 10",
    ),
    case(
        "join by key after lock",
        "ALTER TABLE c ADD z integer",
        "UPDATE c SET z = 1 FROM p WHERE p.id = c.p_id",
    ),
    case("max of key after lock", "ALTER TABLE c ADD z integer", "SELECT max(id) FROM c"),
    case("exists after lock", "ALTER TABLE c ADD z integer", "SELECT EXISTS (SELECT 1 FROM c)"),
    case("limit after lock", "ALTER TABLE c ADD z integer", "SELECT * FROM c LIMIT 1"),
    case(
        "check that no row is there, in do block",
        "ALTER TABLE c ADD z integer",
        "DO $$ BEGIN IF EXISTS (SELECT FROM c) THEN NULL; END IF; END $$",
    ),
)

_PARTS = {
    "@pt": "CREATE TABLE pt (day date, k integer, w varchar(500)) PARTITION BY RANGE (day); CREATE TABLE pt1 PARTITION OF pt FOR VALUES FROM ('2020-01-01') TO ('2021-01-01'); CREATE TABLE ptd PARTITION OF pt DEFAULT",
    "@pn": "CREATE TABLE pn (day date, k integer, w varchar(500)) PARTITION BY RANGE (day); CREATE TABLE pn1 PARTITION OF pn FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')",
    "@ext": "CREATE TABLE ext (day date, k integer, w varchar(500))",
    "@app": "CREATE SCHEMA app; CREATE TABLE app.t (k integer, w text)",
    "@inherit": "CREATE TABLE base (k integer, w varchar(500)); CREATE TABLE child () INHERITS (base)",
    "@generated": "CREATE TABLE g (k integer, w text, z integer GENERATED ALWAYS AS (k * 2) STORED)",
    "@domain": "CREATE DOMAIN dom AS integer; CREATE TABLE d (x dom, w text)",
    "@matview": "CREATE MATERIALIZED VIEW m AS SELECT id, s, pad FROM c; CREATE UNIQUE INDEX ON m (id)",
    "@pk": "CREATE TABLE pk (id integer PRIMARY KEY, w text) PARTITION BY RANGE (id); CREATE TABLE pk1 PARTITION OF pk FOR VALUES FROM (100000) TO (200000); CREATE TABLE pk2 PARTITION OF pk FOR VALUES FROM (0) TO (100000); CREATE TABLE rk (id integer REFERENCES pk, w text)",
}
_FILLING = {
    "@pt": "INSERT INTO pt SELECT '2020-01-01', g, repeat('x', 400) FROM generate_series(1, :n) AS g; INSERT INTO pt SELECT '2030-01-01', g, repeat('x', 400) FROM generate_series(1, :n) AS g",
    "@pn": "INSERT INTO pn SELECT '2020-01-01', g, repeat('x', 400) FROM generate_series(1, :n) AS g",
    "@ext": "INSERT INTO ext SELECT '2021-01-01', g, repeat('x', 400) FROM generate_series(1, :n) AS g",
    "@app": "INSERT INTO app.t SELECT g, repeat('x', 400) FROM generate_series(1, :n) AS g",
    "@inherit": "INSERT INTO base SELECT g, repeat('x', 400) FROM generate_series(1, :n) AS g; INSERT INTO child SELECT g, repeat('x', 400) FROM generate_series(1, :n) AS g",
    "@generated": "INSERT INTO g SELECT g, repeat('x', 400) FROM generate_series(1, :n) AS g",
    "@domain": "INSERT INTO d SELECT g, repeat('x', 400) FROM generate_series(1, :n) AS g",
    "@matview": "REFRESH MATERIALIZED VIEW m",
    "@pk": "INSERT INTO pk SELECT h + g, repeat('x', 400) FROM generate_series(1, :n) AS g, (VALUES (0), (100000)) AS v (h); INSERT INTO rk SELECT g, repeat('x', 400) FROM generate_series(1, :n) AS g",
}


def complete(one: Case) -> Case:
    """Put in what many cases have before them, and its rows."""
    used = [name for name in _PARTS if name in one.before]
    before, rows = one.before, [] if one.rows.startswith("@") and one.rows in used else [one.rows]
    for name in used:
        before = before.replace(name, _PARTS[name])
        rows.append(_FILLING[name])
    if one.rows.startswith("@") and one.rows not in used:
        rows = [_FILLING[one.rows]]
    return case(
        one.name,
        *one.migration,
        before=before,
        rows="; ".join(filter(None, rows)),
        mode=one.mode,
        since=one.since,
        until=one.until,
    )


CASES = tuple(
    complete(one)
    for one in (*_INDEXES, *_ADD_COLUMN, *_CHANGE_COLUMN, *_CONSTRAINTS, *_TABLES, *_TRANSACTIONS)
)
