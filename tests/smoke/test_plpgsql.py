"""Hard PL/pgSQL that is right: of none of it anything is said. And what each kind of piece lacks is found."""

import re

import pytest

from pytest_migsafe.migrations.plpgsql import Block, Loop, Plain, UnreadableBodyError, parse_function
from pytest_migsafe.rules.smoke.functions import broken_function
from tests.smoke.conftest import Smoke

TABLES = """
    CREATE SCHEMA "Shop";
    CREATE TABLE "Shop"."Orders" (id int PRIMARY KEY, "Note" text, total numeric, kind text);
    CREATE TABLE public.users (id int PRIMARY KEY, email text, "Odd Name" text);
    CREATE TABLE public.log (id int, what text, at timestamptz);
    CREATE TYPE pair AS (a int, b text);
    CREATE DOMAIN posint AS int CHECK (VALUE > 0);
    CREATE DOMAIN filled AS int NOT NULL;
    CREATE TYPE mood AS ENUM ('happy', 'sad');
"""
HARD = r"""
CREATE FUNCTION f_loops(p_id int) RETURNS int LANGUAGE plpgsql AS $$
<<outermost>>
DECLARE r record; total numeric := 0; key int; r2 record; CONSTANT_ CONSTANT int NOT NULL DEFAULT 3;
BEGIN
  FOR r IN SELECT o.id, o.total AS t FROM "Shop"."Orders" o WHERE o.id = p_id LOOP
    total := total + r.t;
    DECLARE r text := 'x'; total text; BEGIN total := r || outermost.r.t; END;
    <<inner>> FOR r2 IN SELECT u.email, u."Odd Name" FROM users u WHERE u.id = r.id LOOP
      RAISE NOTICE '% %', r2.email, r2."Odd Name";
      CONTINUE inner WHEN r2.email IS NULL;
      EXIT WHEN r2.email = 'x';
    END LOOP inner;
  END LOOP;
  FOR r IN SELECT log.id AS x FROM log WHERE log.id = f_loops.p_id LOOP PERFORM r.x; END LOOP;
  -- What a record holds depends on the way taken.
  IF p_id > 1 THEN SELECT 1 AS one INTO r; ELSE SELECT 2 AS two INTO r; END IF;
  IF p_id > 1 THEN RAISE NOTICE '%', r.one; ELSE RAISE NOTICE '%', r.two; END IF;
  LOOP
    EXIT WHEN NOT FOUND;
    IF p_id > 2 THEN RAISE NOTICE '%', r.three; END IF;
    SELECT 3 AS three INTO r;
  END LOOP;
  FOR i IN REVERSE 10..1 BY 2 LOOP total := total + i; END LOOP;
  <<counted>> FOR i IN 1..array_length(ARRAY[1,2], 1) LOOP total := counted.i; END LOOP;
  FOR i IN p_id..$1 LOOP NULL; END LOOP;
  WHILE total > 0 LOOP total := total - 1; END LOOP;
  total = count(*) FROM users WHERE users.id > p_id;
  RETURN total;
EXCEPTION WHEN unique_violation OR sqlstate '22012' THEN
  RAISE NOTICE '% %', SQLERRM, SQLSTATE USING HINT = 'h' || SQLERRM;
  RETURN 0;
WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS key = PG_EXCEPTION_DETAIL;
  RAISE;
END outermost $$;

CREATE FUNCTION f_cursors(INOUT a int, OUT b text, VARIADIC rest text[]) LANGUAGE plpgsql AS $$
DECLARE
  c CURSOR (k int, l text) FOR SELECT id, email FROM users WHERE id = k AND email = l;
  c2 refcursor; r record; u users%ROWTYPE; x users.email%TYPE; c3 NO SCROLL CURSOR FOR SELECT * FROM users;
BEGIN
  OPEN c(k := 3, l := 'x'); FETCH c INTO r; b := r.email; CLOSE c;
  OPEN c3; FETCH NEXT FROM c3 INTO u; b := u."Odd Name"; MOVE c3; UPDATE users SET email = b WHERE CURRENT OF c3; CLOSE c3;
  FOR q IN c(4, rest[1]) LOOP b := q.email; END LOOP;
  OPEN c2 FOR SELECT 1 AS y; FETCH c2 INTO r; RAISE NOTICE '%', r.y; CLOSE c2;
  OPEN c2 FOR EXECUTE 'select 1 as z' USING a; FETCH c2 INTO r; RAISE NOTICE '%', r.z;
  a := coalesce($1, a) + f_cursors.a; b := f_cursors.b || $3[1];
END $$;

CREATE FUNCTION f_dynamic(t text) RETURNS SETOF pair LANGUAGE plpgsql AS $$
DECLARE r record; ps pair[]; p pair; n int; nested pair[] := '{}';
BEGIN
  EXECUTE format('select count(*) as c from %I', t) INTO r; RAISE NOTICE '%', r.c;
  EXECUTE 'select $1 as d' USING n INTO STRICT r; RAISE NOTICE '%', r.d;
  FOR r IN EXECUTE 'select 1 as q' USING n, t LOOP RAISE NOTICE '%', r.q; END LOOP;
  ps[1] := ROW(1, 'x')::pair; ps[1].a := 3; p := ps[1]; p.b := 'z';
  FOREACH p IN ARRAY ps LOOP RETURN NEXT p; END LOOP;
  FOREACH nested SLICE 1 IN ARRAY ps LOOP NULL; END LOOP;
  CREATE TEMP TABLE scratch (k int); INSERT INTO scratch VALUES (1); SELECT k INTO n FROM scratch;
  CREATE TEMPORARY TABLE scratch2 ON COMMIT DROP AS SELECT * FROM users;
  SELECT s.email INTO r FROM scratch2 s; RAISE NOTICE '%', r.email;
  GET DIAGNOSTICS n = ROW_COUNT;
  IF FOUND THEN RETURN QUERY SELECT id, email FROM users; END IF;
  RETURN QUERY EXECUTE 'select 1, ''x''::text';
  WITH x AS (INSERT INTO log(id) VALUES (1) RETURNING *) SELECT * INTO r FROM x; RAISE NOTICE '%', r.what;
  INSERT INTO log(id, what) VALUES (1, 'a') RETURNING id, what INTO n, t;
  DELETE FROM log WHERE id = n RETURNING * INTO r; RAISE NOTICE '%', r.at;
  RETURN;
END $$;
CREATE FUNCTION f_uses_scratch() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM scratch; END $$;

CREATE FUNCTION f_table(q int) RETURNS TABLE(id int, email text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT u.id, u.email FROM users u WHERE id = q;
  id := 3; email := 'x'; RETURN NEXT;
END $$;
CREATE FUNCTION f_variable(id int) RETURNS int LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE n int; BEGIN SELECT count(*) INTO n FROM users WHERE users.id = f_variable.id AND id > 0; RETURN n; END $$;

CREATE FUNCTION f_any(x anyelement, y anyarray) RETURNS anyelement LANGUAGE plpgsql AS $$
DECLARE r x%TYPE; k jsonb; BEGIN r := y[1]; k := x->>'a'; RETURN r; END $$;

CREATE PROCEDURE p_tx(INOUT n int) LANGUAGE plpgsql AS $$
BEGIN INSERT INTO log(id) VALUES (n); COMMIT; n := n + 1; ROLLBACK AND CHAIN; END $$;
CREATE PROCEDURE p_call() LANGUAGE plpgsql AS $$
<<blk>> DECLARE n int; open int := 3;
BEGIN
  CALL p_tx(blk.n); open := open + 1; open = 3; PERFORM f_table(open); PERFORM count(*) FROM users; ASSERT n > 0, 'x' || n;
  CASE n WHEN 1, 2 THEN NULL; ELSE n := 3; END CASE;
  CASE WHEN n > 3 THEN NULL; WHEN (CASE WHEN n = 1 THEN true END) THEN NULL; END CASE;
  RAISE EXCEPTION 'a % b', n USING ERRCODE = 'unique_violation', HINT = 'h' || n;
  LOCK TABLE users; EXECUTE 'x' || n USING n, blk.n; NULL;
  RAISE unique_violation USING MESSAGE = 'x'; RAISE sqlstate '22012';
END blk $$;

CREATE FUNCTION f_domain(p posint, f filled, m mood DEFAULT 'happy') RETURNS mood LANGUAGE plpgsql AS $$
DECLARE v posint := 3; mm mood; full_ filled := 1; BEGIN IF m = 'sad' THEN mm := 'happy'; END IF; RETURN mm; END $$;
CREATE FUNCTION f_setof() RETURNS SETOF users LANGUAGE plpgsql AS $$
BEGIN RETURN QUERY SELECT * FROM users; RETURN QUERY SELECT u.* FROM users u ORDER BY 1; END $$;
CREATE FUNCTION f_out(OUT a int, OUT b text) RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN RETURN QUERY SELECT u.id, u.email FROM users u; a := 1; RETURN NEXT; END $$;
CREATE FUNCTION f_json() RETURNS jsonb LANGUAGE plpgsql SET search_path = 'public' AS $$
DECLARE r jsonb; x text; rows_ users[]; BEGIN
  FOR r IN SELECT * FROM jsonb_array_elements('[1]'::jsonb) LOOP x := r->>'a'; r['b'] := '1'; END LOOP;
  SELECT jsonb_build_object('a', u.id), u.email INTO r, x FROM users u LIMIT 1;
  SELECT array_agg(u) INTO rows_ FROM users u; x := rows_[1].email; x := (rows_[1]).email;
  RETURN (SELECT jsonb_agg(u) FROM (SELECT * FROM users) u);
END $$;
CREATE FUNCTION f_alias(int, text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE first ALIAS FOR $1; second ALIAS FOR $2; third ALIAS FOR second;
BEGIN
  INSERT INTO "Shop"."Orders" AS o (id) VALUES (first) ON CONFLICT (id) DO UPDATE SET kind = third WHERE o.id = $1;
  RETURN second; /* $3 */ -- $4
END $$;
CREATE FUNCTION "Odd Function"("Odd Arg" int) RETURNS int LANGUAGE plpgsql AS $q$
DECLARE "Odd Var" int := "Odd Arg"; r RECORD; BEGIN
  SELECT 1 AS "A b" INTO r; "Odd Var" := r."A b" + "Odd Function"."Odd Arg"; RETURN "Odd Var"; END $q$;
CREATE FUNCTION ev() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE o record; BEGIN
  FOR o IN SELECT * FROM pg_event_trigger_ddl_commands() LOOP RAISE NOTICE '% %', o.object_identity, tg_tag; END LOOP; END $$;

CREATE FUNCTION trg() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE newrec record; BEGIN
  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  IF TG_TABLE_NAME = 'Orders' AND TG_OP = 'UPDATE' THEN NEW."Note" := OLD."Note" || TG_ARGV[0]; RETURN NEW;
  ELSIF TG_TABLE_NAME = 'Orders' THEN NEW.total := 3;
  ELSE NEW.email := lower(NEW.email); END IF;
  IF TG_TABLE_NAME <> 'users' THEN RETURN NEW; END IF;
  newrec := NEW; IF newrec.email IS DISTINCT FROM OLD.email THEN NULL; END IF;
  INSERT INTO log SELECT NEW.id, row_to_json(NEW)::text, now();
  CASE TG_TABLE_NAME WHEN 'users' THEN NEW."Odd Name" := 'x'; ELSE NEW."Note" := 'y'; END CASE;
  SELECT * INTO NEW FROM users WHERE id = NEW.id;
  RETURN NEW;
END $$;
CREATE TRIGGER t1 BEFORE INSERT OR UPDATE OR DELETE ON "Shop"."Orders" FOR EACH ROW EXECUTE FUNCTION trg('a');
CREATE TRIGGER t2 BEFORE INSERT OR UPDATE OR DELETE ON users FOR EACH ROW EXECUTE FUNCTION trg('b"\');
CREATE FUNCTION trg_statement() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE r record; BEGIN
  IF TG_LEVEL = 'ROW' THEN RAISE NOTICE '%', NEW.nothing; END IF;
  FOR r IN SELECT n.*, o.email AS old_email FROM new_rows n JOIN old_rows o USING (id) LOOP
    RAISE NOTICE '%', r.old_email; END LOOP;
  RETURN NULL; END $$;
CREATE TRIGGER t3 AFTER UPDATE ON users REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION trg_statement();
CREATE FUNCTION trg_none() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
"""
# What real projects write: audits, loops over anything, records of every origin, statements that are none of EXPLAIN's.
USUAL = r"""
CREATE TABLE t (id int PRIMARY KEY, a text, b jsonb, tags text[], ts timestamptz DEFAULT now());
CREATE TABLE parent (id int, k text) PARTITION BY LIST (k); CREATE TABLE child PARTITION OF parent DEFAULT;
CREATE VIEW v AS SELECT id, a FROM t;
CREATE FUNCTION iof() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t(id, a) VALUES (NEW.id, NEW.a); NEW.a = 'x'; RETURN NEW; END $$;
CREATE TRIGGER iof INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION iof();
CREATE FUNCTION pt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.k := coalesce(NEW.k, 'x'); IF (TG_OP = 'UPDATE' AND OLD.k <> NEW.k) OR TG_OP = 'INSERT' THEN NEW.id = nextval('pg_catalog.pg_class'::regclass); END IF; RETURN NEW; END $$;
CREATE TRIGGER pt BEFORE INSERT ON parent FOR EACH ROW EXECUTE FUNCTION pt();
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE old_row jsonb; new_row jsonb; diff jsonb; rec record; col text; BEGIN
 IF TG_OP IN ('UPDATE','DELETE') THEN old_row := to_jsonb(OLD); END IF;
 IF (TG_OP IN ('INSERT','UPDATE')) THEN new_row := row_to_json(NEW)::jsonb; END IF;
 FOR col IN SELECT jsonb_object_keys(new_row) LOOP CONTINUE WHEN new_row->col IS NOT DISTINCT FROM old_row->col; diff := diff || jsonb_build_object(col, new_row->col); END LOOP;
 FOR rec IN SELECT * FROM jsonb_each(new_row) LOOP IF rec.value IS NULL THEN NULL; END IF; diff[rec.key] := rec.value; END LOOP;
 FOR rec IN SELECT key, value FROM jsonb_each_text(new_row) EXCEPT SELECT key, value FROM jsonb_each_text(old_row) LOOP col := rec.key || rec.value; END LOOP;
 EXECUTE format('INSERT INTO %I.%I VALUES ($1.*)', TG_TABLE_SCHEMA, TG_TABLE_NAME || '_audit') USING NEW;
 RETURN coalesce(NEW, OLD); END $$;
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION audit();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON parent FOR EACH ROW EXECUTE FUNCTION audit();
CREATE FUNCTION f1(_tbl regclass, OUT result bigint) LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('SELECT count(*) FROM %s', _tbl) INTO result; END $$;
CREATE FUNCTION f2(p_ids int[], p t, variadic x int[] default '{}') RETURNS SETOF t LANGUAGE plpgsql STABLE AS $$
DECLARE i int; j int; arr int[][] := '{{1,2}}'; m int[]; c t; cc t[]; BEGIN
 FOR i, j IN SELECT id, id FROM t WHERE id = ANY(p_ids) LOOP arr[i][j] := 3; END LOOP;
 FOREACH m SLICE 1 IN ARRAY arr LOOP i := m[1]; END LOOP;
 SELECT * INTO c FROM t WHERE id = i; IF NOT FOUND THEN RAISE no_data_found; END IF;
 SELECT t.* INTO STRICT c FROM t LIMIT 1; c.tags[1] := 'x'; c.b := c.b || '{}'; cc := array_append(cc, c);
 cc[1].a := 'y'; p.a := c.a; RETURN NEXT c; RETURN NEXT p; RETURN QUERY SELECT * FROM t ORDER BY id; RETURN QUERY SELECT (one).* FROM unnest(cc) one;
 RETURN QUERY UPDATE t SET a = 'x' RETURNING *; RETURN; END $$;
CREATE FUNCTION f3() RETURNS t LANGUAGE plpgsql AS $$ DECLARE r t; q record; BEGIN SELECT 1, 'a', NULL, NULL, now() INTO r; q := r; IF q.id = 1 THEN RETURN r; END IF; RETURN (1,'a',NULL,NULL,now())::t; q := ROW(1,2); RAISE NOTICE '%', q.f1; RETURN ROW(1,'a',null,null,now()); END $$;
CREATE FUNCTION f4() RETURNS void LANGUAGE plpgsql AS $$ DECLARE a t.id%TYPE; b public.t.a%TYPE; e text; d text; h text; BEGIN
 BEGIN INSERT INTO t(id) VALUES (1) ON CONFLICT ON CONSTRAINT t_pkey DO NOTHING RETURNING t.id INTO a; EXCEPTION WHEN SQLSTATE '23505' OR check_violation THEN GET STACKED DIAGNOSTICS e = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL; RAISE WARNING 'x: % (%)', e, SQLSTATE USING DETAIL = d; END;
 PERFORM 1 FROM t WHERE t.id = length(d) FOR UPDATE SKIP LOCKED; IF FOUND THEN PERFORM pg_advisory_xact_lock(hashtext('a')); END IF;
 WITH moved AS (DELETE FROM t WHERE id < 3 RETURNING *) INSERT INTO t SELECT * FROM moved; GET DIAGNOSTICS a = ROW_COUNT;
 WITH s AS (SELECT id FROM t) SELECT s.id, count(*) INTO a, e FROM s GROUP BY 1;
 PERFORM set_config('x.y', a::text, true); a := current_setting('x.y')::int; e := (SELECT string_agg(t.a, ',' ORDER BY id) FROM t);
 TRUNCATE t; ANALYZE t; REFRESH MATERIALIZED VIEW nosuch; COPY t TO '/dev/null'; SET LOCAL search_path = public; NOTIFY x; COMMENT ON TABLE t IS 'x'; GRANT SELECT ON t TO PUBLIC;
 DO $i$ BEGIN NULL; END $i$; RAISE; RAISE EXCEPTION USING MESSAGE = 'a', ERRCODE = 'P0001'; RAISE EXCEPTION division_by_zero; END $$;
CREATE FUNCTION f5(IN p json DEFAULT '{}') RETURNS TABLE (id int, "Mixed Case" text, cnt bigint) LANGUAGE plpgsql AS $$ DECLARE _r record; BEGIN
 FOR _r IN (SELECT t.id AS i, t.a FROM t) LOOP id := _r.i; "Mixed Case" := _r.a; cnt := 1; RETURN NEXT; END LOOP;
 FOR _r IN VALUES (1, 'a'), (2, 'b') LOOP id := _r.column1; END LOOP; FOR _r IN TABLE t LOOP id := _r.id; END LOOP;
 FOR _r IN WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x WHERE n < 3) SELECT * FROM x LOOP id := _r.n; END LOOP;
 FOR _r IN EXPLAIN SELECT 1 LOOP RAISE NOTICE '%', _r; END LOOP; FOR _r IN SHOW ALL LOOP RAISE NOTICE '%', _r.name; END LOOP;
 FOR _r IN DELETE FROM t RETURNING t.id AS x, now() AS y LOOP id := _r.x; END LOOP;
 FOR _r IN SELECT x FROM json_to_recordset(p) AS x(a int, b text) LOOP id := (_r.x).a; END LOOP;
 RETURN QUERY SELECT t.id, t.a, count(*) FROM t GROUP BY t.id, t.a; RETURN QUERY SELECT 1, 'a'::text, 2::bigint; RETURN QUERY VALUES (1, 'x', 2::bigint); END $$;
CREATE FUNCTION f6(a int, a2 int = 3) RETURNS int LANGUAGE plpgsql AS $$<<main>> DECLARE a int := f6.a2; "select" int; BEGIN RETURN a + f6.a + $2; END main;$$;
CREATE FUNCTION f7() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW IS DISTINCT FROM OLD THEN PERFORM pg_notify(TG_ARGV[0], json_build_object('t', TG_TABLE_NAME, 'id', NEW.id)::text); END IF; OLD.a := NEW.a; NEW := OLD; RETURN NULL; END $$;
CREATE TRIGGER f7 AFTER UPDATE OF a ON t FOR EACH ROW WHEN (OLD.a IS DISTINCT FROM NEW.a) EXECUTE FUNCTION f7('chan');
CREATE CONSTRAINT TRIGGER f7c AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION f7();
CREATE FUNCTION f8(r anyarray, OUT x anyelement) LANGUAGE plpgsql AS $$ DECLARE e ALIAS FOR $1; BEGIN FOREACH x IN ARRAY e LOOP EXIT WHEN x = e[1]; END LOOP; END $$;
CREATE FUNCTION f9(refcursor) RETURNS SETOF refcursor LANGUAGE plpgsql AS $$ BEGIN OPEN $1 FOR SELECT * FROM t; RETURN NEXT $1; OPEN $1 SCROLL FOR SELECT 1; FETCH ABSOLUTE 1 FROM $1 INTO $1; CLOSE $1; END $$;
CREATE FUNCTION f10() RETURNS int LANGUAGE plpgsql AS 'begin return 1; end';
CREATE PROCEDURE p1(a int, INOUT b int DEFAULT NULL) LANGUAGE plpgsql AS $$ BEGIN CALL p1(a => 1, b => b); CALL public.p1(1, b); FOR i IN 1..3 LOOP COMMIT; END LOOP; END $$;
CREATE FUNCTION f11(u uuid) RETURNS bool LANGUAGE plpgsql AS $$ DECLARE v boolean; BEGIN SELECT EXISTS (SELECT 1 FROM t WHERE a = u::text) INTO v; RETURN v AND NOT EXISTS (SELECT FROM t WHERE FALSE); END $$;
CREATE FUNCTION f12(n text) RETURNS void LANGUAGE plpgsql AS $$ DECLARE r RECORD; BEGIN EXECUTE 'x' INTO r; RAISE NOTICE '%', r.a; SELECT r.a AS z, 1 AS w INTO r; RAISE NOTICE '% %', r.z, r.w; SELECT nosuchrec.* INTO r FROM (SELECT 1 AS q) nosuchrec; RAISE NOTICE '%', r.q; END $$;
"""
# A trigger that finds out about its table in ways that are not followed; tables that bodies make themselves.
HARDER = """
CREATE FUNCTION trg_generic() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE t text := TG_TABLE_NAME; BEGIN
  IF t = 'users' THEN NEW.email := 'x'; END IF; RETURN NEW; END $$;
CREATE FUNCTION trg_lower() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF lower(TG_TABLE_NAME) = 'users' THEN NEW.email := 'x';
  ELSIF TG_RELID = 'public.log'::regclass THEN NEW.what := 'y'; ELSE NEW.total := 1; END IF;
  IF to_jsonb(NEW) ? 'email' AND TG_TABLE_NAME IS NOT NULL THEN NEW.email := 'x'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER g1 BEFORE INSERT ON "Shop"."Orders" FOR EACH ROW EXECUTE FUNCTION trg_generic();
CREATE TRIGGER g2 BEFORE INSERT ON log FOR EACH ROW EXECUTE FUNCTION trg_lower();
CREATE TRIGGER g3 BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION trg_lower();
CREATE FUNCTION f_makes() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  CREATE TABLE IF NOT EXISTS public.made (a int); INSERT INTO made VALUES (1);
  EXECUTE 'CREATE UNLOGGED TABLE made_too (a int)'; INSERT INTO public.made_too VALUES (1);
  DELETE FROM pg_temp.somebodys; PERFORM pg_temp.f(1);
END $$;
"""
EVENT = "CREATE EVENT TRIGGER never ON sql_drop EXECUTE FUNCTION ev()"


