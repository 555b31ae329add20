"""Times with and without time zone: what changes between them is free in UTC, and nowhere else."""

import re
from collections.abc import Iterator, Sequence

from pytest_migsafe.catalog.lexical import last_part, quoted
from pytest_migsafe.catalog.schema import Column
from pytest_migsafe.findings import Finding, RemedyFile, Severity
from pytest_migsafe.migrations.columns import altered_relation, changed_types
from pytest_migsafe.rehearsal.evidence import Evidence, StatementEvidence
from pytest_migsafe.rules.blocking.check import FAMILY
from pytest_migsafe.rules.registry import Rule, rule
from pytest_migsafe.rules.remedy import written

#: What lets a change between them be free, and mean the same, wherever the file is run.
IN_UTC = "SET LOCAL TimeZone = 'UTC'"
_BOTH = {"timestamp without time zone", "timestamp with time zone"}
_TIME_ZONE = re.compile(r"time\s*zone", re.IGNORECASE)


def is_change_of_time_zone(before: str, after: str) -> bool:
    """Whether two types, as PostgreSQL writes them, are those of times with and without time zone."""
    return {_without_precision(before), _without_precision(after)} == _BOTH


def _without_precision(type_name: str) -> str:
    return re.sub(r"\(\d+\)", "", type_name)


@rule(
    id="type-change-needs-utc",
    family=FAMILY,
    severity=Severity.WARNING,
    title="A change between times with and without time zone is free only where TimeZone is UTC.",
    why=(
        "Where the session's TimeZone is UTC, as in the rehearsal, such times are stored the same, and nothing is done. In any other "
        "the same statement writes the whole table anew while everybody waits, and makes other times of them."
    ),
    remedy=(
        f"{IN_UTC} before it, if that is what the times are; then it is free everywhere. If they are those of another zone, a new "
        "column that is filled in batches takes the old one's place."
    ),
    manual="ALTER TABLE, Notes; Date/Time Types",
    peers={"strong_migrations": "change_column"},
)
def type_change_needs_utc(evidence: Evidence) -> Iterator[Finding]:
    """Judge ALTER COLUMN ... TYPE timestamptz, and the way back, that was free; of what stalls, another rule speaks."""
    stalling = {id(one.statement) for one in evidence.stalls}
    for place, statement in enumerate(evidence.statements):
        if id(statement) in stalling or _says_time_zone(evidence.statements[:place]):
            continue
        for table, column in _changed(evidence, statement):
            yield _found(evidence, statement, table, column)


def _says_time_zone(statements: Sequence[StatementEvidence]) -> bool:
    """Whether the file itself says which TimeZone it is for."""
    return any(one.node == "VariableSetStmt" and _TIME_ZONE.search(one.text) for one in statements)


def _changed(evidence: Evidence, statement: StatementEvidence) -> Iterator[tuple[str, str]]:
    """Yield tables and columns, by their names before the file, that change between the two."""
    changes = changed_types(statement.text) if statement.node == "AlterTableStmt" else ()
    if not changes:
        return
    schema, name = altered_relation(statement.text)
    locked = (one.relation for one in statement.locks if one.preexisting and last_part(one.relation) == name)
    table = f"{quoted(schema)}.{quoted(name)}" if schema else next(locked, "")
    for one in changes:
        identity = f"{table}.{quoted(one.column)}"
        before = evidence.before.get("column", identity) if table else None
        after = evidence.after.get("column", identity) if table else None
        if (
            isinstance(before, Column)
            and isinstance(after, Column)
            and one.is_cast
            and is_change_of_time_zone(before.type, after.type)
        ):
            yield table, quoted(one.column)


def _found(evidence: Evidence, statement: StatementEvidence, table: str, column: str) -> Finding:
    made: Rule = type_change_needs_utc
    text = statement.text.rstrip().removesuffix(";")
    files = (RemedyFile(sql=f"{IN_UTC};\n{text};"),)
    return made.finding(
        evidence,
        line=statement.line,
        column=statement.column,
        message=(
            f"column {column} changes for free only in a session whose TimeZone is UTC, as here; in any other {table} is written "
            "anew while its reads and writes wait"
        ),
        remedy=written(made.remedy, files),
        files=files,
        objects=(table,),
    )
