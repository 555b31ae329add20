"""Something of each of the rarer kinds, in the database that `mutations` makes, and single changes to each attribute.

What no statement can do alone, or only with code in C, is done to the catalog itself: it is the reading that is tested.
"""

RICH = """
create function app.on_ddl() returns event_trigger language plpgsql as 'begin end';
create function app.on_ddl2() returns event_trigger language plpgsql as 'begin end';
create event trigger watch on ddl_command_end when tag in ('CREATE TABLE') execute function app.on_ddl();
comment on event trigger watch is 'Watches';
create statistics app.related (ndistinct, dependencies) on id, total from app.orders;
comment on statistics app.related is 'Related';
create publication news for table app.orders with (publish = 'insert, update');
comment on publication news is 'New';
create subscription paper connection 'host=nowhere' publication news
    with (connect = false, enabled = false, slot_name = none);
comment on subscription paper is 'Daily';
create function app.mood_number(app.mood) returns integer language sql immutable as 'select 1';
create cast (app.mood as integer) with function app.mood_number(app.mood);
comment on cast (app.mood as integer) is 'Counted';
create operator app.=== (leftarg = integer, rightarg = integer, function = int4eq, restrict = eqsel,
    join = eqjoinsel, hashes, merges);
comment on operator app.=== (integer, integer) is 'Really';
create operator app.!== (leftarg = integer, rightarg = integer, function = int4ne);
create operator family app.family using btree;
comment on operator family app.family using btree is 'All of them';
create operator family app.other_family using btree;
create type app.number;
create function app.number_in(cstring) returns app.number language internal immutable strict as 'int4in';
create function app.number_out(app.number) returns cstring language internal immutable strict as 'int4out';
create type app.number (input = app.number_in, output = app.number_out, internallength = 4, passedbyvalue);
create operator class app.numbers for type app.number using btree family app.family as
    operator 1 < (integer, integer), function 1 (integer, integer) btint4cmp(integer, integer);
comment on operator class app.numbers using btree is 'Some of them';
create collation app.plain_order (locale = 'C');
comment on collation app.plain_order is 'By the byte';
create conversion app.western for 'UTF8' to 'LATIN1' from utf8_to_iso8859_1;
comment on conversion app.western is 'Westwards';
create text search parser app.parser
    (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype, headline = prsd_headline);
comment on text search parser app.parser is 'Parses';
create text search template app.template (init = dsimple_init, lexize = dsimple_lexize);
comment on text search template app.template is 'As it is';
create text search dictionary app.words (template = simple, accept = false);
comment on text search dictionary app.words is 'Words';
create text search configuration app.search (copy = english);
comment on text search configuration app.search is 'Finds';
create foreign data wrapper wrapper options (debug 'true');
comment on foreign data wrapper wrapper is 'Wraps';
create server far type 'a' version '1' foreign data wrapper wrapper options (host 'a', api_key 'secret one');
comment on server far is 'Far';
create user mapping for public server far options (user 'a', password 'secret two');
create foreign table app.distant (id integer options (column_name 'a')) server far options (table_name 'a');
create function app.toy_handler() returns language_handler language c as '$libdir/plpgsql', 'plpgsql_call_handler';
create function app.toy_inline(internal) returns void language c as '$libdir/plpgsql', 'plpgsql_inline_handler';
create function app.toy_validator(oid) returns void language c as '$libdir/plpgsql', 'plpgsql_validator';
create language toy handler app.toy_handler inline app.toy_inline validator app.toy_validator;
comment on language toy is 'A toy';
create function app.from_sql(internal) returns internal language internal immutable as 'int4recv';
create function app.to_sql(internal) returns app.address language internal immutable as 'int4recv';
create transform for app.address language toy (from sql with function app.from_sql(internal));
comment on transform for app.address language toy is 'Turns';
create access method other_heap type table handler heap_tableam_handler;
comment on access method other_heap is 'The same';
insert into pg_seclabel values ('app.orders'::regclass, 'pg_class'::regclass, 0, 'clerk', 'confidential');
create type app.shell;
create function app.number_receive(internal) returns app.number language internal immutable strict as 'int4recv';
create function app.number_send(app.number) returns bytea language internal immutable strict as 'int4send';
create type app.spot as (street text, zip text);
create table app.typed of app.spot;
create table app.referring (number bigint references app.customer);
create index orders_sum on app.orders ((total + 1));
create function app.series() returns setof integer language sql as 'select 1';
create trigger parted_touch before update on app.parted for each row execute function app.touch();
"""


