"""The safe way to an index or a constraint on a table in use, as the files that it needs (manual: "ALTER TABLE", Notes).

What is to be made is read from the schema that the migration makes: so it has the same name and says the same, also where
the statement's text does not show it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.lexical import last_part, own_name, parent_of, quoted, unquoted
from pytest_migsafe.catalog.names import chosen_name
from pytest_migsafe.catalog.objects import Home
from pytest_migsafe.catalog.schema import Column, Constraint, Index, Table, Type
from pytest_migsafe.findings import RemedyFile

#: The first major version in which NOT NULL can be NOT VALID, and so can a foreign key of a partitioned table
#: (release notes of PostgreSQL 18).
NOT_NULL_NOT_VALID = 18
PARTITIONED_NOT_VALID = 18


def is_partitioned(schema: Schema, relation: str) -> bool:
    """Whether a table is divided into partitions."""
    table = schema.get("table", relation)
    return isinstance(table, Table) and table.kind == "partitioned table"


def children(schema: Schema, relation: str) -> tuple[str, ...]:
    """Return the partitions of a table, or the tables that inherit from it."""
    return tuple(name for name, table in schema.tables.items() if relation in table.parents)


def descendants(schema: Schema, relation: str) -> Iterator[str]:
    """Yield a table's partitions, those of them, and so on."""
    for child in children(schema, relation):
        yield child
        yield from descendants(schema, child)


def parents(schema: Schema, relation: str) -> tuple[str, ...]:
    """Return the table that a table is a partition of, or those that it inherits from."""
    table = schema.get("table", relation)
    return table.parents if isinstance(table, Table) else ()


def constraint_of(schema: Schema, relation: str, name: str) -> Constraint | None:
    """Return a relation's constraint; the name as SQL writes it."""
    return next((one for one in constraints_of(schema, relation) if one.name == name), None)


def constraints_of(schema: Schema, relation: str) -> Iterator[Constraint]:
    """Yield a relation's constraints."""
    return (one for one in schema.belonging_to(relation).values() if isinstance(one, Constraint))


def domain_constraints(schema: Schema, domain: str) -> Iterator[Constraint]:
    """Yield a domain's constraints."""
    found = schema.homes.get(Home(Type.CATALOG, domain), {}).values()
    return (one for one in found if isinstance(one, Constraint))


def domain_constraint(schema: Schema, domain: str, name: str) -> Constraint | None:
    """Return a domain's constraint; the name as SQL writes it."""
    return next((one for one in domain_constraints(schema, domain) if one.name == name), None)


def index_of(schema: Schema, relation: str, name: str) -> Index | None:
    """Return a relation's index by its qualified name."""
    found = schema.belonging_to(relation).values()
    return next((one for one in found if isinstance(one, Index) and one.name == name), None)


def column_of(schema: Schema, relation: str, name: str) -> Column | None:
    """Return a relation's column; the name as SQL writes it."""
    found = schema.get("column", f"{relation}.{name}")
    return found if isinstance(found, Column) else None


@dataclass(frozen=True, slots=True)
class _Branch:
    """An index, and those of the partitions that are parts of it."""

    index: Index
    parts: tuple["_Branch", ...]
    is_new: bool

    def walked(self) -> Iterator["_Branch"]:
        yield self
        for part in self.parts:
            yield from part.walked()


def _branch(before: Schema, after: Schema, index: Index) -> _Branch:
    parts = (
        one
        for child in children(after, index.relation)
        for one in after.belonging_to(child).values()
        if isinstance(one, Index) and one.parent == index.name
    )
    return _Branch(
        index,
        tuple(_branch(before, after, part) for part in parts),
        index_of(before, index.relation, index.name) is None,
    )


def index(before: Schema, after: Schema, made: Index) -> tuple[RemedyFile, ...]:
    """Return how an index is built while its table is written.

    CONCURRENTLY is refused for a partitioned table (manual: "CREATE INDEX"): its partitions have their indexes first.
    """
    there = index_of(before, made.relation, made.name)
    if not is_partitioned(after, made.relation):
        return (_outside(_concurrently(made)),) if there is None else _index_in_place_of(before, made)
    return _partitioned(before, after, _branch(before, after, made)) if there is None else ()


