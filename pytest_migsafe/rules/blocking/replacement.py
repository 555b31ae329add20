"""The safe way to another type: a new column that is filled while the old one is in use, and takes its place at the end."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from pytest_migsafe.catalog.lexical import constant, last_part, own_name, parent_of, quoted, unquoted
from pytest_migsafe.catalog.names import chosen_name
from pytest_migsafe.catalog.schema import Column, Constraint, Grant, Index, Sequence, Table
from pytest_migsafe.findings import RemedyFile
from pytest_migsafe.migrations.columns import ChangedType, index_made_otherwise, with_column_renamed
from pytest_migsafe.rules.blocking.check import Situation
from pytest_migsafe.rules.blocking.columns import constrained_domain
from pytest_migsafe.rules.blocking.filling import has_parts, in_batches
from pytest_migsafe.rules.blocking.keeping import kept_by_trigger, kept_no_more, of_new_row
from pytest_migsafe.rules.smoke.audience import in_sql

#: From this major on NOT NULL is a constraint that can be NOT VALID (release notes of PostgreSQL 18).
_NOT_NULL_IS_A_CONSTRAINT = 18
_BACKED_BY_INDEX = {"primary key": "PRIMARY KEY", "unique": "UNIQUE"}


@dataclass(frozen=True, kw_only=True)
class Replacement:
    """A column whose type changes, and all that belongs to it, as it is to be after the file."""

    situation: Situation
    #: Its qualified name.
    table: str
    changed: ChangedType
    #: The column after the file.
    column: Column

    @property
    def name(self) -> str:
        """The column's name as SQL writes it."""
        return self.column.name

    @property
    def new_name(self) -> str:
        """The name that the new column has until it takes the old one's place, without quotes."""
        return chosen_name(self.changed.column, [], "new")

    @property
    def new(self) -> str:
        """The same as SQL writes it."""
        return quoted(self.new_name)

    def other(self, name: str) -> str:
        """Return the name that something new has until it takes the place of what has this one, both as SQL writes them."""
        return quoted(chosen_name(unquoted(own_name(name)), [], "new"))

    @cached_property
    def indexes(self) -> tuple[Index, ...]:
        """The indexes in which the column is; only by their definitions one sees it, in expressions and predicates."""
        own = self.situation.after.belonging_to(self.table).values()
        return tuple(one for one in own if isinstance(one, Index) and self._is_in(one))

    def _is_in(self, index: Index) -> bool:
        untouched = with_column_renamed(index.definition, "", "", table=self.table)
        return (
            with_column_renamed(index.definition, self.changed.column, self.new_name, table=self.table)
            != untouched
        )

    @cached_property
    def constraints(self) -> tuple[Constraint, ...]:
        """The constraints of the table that are about the column."""
        own = self.situation.after.belonging_to(self.table).values()
        return tuple(one for one in own if isinstance(one, Constraint) and self.name in one.columns)

    @cached_property
    def referring(self) -> tuple[Constraint, ...]:
        """The foreign keys of other tables that refer to the column."""
        mine = {one.name for one in self.indexes}
        found = (
            one
            for one in self.situation.after.constraints.values()
            if one.type == "foreign key" and one not in self.constraints
        )
        return tuple(one for one in found if one.index is not None and one.index in mine)

    @cached_property
    def sequence(self) -> Sequence | None:
        """The sequence that the column owns."""
        owned = f"{self.table}.{self.name}"
        found = (one for one in self.situation.after.sequences.values() if one.owned_by == owned)
        return next(found, None)

    def of_type(self, *types: str) -> tuple[Constraint, ...]:
        """Return the table's constraints of some types."""
        return tuple(one for one in self.constraints if one.type in types)

    def with_new_column(self, definition: str) -> str:
        """Return an index's or a constraint's definition that speaks of the new column."""
        made = with_column_renamed(definition, self.changed.column, self.new_name, table=self.table)
        return made or definition


def replacement_files(situation: Situation, table: str, changed: ChangedType) -> tuple[RemedyFile, ...]:
    """Return the files that give a column another type; nothing where that takes more than a few statements."""
    name = quoted(changed.column)
    column = situation.after.get("column", f"{table}.{name}")
    if not isinstance(column, Column) or situation.before.get("column", f"{table}.{name}") is None:
        return ()
    one = Replacement(situation=situation, table=table, changed=changed, column=column)
    if not _can_be_replaced(one):
        return ()
    steps = [_begun(one), _filled(one)]
    steps += _indexed(one)
    if unproven := list(_unproven(one)):
        steps.append(_file(unproven))
    if validated := list(_validated(one)):
        steps.append(_file(validated))
    steps.append(_file(list(_switched(one))))
    return tuple(steps)


