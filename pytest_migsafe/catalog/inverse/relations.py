"""Tables, views and what belongs to them: how they are made, dropped and changed (manual: "ALTER TABLE")."""

import re
from collections.abc import Iterator, Sequence

from pytest_migsafe.catalog.inverse import types
from pytest_migsafe.catalog.inverse.steps import (
    Phase,
    Way,
    changed_options,
    changed_parameters,
    foreign_options,
    is_masked,
    parameters,
    role,
)
from pytest_migsafe.catalog.lexical import constant, last_part, own_name, quoted
from pytest_migsafe.catalog.schema import (
    Column,
    Constraint,
    Index,
    Policy,
    Rule,
    Schema,
    Table,
    Trigger,
    View,
)
from pytest_migsafe.catalog.schema import Sequence as SequenceObject

#: The constraints that have an index.
INDEXED = frozenset({"primary key", "unique", "exclude"})
#: The first version in which the access method and the expression of a column can be changed.
_SET_ACCESS_METHOD, _SET_EXPRESSION = 15, 17


# -- tables --------------------------------------------------------------------------------------------------


def columns_of(schema: Schema, relation: str) -> list[Column]:
    """Return a relation's columns in their physical order."""
    found = (one for one in schema.belonging_to(relation).values() if isinstance(one, Column))
    return sorted(found, key=lambda one: one.position)


def create_table(way: Way, one: Table) -> bool:
    """Add the steps that make a table without its constraints; return whether that is possible."""
    if is_masked(one.foreign_options):
        return False
    own = [each for each in columns_of(way.then, one.name) if each.local or not each.inherited]
    columns = ", ".join(_definition(way.then, each) for each in own)
    words = ["CREATE", *(["UNLOGGED"] if one.persistence == "unlogged" else [])]
    words += ["FOREIGN TABLE" if one.kind == "foreign table" else "TABLE", one.name]
    if one.partition_bound is not None:
        words += [f"PARTITION OF {one.parents[0]} {one.partition_bound}"]
    elif one.of_type is not None:
        words += [f"OF {one.of_type}"]
    else:
        words += [f"({columns})"]
        words += [f"INHERITS ({', '.join(one.parents)})"] if one.parents else []
    words += [f"PARTITION BY {one.partition_key}"] if one.partition_key is not None else []
    words += [f"SERVER {one.server}"] if one.server is not None else []
    if one.foreign_options:
        words += [f"OPTIONS ({foreign_options(one.foreign_options)})"]
    words += _storage(one)
    way.add(Phase.TABLE, f"{' '.join(words)};")
    bare = Table(name=one.name, kind=one.kind, persistence=one.persistence, owner=one.owner)
    _change_security(way, bare, one)
    for each in own:
        _details(way, Column(relation=each.relation, name=each.name, type=each.type), each)
    return True


def _storage(one: Table | View) -> Iterator[str]:
    if one.access_method not in {None, "heap"}:
        yield f"USING {quoted(one.access_method or '')}"
    if one.options:
        yield f"WITH ({parameters(one.options)})"
    if one.tablespace is not None:
        yield f"TABLESPACE {quoted(one.tablespace)}"


def _definition(schema: Schema, one: Column, *, not_null: bool = True) -> str:
    """Return a column as CREATE TABLE and ADD COLUMN write it."""
    words = [one.name, one.type]
    if one.foreign_options:
        words.append(f"OPTIONS ({foreign_options(one.foreign_options)})")
    if one.collation is not None:
        words.append(f"COLLATE {one.collation}")
    if one.default is not None:
        words.append(f"DEFAULT {one.default}")
    if one.generated is not None:
        expression, _, kind = one.generated.rpartition(" ")
        words.append(f"GENERATED ALWAYS AS ({expression}) {kind.upper()}")
    if one.identity is not None:
        words.append(_identity(schema, one))
    if one.not_null and not_null and one.identity is None:
        words.append("NOT NULL")
    return " ".join(words)


def _identity(schema: Schema, one: Column) -> str:
    """Return GENERATED AS IDENTITY with the numbers and the name of its sequence."""
    sequence = next((each for each in schema.sequences.values() if each.owned_by == one.qualified_name), None)
    numbers = f" (SEQUENCE NAME {sequence.name} {types.numbers(sequence)})" if sequence is not None else ""
    return f"GENERATED {(one.identity or '').upper()} AS IDENTITY{numbers}"