def test_hard_plpgsql_that_is_right_is_passed_in_silence(smoke: Smoke) -> None:
    assert smoke.findings(TABLES, HARD) == ()
    assert smoke.findings(TABLES, HARDER) == ()
    assert [one for one in smoke.findings("", USUAL) if one.family == "code"] == []
    # With an event trigger no transition table is made to look at; and a change that does no harm.
    unharmful = "ALTER TABLE users ADD CHECK (id > 0); ALTER TABLE log ADD more int; ALTER TABLE users RENAME TO people; ALTER TABLE people RENAME TO users;"
    before = TABLES + HARD.replace("INSERT INTO log SELECT", "INSERT INTO log (id, what, at) SELECT")
    assert smoke.findings(before, EVENT + ";" + unharmful) == ()


BROKEN = {
    "SELECT email INTO x FROM users": "column",
    "x := (SELECT email FROM users)": "column",
    "PERFORM email FROM users": "column",
    "IF EXISTS (SELECT email FROM users) THEN NULL; END IF": "column",
    "WHILE EXISTS (SELECT email FROM users) LOOP NULL; END LOOP": "column",
    "CASE (SELECT email FROM users) WHEN 'a' THEN NULL; END CASE": "column",
    "FOR r IN SELECT email FROM users LOOP NULL; END LOOP": "column",
    "FOR i IN 1..(SELECT max(length(email)) FROM users) LOOP NULL; END LOOP": "column",
    "FOREACH x IN ARRAY ARRAY(SELECT email FROM users) LOOP NULL; END LOOP": "column",
    "SELECT * INTO r FROM users; x := r.email": "field",
    "FOR r IN SELECT * FROM users LOOP IF r.id = 1 THEN x := r.email; END IF; END LOOP": "field",
    "u.email := 'x'": "field",
    "SELECT 'x' INTO u.email": "field",
    "OPEN c; FETCH c INTO r; x := r.email": "field",
    "FOR q IN c LOOP x := q.email; END LOOP": "field",
    "OPEN cc FOR SELECT email FROM users": "column",
    "INSERT INTO users (id, email) VALUES (1, 'a')": "column",
    "UPDATE users SET email = 'a' WHERE id = 1": "column",
    "DELETE FROM users WHERE email = 'a' RETURNING id INTO x": "column",
    "EXECUTE 'SELECT ' || (SELECT email FROM users)": "column",
    "EXECUTE 'SELECT $1' USING (SELECT email FROM users)": "column",
    "RAISE NOTICE '%', (SELECT email FROM users)": "column",
    "ASSERT EXISTS (SELECT email FROM users)": "column",
    "RETURN (SELECT email FROM users)": "column",
    "DECLARE y text := (SELECT email FROM users); BEGIN END": "column",
    "BEGIN NULL; EXCEPTION WHEN unique_violation THEN PERFORM email FROM users; END": "column",
    "EXIT WHEN EXISTS (SELECT email FROM users)": "column",
}


