"""A database with something of everything, and single changes to it: each must be seen."""

RICH = """
create schema app;
create schema "Odd Schema";
create type app.mood as enum ('sad', 'ok', 'happy');
create type app.address as (street text, zip text);
create type app.span as range (subtype = timestamptz);
create type app.plain_row as (a integer);
create table app.plain (label text);
create domain app.positive as integer default 1 check (value > 0);
create function app.one() returns integer language sql immutable as 'select 1';
create function app.add(a integer, b integer default 2) returns integer language plpgsql as $$
begin
    return a + b;
end
$$;
create function app.atomic() returns integer language sql begin atomic select 1; end;
create procedure app.work(inout n integer) language plpgsql as 'begin n := n + 1; end';
create aggregate app.total(integer) (sfunc = int4pl, stype = integer, initcond = '0');
create function app.touch() returns trigger language plpgsql as 'begin return new; end';
create function app.touch2() returns trigger language plpgsql as 'begin return new; end';
create sequence app.counter;
create table app.customer (
    id bigint generated always as identity primary key,
    email varchar(200) not null unique,
    mood app.mood not null default 'ok',
    address app.address,
    age app.positive,
    born timestamptz default '2001-02-03 04:05:06+00',
    wait interval default '1 day 02:00:00',
    raw bytea default '\\xdeadbeef',
    nick text,
    upper_nick text generated always as (upper(nick)) stored
);
create table app.orders (
    id serial primary key,
    customer bigint references app.customer deferrable,
    total numeric(10,2) default 0,
    placed timestamptz check (placed > '2001-02-03 04:05:06+00'),
    note text,
    constraint total_positive check (total >= 0),
    exclude using btree (note with =)
);
create index orders_total on app.orders (total) where total > 0;
create table "Odd Schema"."Odd ""Big"" Table" ("Odd.Column" integer primary key, "Select" text);
create table app.parted (id integer not null, at date not null) partition by range (at);
create table app.parted_1 partition of app.parted for values from ('2020-01-01') to ('2021-01-01');
create table app.parted_rest partition of app.parted default;
create table app.loose (id integer not null, at date not null);
create index parted_at on app.parted (at);
create table app.base (a integer);
create table app.heir (b integer) inherits (app.base);
create view app.busy as select c.id, c.email, c.mood, o.total from app.customer c join app.orders o on o.customer = c.id;
create view app.simple as select id, note from app.orders;
create function app.known(whom app.mood) returns boolean language sql immutable as 'select true';
create function app.twice(number bigint) returns bigint language sql as 'select 2 * number';
create view app.bottom as select id, email from app.customer;
create view app.on_top as select b.*, app.twice(b.id) as more from app.bottom b;
create view app.moody as select c.id from app.customer c where app.known(c.mood);
create materialized view app.sums as select customer, sum(total) as total from app.orders group by 1;
create unique index sums_customer on app.sums (customer);
create trigger touch before update on app.orders for each row execute function app.touch();
create rule no_delete as on delete to app.loose do instead nothing;
alter table app.orders enable row level security;
create policy mine on app.orders for select using (customer = 1);
comment on table app.orders is 'What was ordered';
comment on column app.orders.note is 'By hand';
comment on function app.one() is 'Just one';
comment on type app.mood is 'How it goes';
comment on constraint total_positive on app.orders is 'No debts';
comment on constraint positive_check on domain app.positive is 'Counts';
grant select on app.customer to migsafe_reader;
grant select (note), update (note) on app.orders to migsafe_reader;
grant usage on schema app to migsafe_reader;
grant execute on function app.one() to migsafe_reader;
alter default privileges in schema app grant select on tables to migsafe_reader;
"""