def is_of_identity(schema: Schema, sequence: SequenceObject) -> bool:
    """Whether a sequence is that of an identity column, which makes it and drops it."""
    column = schema.get(Column.KIND, sequence.owned_by) if sequence.owned_by is not None else None
    return isinstance(column, Column) and column.identity is not None


def change_table(way: Way, now: Table, then: Table) -> None:
    """Add the steps that make one table of another, but for owner, comment and what belongs to it."""
    table = f"ALTER {'FOREIGN ' if now.kind == 'foreign table' else ''}TABLE {now.name}"
    if now.kind != then.kind or now.partition_key != then.partition_key:
        way.leave(then, "how a table is divided cannot be changed")
        return
    if now.persistence != then.persistence:
        way.add(Phase.TABLE, f"{table} SET {'UNLOGGED' if then.persistence == 'unlogged' else 'LOGGED'};")
    if now.access_method != then.access_method:
        if way.major < _SET_ACCESS_METHOD or then.access_method is None:
            way.leave(then, "its access method, which cannot be taken back here")
        else:
            way.add(Phase.TABLE, f"{table} SET ACCESS METHOD {quoted(then.access_method)};")
    if now.tablespace != then.tablespace:
        way.add(Phase.TABLE, f"{table} SET TABLESPACE {quoted(then.tablespace or 'pg_default')};")
    way.add(Phase.TABLE, *changed_parameters(table, now.options, then.options))
    _change_foreign(way, table, now, then)
    _change_parents(way, table, now, then)
    if now.of_type != then.of_type:
        way.add(Phase.TABLE, f"{table} {f'OF {then.of_type}' if then.of_type is not None else 'NOT OF'};")
    if now.detach_pending and not then.detach_pending:
        way.leave(then, "a detachment that has begun can only be finished")
    _change_security(way, now, then)


def _change_foreign(way: Way, table: str, now: Table, then: Table) -> None:
    if now.foreign_options == then.foreign_options and now.server == then.server:
        return
    if is_masked(then.foreign_options) or now.server != then.server:
        way.leave(then, "its options hold a secret, or its server is another")
    else:
        way.add(
            Phase.TABLE, f"{table} OPTIONS ({changed_options(now.foreign_options, then.foreign_options)});"
        )


def _change_parents(way: Way, table: str, now: Table, then: Table) -> None:
    if (now.parents, now.partition_bound) == (then.parents, then.partition_bound):
        return
    if now.partition_bound is not None:
        way.add(Phase.DROP_TABLE, f"ALTER TABLE {now.parents[0]} DETACH PARTITION {now.name};")
    else:
        # The order of parents is a part of what the schema means, so all of them are given up.
        way.add(Phase.DROP_TABLE, *(f"{table} NO INHERIT {one};" for one in now.parents))
    if then.partition_bound is not None:
        way.add(
            Phase.DROP_COLUMN,
            f"ALTER TABLE {then.parents[0]} ATTACH PARTITION {then.name} {then.partition_bound};",
        )
    else:
        way.add(Phase.DROP_COLUMN, *(f"{table} INHERIT {one};" for one in then.parents))


def _change_security(way: Way, now: Table, then: Table) -> None:
    if now.row_security != then.row_security:
        word = "ENABLE" if then.row_security else "DISABLE"
        way.add(Phase.POLICY, f"ALTER TABLE {then.name} {word} ROW LEVEL SECURITY;")
    if now.force_row_security != then.force_row_security:
        word = "FORCE" if then.force_row_security else "NO FORCE"
        way.add(Phase.POLICY, f"ALTER TABLE {then.name} {word} ROW LEVEL SECURITY;")
    if now.replica_identity != then.replica_identity and then.replica_identity is not None:
        kind, _, index = then.replica_identity.partition(" ")
        word = f"USING INDEX {own_name(index)}" if index else kind.upper()
        way.add(Phase.VIEW, f"ALTER TABLE {then.name} REPLICA IDENTITY {word};")