def test_each_kind_of_piece_that_lacks_a_column_is_found(smoke: Smoke) -> None:
    functions = "".join(
        f"CREATE FUNCTION f{number}() RETURNS text LANGUAGE plpgsql AS $$\n"
        "DECLARE x text; r record; u users%ROWTYPE; c CURSOR FOR SELECT * FROM users; cc refcursor;\n"
        f"BEGIN LOOP {statement}; END LOOP; END $$;"
        for number, statement in enumerate(BROKEN)
    )
    found = smoke.findings(TABLES + functions, "ALTER TABLE users DROP email")
    said = {int(re.findall(r"f(\d+)\(\)", one.message)[0]): one for one in found}
    for number, (statement, what) in enumerate(BROKEN.items()):
        assert number in said, statement
        assert what in said[number].message, statement
        assert said[number].evidence[0].startswith("line 3 of its body: "), statement
    assert len(found) == len(BROKEN)


# plpgsql_check is not on this machine: a stand-in has its name, its arguments and its columns, and finds one thing.
PLPGSQL_CHECK = """
    CREATE SCHEMA checks;
    CREATE FUNCTION checks.plpgsql_check_function_tb(
        funcoid regprocedure, relid regclass DEFAULT 0, fatal_errors boolean DEFAULT true,
        other_warnings boolean DEFAULT true, performance_warnings boolean DEFAULT false,
        extra_warnings boolean DEFAULT true, security_warnings boolean DEFAULT false,
        compatibility_warnings boolean DEFAULT false, oldtable name DEFAULT NULL, newtable name DEFAULT NULL)
    RETURNS TABLE (functionid regproc, lineno int, statement text, sqlstate text, message text, detail text, hint text,
        level text, "position" int, query text, context text)
    LANGUAGE sql AS $$
        SELECT funcoid::oid::regproc, 2, 'EXECUTE', '42P01', 'relation "users" does not exist', NULL, NULL, l, 1, '', ''
        FROM unnest(array['error', 'warning']) l
        WHERE to_regclass('public.users') IS NULL AND funcoid::text LIKE '%dynamic%'
    $$;
    CREATE FUNCTION dynamic() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
        EXECUTE 'DELETE FROM users'; END $$;
"""