#: Stands above what the migration does in a statement of its own.
_GOES = "-- in place of the statement that drops it"


def _index_in_place_of(before: Schema, made: Index) -> tuple[RemedyFile, ...]:
    """Return how an index takes the place of another one of its name."""
    name = made.name.removeprefix(f"{parent_of(made.name)}.")
    other = free_constraint_name(before, made.relation, [unquoted(name)], "new")
    return (
        _outside(_concurrently(made, other)),
        _outside(f"{_GOES}\nDROP INDEX CONCURRENTLY {made.name};"),
        RemedyFile(sql=f"ALTER INDEX {parent_of(made.name)}.{other} RENAME TO {name};"),
    )


def _partitioned(before: Schema, after: Schema, top: _Branch) -> tuple[RemedyFile, ...]:
    new = [one for one in top.walked() if one.is_new]
    # What belongs to a partitioned table is made without anything being read.
    above = [_made_on_top(after, one.index) for one in new if is_partitioned(after, one.index.relation)]
    leaves = [one.index for one in new if not is_partitioned(after, one.index.relation)]
    below = [statement for one in leaves for statement in _constraint_using(after, one)]
    attached = [
        f"ALTER INDEX {one.index.name} ATTACH PARTITION {part.index.name};"
        for one in top.walked()
        for part in one.parts
        if index_of(before, part.index.relation, part.index.name) != part.index
    ]
    return (
        RemedyFile(sql="\n".join(above)),
        *((_outside(*map(_concurrently, leaves)),) if leaves else ()),
        *((RemedyFile(sql="\n".join([*below, *attached])),) if below or attached else ()),
    )


def _made_on_top(after: Schema, one: Index) -> str:
    constraint = _constraint_with(after, one)
    if constraint is None:
        # Says ON ONLY, as PostgreSQL writes the index of a partitioned table.
        return f"{one.definition};"
    return f"ALTER TABLE ONLY {one.relation} ADD CONSTRAINT {constraint.name} {constraint.definition};"


def _constraint_using(after: Schema, one: Index) -> Iterator[str]:
    if constraint := _constraint_with(after, one):
        yield _using_index(constraint)


def _constraint_with(after: Schema, one: Index) -> Constraint | None:
    return constraint_of(after, one.relation, own_name(one.name.removeprefix(f"{parent_of(one.name)}.")))


def _using_index(constraint: Constraint, name: str = "") -> str:
    """Return how a unique constraint or a primary key is made of an index that is there."""
    deferred = (" DEFERRABLE" if constraint.deferrable else "") + (
        " INITIALLY DEFERRED" if constraint.deferred else ""
    )
    kind = constraint.type.upper()
    return (
        f"ALTER TABLE {constraint.relation} ADD CONSTRAINT {constraint.name} "
        f"{kind} USING INDEX {name or constraint.name}{deferred};"
    )


def _concurrently(one: Index, other_name: str = "") -> str:
    unique, name, rest = _index_words(one)
    statement = f"CREATE {unique}INDEX CONCURRENTLY {other_name or name} {rest};"
    if one.tablespace is None:
        return statement
    # The definition does not tell it.
    return f"SET default_tablespace = {quoted(one.tablespace)};\n{statement}\nRESET default_tablespace;"


def _index_words(one: Index) -> tuple[str, str, str]:
    """Return UNIQUE or nothing, the index's name, and its definition from ON on."""
    name = one.name.removeprefix(f"{parent_of(one.name)}.")
    unique = "UNIQUE " if one.unique else ""
    return unique, name, one.definition.removeprefix(f"CREATE {unique}INDEX {name} ")


def _outside(*statements: str) -> RemedyFile:
    return RemedyFile(sql="\n".join(statements), in_transaction=False)