#: What the change is, and the statements.
MUTATIONS: dict[str, str] = {
    "schema added": "create schema fresh",
    "schema owner": "alter schema app owner to migsafe_reader",
    "schema comment": "comment on schema app is 'All of it'",
    "schema renamed": 'alter schema "Odd Schema" rename to even',
    "schema dropped": 'drop schema "Odd Schema" cascade',
    "schema grant": "grant create on schema app to migsafe_reader",
    "schema revoke": "revoke usage on schema app from migsafe_reader",
    "enum value added": "alter type app.mood add value 'great'",
    "enum value added before": "alter type app.mood add value 'meh' before 'ok'",
    "enum value renamed": "alter type app.mood rename value 'ok' to 'okay'",
    "enum added": "create type app.colour as enum ('red')",
    "type renamed": "alter type app.mood rename to feeling",
    "type moved": "alter type app.mood set schema public",
    "type owner": "alter type app.mood owner to migsafe_reader",
    "type comment": "comment on type app.mood is 'Other'",
    "type comment gone": "comment on type app.mood is null",
    "type dropped": "drop type app.span",
    "type grant": "revoke usage on type app.mood from public",
    "composite attribute added": "alter type app.address add attribute city text",
    "composite attribute type": "alter type app.plain_row alter attribute a type bigint",
    "composite attribute renamed": "alter type app.address rename attribute zip to postcode",
    "composite attribute dropped": "alter type app.address drop attribute zip",
    "composite renamed": "alter type app.address rename to place",
    "range added": "create type app.ints as range (subtype = integer)",
    "domain default": "alter domain app.positive set default 2",
    "domain not null": "alter domain app.positive set not null",
    "domain check added": "alter domain app.positive add constraint small check (value < 1000)",
    "domain check not valid": "alter domain app.positive add constraint small check (value < 1000) not valid",
    "domain check dropped": "alter domain app.positive drop constraint positive_check",
    "domain check renamed": "alter domain app.positive rename constraint positive_check to above_zero",
    "domain check comment": "comment on constraint positive_check on domain app.positive is 'Other'",
    "domain check comment gone": "comment on constraint positive_check on domain app.positive is null",
    "domain renamed": "alter domain app.positive rename to natural_number",
    "function added": "create function app.two() returns integer language sql as 'select 2'",
    "function overloaded": "create function app.one(integer) returns integer language sql as 'select $1'",
    "function body": "create or replace function app.one() returns integer language sql immutable as 'select 1 + 0'",
    "function volatility": "alter function app.one() volatile",
    "function strict": "alter function app.add(integer, integer) strict",
    "function security definer": "alter function app.one() security definer",
    "function leakproof": "alter function app.one() leakproof",
    "function parallel": "alter function app.one() parallel safe",
    "function cost": "alter function app.one() cost 7",
    "function config": "alter function app.one() set search_path = app",
    "function argument default": "create or replace function app.add(a integer, b integer default 3) returns integer"
    " language plpgsql as $$\nbegin\n    return a + b;\nend\n$$",
    "function owner": "alter function app.one() owner to migsafe_reader",
    "function renamed": "alter function app.touch() rename to touched",
    "function moved": "alter function app.touch() set schema public",
    "function comment": "comment on function app.one() is 'Other'",
    "function comment gone": "comment on function app.one() is null",
    "function dropped": "drop function app.add(integer, integer)",
    "function grant": "revoke execute on function app.one() from public",
    "function atomic body": "create or replace function app.atomic() returns integer language sql begin atomic select 2; end",
    "procedure body": "create or replace procedure app.work(inout n integer) language plpgsql as 'begin n := 1; end'",
    "procedure dropped": "drop procedure app.work",
    "aggregate initial value": "create or replace aggregate app.total(integer) (sfunc = int4pl, stype = integer, initcond = '1')",
    "aggregate dropped": "drop aggregate app.total(integer)",
    "sequence added": "create sequence app.other",
    "sequence increment": "alter sequence app.counter increment 5",
    "sequence type": "alter sequence app.counter as integer",
    "sequence minimum": "alter sequence app.counter minvalue 0",
    "sequence maximum": "alter sequence app.counter maxvalue 99",
    "sequence start": "alter sequence app.counter start 5",
    "sequence cache": "alter sequence app.counter cache 5",
    "sequence cycle": "alter sequence app.counter cycle",
    "sequence owned by": "alter sequence app.counter owned by app.orders.total",
    "sequence no longer owned": "alter sequence app.orders_id_seq owned by none",
    "sequence renamed": "alter sequence app.orders_id_seq rename to order_numbers",
    "sequence grant": "grant usage on sequence app.counter to migsafe_reader",
    "sequence dropped": "drop sequence app.counter",
    "table added": "create table app.fresh (id bigint primary key, of bigint references app.customer)",
    "table dropped": "drop table app.orders cascade",
    "table renamed": "alter table app.customer rename to client",
    "table moved": "alter table app.customer set schema public",
    "table made anew": "drop table app.loose; create table app.loose (id bigint)",
    "table names swapped": "alter table app.base rename to tmp; alter table app.loose rename to base;"
    " alter table app.tmp rename to loose",
    "table unlogged": "alter table app.loose set unlogged",
    "table owner": "alter table app.orders owner to migsafe_reader",
    "table comment": "comment on table app.orders is 'Other'",
    "table comment gone": "comment on table app.orders is null",
    "table storage parameter": "alter table app.orders set (fillfactor = 70)",
    "table toast parameter": "alter table app.orders set (toast.autovacuum_enabled = false)",
    "table replica identity": "alter table app.orders replica identity full",
    "table replica identity index": "alter table app.customer replica identity using index customer_email_key",
    "table row security off": "alter table app.orders disable row level security",
    "table row security forced": "alter table app.orders force row level security",
    "table grant": "grant insert on app.orders to migsafe_reader",
    "table grant to public": "grant select on app.orders to public",
    "table grant option": "grant select on app.customer to migsafe_reader with grant option",
    "table revoke": "revoke select on app.customer from migsafe_reader",
    "table owner revoked": "revoke delete on app.orders from current_user",
    "table inherits": "alter table app.heir no inherit app.base",
    "partition attached": "alter table app.parted attach partition app.loose for values from ('2022-01-01') to ('2023-01-01')",
    "partition detached": "alter table app.parted detach partition app.parted_1",
    "partition added": "create table app.parted_2 partition of app.parted for values from ('2021-01-01') to ('2022-01-01')",
    "partitioned table renamed": "alter table app.parted rename to pieces",
    "partitioned table dropped": "drop table app.parted",
    "partitioned column added": "alter table app.parted add column extra text",
    "column added": "alter table app.orders add column extra text",
    "column added with default": "alter table app.orders add column extra text not null default 'x'",
    "columns added": "alter table app.orders add column one text, add column two text",
    "column dropped": "alter table app.orders drop column note cascade",
    "column dropped and made again": "alter table app.loose drop column id; alter table app.loose add column id integer not null",
    "column renamed": "alter table app.customer rename column id to number",
    "column of a view renamed": "alter table app.orders rename column note to remark",
    "column type": "alter table app.customer alter column nick type varchar(9) using nick::varchar(9)"
    ", drop column upper_nick",
    "column length": "alter table app.customer alter column raw set storage main",
    "column not null": "alter table app.customer alter column nick set not null",
    "column null": "alter table app.customer alter column mood drop not null",
    "column default": "alter table app.orders alter column total set default 1",
    "column default gone": "alter table app.orders alter column total drop default",
    "column identity": "alter table app.customer alter column id set generated by default",
    "column identity options": "alter table app.customer alter column id set increment by 3",
    "column identity gone": "alter table app.customer alter column id drop identity",
    "column generated gone": "alter table app.customer alter column upper_nick drop expression",
    "column collation": 'alter table app.plain alter column label type text collate "C"',
    "column statistics": "alter table app.orders alter column note set statistics 500",
    "column option": "alter table app.orders alter column note set (n_distinct = 5)",
    "column compression": "alter table app.orders alter column note set compression pglz",
    "column comment": "comment on column app.orders.note is 'Other'",
    "column comment gone": "comment on column app.orders.note is null",
    "column grant": "grant select (total) on app.orders to migsafe_reader",
    "column revoke": "revoke update (note) on app.orders from migsafe_reader",
    "constraint added": "alter table app.orders add constraint small check (total < 100)",
    "constraint added not valid": "alter table app.orders add constraint small check (total < 100) not valid",
    "constraint added and validated": "alter table app.orders add constraint small check (total < 100) not valid;"
    " alter table app.orders validate constraint small",
    "constraint renamed": "alter table app.orders rename constraint total_positive to plus",
    "constraint dropped": "alter table app.orders drop constraint total_positive",
    "constraint comment": "comment on constraint total_positive on app.orders is 'Other'",
    "constraint comment gone": "comment on constraint total_positive on app.orders is null",
    "constraint validated behind the server's back": "update pg_constraint set convalidated = false"
    " where conname = 'total_positive'",
    "foreign key deferred": "alter table app.orders alter constraint orders_customer_fkey deferrable initially deferred",
    "foreign key not deferrable": "alter table app.orders alter constraint orders_customer_fkey not deferrable",
    "foreign key dropped": "alter table app.orders drop constraint orders_customer_fkey",
    "primary key renamed": "alter table app.orders rename constraint orders_pkey to pk",
    "unique constraint dropped": "alter table app.customer drop constraint customer_email_key",
    "index added": "create index fresh on app.orders (placed desc nulls last) include (note)",
    "index dropped": "drop index app.orders_total",
    "index renamed": "alter index app.orders_total rename to by_total",
    "index storage parameter": "alter index app.orders_total set (fillfactor = 50)",
    "index clustered": "alter table app.orders cluster on orders_pkey",
    "index comment": "comment on index app.orders_total is 'Fast'",
    "index with another table": "drop index app.orders_total; create index orders_total on app.loose (id)",
    "index invalid": "update pg_index set indisvalid = false where indexrelid = 'app.orders_total'::regclass",
    "partitioned index on parent only": "create index lonely on only app.parted (id)",
    "view added": "create view app.fresh as select 1 as one",
    "view definition": "create or replace view app.simple as select id, note from app.orders where id > 0",
    "view reads another table": "create or replace view app.moody as select b.id from app.busy b"
    " where app.known(b.mood)",
    "view calls another function": "create or replace view app.on_top as select b.*, app.one()::bigint as more"
    " from app.bottom b",
    "function of a view renamed": "alter function app.known(app.mood) rename to liked",
    "view column added": "create or replace view app.simple as select id, note, total from app.orders",
    "view column default": "alter view app.simple alter column note set default 'x'",
    "view column renamed": "alter view app.simple rename column note to remark",
    "view option": "alter view app.simple set (security_barrier)",
    "view renamed": "alter view app.simple rename to easy",
    "view owner": "alter view app.simple owner to migsafe_reader",
    "view dropped": "drop view app.busy",
    "view became a table": "drop view app.simple; create table app.simple (id integer)",
    "materialized view not populated": "refresh materialized view app.sums with no data",
    "materialized view dropped": "drop materialized view app.sums",
    "materialized view comment": "comment on materialized view app.sums is 'Sums'",
    "trigger added": "create trigger fresh after insert on app.orders execute function app.touch()",
    "trigger disabled": "alter table app.orders disable trigger touch",
    "trigger always": "alter table app.orders enable always trigger touch",
    "trigger renamed": "alter trigger touch on app.orders rename to touched",
    "trigger comment": "comment on trigger touch on app.orders is 'Stamps'",
    "policy comment": "comment on policy mine on app.orders is 'Mine'",
    "rule comment": "comment on rule no_delete on app.loose is 'Never'",
    "trigger function": "create or replace trigger touch before update on app.orders for each row execute function app.touch2()",
    "trigger dropped": "drop trigger touch on app.orders",
    "trigger's function dropped": "drop function app.touch() cascade",
    "rule added": "create rule fresh as on update to app.loose do instead nothing",
    "rule changed": "create or replace rule no_delete as on delete to app.loose do also nothing",
    "rule disabled": "alter table app.loose disable rule no_delete",
    "rule dropped": "drop rule no_delete on app.loose",
    "policy added": "create policy fresh on app.orders using (true)",
    "policy using": "alter policy mine on app.orders using (customer = 2)",
    "policy roles": "alter policy mine on app.orders to migsafe_reader",
    "policy renamed": "alter policy mine on app.orders rename to own",
    "policy restrictive": "drop policy mine on app.orders; create policy mine on app.orders as restrictive for select"
    " using (customer = 1)",
    "policy dropped": "drop policy mine on app.orders",
    "default privileges added": "alter default privileges grant select on sequences to migsafe_reader",
    "default privileges gone": "alter default privileges in schema app revoke select on tables from migsafe_reader",
    "default privileges revoked from public": "alter default privileges revoke execute on functions from public",
    "role renamed": "alter role migsafe_reader rename to migsafe_other",
    "everything owned dropped": "drop owned by migsafe_reader",
    "odd table renamed": 'alter table "Odd Schema"."Odd ""Big"" Table" rename to "Odder.Table"',
    "odd column renamed": 'alter table "Odd Schema"."Odd ""Big"" Table" rename column "Odd.Column" to "select"',
    "odd column not null": 'alter table "Odd Schema"."Odd ""Big"" Table" alter column "Select" set not null',
    "in a block": "do $$ begin alter table app.loose add column x integer; begin drop table app.base cascade;"
    " raise 'no'; exception when others then null; end; create table app.y (); end $$",
}

#: What leaves no trace in the schema.
NO_CHANGES: dict[str, str] = {
    "nothing": "",
    "rows": "insert into app.loose values (1, 'today'); update app.loose set id = 2; delete from app.loose",
    "sequence position": "select nextval('app.counter')",
    "settings": "set search_path = app; set timezone = 'Asia/Tokyo'",
    "temporary table": "create temporary table t (id integer primary key); create temporary view v as select 1",
    "made and dropped": "create table app.fresh (id serial primary key); drop table app.fresh",
    "changed and changed back": "alter table app.orders rename to other; alter table app.other rename to orders",
    "statistics": "analyze app.orders",
    "default acl written out": "grant all on app.loose to current_user",
    "a block that failed": "do $$ begin drop table app.base cascade; raise 'no'; exception when others then null; end $$",
}
