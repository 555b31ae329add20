"""Single changes, page by page of the manual's ALTER, CREATE, COMMENT and GRANT: what the other two lists lack."""

RICH = """
create type app.wide as range (subtype = text, collation = "C");
create domain app.label as text collate "C" default 'x';
create domain app.later as integer;
alter domain app.later add constraint fits check (value < 9) not valid;
create table app.child (
    id bigint, customer bigint, note text, span int4range, big boolean,
    constraint child_customer foreign key (customer) references app.customer (id),
    constraint child_unique unique (id, note)
);
create unique index child_big on app.child (big, id);
create index child_note on app.child (note, id);
create constraint trigger late after insert on app.child deferrable for each row execute function app.touch();
create policy writers on app.orders for insert with check (total > 0);
create aggregate app.ranked(float8 order by float8) (sfunc = ordered_set_transition, stype = internal,
    finalfunc = percentile_cont_float8_final);
create view app.guarded with (check_option = local) as select id from app.orders where id > 0;
comment on column app.address.street is 'Street';
"""


def _constraint(name: str, definition: str) -> str:
    return f"alter table app.child drop constraint {name}, add constraint {name} {definition}"


def _foreign_key(more: str) -> str:
    return _constraint("child_customer", f"foreign key (customer) references app.customer (id) {more}")


def _index(definition: str, unique: str = "") -> str:
    return f"drop index app.child_note; create {unique} index child_note on app.child {definition}"


def _trigger(definition: str) -> str:
    return f"create or replace trigger touch {definition}"


#: The function is always written anew with what makes it an aggregate.
_AGGREGATE = "update pg_proc set proname = proname where proname in ('ranked', 'total'); "