# -- columns -------------------------------------------------------------------------------------------------


def _alter(relation: str, column: str) -> str:
    return f"ALTER TABLE {relation} ALTER COLUMN {column}"


def add_column(way: Way, one: Column) -> None:
    """Add the steps that give a table a column that it had."""
    needs_values = one.not_null and one.default is None and one.generated is None and one.identity is None
    definition = _definition(way.then, one, not_null=not needs_values)
    way.add(Phase.COLUMN, f"ALTER TABLE {one.relation} ADD COLUMN {definition};")
    if needs_values:
        # In a statement of its own, for the rows that are there have to get values before it.
        way.add(Phase.DROP_COLUMN, f"{_alter(one.relation, one.name)} SET NOT NULL;")
    _details(way, Column(relation=one.relation, name=one.name, type=one.type), one)


def drop_column(way: Way, one: Column) -> None:
    """Add the step that takes a column; what is generated from others goes first."""
    phase = Phase.DROP_COLUMN if one.generated is None else Phase.COLUMN
    way.add(phase, f"ALTER TABLE {one.relation} DROP COLUMN {one.name};")


def change_column(way: Way, now: Column, then: Column) -> None:
    """Add the steps that make one column of another, but for its comment."""
    alter = _alter(then.relation, then.name)
    if _must_be_made_again(way, now, then):
        way.add(Phase.COLUMN, f"ALTER TABLE {now.relation} DROP COLUMN {now.name};")
        add_column(way, then)
        return
    _change_values(way, now, then)
    if now.not_null != then.not_null:
        way.add(Phase.COLUMN, f"{alter} {'SET' if then.not_null else 'DROP'} NOT NULL;")
    if now.generated != then.generated and then.generated is not None and now.generated is not None:
        way.add(Phase.COLUMN, f"{alter} SET EXPRESSION AS ({then.generated.rpartition(' ')[0]});")
    if then.identity is not None and now.identity != then.identity:
        word = "ADD" if now.identity is None else "SET"
        said = _identity(way.then, then) if now.identity is None else f"GENERATED {then.identity.upper()}"
        way.add(Phase.COLUMN, f"{alter} {word} {said};")
    if (now.local, now.inherited) != (then.local, then.inherited):
        way.leave(
            then, "whether a table has a column of its own besides its parents' is not kept apart again"
        )
    _details(way, now, then)


def _change_values(way: Way, now: Column, then: Column) -> None:
    """Add the steps that give a column its type and its default, which go and come in this order."""
    alter = _alter(then.relation, then.name)
    is_other_type = (now.type, now.collation) != (then.type, then.collation)
    if now.identity is not None and then.identity is None:
        way.add(Phase.COLUMN, f"{alter} DROP IDENTITY;")
    if now.generated is not None and then.generated is None:
        way.add(Phase.COLUMN, f"{alter} DROP EXPRESSION;")
    if now.default is not None and (then.default is None or is_other_type):
        way.add(Phase.COLUMN, f"{alter} DROP DEFAULT;")
    if is_other_type:
        collate = f" COLLATE {then.collation}" if then.collation is not None else ""
        way.add(Phase.COLUMN, f"{alter} TYPE {then.type}{collate}{_using(way, now, then)};")
    if then.default is not None and (now.default != then.default or is_other_type):
        way.add(Phase.COLUMN, f"{alter} SET DEFAULT {then.default};")


def _using(way: Way, now: Column, then: Column) -> str:
    """Return how the values become those of the type before."""
    if now.type == then.type:
        return ""
    wanted = way.then.types.get(then.type)
    # From one enum to another the way is by their labels.
    by_text = "::text" if wanted is not None and wanted.kind == "enum" else ""
    return f" USING {then.name}{by_text}::{then.type}"


def _must_be_made_again(way: Way, now: Column, then: Column) -> bool:
    """Whether a column cannot become what it was: its values are computed, and nothing computes them otherwise."""
    if now.generated == then.generated or then.generated is None:
        return False
    kinds = [(one or "").rpartition(" ")[2] for one in (now.generated, then.generated)]
    return kinds[0] != kinds[1] or way.major < _SET_EXPRESSION