def _set(catalog: str, column: str, value: str, where: str) -> str:
    return f"update pg_{catalog} set {column} = {value} where {where}"  # our own words


def _cast(method: str, context: str = "") -> str:
    return f"drop cast (app.mood as integer); create cast (app.mood as integer) {method} {context}"


def _total(more: str, transition: str = "int4pl") -> str:
    return f"create or replace aggregate app.total(integer) (sfunc = {transition}, stype = integer, initcond = '0'{more})"


_NUMBER = "typname = 'number'"
_COLLATION = "collname = 'plain_order'"
_CONVERSION = "conname = 'western'"
_OPERATOR = "app.=== (integer, integer)"

MUTATIONS: dict[str, str] = {
    "event trigger added": "create event trigger fresh on sql_drop execute function app.on_ddl()",
    "event trigger event": "drop event trigger watch; create event trigger watch on ddl_command_start"
    " when tag in ('CREATE TABLE') execute function app.on_ddl(); comment on event trigger watch is 'Watches'",
    "event trigger tags": _set("event_trigger", "evttags", "'{DROP TABLE}'", "evtname = 'watch'"),
    "event trigger function": _set("event_trigger", "evtfoid", "'app.on_ddl2'::regproc", "evtname = 'watch'"),
    "event trigger function renamed": "alter function app.on_ddl() rename to on_all_ddl",
    "event trigger disabled": "alter event trigger watch disable",
    "event trigger always": "alter event trigger watch enable always",
    "event trigger owner": _set(
        "event_trigger", "evtowner", "'migsafe_reader'::regrole", "evtname = 'watch'"
    ),
    "event trigger comment": "comment on event trigger watch is 'Other'",
    "event trigger comment gone": "comment on event trigger watch is null",
    "event trigger renamed": "alter event trigger watch rename to look",
    "event trigger dropped": "drop event trigger watch",
    "statistics added": "create statistics app.fresh on id, note from app.orders",
    "statistics kinds": "drop statistics app.related; create statistics app.related (mcv) on id, total from app.orders;"
    " comment on statistics app.related is 'Related'",
    "statistics relation": "drop statistics app.related; create statistics app.related (ndistinct, dependencies) on id, at"
    " from app.loose; comment on statistics app.related is 'Related'",
    "statistics column renamed": "alter table app.orders rename column total to sum",
    "statistics table renamed": "alter table app.orders rename to order_",
    "statistics target": "alter statistics app.related set statistics 50",
    "statistics owner": "grant create on schema app to migsafe_reader; alter statistics app.related owner to migsafe_reader",
    "statistics comment": "comment on statistics app.related is 'Other'",
    "statistics comment gone": "comment on statistics app.related is null",
    "statistics moved": "alter statistics app.related set schema public",
    "statistics dropped": "drop statistics app.related",
    "statistics on an expression": "create statistics app.fresh on (total + id) from app.orders",
    "publication added": "create publication fresh for table app.loose",
    "publication of all tables": "create publication fresh for all tables",
    "publication table": "alter publication news add table app.loose",
    "publication table gone": "alter publication news drop table app.orders",
    "publication actions": "alter publication news set (publish = 'insert, delete')",
    "publication truncate": "alter publication news set (publish = 'insert, update, truncate')",
    "publication via root": "alter publication news set (publish_via_partition_root = true)",
    "publication all tables": _set("publication", "puballtables", "true", "pubname = 'news'"),
    "publication owner": _set("publication", "pubowner", "'migsafe_reader'::regrole", "pubname = 'news'"),
    "publication comment": "comment on publication news is 'Other'",
    "publication comment gone": "comment on publication news is null",
    "publication renamed": "alter publication news rename to olds",
    "publication dropped": "drop publication news",
    "subscription added": "create subscription fresh connection '' publication a"
    " with (connect = false, enabled = false, slot_name = none)",
    "subscription enabled": _set("subscription", "subenabled", "true", "subname = 'paper'"),
    "subscription publications": "alter subscription paper set publication olds with (refresh = false)",
    "subscription slot": "alter subscription paper set (slot_name = 'hole')",
    "subscription synchronous commit": "alter subscription paper set (synchronous_commit = 'local')",
    "subscription binary": "alter subscription paper set (binary = true)",
    "subscription streaming": "alter subscription paper set (streaming = on)",
    "subscription owner": _set("subscription", "subowner", "'migsafe_reader'::regrole", "subname = 'paper'"),
    "subscription comment": "comment on subscription paper is 'Other'",
    "subscription comment gone": "comment on subscription paper is null",
    "subscription renamed": "alter subscription paper rename to journal",
    "subscription dropped": "drop subscription paper",
    "cast added": "create cast (app.span as app.mood) with inout",
    "cast method": _cast("with inout"),
    "cast without function": _set(
        "cast", "castmethod = 'b', castfunc", "0", "castsource = 'app.mood'::regtype"
    ),
    "cast context": "drop cast (app.mood as integer);"
    " create cast (app.mood as integer) with function app.mood_number(app.mood) as assignment;"
    " comment on cast (app.mood as integer) is 'Counted'",
    "cast implicit": _set("cast", "castcontext", "'i'", "castsource = 'app.mood'::regtype"),
    "cast comment": "comment on cast (app.mood as integer) is 'Other'",
    "cast comment gone": "comment on cast (app.mood as integer) is null",
    "cast function renamed": "alter function app.mood_number(app.mood) rename to counted",
    "cast dropped": "drop cast (app.mood as integer)",
    "operator added": "create operator app.<<< (leftarg = integer, rightarg = integer, function = int4lt)",
    "operator function": _set("operator", "oprcode", "'int4ne'::regproc", "oprname = '==='"),
    "operator result": _set("operator", "oprresult", "'text'::regtype", "oprname = '==='"),
    "operator commutator": _set("operator", "oprcom", "oid", "oprname = '==='"),
    "operator negator": _set(
        "operator", "oprnegate", "'app.!==(integer,integer)'::regoperator", "oprname = '==='"
    ),
    "operator with a commutator to be": "create operator app.<<< (leftarg = integer, rightarg = integer, function = int4lt,"
    " commutator = operator(app.>>>))",
    "operator restrict": f"alter operator {_OPERATOR} set (restrict = none)",
    "operator join": f"alter operator {_OPERATOR} set (join = none)",
    "operator hashes": _set("operator", "oprcanhash", "false", "oprname = '==='"),
    "operator merges": _set("operator", "oprcanmerge", "false", "oprname = '==='"),
    "operator owner": f"alter operator {_OPERATOR} owner to migsafe_reader",
    "operator comment": f"comment on operator {_OPERATOR} is 'Other'",
    "operator comment gone": f"comment on operator {_OPERATOR} is null",
    "operator moved": f"alter operator {_OPERATOR} set schema public",
    "operator dropped": f"drop operator {_OPERATOR}",
    "operator family added": "create operator family app.fresh using hash",
    "operator family operator": "alter operator family app.family using btree add operator 1 < (integer, bigint)",
    "operator family function": "alter operator family app.family using btree add function 1 btint48cmp(integer, bigint)",
    "operator family owner": "alter operator family app.family using btree owner to migsafe_reader",
    "operator family comment": "comment on operator family app.family using btree is 'Other'",
    "operator family comment gone": "comment on operator family app.family using btree is null",
    "operator family renamed": "alter operator family app.family using btree rename to relatives",
    "operator family dropped": "drop operator family app.other_family using btree",
    "operator class type": _set("opclass", "opcintype", "'bigint'::regtype", "opcname = 'numbers'"),
    "operator class family": _set(
        "opclass",
        "opcfamily",
        "(select oid from pg_opfamily where opfname = 'other_family')",
        "opcname = 'numbers'",
    ),
    "operator class default": _set("opclass", "opcdefault", "true", "opcname = 'numbers'"),
    "operator class storage": _set("opclass", "opckeytype", "'text'::regtype", "opcname = 'numbers'"),
    "operator class owner": "alter operator class app.numbers using btree owner to migsafe_reader",
    "operator class comment": "comment on operator class app.numbers using btree is 'Other'",
    "operator class comment gone": "comment on operator class app.numbers using btree is null",
    "operator class renamed": "alter operator class app.numbers using btree rename to figures",
    "operator class dropped": "drop operator class app.numbers using btree",
    "collation added": 'create collation app.fresh from "C"',
    "collation provider": _set("collation", "collprovider", "'i'", _COLLATION),
    "collation locale": _set("collation", "collcollate", "'POSIX'", _COLLATION),
    "collation ctype": _set("collation", "collctype", "'POSIX'", _COLLATION),
    "collation not deterministic": _set("collation", "collisdeterministic", "false", _COLLATION),
    "collation owner": "alter collation app.plain_order owner to migsafe_reader",
    "collation comment": "comment on collation app.plain_order is 'Other'",
    "collation comment gone": "comment on collation app.plain_order is null",
    "collation renamed": "alter collation app.plain_order rename to bytes",
    "collation dropped": "drop collation app.plain_order",
    "conversion added": "create conversion app.fresh for 'UTF8' to 'LATIN1' from utf8_to_iso8859_1",
    "conversion source": _set("conversion", "conforencoding", "8", _CONVERSION),
    "conversion target": _set("conversion", "contoencoding", "9", _CONVERSION),
    "conversion function": _set("conversion", "conproc", "'utf8_to_iso8859'::regproc", _CONVERSION),
    "conversion default": _set("conversion", "condefault", "true", _CONVERSION),
    "conversion owner": "alter conversion app.western owner to migsafe_reader",
    "conversion comment": "comment on conversion app.western is 'Other'",
    "conversion comment gone": "comment on conversion app.western is null",
    "conversion renamed": "alter conversion app.western rename to west",
    "conversion dropped": "drop conversion app.western",
    "parser added": "create text search parser app.fresh"
    " (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype)",
    **{
        f"parser {column}": _set("ts_parser", column, "'int4eq'::regproc", "prsname = 'parser'")
        for column in ("prsstart", "prstoken", "prsend", "prsheadline", "prslextype")
    },
    "parser comment": "comment on text search parser app.parser is 'Other'",
    "parser comment gone": "comment on text search parser app.parser is null",
    "parser renamed": "alter text search parser app.parser rename to reader",
    "parser dropped": "drop text search parser app.parser",
    "template added": "create text search template app.fresh (lexize = dsimple_lexize)",
    "template init": _set("ts_template", "tmplinit", "0", "tmplname = 'template'"),
    "template lexize": _set(
        "ts_template", "tmpllexize", "'dsynonym_lexize'::regproc", "tmplname = 'template'"
    ),
    "template comment": "comment on text search template app.template is 'Other'",
    "template comment gone": "comment on text search template app.template is null",
    "template renamed": "alter text search template app.template rename to pattern",
    "template dropped": "drop text search template app.template",
    "dictionary added": "create text search dictionary app.fresh (template = simple)",
    "dictionary template": _set(
        "ts_dict",
        "dicttemplate",
        "(select oid from pg_ts_template where tmplname = 'template')",
        "dictname = 'words'",
    ),
    "dictionary parameters": "alter text search dictionary app.words (accept = true)",
    "dictionary owner": "alter text search dictionary app.words owner to migsafe_reader",
    "dictionary comment": "comment on text search dictionary app.words is 'Other'",
    "dictionary comment gone": "comment on text search dictionary app.words is null",
    "dictionary renamed": "alter text search dictionary app.words rename to terms",
    "dictionary dropped": "drop text search dictionary app.words",
    "configuration added": "create text search configuration app.fresh (copy = simple)",
    "configuration parser": _set(
        "ts_config",
        "cfgparser",
        "(select oid from pg_ts_parser where prsname = 'parser')",
        "cfgname = 'search'",
    ),
    "configuration mapping": "alter text search configuration app.search alter mapping for word with app.words",
    "configuration mapping order": "alter text search configuration app.search alter mapping for word with simple, app.words",
    "configuration mapping gone": "alter text search configuration app.search drop mapping for word",
    "configuration owner": "alter text search configuration app.search owner to migsafe_reader",
    "configuration comment": "comment on text search configuration app.search is 'Other'",
    "configuration comment gone": "comment on text search configuration app.search is null",
    "configuration renamed": "alter text search configuration app.search rename to find",
    "configuration dropped": "drop text search configuration app.search",
    "wrapper added": "create foreign data wrapper fresh",
    "wrapper handler": _set("foreign_data_wrapper", "fdwhandler", "'int4eq'::regproc", "fdwname = 'wrapper'"),
    "wrapper validator": "alter foreign data wrapper wrapper validator postgresql_fdw_validator options (drop debug)",
    "wrapper options": "alter foreign data wrapper wrapper options (set debug 'false')",
    "wrapper owner": _set(
        "foreign_data_wrapper", "fdwowner", "'migsafe_reader'::regrole", "fdwname = 'wrapper'"
    ),
    "wrapper comment": "comment on foreign data wrapper wrapper is 'Other'",
    "wrapper comment gone": "comment on foreign data wrapper wrapper is null",
    "wrapper grant": "grant usage on foreign data wrapper wrapper to migsafe_reader",
    "wrapper renamed": "alter foreign data wrapper wrapper rename to wrap",
    "wrapper dropped": "drop foreign data wrapper wrapper cascade",
    "server added": "create server fresh foreign data wrapper wrapper",
    "server wrapper": "create foreign data wrapper fresh;"
    + _set(
        "foreign_server",
        "srvfdw",
        "(select oid from pg_foreign_data_wrapper where fdwname = 'fresh')",
        "srvname = 'far'",
    ),
    "server type": _set("foreign_server", "srvtype", "'b'", "srvname = 'far'"),
    "server version": "alter server far version '2'",
    "server options": "alter server far options (set host 'b')",
    "server secret": "alter server far options (set api_key 'another')",
    "server owner": _set("foreign_server", "srvowner", "'migsafe_reader'::regrole", "srvname = 'far'"),
    "server comment": "comment on server far is 'Other'",
    "server comment gone": "comment on server far is null",
    "server grant": "grant usage on foreign server far to migsafe_reader",
    "server renamed": "alter server far rename to near",
    "server dropped": "drop server far cascade",
    "user mapping added": "create user mapping for current_user server far",
    "user mapping option": "alter user mapping for public server far options (set user 'b')",
    "user mapping secret": "alter user mapping for public server far options (set password 'another')",
    "user mapping dropped": "drop user mapping for public server far",
    "foreign table added": "create foreign table app.fresh (id integer) server far",
    "foreign table server": "create server fresh foreign data wrapper wrapper;"
    + _set("foreign_table", "ftserver", "(select oid from pg_foreign_server where srvname = 'fresh')", "true")
    + "; alter foreign table app.distant options (set table_name 'a')",
    "foreign table option": "alter foreign table app.distant options (set table_name 'b')",
    "foreign table column option": "alter foreign table app.distant alter column id options (set column_name 'b')",
    "foreign table dropped": "drop foreign table app.distant",
    "language added": "create language fresh handler plpgsql_call_handler",
    "language trusted": _set("language", "lanpltrusted", "true", "lanname = 'toy'"),
    "language handler": _set("language", "lanplcallfoid", "'int4eq'::regproc", "lanname = 'toy'"),
    "language inline": _set("language", "laninline", "0", "lanname = 'toy'"),
    "language validator": _set("language", "lanvalidator", "0", "lanname = 'toy'"),
    "language owner": _set("language", "lanowner", "'migsafe_reader'::regrole", "lanname = 'toy'"),
    "language comment": "comment on language toy is 'Other'",
    "language comment gone": "comment on language toy is null",
    "language grant": "revoke usage on language sql from public",
    "language renamed": "alter language toy rename to game",
    "language dropped": "drop language toy cascade",
    "transform added": "create transform for app.mood language toy (from sql with function app.from_sql(internal))",
    "transform to sql": "create or replace transform for app.address language toy"
    " (from sql with function app.from_sql(internal), to sql with function app.to_sql(internal))",
    "transform from sql": "create or replace transform for app.address language toy"
    " (to sql with function app.to_sql(internal))",
    "transform comment": "comment on transform for app.address language toy is 'Other'",
    "transform comment gone": "comment on transform for app.address language toy is null",
    "transform dropped": "drop transform for app.address language toy",
    "access method added": "create access method fresh type index handler bthandler",
    "access method type": _set("am", "amtype", "'i'", "amname = 'other_heap'"),
    "access method handler": _set("am", "amhandler", "'bthandler'::regproc", "amname = 'other_heap'"),
    "access method comment": "comment on access method other_heap is 'Other'",
    "access method comment gone": "comment on access method other_heap is null",
    "access method dropped": "drop access method other_heap",
    "security label added": "insert into pg_seclabel values ('app.loose'::regclass, 'pg_class'::regclass, 0, 'clerk', 'a')",
    "security label on a column": "insert into pg_seclabel values ('app.loose'::regclass, 'pg_class'::regclass, 1, 'a', 'b')",
    "security label changed": _set("seclabel", "label", "'public'", "provider = 'clerk'"),
    "security label provider": _set("seclabel", "provider", "'boss'", "provider = 'clerk'"),
    "security label gone": "delete from pg_seclabel",
    "security label of a renamed table": "alter table app.orders rename to papers",
    "extension comment": "comment on extension plpgsql is 'Other'",
    "extension comment gone": "comment on extension plpgsql is null",
    "extension configuration": _set(
        "extension",
        "extcondition = '{where id > 1}', extconfig",
        "array['app.loose'::regclass]",
        "extname = 'plpgsql'",
    ),
    "type of an operator class renamed": "alter type app.number rename to figure",
    "type of an operator class dropped": "drop type app.number cascade",
    "type of a cast moved": "alter type app.mood set schema public",
    "function of a language renamed": "alter function app.toy_handler() rename to handler",
    "function of a transform moved": "alter function app.from_sql(internal) set schema public",
    "table of a publication moved": "alter table app.orders set schema public",
    "shell type added": "create type app.fresh",
    "shell type dropped": "drop type app.shell",
    "shell type owner": _set("type", "typowner", "'migsafe_reader'::regrole", "typname = 'shell'"),
    "base type receive": "alter type app.number set (receive = app.number_receive)",
    "base type send": "alter type app.number set (send = app.number_send)",
    "base type analyze": "alter type app.number set (analyze = array_typanalyze)",
    "base type modifier input": _set("type", "typmodin", "'numerictypmodin'::regproc", _NUMBER),
    "base type modifier output": _set("type", "typmodout", "'numerictypmodout'::regproc", _NUMBER),
    "base type subscript": _set("type", "typsubscript", "'jsonb_subscript_handler'::regproc", _NUMBER),
    "base type by value": _set("type", "typbyval", "false", _NUMBER),
    "base type preferred": _set("type", "typispreferred", "true", _NUMBER),
    "base type delimiter": _set("type", "typdelim", "';'", _NUMBER),
    "base type element": _set("type", "typelem", "'integer'::regtype", _NUMBER),
    "base type collatable": _set("type", "typcollation", "100", _NUMBER),
    "typed table no longer": "alter table app.typed not of",
    "typed table": "alter table app.plain drop label; alter table app.plain add street text, add zip text;"
    " alter table app.plain of app.spot",
    "partition detach pending": _set(
        "inherits", "inhdetachpending", "true", "inhrelid = 'app.parted_1'::regclass"
    ),
    "table tablespace": _set("class", "reltablespace", "1664", "oid = 'app.loose'::regclass"),
    "index tablespace": _set("class", "reltablespace", "1664", "oid = 'app.orders_sum'::regclass"),
    "materialized view tablespace": _set("class", "reltablespace", "1664", "oid = 'app.sums'::regclass"),
    "table access method": _set(
        "class", "relam", "(select oid from pg_am where amname = 'other_heap')", "oid = 'app.loose'::regclass"
    ),
    "column inherited": "alter table app.heir add column c integer; alter table app.base add column c integer",
    "column local": _set(
        "attribute", "attislocal", "true", "attrelid = 'app.heir'::regclass and attname = 'a'"
    ),
    "column inherited twice": "create table app.aunt (a integer); alter table app.heir inherit app.aunt",
    "constraint inherited": "alter table app.heir add constraint c check (a > 0); alter table app.base add constraint c"
    " check (a > 0)",
    "constraint local": "alter table app.base add constraint c check (a > 0); "
    + _set("constraint", "conislocal", "true", "conrelid = 'app.heir'::regclass and conname = 'c'"),
    "foreign key index": "alter index app.customer_pkey rename to pk",
    "foreign key triggers": "alter table app.referring disable trigger all",
    "foreign key triggers of the other table": "alter table app.customer disable trigger all",
    "foreign key triggers always": _set("trigger", "tgenabled", "'A'", "tgrelid = 'app.referring'::regclass"),
    "index not live": _set("index", "indislive", "false", "indexrelid = 'app.orders_sum'::regclass"),
    "index not ready": _set("index", "indisready", "false", "indexrelid = 'app.orders_sum'::regclass"),
    "index statistics": "alter index app.orders_sum alter column 1 set statistics 100",
    "index parent": "create index loose_at on app.loose (at); alter table app.parted attach partition app.loose"
    " for values from ('2022-01-01') to ('2023-01-01')",
    "index parent renamed": "alter index app.parted_at rename to parted_by_day",
    "index attached": "create index lonely on only app.parted (id); create index part_1 on app.parted_1 (id);"
    " alter index app.lonely attach partition app.part_1",
    "trigger of a partition": "alter table app.parted_1 disable trigger parted_touch",
    "trigger of a partition, cloned": _set(
        "trigger", "tgparentid", "0", "tgrelid = 'app.parted_1'::regclass"
    ),
    "function rows": "alter function app.series() rows 5",
    "function support": "alter function app.one() support generate_series_int4_support",
    "function transforms": _set("proc", "protrftypes", "array['app.address'::regtype]", "proname = 'one'"),
    "function library": _set("proc", "probin", "'elsewhere'", "proname = 'toy_handler'"),
    "function language": "create or replace function app.one() returns integer language plpgsql immutable"
    " as 'begin return 1; end'",
    "function returns": "drop function app.series(); create function app.series() returns integer language sql as 'select 1'",
    "function argument name": "drop function app.add(integer, integer); create function app.add(a integer, c integer default 2)"
    " returns integer language plpgsql as $$\nbegin\n    return a + b;\nend\n$$",
    "aggregate transition": _total("", transition="int4mi"),
    "aggregate space": _total(", sspace = 8"),
    "aggregate final": _total(", finalfunc = int4um"),
    "aggregate final modifies": _total(", finalfunc = int4um, finalfunc_modify = shareable"),
    "aggregate combine": _total(", combinefunc = int4pl"),
    "aggregate moving": _total(", msfunc = int4pl, minvfunc = int4mi, mstype = integer"),
    "aggregate moving space": _total(", msfunc = int4pl, minvfunc = int4mi, mstype = integer, msspace = 8"),
    "aggregate moving initial value": _total(
        ", msfunc = int4pl, minvfunc = int4mi, mstype = integer, minitcond = '5'"
    ),
    "aggregate sort operator": _total(", sortop = operator(pg_catalog.<)"),
    "aggregate parallel": _total(", parallel = safe"),
    "sequence persistence": _set("class", "relpersistence", "'u'", "oid = 'app.counter'::regclass"),
    "sequence owner": "alter sequence app.counter owner to migsafe_reader",
    "sequence comment": "comment on sequence app.counter is 'Counts'",
}