MUTATIONS: dict[str, str] = {
    # ALTER TABLE
    "ALTER TABLE column made an identity": "alter table app.child alter id set not null;"
    " alter table app.child alter id add generated always as identity",
    "ALTER TABLE column storage": "alter table app.child alter note set storage plain",
    "ALTER TABLE column option reset": "alter table app.child alter note set (n_distinct = 3, n_distinct_inherited = 4);"
    " alter table app.child alter note reset (n_distinct)",
    "ALTER TABLE column statistics to none": "alter table app.child alter note set statistics 0",
    "ALTER TABLE constraint using an index": "alter table app.child add constraint child_big unique using index child_big",
    "ALTER TABLE constraint deferrable": _constraint("child_unique", "unique (id, note) deferrable"),
    "ALTER TABLE constraint deferred": _constraint("child_unique", "unique (id, note) deferrable initially deferred"),
    "ALTER TABLE constraint columns": _constraint("child_unique", "unique (note, id)"),
    "ALTER TABLE constraint include": _constraint("child_unique", "unique (id, note) include (big)"),
    "ALTER TABLE constraint storage parameter": _constraint("child_unique", "unique (id, note) with (fillfactor = 50)"),
    "ALTER TABLE constraint kind": _constraint("child_unique", "check (id > 0)"),
    "ALTER TABLE check not inherited": "alter table app.child add constraint c check (id > 0) no inherit",
    "ALTER TABLE primary key": "alter table app.child add primary key (id)",
    "ALTER TABLE exclusion": "alter table app.child add exclude using gist (span with &&)",
    "ALTER TABLE exclusion of some rows": "alter table app.child add exclude using gist (span with &&) where (big)",
    "ALTER TABLE foreign key on delete": _foreign_key("on delete cascade"),
    "ALTER TABLE foreign key on update": _foreign_key("on update set null"),
    "ALTER TABLE foreign key match": _foreign_key("match full"),
    "ALTER TABLE foreign key not valid": _foreign_key("not valid"),
    "ALTER TABLE foreign key validated": _foreign_key("not valid")
    + "; alter table app.child rename constraint child_customer to c; alter table app.child validate constraint c",
    "ALTER TABLE trigger replica": "alter table app.orders enable replica trigger touch",
    "ALTER TABLE all triggers disabled": "alter table app.orders disable trigger user",
    "ALTER TABLE rule replica": "alter table app.loose enable replica rule no_delete",
    "ALTER TABLE rule always": "alter table app.loose enable always rule no_delete",
    "ALTER TABLE cluster on another": "alter table app.child cluster on child_note",
    "ALTER TABLE replica identity nothing": "alter table app.child replica identity nothing",
    "ALTER TABLE inherits": "alter table app.plain add a integer; alter table app.plain inherit app.base",
    "ALTER TABLE inherits in another order": "create table app.second (); alter table app.heir no inherit app.base;"
    " alter table app.heir inherit app.second; alter table app.heir inherit app.base",
    "ALTER TABLE default partition": "alter table app.parted detach partition app.parted_rest",
    "ALTER TABLE partition bound": "alter table app.parted detach partition app.parted_1; alter table app.parted"
    " attach partition app.parted_1 for values from ('2020-01-01') to ('2022-01-01')",
    "CREATE TABLE partitioned": 'create table app.fresh (a text) partition by list (lower(a) collate "C" text_pattern_ops)',
    "CREATE TABLE unlogged": "create unlogged table app.fresh ()",
    # CREATE INDEX
    "CREATE INDEX operator class": _index("(note text_pattern_ops, id)"),
    "CREATE INDEX collation": _index('(note collate "C", id)'),
    "CREATE INDEX descending": _index("(note desc, id)"),
    "CREATE INDEX nulls first": _index("(note nulls first, id)"),
    "CREATE INDEX include": _index("(note) include (id)"),
    "CREATE INDEX of some rows": _index("(note, id) where big"),
    "CREATE INDEX unique": _index("(note, id)", "unique"),
    "CREATE INDEX method": _index("using hash (note)"),
    "CREATE INDEX expression": _index("(lower(note), id)"),
    "CREATE INDEX operator class parameter": _index("using brin (id int8_minmax_multi_ops (values_per_range = 9))"),
    "CREATE INDEX column order": _index("(id, note)"),
    "ALTER INDEX option reset": "alter index app.child_note set (deduplicate_items = off)",
    # ALTER DOMAIN
    "ALTER DOMAIN constraint validated": "alter domain app.later validate constraint fits",
    "ALTER DOMAIN default gone": "alter domain app.label drop default",
    "ALTER DOMAIN owner": "alter domain app.label owner to migsafe_reader",
    "ALTER DOMAIN moved": "alter domain app.label set schema public",
    "ALTER DOMAIN grant": "grant usage on domain app.label to migsafe_reader",
    "CREATE DOMAIN collation": "drop domain app.label; create domain app.label as text default 'x'",
    "CREATE DOMAIN base type": "drop domain app.label; create domain app.label as varchar(9) collate \"C\" default 'x'",
    "COMMENT ON DOMAIN": "comment on domain app.label is 'Label'",
    # ALTER TYPE
    "ALTER TYPE attribute collation": 'alter type app.plain_row alter attribute a type text collate "C"',
    "CREATE TYPE range subtype": "drop type app.wide; create type app.wide as range (subtype = integer)",
    "CREATE TYPE range collation": 'drop type app.wide; create type app.wide as range (subtype = text, collation = "POSIX")',
    "CREATE TYPE range operator class": 'drop type app.wide; create type app.wide as range (subtype = text, collation = "C",'
    " subtype_opclass = text_pattern_ops)",
    "CREATE TYPE range multirange": 'drop type app.wide; create type app.wide as range (subtype = text, collation = "C", multirange_type_name = app.wides)',
    "ALTER TYPE multirange renamed": "alter type app.span_multirange rename to spans",
    "CREATE TYPE range difference": "drop type app.span; create type app.span as range (subtype = float8,"
    " subtype_diff = float8mi)",
    "COMMENT ON COLUMN of a composite": "comment on column app.address.zip is 'Zip'",
    "COMMENT ON COLUMN of a composite gone": "comment on column app.address.street is null",
    "ALTER TYPE storage": "update pg_type set typstorage = 'x' where typname = 'number'",
    "ALTER TYPE alignment": "update pg_type set typalign = 's' where typname = 'number'",
    "ALTER TYPE category": "update pg_type set typcategory = 'N' where typname = 'number'",
    "ALTER TYPE length": "update pg_type set typlen = 2 where typname = 'number'",
    "ALTER TYPE default": "update pg_type set typdefault = '1' where typname = 'number'",
    "ALTER TYPE input": "update pg_type set typinput = 'int8in'::regproc where typname = 'number'",
    "ALTER TYPE output": "update pg_type set typoutput = 'int8out'::regproc where typname = 'number'",
    # ALTER FUNCTION, PROCEDURE, AGGREGATE
    "ALTER FUNCTION setting reset": "alter function app.one() set work_mem = '8MB'; alter function app.one() set search_path = app;"
    " alter function app.one() reset work_mem",
    "ALTER FUNCTION not strict": "alter function app.mood_number(app.mood) called on null input;"
    " alter function app.mood_number(app.mood) stable",
    "ALTER FUNCTION parallel restricted": "alter function app.one() parallel restricted",
    "CREATE FUNCTION output arguments": "drop function app.series(); create function app.series(out n integer) returns setof integer"
    " language sql as 'select 1'",
    "CREATE FUNCTION variadic": "drop function app.add(integer, integer); create function app.add(a integer, variadic b integer[])"
    " returns integer language plpgsql as 'begin return a; end'",
    "CREATE FUNCTION white space": "create or replace function app.one() returns integer language sql immutable as 'select  1'",
    "CREATE FUNCTION window": "create function app.numbered() returns bigint language internal window as 'window_row_number'",
    "ALTER PROCEDURE security definer": "alter procedure app.work security definer",
    "ALTER PROCEDURE owner": "alter procedure app.work owner to migsafe_reader",
    "COMMENT ON PROCEDURE": "comment on procedure app.work is 'Works'",
    "GRANT ON PROCEDURE": "revoke execute on procedure app.work from public",
    "ALTER AGGREGATE renamed": "alter aggregate app.total(integer) rename to sum_of",
    "ALTER AGGREGATE owner": "alter aggregate app.total(integer) owner to migsafe_reader",
    "ALTER AGGREGATE moved": "alter aggregate app.total(integer) set schema public",
    "COMMENT ON AGGREGATE": "comment on aggregate app.total(integer) is 'Total'",
    "CREATE AGGREGATE hypothetical": "drop aggregate app.ranked(float8 order by float8);"
    ' create aggregate app.ranked(variadic "any" order by variadic "any") (sfunc = ordered_set_transition_multi,'
    " stype = internal, finalfunc = rank_final, finalfunc_extra, hypothetical)",
    "CREATE AGGREGATE final with extra arguments": _AGGREGATE + "update pg_aggregate set aggfinalextra = true"
    " where aggfnoid = 'app.ranked'::regproc",
    "CREATE AGGREGATE transition type": "drop aggregate app.total(integer); create aggregate app.total(integer)"
    " (sfunc = int4_sum, stype = bigint, initcond = '0')",
    "CREATE AGGREGATE serial": _AGGREGATE + "update pg_aggregate set aggserialfn = 'numeric_avg_serialize'::regproc,"
    " aggdeserialfn = 'numeric_avg_deserialize'::regproc where aggfnoid = 'app.ranked'::regproc",
    "CREATE AGGREGATE moving final": _AGGREGATE + "update pg_aggregate set aggmfinalfn = 'int4um'::regproc, aggmfinalextra = true"
    " where aggfnoid = 'app.total'::regproc",
    # ALTER SEQUENCE
    "ALTER SEQUENCE moved": "alter sequence app.counter set schema public",
    "ALTER SEQUENCE of an identity": "alter table app.customer alter column id set cache 7",
    "GRANT ON SEQUENCE with grant option": "grant select on sequence app.counter to migsafe_reader with grant option",
    # ALTER VIEW, MATERIALIZED VIEW
    "ALTER VIEW check option": "alter view app.guarded set (check_option = cascaded)",
    "ALTER VIEW option gone": "alter view app.guarded reset (check_option)",
    "ALTER VIEW moved": "alter view app.guarded set schema public",
    "ALTER VIEW column default gone": "alter view app.guarded alter column id set default 1;"
    " alter view app.guarded alter column id set default 2",
    "COMMENT ON VIEW": "comment on view app.guarded is 'Guarded'",
    "COMMENT ON COLUMN of a view": "comment on column app.guarded.id is 'Number'",
    "GRANT ON a view": "grant insert on app.guarded to migsafe_reader",
    "GRANT ON a column of a view": "grant select (id) on app.guarded to migsafe_reader",
    "ALTER MATERIALIZED VIEW option": "alter materialized view app.sums set (fillfactor = 50)",
    "ALTER MATERIALIZED VIEW column statistics": "alter materialized view app.sums alter total set statistics 7",
    "ALTER MATERIALIZED VIEW column storage": "alter materialized view app.sums alter total set storage external",
    "ALTER MATERIALIZED VIEW column option": "alter materialized view app.sums alter total set (n_distinct = 7)",
    "ALTER MATERIALIZED VIEW clustered": "alter materialized view app.sums cluster on sums_customer",
    "ALTER MATERIALIZED VIEW renamed": "alter materialized view app.sums rename to totals",
    "ALTER MATERIALIZED VIEW column renamed": "alter materialized view app.sums rename total to sum_of",
    "ALTER MATERIALIZED VIEW owner": "alter materialized view app.sums owner to migsafe_reader",
    "ALTER MATERIALIZED VIEW moved": "alter materialized view app.sums set schema public",
    "CREATE MATERIALIZED VIEW definition": "drop materialized view app.sums; create materialized view app.sums as"
    " select customer, max(total) as total from app.orders group by 1",
    # CREATE TRIGGER
    "CREATE TRIGGER timing": _trigger("after update on app.orders for each row execute function app.touch()"),
    "CREATE TRIGGER events": _trigger("before update or delete on app.orders for each row execute function app.touch()"),
    "CREATE TRIGGER columns": _trigger("before update of note on app.orders for each row execute function app.touch()"),
    "CREATE TRIGGER each statement": _trigger("before update on app.orders for each statement execute function app.touch()"),
    "CREATE TRIGGER condition": _trigger(
        "before update on app.orders for each row when (old.id > 1) execute function app.touch()"
    ),
    "CREATE TRIGGER arguments": _trigger("before update on app.orders for each row execute function app.touch('a')"),
    "CREATE TRIGGER transition table": _trigger(
        "after update on app.orders referencing new table as fresh for each row execute function app.touch()"
    ),
    "CREATE TRIGGER truncate": "create trigger emptied before truncate on app.orders execute function app.touch()",
    "CREATE TRIGGER instead": "create trigger instead instead of insert on app.guarded for each row execute function app.touch()",
    "CREATE CONSTRAINT TRIGGER deferred": "drop trigger late on app.child; create constraint trigger late after insert on app.child"
    " deferrable initially deferred for each row execute function app.touch()",
    "CREATE CONSTRAINT TRIGGER from": "drop trigger late on app.child; create constraint trigger late after insert on app.child"
    " from app.orders deferrable for each row execute function app.touch()",
    # CREATE POLICY, RULE
    "CREATE POLICY command": "drop policy mine on app.orders; create policy mine on app.orders for update using (customer = 1)",
    "ALTER POLICY with check": "alter policy writers on app.orders with check (total > 1)",
    "CREATE POLICY with check gone": "drop policy mine on app.orders; create policy mine on app.orders for update"
    " using (customer = 1) with check (true)",
    "CREATE RULE condition": "create or replace rule no_delete as on delete to app.loose where old.id > 1 do instead nothing",
    "ALTER RULE renamed": "alter rule no_delete on app.loose rename to never_delete",
    "COMMENT ON RULE gone": "comment on rule no_delete on app.loose is 'x'",
    # GRANT
    "GRANT with grant option on a column": "grant update (note) on app.orders to migsafe_reader with grant option",
    "GRANT ON SCHEMA with grant option": "grant usage on schema app to migsafe_reader with grant option",
    "GRANT ON TYPE": "grant usage on type app.mood to migsafe_reader",
    "GRANT ON FUNCTION with grant option": "grant execute on function app.one() to migsafe_reader with grant option",
    "GRANT truncate": "grant truncate on app.orders to migsafe_reader",
    "GRANT trigger": "grant trigger, references on app.orders to migsafe_reader",
    "ALTER DEFAULT PRIVILEGES with grant option": "alter default privileges in schema app grant select on tables to migsafe_reader"
    " with grant option",
    "ALTER DEFAULT PRIVILEGES for another role": "alter default privileges for role migsafe_reader grant select on tables to public",
    "ALTER DEFAULT PRIVILEGES types": "alter default privileges revoke usage on types from public",
    "ALTER DEFAULT PRIVILEGES schemas": "alter default privileges grant usage on schemas to public",
    # Foreign data
    "ALTER FOREIGN TABLE column dropped": "alter foreign table app.distant drop column id",
    "ALTER FOREIGN TABLE check": "alter foreign table app.distant add check (id > 0)",
    "COMMENT ON FOREIGN TABLE": "comment on foreign table app.distant is 'Distant'",
    "ALTER USER MAPPING for somebody": "create user mapping for migsafe_reader server far",
    "ALTER SUBSCRIPTION connection": "alter subscription paper connection 'host=elsewhere password=x'",
    "ALTER SUBSCRIPTION password": "alter subscription paper connection 'host=nowhere password=x'",
    # Dependencies on extensions
    "ALTER FUNCTION depends on extension": "alter function app.one() depends on extension plpgsql",
    "ALTER INDEX depends on extension": "alter index app.child_note depends on extension plpgsql",
    "ALTER TRIGGER depends on extension": "alter trigger touch on app.orders depends on extension plpgsql",
    "ALTER MATERIALIZED VIEW depends on extension": "alter materialized view app.sums depends on extension plpgsql",
    "ALTER EXTENSION version": "update pg_extension set extversion = '2' where extname = 'plpgsql'",
    "ALTER EXTENSION member": "alter extension plpgsql add function app.one()",
    "ALTER SCHEMA comment on public": "comment on schema public is 'Public'",
    "GRANT ON SCHEMA public": "grant usage on schema public to migsafe_reader",
}  # fmt: skip