def _can_be_replaced(one: Replacement) -> bool:
    """Whether all that belongs to the column can be made again, and is no more than this knows."""
    schema = one.situation.after
    table = schema.get("table", one.table)
    return (
        isinstance(table, Table)
        and table.kind == "table"
        and not table.parents
        and table.of_type is None
        and not (table.replica_identity or "").startswith("index")
        and not has_parts(schema, one.table)
        and one.column.generated is None
        # To add one of these writes the whole table anew.
        and constrained_domain(schema, last_part(one.column.type)) is None
        and not one.of_type("exclude")
        and not any(index.clustered or index.tablespace or index.statistics for index in one.indexes)
        and not any(found.relation == one.table for found in schema.statistics.values())
        and not any(
            published.startswith(f"{one.table} ")
            for found in schema.publications.values()
            for published in found.tables
        )
        # A part that a foreign key has for a partition of the other table gets a name of its own.
        and not any(found.triggers or found.inherited for found in (*one.constraints, *one.referring))
        and all(_is_plain(one, found.relation) for found in one.referring)
        and not _has_grants(one, one.sequence)
        and all(map(_can_be_read, _definitions(one)))
    )


def _definitions(one: Replacement) -> Iterator[str]:
    """Yield the statements that make the table's indexes, and the constraints that speak of the column."""
    own = one.situation.after.belonging_to(one.table).values()
    yield from (found.definition for found in own if isinstance(found, Index))
    yield from (
        f"ALTER TABLE {found.relation} ADD CONSTRAINT {found.name} {found.definition}"
        for found in (*one.of_type("check", "foreign key"), *one.referring)
    )


def _can_be_read(definition: str) -> bool:
    return with_column_renamed(definition, "", "", table="x") is not None


def _is_plain(one: Replacement, table: str) -> bool:
    found = one.situation.after.get("table", table)
    return (
        isinstance(found, Table) and found.kind == "table" and not has_parts(one.situation.after, table)
    ) and not found.parents


def _has_grants(one: Replacement, sequence: Sequence | None) -> bool:
    """Whether the sequence of an identity column, which is made anew, has what would be lost."""
    if sequence is None or one.column.identity is None:
        return False
    belonging = one.situation.after.belonging_to(sequence.name).values()
    return sequence.comment is not None or any(isinstance(found, Grant) for found in belonging)


def _begun(one: Replacement) -> RemedyFile:
    collation = f" COLLATE {one.column.collation}" if one.column.collation else ""
    return _file(
        [
            f"ALTER TABLE {one.table} ADD COLUMN {one.new} {one.column.type}{collation}",
            *_stored_so(one),
            *kept_by_trigger(one.table, one.new_name, _value_of_new_row(one)),
        ]
    )


def _value_of_new_row(one: Replacement) -> str:
    return f"NEW.{one.name}" if one.changed.using is None else of_new_row(one.table, one.changed.using)


def _stored_so(one: Replacement) -> Iterator[str]:
    """Yield what says how the column is stored and looked at, where that is not as usual."""
    alter = f"ALTER TABLE {one.table} ALTER COLUMN {one.new}"
    if one.column.storage is not None:
        yield f"{alter} SET STORAGE {one.column.storage.upper()}"
    if one.column.compression is not None:
        yield f"{alter} SET COMPRESSION {one.column.compression}"
    if one.column.statistics is not None:
        yield f"{alter} SET STATISTICS {one.column.statistics}"
    if one.column.options:
        yield f"{alter} SET ({', '.join(one.column.options)})"


def _filled(one: Replacement) -> RemedyFile:
    value = one.name if one.changed.using is None else f"({one.changed.using})"
    missing = f"{one.new} IS NULL AND {value} IS NOT NULL"
    return in_batches(one.situation.after, one.table, one.new, value=value, missing=missing)


def _indexed(one: Replacement) -> Iterator[RemedyFile]:
    for index in one.indexes:
        made = index_made_otherwise(
            one.with_new_column(index.definition), name=unquoted(one.other(index.name))
        )
        yield RemedyFile(sql=f"{made};", in_transaction=False)


def _unproven(one: Replacement) -> Iterator[str]:
    """Yield the constraints, for new rows only; those of other tables that refer to the column are among them."""
    for found in (*one.of_type("check", "foreign key"), *one.referring):
        definition = found.definition.removesuffix(" NOT VALID")
        added = f"ALTER TABLE {found.relation} ADD CONSTRAINT {one.other(found.name)} {definition} NOT VALID"
        yield one.with_new_column(added)
    if one.column.not_null:
        yield _not_null_unproven(one)


def _not_null_name(one: Replacement) -> str:
    label = "not_null" if one.situation.major >= _NOT_NULL_IS_A_CONSTRAINT else "is_not_null"
    return quoted(chosen_name(last_part(one.table), [one.new_name], label))


def _not_null_unproven(one: Replacement) -> str:
    add = f"ALTER TABLE {one.table} ADD CONSTRAINT {_not_null_name(one)}"
    if one.situation.major < _NOT_NULL_IS_A_CONSTRAINT:
        return f"{add} CHECK ({one.new} IS NOT NULL) NOT VALID"
    return f"{add} NOT NULL {one.new} NOT VALID"


def _validated(one: Replacement) -> Iterator[str]:
    for found in (*one.of_type("check", "foreign key"), *one.referring):
        if found.validated:
            yield f"ALTER TABLE {found.relation} VALIDATE CONSTRAINT {one.other(found.name)}"
    if one.column.not_null:
        yield f"ALTER TABLE {one.table} VALIDATE CONSTRAINT {_not_null_name(one)}"