#: From which major version on.
MUTATIONS_SINCE: dict[int, dict[str, str]] = {
    15: {
        "publication schema": "create publication fresh for tables in schema app",
        "publication schema more": 'alter publication news add tables in schema "Odd Schema"',
        "publication columns": "alter publication news set table app.orders (id, note)",
        "publication row filter": "alter publication news set table app.orders where (id > 1)",
        "published column renamed": "alter publication news set table app.orders (id, note) where (id > 1);"
        " alter table app.orders rename column id to number",
        "subscription two-phase": _set("subscription", "subtwophasestate", "'p'", "subname = 'paper'"),
        "subscription disable on error": "alter subscription paper set (disable_on_error = true)",
    },
    16: {
        "subscription password required": "alter subscription paper set (password_required = false)",
        "subscription run as owner": "alter subscription paper set (run_as_owner = true)",
        "subscription origin": "alter subscription paper set (origin = none)",
        "collation rules": _set("collation", "collicurules", "'&a < b'", _COLLATION),
    },
    17: {
        "subscription failover": _set("subscription", "subfailover", "true", "subname = 'paper'"),
        "collation locale of its own": _set("collation", "colllocale", "'de'", _COLLATION),
    },
    18: {
        "publication generated columns": "alter publication news set (publish_generated_columns = stored)",
    },
}