def _details(way: Way, now: Column, then: Column) -> None:
    """Add what is said of a column besides its type and values."""
    alter = _alter(then.relation, then.name)
    if now.storage != then.storage:
        if then.storage is None and way.major < 16:
            way.leave(then, "what its type's usual storage is cannot be said before PostgreSQL 16")
        else:
            way.add(Phase.DROP_COLUMN, f"{alter} SET STORAGE {(then.storage or 'default').upper()};")
    if now.compression != then.compression:
        way.add(Phase.DROP_COLUMN, f"{alter} SET COMPRESSION {then.compression or 'default'};")
    if now.statistics != then.statistics:
        target = then.statistics if then.statistics is not None else -1
        way.add(Phase.DROP_COLUMN, f"{alter} SET STATISTICS {target};")
    way.add(Phase.DROP_COLUMN, *changed_parameters(alter, now.options, then.options))
    if now.foreign_options != then.foreign_options and now.position:
        options = changed_options(now.foreign_options, then.foreign_options)
        way.add(
            Phase.DROP_COLUMN,
            f"ALTER FOREIGN TABLE {then.relation} ALTER COLUMN {then.name} OPTIONS ({options});",
        )


def change_view_column(way: Way, now: Column | None, then: Column) -> None:
    """Add the steps that give a view's column what is its own: the default, and how a materialized view keeps it."""
    bare = now or Column(relation=then.relation, name=then.name, type=then.type)
    if bare.default != then.default:
        action = f"SET DEFAULT {then.default}" if then.default is not None else "DROP DEFAULT"
        way.add(Phase.TRIGGER, f"{_alter(then.relation, then.name)} {action};")
    # After the view itself.
    details = Way(way.now, way.then, way.major)
    _details(details, bare, then)
    way.add(Phase.TRIGGER, *details.statements())
    way.unsaid += details.unsaid


# -- constraints and indexes ---------------------------------------------------------------------------------


def _owner_of(one: Constraint) -> str:
    return f"ALTER {'DOMAIN' if one.object_kind == 'domain' else 'TABLE'} {one.relation}"


def _phase(one: Constraint) -> Phase:
    return Phase.FOREIGN_KEY if one.type == "foreign key" else Phase.CONSTRAINT


def create_constraint(way: Way, one: Constraint) -> None:
    """Add the step that adds a constraint; one that comes from a parent comes with that one's."""
    if one.inherited and not one.local:
        return
    way.add(_phase(one), f"{_owner_of(one)} ADD CONSTRAINT {one.name} {one.definition};")
    if one.triggers:
        way.leave(one, "how its triggers fire")


def drop_constraint(way: Way, one: Constraint) -> None:
    """Add the step that drops a constraint."""
    if one.inherited and not one.local:
        return
    phase = Phase.DROP_FOREIGN_KEY if one.type == "foreign key" else Phase.DROP_CONSTRAINT
    way.add(phase, f"{_owner_of(one)} DROP CONSTRAINT {one.name};")


def change_constraint(way: Way, now: Constraint, then: Constraint) -> bool:
    """Add the steps that make one constraint of another, but for its comment; return whether that is possible."""
    if now.triggers != then.triggers:
        way.leave(then, "how its triggers fire")
    if _said(now) == _said(then):
        return True
    if (
        then.validated
        and not now.validated
        and now.definition.removesuffix(" NOT VALID") == then.definition
        and now.enforced == then.enforced
    ):
        way.add(_phase(then), f"{_owner_of(then)} VALIDATE CONSTRAINT {then.name};")
        return True
    return False


def _said(one: Constraint) -> tuple[object, ...]:
    return one.type, one.definition, one.validated, one.enforced, one.deferrable, one.deferred, one.index


def constraint_of(schema: Schema, index: Index) -> Constraint | None:
    """Return the constraint that an index belongs to."""
    found = schema.get(Constraint.KIND, f"{index.relation}.{own_name(index.name)}")
    return found if isinstance(found, Constraint) and found.type in INDEXED else None


