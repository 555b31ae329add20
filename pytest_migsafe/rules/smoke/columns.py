"""The family *columns*: types that a column had better not have. Most are a team's policy, and off."""

import re
from collections.abc import Iterator

from pytest_migsafe.catalog.schema import Column
from pytest_migsafe.findings import Severity
from pytest_migsafe.rehearsal.state import Relation, State, sequence_of
from pytest_migsafe.rules.smoke.check import Defect, smoke_test


def _columns(state: State) -> Iterator[tuple[Column, Relation]]:
    """Yield the columns of tables, of each table only those that it has of its own: partitions have none."""
    for table, relation in state.tables:
        if table.kind != "foreign table":
            yield from ((one, relation) for one in relation.columns if not one.inherited)


def _defect(column: Column, message: str, remedy: str, *evidence: str) -> Defect:
    return Defect(
        subject=column.qualified_name,
        detail=column.type,
        message=message,
        evidence=(f"{column.name} {column.type}", *evidence),
        remedy=remedy,
        named=(column.name, column.relation),
        objects=(column.relation,),
    )


def _of_type(state: State, types: re.Pattern[str]) -> Iterator[Column]:
    return (column for column, _ in _columns(state) if types.fullmatch(column.type))


def _alter_type(column: Column, to: str) -> str:
    return (
        f"ALTER TABLE {column.relation} ALTER COLUMN {column.name} TYPE {to};  -- rewrites a table with rows"
    )


#: What pg_upgrade refuses to take along: values that are oids of things whose oids change (its manual, "Notes").
_REGISTERED = re.compile(
    r"reg(?:collation|config|dictionary|namespace|oper|operator|proc|procedure)(?:\[\])*", re.IGNORECASE
)


@smoke_test(
    id="type-blocks-pg-upgrade",
    family="columns",
    section="tables",
    severity=Severity.WARNING,
    title="A column has a type with which pg_upgrade refuses to run.",
    why=(
        "Such a column keeps object ids, which are others in the next major version. pg_upgrade stops before it begins, "
        "in the maintenance window. Of these types only regclass, regrole and regtype are taken along."
    ),
    remedy="Keep the name as text, and convert it when it is used.",
    manual="pg_upgrade, Notes; Object Identifier Types",
    peers={"splinter": "0018_unsupported_reg_types"},
)
def type_blocks_pg_upgrade(state: State) -> Iterator[Defect]:
    """Look at the types of columns, and of what domains are over."""
    domains = {name: one.base_type for name, one in state.schema.types.items() if one.base_type is not None}
    for column, _ in _columns(state):
        if _REGISTERED.fullmatch(domains.get(column.type, column.type)):
            yield _defect(
                column,
                f"{column.qualified_name} is of the type {column.type}: pg_upgrade refuses to run",
                f"ALTER TABLE {column.relation} ALTER COLUMN {column.name} TYPE text;",
            )


def _is_generated(column: Column) -> bool:
    return column.identity is not None or sequence_of(column) is not None


@smoke_test(
    id="smallint-key",
    family="columns",
    section="tables",
    severity=Severity.WARNING,
    title="A counter ends at 32,767.",
    why="A column of the type smallint that counts up by itself is full after 32,767 rows, deleted ones and failed INSERTs included.",
    remedy="Use bigint.",
    manual="Numeric Types, Serial Types",
    peers={"Bytebase": "column.type-disallow-list"},
)
def smallint_key(state: State) -> Iterator[Defect]:
    """Look for columns of two bytes that a sequence fills."""
    for column in _of_type(state, re.compile("smallint")):
        if _is_generated(column):
            yield _defect(
                column,
                f"{column.qualified_name} counts up by itself and ends at 32,767",
                _alter_type(column, "bigint"),
                f"default: {column.default}" if column.default else f"identity: {column.identity}",
            )


@smoke_test(
    id="integer-key",
    family="columns",
    section="tables",
    severity=Severity.OFF,
    title="A counter ends at 2,147,483,647.",
    why="Tables of events reach it in a year or two, and to widen the key of a big table takes weeks of preparation.",
    remedy="Use bigint for keys from the beginning.",
    manual="Numeric Types, Serial Types",
    peers={"squawk": "prefer-bigint-over-int", "Bytebase": "column.type-disallow-list"},
)
def integer_key(state: State) -> Iterator[Defect]:
    """Look for columns of four bytes that a sequence fills."""
    for column in _of_type(state, re.compile("integer")):
        if _is_generated(column):
            yield _defect(
                column,
                f"{column.qualified_name} counts up by itself and ends at 2,147,483,647",
                _alter_type(column, "bigint"),
            )