def key(before: Schema, after: Schema, made: Constraint, major: int) -> tuple[RemedyFile, ...]:
    """Return how a unique constraint or a primary key is made of an index that was built while the table was written.

    Nothing where there is no such way: WITHOUT OVERLAPS has no index of its own before.
    """
    found = index_of(after, made.relation, f"{parent_of(made.relation)}.{made.name}")
    if found is None or "WITHOUT OVERLAPS" in made.definition:
        return ()
    first = _not_null_first(before, made, major) if made.type == "primary key" else ()
    old = _place_of_key(before, made)
    if is_partitioned(after, made.relation):
        return (*first, *_partitioned(before, after, _branch(before, after, found))) if old is None else ()
    if old is None:
        return (_outside(_concurrently(found)), *first, RemedyFile(sql=_using_index(made)))
    other = free_constraint_name(before, made.relation, [unquoted(made.name)], "new")
    dropped = f"{_GOES}\nALTER TABLE {made.relation} DROP CONSTRAINT {old.name};"
    return (
        _outside(_concurrently(found, other)),
        *first,
        RemedyFile(sql=f"{dropped}\n{_using_index(made, other)}"),
    )


def _place_of_key(before: Schema, made: Constraint) -> Constraint | None:
    """Return the constraint that has to go before a key is made: the one of its name, or the one primary key."""
    return next(
        (
            one
            for one in constraints_of(before, made.relation)
            if one.name == made.name or one.type == made.type == "primary key"
        ),
        None,
    )


def primary_key_using_index(
    before: Schema, made: Constraint, index_name: str, major: int
) -> tuple[RemedyFile, ...]:
    """Return how a primary key is made of an index that is there, of columns that may still be null."""
    return (*_not_null_first(before, made, major), RemedyFile(sql=_using_index(made, index_name)))


def _not_null_first(before: Schema, made: Constraint, major: int) -> tuple[RemedyFile, ...]:
    nullable = [
        one
        for one in made.columns
        if (column := column_of(before, made.relation, one)) is not None and not column.not_null
    ]
    return not_null(before, made.relation, nullable, major)


def not_null(
    before: Schema, relation: str, columns: Sequence[str], major: int, names: Sequence[str] = ()
) -> tuple[RemedyFile, ...]:
    """Return how columns become NOT NULL while the table is read and written.

    ``names`` are those of the constraints, where the migration gives them; else PostgreSQL's own.
    """
    if not columns:
        return ()
    if major >= NOT_NULL_NOT_VALID:
        waiting = {one: waiting_not_null(before, relation, one) for one in columns}
        new = [one for one in columns if waiting[one] is None]
        given = names or [free_constraint_name(before, relation, [one], "not_null") for one in new]
        parts = [(name, f"NOT NULL {one}") for name, one in zip(given, new, strict=True)]
        there = [one.name for one in waiting.values() if one is not None]
        made = (not_valid(relation, parts),) if parts else ()
        return (*made, validated(relation, [*there, *(name for name, _ in parts)]))
    checks = [free_constraint_name(before, relation, [one], "not_null") for one in columns]
    parts = [(name, f"CHECK ({one} IS NOT NULL)") for name, one in zip(checks, columns, strict=True)]
    # In two statements: one ALTER TABLE would drop first.
    set_not_null = [f"ALTER TABLE {relation} ALTER COLUMN {one} SET NOT NULL;" for one in columns]
    dropped = [f"ALTER TABLE {relation} DROP CONSTRAINT {name};" for name in checks]
    return (
        not_valid(relation, parts),
        validated(relation, checks),
        RemedyFile(sql="\n".join([*set_not_null, *dropped])),
    )


def waiting_not_null(schema: Schema, relation: str, column: str) -> Constraint | None:
    """Return a column's NOT NULL that is there and not validated (PostgreSQL 18)."""
    return next(
        (
            one
            for one in constraints_of(schema, relation)
            if one.type == "not null" and not one.validated and one.columns == (column,)
        ),
        None,
    )