def create_index(way: Way, one: Index) -> None:
    """Add the steps that make an index; of a partition's part of one, that of the whole makes it."""
    if constraint_of(way.then, one) is None:
        is_part = one.parent is not None and way.now.get(Index.KIND, one.parent) is None
        if not is_part:
            # The whole index of a partitioned table makes its parts, too.
            definition = one.definition.replace(" ON ONLY ", " ON ", 1)
            way.add(Phase.INDEX, f"{definition};")
            if one.parent is not None:
                way.add(Phase.INDEX, f"ALTER INDEX {one.parent} ATTACH PARTITION {one.name};")
    if not one.valid:
        way.leave(one, "an index that is not valid is not made on purpose")
    bare = Index(relation=one.relation, name=one.name, definition=one.definition)
    _index_details(way, bare, one)


def drop_index(way: Way, one: Index) -> None:
    """Add the step that drops an index which is no constraint's and no part of another."""
    if constraint_of(way.now, one) is None and one.parent is None:
        way.add(Phase.DROP_INDEX, f"DROP INDEX {one.name};")


def change_index(way: Way, now: Index, then: Index) -> bool:
    """Add the steps that make one index of another, but for its comment; return whether that is possible."""
    if (now.relation, now.definition, now.unique, now.primary) != (
        then.relation,
        then.definition,
        then.unique,
        then.primary,
    ):
        return False
    if then.valid and not now.valid:
        way.add(Phase.INDEX, f"REINDEX INDEX {then.name};")
    elif now.valid and not then.valid:
        way.leave(then, "an index that is not valid is not made on purpose")
    if (now.ready, now.live) != (then.ready, then.live):
        way.leave(then, "an index that is not ready is not made on purpose")
    if now.parent != then.parent:
        if then.parent is None:
            return False
        way.add(Phase.INDEX, f"ALTER INDEX {then.parent} ATTACH PARTITION {then.name};")
    _index_details(way, now, then)
    return True


def _index_details(way: Way, now: Index, then: Index) -> None:
    if now.clustered != then.clustered:
        action = f"CLUSTER ON {own_name(then.name)}" if then.clustered else "SET WITHOUT CLUSTER"
        way.add(Phase.STATISTICS, f"ALTER TABLE {then.relation} {action};")
    if now.tablespace != then.tablespace:
        tablespace = quoted(then.tablespace or "pg_default")
        way.add(Phase.STATISTICS, f"ALTER INDEX {then.name} SET TABLESPACE {tablespace};")
    for number, target in _targets(now, then):
        way.add(Phase.STATISTICS, f"ALTER INDEX {then.name} ALTER COLUMN {number} SET STATISTICS {target};")


def _targets(now: Index, then: Index) -> Iterator[tuple[str, str]]:
    have, want = (dict(one.split(": ") for one in each.statistics) for each in (now, then))
    for number in sorted({*have} | {*want}):
        if have.get(number) != want.get(number):
            yield number, want.get(number, "-1")


# -- views ---------------------------------------------------------------------------------------------------


def create_view(one: View, *, replace: bool = False) -> str:
    """Return the statement that makes a view."""
    query = one.definition.rstrip().removesuffix(";")
    if one.kind == "materialized view":
        data = "" if one.populated else "\nWITH NO DATA"
        return f"CREATE MATERIALIZED VIEW {' '.join([one.name, *_storage(one)])} AS\n{query}{data};"
    options = f" WITH ({parameters(one.options)})" if one.options else ""
    return f"CREATE {'OR REPLACE ' if replace else ''}VIEW {one.name}{options} AS\n{query};"


def drop_view(one: View) -> str:
    """Return the statement that drops a view."""
    return f"DROP {one.kind.upper()} {one.name};"


def change_view(way: Way, now: View, then: View) -> bool:
    """Add the steps that make one view of another, but for owner and comment; return whether that is possible."""
    if now.kind != then.kind:
        return False
    if now.definition != then.definition:
        columns = [
            [(one.name, one.type, one.collation) for one in columns_of(schema, then.name)]
            for schema in (way.now, way.then)
        ]
        if now.kind != "view" or columns[1][: len(columns[0])] != columns[0]:
            return False
        way.add(Phase.VIEW, create_view(then, replace=True))
    if now.populated != then.populated:
        data = "" if then.populated else " WITH NO DATA"
        way.add(Phase.VIEW, f"REFRESH MATERIALIZED VIEW {then.name}{data};")
    if now.tablespace != then.tablespace:
        way.add(
            Phase.VIEW,
            f"ALTER MATERIALIZED VIEW {then.name} SET TABLESPACE {quoted(then.tablespace or 'pg_default')};",
        )
    if now.access_method != then.access_method and then.access_method is not None:
        way.add(
            Phase.VIEW, f"ALTER MATERIALIZED VIEW {then.name} SET ACCESS METHOD {quoted(then.access_method)};"
        )
    way.add(
        Phase.VIEW, *changed_parameters(f"ALTER {then.kind.upper()} {then.name}", now.options, then.options)
    )
    return True


