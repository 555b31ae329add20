"""Rows that are deleted as a whole."""

import re
from collections.abc import Iterator

from pytest_migsafe.catalog.lexical import last_part, parent_of
from pytest_migsafe.catalog.schema import Table
from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.migrations.definitions import deletes, truncates
from pytest_migsafe.rehearsal.evidence import Evidence, StatementEvidence
from pytest_migsafe.rules.loss.check import CODE, FAMILY, done, found_of, is_copied, is_judged
from pytest_migsafe.rules.registry import rule
from pytest_migsafe.texts.wording import listed


def _resolved(evidence: Evidence, statement: StatementEvidence, schema: str, name: str) -> str | None:
    """Return the qualified name of a table that a statement names, if it was there before the file."""
    known = [
        one.relation
        for one in statement.locks
        if one.preexisting
        and last_part(one.relation) == name
        and (not schema or _unquoted_schema(one.relation) == schema)
    ]
    if known:
        return known[0]
    found = [
        home.name
        for home in evidence.before.homes
        if home.catalog == "relation"
        and last_part(home.name) == name
        and (not schema or _unquoted_schema(home.name) == schema)
        and isinstance(evidence.before.get(Table.KIND, home.name), Table)
    ]
    return found[0] if len(found) == 1 and not evidence.identities.is_remade(found[0]) else None


def _unquoted_schema(name: str) -> str:
    return last_part(parent_of(name))


@rule(
    id="rows-truncated",
    family=FAMILY,
    severity=Severity.WARNING,
    title="A table is emptied.",
    why="TRUNCATE takes all rows, fires no DELETE trigger, and there is no way back from it.",
    remedy="Keep a copy, or delete by a condition that says which rows are meant.",
    manual="TRUNCATE",
    peers={"squawk": "ban-truncate-cascade"},
)
def rows_truncated(evidence: Evidence) -> Iterator[Finding]:
    """Look for TRUNCATE of tables that were there before the file; what CASCADE takes besides has a rule of its own."""
    for statement in done(evidence):
        names = [
            name
            for name in _truncated(evidence, statement)
            if not is_copied(evidence, name, statement) and is_judged(evidence, name)
        ]
        if names:
            yield found_of(
                rows_truncated,
                evidence,
                statement,
                message=f"all rows of {listed(names)} are gone",
                objects=tuple(names),
            )


def _truncated(evidence: Evidence, statement: StatementEvidence) -> list[str]:
    """Return the tables that a statement empties by name; of code, those that it gives a new file and that it names so."""
    if statement.node == "TruncateStmt":
        named = (_resolved(evidence, statement, *one) for one in truncates(statement.text))
        return list(dict.fromkeys(one for one in named if one is not None))
    if statement.node in CODE and re.search(r"\btruncate\b", statement.text, re.IGNORECASE):
        return [one.relation for one in statement.rewrites if one.preexisting and one.kind == "table"]
    return []


@rule(
    id="rows-deleted",
    family=FAMILY,
    severity=Severity.WARNING,
    title="All rows of a table are deleted.",
    why="A DELETE without WHERE takes every row, and there is no way back from it; on a big table it also runs for long.",
    remedy="Say which rows are meant; or keep a copy (DELETE ... RETURNING into another table), and delete in batches.",
    manual="DELETE",
)
def rows_deleted(evidence: Evidence) -> Iterator[Finding]:
    """Look for DELETE without a condition, also in code, of tables that were there before the file."""
    for statement in done(evidence):
        names = [
            name
            for one in _deleted(statement)
            if (name := _resolved(evidence, statement, *one)) is not None
            and not is_copied(evidence, name, statement)
            and is_judged(evidence, name)
        ]
        if names:
            yield found_of(
                rows_deleted,
                evidence,
                statement,
                message=f"all rows of {listed(names)} are deleted: there is no condition",
                objects=tuple(names),
            )


_DELETE_ALL = re.compile(r'\bdelete\s+from\s+(?:only\s+)?(?:"?(\w+)"?\.)?"?(\w+)"?\s*;', re.IGNORECASE)


def _deleted(statement: StatementEvidence) -> tuple[tuple[str, str], ...]:
    if statement.node == "DoStmt":
        return tuple((schema or "", name) for schema, name in _DELETE_ALL.findall(statement.text))
    if not re.search(r"\bdelete\b", statement.text, re.IGNORECASE) or statement.node not in _QUERIES:
        return ()
    return deletes(statement.text)


_QUERIES = frozenset({"DeleteStmt", "SelectStmt", "InsertStmt", "UpdateStmt"})