#: From which major version on.
MUTATIONS_SINCE: dict[int, dict[str, str]] = {
    15: {
        "ALTER VIEW security invoker": "alter view app.guarded set (security_invoker)",
        "CREATE INDEX nulls not distinct": "drop index app.child_big; create unique index child_big on app.child (big, id)"
        " nulls not distinct",
        "ALTER TABLE unique nulls not distinct": _constraint("child_unique", "unique nulls not distinct (id, note)"),
        "ALTER TABLE foreign key set null columns": _foreign_key("on delete set null (customer)"),
        "ALTER TABLE access method": "alter table app.child set access method other_heap",
        "ALTER MATERIALIZED VIEW access method": "alter materialized view app.sums set access method other_heap",
        "ALTER SEQUENCE unlogged": "alter sequence app.counter set unlogged",
        "ALTER PUBLICATION schema gone": "create publication fresh for tables in schema app;"
        " alter publication fresh drop tables in schema app",
        "CREATE COLLATION of ICU": "update pg_collation set collprovider = 'i' where collname = 'plain_order'",
    },
    16: {
        "ALTER TABLE storage default": "alter table app.child alter note set storage main;"
        " alter table app.child alter id set statistics 3",
        "CREATE STATISTICS without a name": "create statistics on id, note from app.child",
    },
    17: {
        "ALTER TABLE expression": "alter table app.customer alter upper_nick set expression as (lower(nick))",
        "GRANT maintain": "grant maintain on app.orders to migsafe_reader",
        "CREATE EVENT TRIGGER login": "create event trigger fresh on login execute function app.on_ddl()",
        "ALTER TABLE partitioned access method": "alter table app.parted set access method other_heap",
        "ALTER DOMAIN not null named": "alter domain app.later add constraint filled not null",
    },
    18: {
        "ALTER TABLE check not enforced": "alter table app.child add constraint c check (id > 0) not enforced",
        "ALTER TABLE foreign key not enforced": "alter table app.child alter constraint child_customer not enforced",
        "ALTER TABLE foreign key enforced again": "alter table app.child alter constraint child_customer not enforced;"
        " alter table app.child alter constraint child_customer enforced deferrable",
        "ALTER TABLE virtual column": "alter table app.child add twice bigint generated always as (id * 2) virtual",
        "ALTER TABLE virtual instead of stored": "alter table app.customer drop upper_nick;"
        " alter table app.customer add upper_nick text generated always as (upper(nick)) virtual",
        "ALTER TABLE not null named": "alter table app.child add constraint there not null id",
        "ALTER TABLE not null not valid": "alter table app.child add constraint child_id_not_null not null id not valid",
        "ALTER TABLE not null not inherited": "alter table app.child add constraint child_id_not_null not null id no inherit",
        "ALTER TABLE not null renamed": "alter table app.customer rename constraint customer_mood_not_null to has_mood",
        "COMMENT ON not null": "comment on constraint customer_mood_not_null on app.customer is 'Cheer up'",
        "ALTER TABLE primary key without overlaps": "create table app.fresh (id int4range, valid daterange, primary key (id, valid without overlaps))",
        "ALTER TABLE period foreign key": "create table app.fresh (id int4range, valid daterange,"
        " primary key (id, valid without overlaps)); create table app.more (id int4range, valid daterange,"
        " foreign key (id, period valid) references app.fresh (id, period valid))",
        "ALTER DEFAULT PRIVILEGES large objects": "alter default privileges grant select on large objects to migsafe_reader",
        "CREATE INDEX on a virtual column's table": "alter table app.child add twice bigint generated always as (id * 2);"
        " create index fresh on app.child (id)",
    },
}  # fmt: skip