def views_reading(schema: Schema, relations: set[str]) -> list[View]:
    """Return the views that read some relations, or views of them, each after those that it reads."""
    found: dict[str, View] = {}
    reached = set(relations)
    while new := [
        view
        for name, view in schema.views.items()
        if name not in found and not reached.isdisjoint(view.reads)
    ]:
        found |= {view.name: view for view in new}
        reached |= {view.name for view in new}
    return in_order(list(found.values()))


def in_order(views: Sequence[View]) -> list[View]:
    """Return views, each after those of them that it reads."""
    waiting = {one.name: one for one in views}
    ordered: list[View] = []
    while waiting:
        ready = [one for one in waiting.values() if waiting.keys().isdisjoint({*one.reads} - {one.name})]
        # Views of each other, by way of a rule, have no order.
        ordered += [waiting.pop(one.name) for one in ready or list(waiting.values())]
    return ordered


# -- triggers, rules and policies ----------------------------------------------------------------------------

_STATES = {"origin": "ENABLE", "disabled": "DISABLE", "replica": "ENABLE REPLICA", "always": "ENABLE ALWAYS"}


def create_trigger(way: Way, one: Trigger | Rule) -> None:
    """Add the steps that make a trigger or a rule; one that comes from a partitioned table's comes with that."""
    if isinstance(one, Trigger) and one.cloned:
        return
    way.add(_made(one), f"{one.definition.rstrip(';')};")
    change_state(way, "origin", one)


def change_state(way: Way, now: str, one: Trigger | Rule) -> None:
    """Add the step that has a trigger or a rule fire when it did."""
    if now != one.enabled:
        way.add(
            _made(one), f"ALTER TABLE {one.relation} {_STATES[one.enabled]} {one.KIND.upper()} {one.name};"
        )


def _made(one: Trigger | Rule) -> Phase:
    return Phase.TRIGGER if isinstance(one, Trigger) else Phase.RULE


def drop_trigger(way: Way, one: Trigger | Rule) -> None:
    """Add the step that drops a trigger or a rule."""
    if isinstance(one, Trigger) and one.cloned:
        return
    phase = Phase.DROP_TRIGGER if isinstance(one, Trigger) else Phase.DROP_RULE
    way.add(phase, f"DROP {one.KIND.upper()} {one.name} ON {one.relation};")


def create_policy(one: Policy) -> str:
    """Return the statement that makes a policy."""
    words = [f"CREATE POLICY {one.name} ON {one.relation}"]
    words += [] if one.permissive else ["AS RESTRICTIVE"]
    words += [] if one.command == "all" else [f"FOR {one.command.upper()}"]
    words += [] if one.roles == ("PUBLIC",) else [f"TO {', '.join(map(role, one.roles))}"]
    words += [f"USING ({one.using})"] if one.using is not None else []
    words += [f"WITH CHECK ({one.check})"] if one.check is not None else []
    return f"{' '.join(words)};"


def mentions(text: str | None, name: str) -> bool:
    """Whether a definition has an object's own name as a word."""
    return text is not None and re.search(rf"(?<!\w){re.escape(last_part(name))}(?!\w)", text) is not None


def names(text: str, qualified: str) -> bool:
    """Whether a definition has a qualified name in it, and not only as the begin of a longer one."""
    return re.search(rf"(?<![\w\"]){re.escape(qualified)}(?![\w\"])", text) is not None


def comment(words: str, text: str | None) -> str:
    """Return the statement that comments an object."""
    return f"COMMENT ON {words} IS {constant(text) if text is not None else 'NULL'};"