def test_what_plpgsql_check_says_is_heard(smoke: Smoke) -> None:
    (finding,) = smoke.findings(TABLES + PLPGSQL_CHECK, "DROP TABLE users", only=broken_function)
    assert finding.message == (
        'the function public.dynamic() fails when it is called: relation "users" does not exist'
    )
    assert smoke.findings(TABLES + PLPGSQL_CHECK, "DROP TABLE log", only=broken_function) == ()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "BEGIN",
        "BEGIN x := 'a",
        "BEGIN x := $a$ END",
        "BEGIN " * 1000,
        "BEGIN " + "IF a THEN " * 1000,
        "BEGIN x := " + "(" * 10_000,
        "BEGIN " + "/*" * 10_000,
        "BEGIN NULL; END; SELECT 1",
        "x" * 1_000_000,
    ],
)
def test_what_is_no_body_is_refused(body: str) -> None:
    with pytest.raises(UnreadableBodyError):
        parse_function(body)


def test_a_body_is_read_with_the_places_of_its_pieces() -> None:
    block = parse_function(
        "#print_strict_params on\n<<outermost>> DECLARE n int;\nBEGIN\n"
        "  FOR i IN 1..$1 LOOP\n    SELECT a INTO STRICT n FROM t -- why\n    WHERE b = i;\n  END LOOP;\nEND"
    ).block
    assert isinstance(block, Block)
    assert (block.label, block.declarations[0].type) == ("outermost", "int")
    (loop,) = block.body
    assert isinstance(loop, Loop)
    assert [one.sql for one in loop.pieces] == ["SELECT 1", "SELECT $1"]
    (statement,) = loop.body
    assert isinstance(statement, Plain)
    assert statement.targets == (("n",),)
    assert statement.pieces[0].line == 5
    assert statement.pieces[0].sql.split("--")[0].split() == ["SELECT", "a", "FROM", "t"]