def _switched(one: Replacement) -> Iterator[str]:
    """Yield what puts the new column into the old one's place: nothing of it takes longer than a moment."""
    table = one.table
    yield from kept_no_more(table, one.new_name)
    if one.column.not_null and one.situation.major < _NOT_NULL_IS_A_CONSTRAINT:
        yield f"ALTER TABLE {table} ALTER COLUMN {one.new} SET NOT NULL"
        yield f"ALTER TABLE {table} DROP CONSTRAINT {_not_null_name(one)}"
    yield from _numbered_on(one)
    for found in one.referring:
        yield f"ALTER TABLE {found.relation} DROP CONSTRAINT {found.name}"
    yield f"ALTER TABLE {table} DROP COLUMN {one.name}"
    yield f"ALTER TABLE {table} RENAME COLUMN {one.new} TO {one.name}"
    if one.column.default is not None:
        yield f"ALTER TABLE {table} ALTER COLUMN {one.name} SET DEFAULT {one.column.default}"
    yield from _renamed(one)
    yield from _said_of_it(one)


def _numbered_on(one: Replacement) -> Iterator[str]:
    """Yield what gives the new column the numbers of the old one's sequence."""
    sequence = one.sequence
    if sequence is None:
        return
    if one.column.identity is None:
        yield f"ALTER SEQUENCE {sequence.name} OWNED BY {one.table}.{one.new}"
        return
    made = f"{parent_of(sequence.name)}.{one.other(sequence.name)}"
    yield (
        f"ALTER TABLE {one.table} ALTER COLUMN {one.new} ADD GENERATED {one.column.identity.upper()} AS IDENTITY ("
        f"SEQUENCE NAME {made} INCREMENT {sequence.increment} MINVALUE {sequence.minimum} MAXVALUE {sequence.maximum} "
        f"START {sequence.start} CACHE {sequence.cache}{' CYCLE' if sequence.cycle else ''})"
    )
    yield f"SELECT setval({constant(made)}, nextval({constant(sequence.name)}))"


def _renamed(one: Replacement) -> Iterator[str]:
    """Yield what gives all that is new the names of what it takes the place of."""
    table = one.table
    backing = {found.name: found for found in one.of_type(*_BACKED_BY_INDEX)}
    for index in one.indexes:
        name, own = one.other(index.name), own_name(index.name)
        if found := backing.get(own):
            when = (
                " DEFERRABLE INITIALLY DEFERRED"
                if found.deferred
                else " DEFERRABLE"
                if found.deferrable
                else ""
            )
            yield f"ALTER TABLE {table} ADD CONSTRAINT {own} {_BACKED_BY_INDEX[found.type]} USING INDEX {name}{when}"
        else:
            yield f"ALTER INDEX {parent_of(index.name)}.{name} RENAME TO {own}"
    for found in (*one.of_type("check", "foreign key"), *one.referring):
        yield f"ALTER TABLE {found.relation} RENAME CONSTRAINT {one.other(found.name)} TO {found.name}"
    if one.column.not_null and one.situation.major >= _NOT_NULL_IS_A_CONSTRAINT:
        named = one.of_type("not null")
        usual = quoted(chosen_name(last_part(table), [one.changed.column], "not_null"))
        yield (
            f"ALTER TABLE {table} RENAME CONSTRAINT {_not_null_name(one)} TO {named[0].name if named else usual}"
        )
    if one.sequence is not None and one.column.identity is not None:
        name = one.sequence.name
        yield f"ALTER SEQUENCE {parent_of(name)}.{one.other(name)} RENAME TO {own_name(name)}"


def _said_of_it(one: Replacement) -> Iterator[str]:
    """Yield the comments and the grants on the column and on what is about it."""
    if one.column.comment is not None:
        yield f"COMMENT ON COLUMN {one.table}.{one.name} IS {constant(one.column.comment)}"
    for index in one.indexes:
        if index.comment is not None:
            yield f"COMMENT ON INDEX {index.name} IS {constant(index.comment)}"
    for found in (*one.constraints, *one.referring):
        if found.comment is not None:
            yield f"COMMENT ON CONSTRAINT {found.name} ON {found.relation} IS {constant(found.comment)}"
    for grant in one.situation.after.belonging_to(one.table).values():
        if (
            isinstance(grant, Grant)
            and grant.object_kind == "column"
            and grant.object == f"{one.table}.{one.name}"
        ):
            yield from _granted(one, grant)


def _granted(one: Replacement, grant: Grant) -> Iterator[str]:
    for privilege in grant.privileges:
        option = " WITH GRANT OPTION" if privilege.endswith("*") else ""
        yield f"GRANT {privilege.rstrip('*')} ({one.name}) ON {one.table} TO {in_sql(grant.grantee)}{option}"


def _file(lines: list[str]) -> RemedyFile:
    return RemedyFile(sql="\n".join(f"{line};" for line in lines))
