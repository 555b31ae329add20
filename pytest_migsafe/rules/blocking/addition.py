"""The safe way to add a column: alone first, then its rows' values, then what holds for them."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from pytest_migsafe.catalog.lexical import constant, last_part, parent_of, quoted
from pytest_migsafe.catalog.names import chosen_name
from pytest_migsafe.catalog.schema import Constraint
from pytest_migsafe.findings import RemedyFile
from pytest_migsafe.migrations.columns import AddedColumn
from pytest_migsafe.rehearsal.holding import WorkKind
from pytest_migsafe.rules.blocking.check import Situation
from pytest_migsafe.rules.blocking.filling import in_batches
from pytest_migsafe.rules.safe_ways import (
    PARTITIONED_NOT_VALID,
    check,
    constraints_of,
    foreign_key,
    key,
    not_null,
    side_by_side,
    together,
)

_KIND_OF = {
    "CONSTR_CHECK": "check",
    "CONSTR_FOREIGN": "foreign key",
    "CONSTR_UNIQUE": "unique",
    "CONSTR_PRIMARY": "primary key",
}


@dataclass(frozen=True, kw_only=True)
class Addition:
    """A column that is to be added to a table that is in use."""

    situation: Situation
    #: Its qualified name.
    table: str
    column: AddedColumn

    @property
    def name(self) -> str:
        """The column's name as SQL writes it."""
        return quoted(self.column.name)

    @property
    def identity(self) -> str:
        """The column's name with its table's."""
        return f"{self.table}.{self.name}"

    @property
    def is_filled(self) -> bool:
        """Whether every row gets a value of its own, so that the table was written anew."""
        return bool(self.situation.worked(WorkKind.REWRITE))

    @cached_property
    def constraints(self) -> tuple[Constraint, ...]:
        """The constraints that the column comes with, as they are after the file."""
        before = self.situation.before.belonging_to(self.table)
        found = (
            one
            for key, one in self.situation.after.belonging_to(self.table).items()
            if isinstance(one, Constraint) and key not in before and self.name in one.columns
        )
        return tuple(one for one in found if one.type in _KIND_OF.values() and one.local)

    @property
    def is_understood(self) -> bool:
        """Whether the schema has, for each constraint that the statement asks for, one, and no other.

        A foreign key has parts of its own for the partitions of the other table; up to PostgreSQL 17, NOT VALID that is
        validated leaves them marked as not valid, which is not what the statement makes.
        """
        if self.situation.major < PARTITIONED_NOT_VALID and any(map(self._has_parts, self.constraints)):
            return False
        wanted = Counter(_KIND_OF[one] for one in self.column.clauses if one in _KIND_OF)
        return wanted == Counter(one.type for one in self.constraints) and (
            self.situation.after.get("column", self.identity) is not None
        )

    def _has_parts(self, constraint: Constraint) -> bool:
        """Whether a foreign key has parts for the partitions of the other table."""
        others = constraints_of(self.situation.after, self.table)
        return constraint.type == "foreign key" and any(
            one.inherited and one.columns == constraint.columns for one in others
        )

    def of_type(self, *types: str) -> tuple[Constraint, ...]:
        """Return the constraints of some types."""
        return tuple(one for one in self.constraints if one.type in types)

    @property
    def sequence(self) -> str:
        """The sequence that a serial column, or an identity column, owns."""
        owned = (one.name for one in self.situation.after.sequences.values() if one.owned_by == self.identity)
        return next(owned, self._of_schema("seq"))

    @property
    def filling_sequence(self) -> str:
        """The sequence from which an identity column's numbers come before it is one."""
        return self._of_schema("fill")

    def _of_schema(self, label: str) -> str:
        name = chosen_name(last_part(self.table), [self.column.name], label)
        return f"{parent_of(self.table)}.{quoted(name)}"


def files_of(addition: Addition) -> tuple[RemedyFile, ...]:
    """Return the files that add the column; nothing where the schema does not tell how."""
    if not addition.is_understood or not _can_have_values(addition):
        return ()
    if not addition.is_filled:
        first, *others = (*_proven(addition), *_keys(addition))
        return (
            (together([_begun(addition), first]), *others)
            if first.in_transaction
            else (_begun(addition), first, *others)
        )
    filled = in_batches(addition.situation.after, addition.table, addition.name)
    last = (_sql(_ended(addition)),) if addition.column.has("CONSTR_IDENTITY") else ()
    return (_begun(addition), filled, *_proven(addition), *_keys(addition), *last)


def _can_have_values(addition: Addition) -> bool:
    """Whether it is known what the rows' values are: a key without them cannot be."""
    if addition.is_filled:
        return (
            addition.column.has("CONSTR_DEFAULT", "CONSTR_IDENTITY") or addition.column.serial_of is not None
        )
    return addition.column.default is not None or not addition.column.is_not_null


def _begun(addition: Addition) -> RemedyFile:
    column, table = addition.column, addition.table
    if not addition.is_filled:
        kept = ("CONSTR_NOTNULL", "CONSTR_NULL", "CONSTR_DEFAULT", "CONSTR_GENERATED")
        return _sql([column.statement(table, *kept)])
    added = column.statement(table)
    if column.has("CONSTR_IDENTITY"):
        sequence = addition.filling_sequence
        return _sql([column.sequence(sequence), added, _default(addition, f"nextval({constant(sequence)})")])
    if column.serial_of is not None:
        sequence = addition.sequence
        return _sql(
            [
                f"CREATE SEQUENCE {sequence} AS {column.serial_of}",
                added,
                f"ALTER SEQUENCE {sequence} OWNED BY {addition.identity}",
                _default(addition, f"nextval({constant(sequence)})"),
            ]
        )
    return _sql([added, _default(addition, column.default or "NULL")])


def _default(addition: Addition, value: str) -> str:
    return f"ALTER TABLE {addition.table} ALTER COLUMN {addition.name} SET DEFAULT {value}"


def _proven(addition: Addition) -> tuple[RemedyFile, ...]:
    """Return what makes the constraints hold: they are there for new rows first, then for all."""
    situation, column = addition.situation, addition.column
    before, after = situation.before, situation.after
    ways = [check(before, one) for one in addition.of_type("check")]
    ways += [foreign_key(before, after, one, situation.major) for one in addition.of_type("foreign key")]
    if addition.is_filled and column.is_not_null:
        names = [quoted(column.not_null_name)] if column.not_null_name else []
        ways.append(not_null(situation.before, addition.table, [addition.name], situation.major, names))
    return side_by_side(ways)


def _keys(addition: Addition) -> Iterator[RemedyFile]:
    situation = addition.situation
    for one in addition.of_type("unique", "primary key"):
        yield from key(situation.before, situation.after, one, situation.major)


def _ended(addition: Addition) -> Iterator[str]:
    """Yield what makes an identity column of one that has its numbers, and goes on with them."""
    table, drawn = addition.table, addition.filling_sequence
    yield f"ALTER TABLE {table} ALTER COLUMN {addition.name} DROP DEFAULT"
    yield addition.column.identity(table)
    yield f"SELECT setval({constant(addition.sequence)}, nextval({constant(drawn)}))"
    yield f"DROP SEQUENCE {drawn}"


def _sql(lines: Iterable[str]) -> RemedyFile:
    return RemedyFile(sql="\n".join(f"{line};" for line in lines))
