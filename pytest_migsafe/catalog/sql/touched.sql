-- The objects whose description may be another after a file: what it locked, made or updated, and what names
-- one of these (manual: "pg_depend"). `new` below means: written since the mark.
with
since as materialized (
    select pg_catalog.age({xid}::pg_catalog.xid) as age
),
-- Relations that were locked, made or updated. GRANT takes no lock up to PostgreSQL 17.
seed as materialized (
    select c.oid, c.relkind, c.reltype
    from pg_catalog.pg_class c
    where c.oid = any({locked})
    union
    select c.oid, c.relkind, c.reltype
    from pg_catalog.pg_class c
    where c.oid > {highest}
    union
    select c.oid, c.relkind, c.reltype
    from pg_catalog.pg_class c
    where {class_updated} and c.oid >= 16384 and pg_catalog.age(c.xmin) <= (select age from since)
    union
    select c.oid, c.relkind, c.reltype
    from pg_catalog.pg_attribute a
    join pg_catalog.pg_class c on c.oid = a.attrelid
    where {attribute_updated} and a.attrelid >= 16384 and pg_catalog.age(a.xmin) <= (select age from since)
    union
    select c.oid, c.relkind, c.reltype
    from pg_catalog.pg_description d
    join pg_catalog.pg_class c on c.oid = d.objoid
    where {description_changed} and d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
        and d.objoid >= 16384 and pg_catalog.age(d.xmin) <= (select age from since)
),
-- Existing relations whose names, or whose columns' names, may be others.
renamed as materialized (
    select s.oid, s.relkind = 'S' or exists (
        select from pg_catalog.pg_type t
        where t.oid = s.reltype and pg_catalog.age(t.xmin) <= (select age from since)
    ) as as_a_whole, array(
        select a.attnum::pg_catalog.int4 from pg_catalog.pg_attribute a
        where a.attrelid = s.oid and a.attnum > 0 and pg_catalog.age(a.xmin) <= (select age from since)
    ) as columns
    from seed s
    where {may_rename} and s.oid <= {highest}
),
changed_type as materialized (
    select t.oid from pg_catalog.pg_type t where {type_changed} and t.oid > {highest}
    union
    select t.oid from pg_catalog.pg_type t
    where {type_updated} and t.oid >= 16384 and pg_catalog.age(t.xmin) <= (select age from since)
    union
    select u.oid
    from pg_catalog.pg_enum e
    join pg_catalog.pg_type t on t.oid = e.enumtypid
    -- A constant may be of the type, or of its array.
    cross join lateral (values (t.oid), (t.typarray)) u (oid)
    where {enum_changed} and pg_catalog.age(e.xmin) <= (select age from since)
    union
    select s.reltype from seed s where s.relkind = 'c'
    union
    select d.objoid from pg_catalog.pg_description d
    where {description_changed} and d.classoid = 'pg_catalog.pg_type'::pg_catalog.regclass
        and d.objoid >= 16384 and pg_catalog.age(d.xmin) <= (select age from since)
),
changed_function as materialized (
    select p.oid from pg_catalog.pg_proc p where {function_changed} and p.oid > {highest}
    union
    select p.oid from pg_catalog.pg_proc p
    where {function_updated} and p.oid >= 16384 and pg_catalog.age(p.xmin) <= (select age from since)
    union
    select d.objoid from pg_catalog.pg_description d
    where {description_changed} and d.classoid = 'pg_catalog.pg_proc'::pg_catalog.regclass
        and d.objoid >= 16384 and pg_catalog.age(d.xmin) <= (select age from since)
),
-- One step is enough: a definition names only what it depends on directly.
dependent as materialized (
    select d.classid, d.objid
    from renamed r
    join pg_catalog.pg_depend d
        on d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid = r.oid
    where r.as_a_whole or (
        pg_catalog.cardinality(r.columns) > 0
        -- A foreign key names the columns that it depends on; a view may list all columns of a table.
        and (d.refobjsubid = any(r.columns) or d.classid <> 'pg_catalog.pg_constraint'::pg_catalog.regclass)
    )
    union
    select d.classid, d.objid
    from changed_type t
    join pg_catalog.pg_depend d
        on d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass and d.refobjid = t.oid
    where t.oid <= {highest}
    union
    select d.classid, d.objid
    from changed_function f
    join pg_catalog.pg_depend d
        on d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.refobjid = f.oid
    where f.oid <= {highest}
),
-- What they belong to: a relation (perhaps by its index), a type or a function.
relation_by_name as (
    select s.oid from seed s
    union select d.objid from dependent d where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    union select a.adrelid from dependent d join pg_catalog.pg_attrdef a on a.oid = d.objid
        where d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
    union select c.conrelid from dependent d join pg_catalog.pg_constraint c on c.oid = d.objid
        where d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
    union select w.ev_class from dependent d join pg_catalog.pg_rewrite w on w.oid = d.objid
        where d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
    union select t.tgrelid from dependent d join pg_catalog.pg_trigger t on t.oid = d.objid
        where d.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass
    union select p.polrelid from dependent d join pg_catalog.pg_policy p on p.oid = d.objid
        where d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass
),
relation as materialized (
    select distinct c.oid, c.relkind, c.reltype, c.relhasindex, c.relhasrules, c.relhastriggers, c.relacl
    from relation_by_name n
    left join pg_catalog.pg_index i on i.indexrelid = n.oid
    join pg_catalog.pg_class c on c.oid = coalesce(i.indrelid, n.oid)
),
type as materialized (
    select t.oid from changed_type t
    union select d.objid from dependent d where d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
    union select c.contypid from dependent d join pg_catalog.pg_constraint c on c.oid = d.objid
        where d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass and c.contypid <> 0
    union select r.reltype from relation r where r.relkind = 'c'
    union select c.contypid from pg_catalog.pg_constraint c
        where {constraint_changed} and c.contypid > 0::pg_catalog.oid and c.oid >= 16384
            and pg_catalog.age(c.xmin) <= (select age from since)
    union select c.contypid
        from pg_catalog.pg_description d
        join pg_catalog.pg_constraint c on c.oid = d.objoid
        where {description_changed} and d.classoid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
            and d.objoid >= 16384 and c.contypid <> 0 and pg_catalog.age(d.xmin) <= (select age from since)
    -- A deleted row tells nothing: neither which domain lost a constraint, nor what lost its comment.
    union select t.oid from pg_catalog.pg_type t
        where {constraint_deleted} and t.oid >= 16384 and t.typtype = 'd'
    union select t.oid from pg_catalog.pg_type t
        where {description_deleted} and t.oid >= 16384 and t.typtype in ('e', 'd', 'r', 'b', 'c')
),
function as materialized (
    select f.oid from changed_function f
    union select d.objid from dependent d where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
    union select p.oid from pg_catalog.pg_proc p where {description_deleted} and p.oid >= 16384
)
select
    array(select r.oid::pg_catalog.int8 from relation r order by 1) as relations,
    array(select t.oid::pg_catalog.int8 from type t order by 1) as types,
    array(select f.oid::pg_catalog.int8 from function f order by 1) as functions,
    array(select p.oid::pg_catalog.int8 from pg_catalog.pg_proc p
        where {function_deleted} and p.oid >= 16384) as functions_left,
    array(select t.oid::pg_catalog.int8 from pg_catalog.pg_type t
        where {type_deleted} and t.oid >= 16384 and t.typtype in ('e', 'd', 'r', 'b', 'c')) as types_left,
    -- Which kinds these relations can have at all.
    (select coalesce(pg_catalog.bool_or(r.relkind in ('r', 'p', 'f')), false) from relation r) as has_tables,
    (select coalesce(pg_catalog.bool_or(r.relkind in ('v', 'm')), false) from relation r) as has_views,
    (select coalesce(pg_catalog.bool_or(r.relkind = 'S'), false) from relation r) as has_sequences,
    (select coalesce(pg_catalog.bool_or(r.relhasindex), false) from relation r) as has_indexes,
    (select coalesce(pg_catalog.bool_or(r.relhastriggers), false) from relation r) as has_triggers,
    (select coalesce(pg_catalog.bool_or(r.relhasrules and r.relkind not in ('v', 'm')), false) from relation r)
        or exists (
            select from relation r join pg_catalog.pg_rewrite w on w.ev_class = r.oid
            where r.relkind = 'v' and w.rulename <> '_RETURN'
        ) as has_rules,
    (select coalesce(pg_catalog.bool_or(r.relacl is not null), false) from relation r) as has_relation_grants,
    exists (
        select from relation r join pg_catalog.pg_policy p on p.polrelid = r.oid
    ) as has_policies,
    exists (
        select from relation r join pg_catalog.pg_attribute a on a.attrelid = r.oid where a.attacl is not null
    ) as has_column_grants