@smoke_test(
    id="json-column",
    family="columns",
    section="tables",
    severity=Severity.OFF,
    title="A column is of the type json.",
    why="json has no equality, so SELECT DISTINCT and GROUP BY fail on it, and it is parsed again at each use; jsonb has neither fault.",
    remedy="Use jsonb, unless the text is to stay as it was written.",
    manual="JSON Types",
    peers={"squawk": "prefer-jsonb", "strong_migrations": "add_column_json", "eugene": "E3"},
)
def json_column(state: State) -> Iterator[Defect]:
    """Look at the type of each column."""
    for column in _of_type(state, re.compile(r"json(?:\[\])*")):
        yield _defect(
            column, f"{column.qualified_name} is of the type {column.type}", _alter_type(column, "jsonb")
        )


@smoke_test(
    id="char-column",
    family="columns",
    section="tables",
    severity=Severity.OFF,
    title="A column is of the type char(n).",
    why="Values are padded with blanks, which count in some comparisons and not in others; it is not faster than text.",
    remedy="Use text, with a check if the length matters.",
    manual="Character Types",
    peers={"squawk": "ban-char-field"},
)
def char_column(state: State) -> Iterator[Defect]:
    """Look at the type of each column."""
    for column in _of_type(state, re.compile(r"character(?:\(\d+\))?(?:\[\])*|bpchar(?:\[\])*")):
        yield _defect(
            column,
            f"{column.qualified_name} is {column.type}: padded with blanks",
            _alter_type(column, "text"),
        )


@smoke_test(
    id="money-column",
    family="columns",
    section="tables",
    severity=Severity.OFF,
    title="A column is of the type money.",
    why="How it is read and written depends on lc_monetary of the session and server, and it has no currency.",
    remedy="Use numeric, with the currency beside it.",
    manual="Monetary Types",
    peers={"Bytebase": "column.type-disallow-list"},
)
def money_column(state: State) -> Iterator[Defect]:
    """Look at the type of each column."""
    for column in _of_type(state, re.compile(r"money(?:\[\])*")):
        yield _defect(column, f"{column.qualified_name} is of the type money", _alter_type(column, "numeric"))


@smoke_test(
    id="timestamp-without-time-zone",
    family="columns",
    section="tables",
    severity=Severity.OFF,
    title="A column is a timestamp without time zone.",
    why="The value says what a clock showed, not when it was: now() is stored in whatever time zone the session has.",
    remedy="Use timestamptz.",
    manual="Date/Time Types",
    peers={"squawk": "prefer-timestamptz"},
)
def timestamp_without_time_zone(state: State) -> Iterator[Defect]:
    """Look at the type of each column."""
    for column in _of_type(state, re.compile(r"timestamp(?:\(\d\))? without time zone(?:\[\])*")):
        yield _defect(
            column,
            f"{column.qualified_name} is a timestamp without time zone",
            f"ALTER TABLE {column.relation} ALTER COLUMN {column.name} TYPE timestamptz USING {column.name} AT TIME ZONE 'UTC';  -- rewrites a table with rows",
        )


@smoke_test(
    id="serial-column",
    family="columns",
    section="tables",
    severity=Severity.OFF,
    title="A column is serial.",
    why=(
        "A serial column is an integer with a default and a sequence beside it, which has privileges of its own; anybody may write "
        "another value. An identity column is one thing, and in the SQL standard."
    ),
    remedy="Use GENERATED ALWAYS AS IDENTITY.",
    manual="CREATE TABLE, GENERATED AS IDENTITY",
    peers={"squawk": "prefer-identity"},
)
def serial_column(state: State) -> Iterator[Defect]:
    """Look for columns that own the sequence in their default."""
    owners = {one.owned_by for one in state.schema.sequences.values() if one.owned_by is not None}
    for column, _ in _columns(state):
        if column.identity is None and _is_generated(column) and column.qualified_name in owners:
            yield _defect(
                column,
                f"{column.qualified_name} is serial",
                f"{column.name} bigint GENERATED ALWAYS AS IDENTITY",
                f"default: {column.default}",
            )