def free_constraint_name(schema: Schema, relation: str, columns: Iterable[str], label: str) -> str:
    """Return a name that no constraint of a table and of its partitions has, as PostgreSQL would choose it."""
    taken = {
        one.name
        for table in (relation, *descendants(schema, relation))
        for one in constraints_of(schema, table)
    }
    number = 0
    while True:
        chosen = chosen_name(
            last_part(relation),
            map(unquoted, columns := list(columns)),
            label + (str(number) if number else ""),
        )
        if quoted(chosen) not in taken:
            return quoted(chosen)
        number += 1


def not_valid(relation: str, parts: Iterable[tuple[str, str]]) -> RemedyFile:
    """Return the file that adds constraints, each a name and a definition, which hold for what is written from then on."""
    return RemedyFile(
        sql="\n".join(
            f"ALTER TABLE {relation} ADD CONSTRAINT {name} {definition} NOT VALID;"
            for name, definition in parts
        )
    )


def validated(relation: str, names: Iterable[str]) -> RemedyFile:
    """Return the file in which constraints are checked against all rows, while the table is read and written."""
    return RemedyFile(sql="\n".join(f"ALTER TABLE {relation} VALIDATE CONSTRAINT {name};" for name in names))


def check(before: Schema, made: Constraint) -> tuple[RemedyFile, ...]:
    """Return how a CHECK is added while the table is written, also in the place of one of its name."""
    if constraint_of(before, made.relation, made.name) is not None:
        return in_place_of(before, made)
    return (
        not_valid(made.relation, [(made.name, made.definition)]),
        validated(made.relation, [made.name]),
    )


def foreign_key(before: Schema, after: Schema, made: Constraint, major: int) -> tuple[RemedyFile, ...]:
    """Return how a foreign key is added while both tables are written.

    Up to PostgreSQL 17, NOT VALID is refused for partitioned tables: each partition has its foreign key first, and the one
    of the whole table takes them over without a look at the rows.
    """
    if not is_partitioned(after, made.relation):
        return check(before, made)
    if constraint_of(before, made.relation, made.name) is not None:
        # RENAME does not reach the partitions' foreign keys.
        return ()
    if major >= PARTITIONED_NOT_VALID:
        return check(before, made)
    parts = [
        one
        for partition in descendants(after, made.relation)
        if not is_partitioned(after, partition)
        for one in constraints_of(after, partition)
        if one.type == "foreign key" and one.inherited and one.definition == made.definition
    ]
    return (
        *(
            (together(not_valid(one.relation, [(one.name, one.definition)]) for one in parts),)
            if parts
            else ()
        ),
        *((together(validated(one.relation, [one.name]) for one in parts),) if parts else ()),
        RemedyFile(sql=f"ALTER TABLE {made.relation} ADD CONSTRAINT {made.name} {made.definition};"),
    )


def in_place_of(before: Schema, made: Constraint) -> tuple[RemedyFile, ...]:
    """Return how a constraint takes the place of one of its name while the tables are written."""
    other = free_constraint_name(before, made.relation, [unquoted(made.name)], "new")
    return (
        not_valid(made.relation, [(other, made.definition)]),
        validated(made.relation, [other]),
        RemedyFile(
            sql=f"{_GOES}\nALTER TABLE {made.relation} DROP CONSTRAINT {made.name};\n"
            f"ALTER TABLE {made.relation} RENAME CONSTRAINT {other} TO {made.name};"
        ),
    )


def together(files: Iterable[RemedyFile]) -> RemedyFile:
    """Return files as one; all run in a transaction, or none does."""
    some = list(files)
    return RemedyFile(
        sql="\n".join(one.sql for one in some), in_transaction=all(one.in_transaction for one in some)
    )


def side_by_side(ways: Iterable[Sequence[RemedyFile]]) -> tuple[RemedyFile, ...]:
    """Return several ways as one: if all have the same steps, each step of all in one file; else one after another."""
    some = [tuple(one) for one in ways if one]
    shapes = {tuple(file.in_transaction for file in one) for one in some}
    if len(shapes) != 1:
        return tuple(file for one in some for file in one)
    return tuple(together(step) for step in zip(*some, strict=True))
