"""What the rules of the family *loses-data* share: how they report, and whether something was copied before it went."""

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

from pytest_migsafe.catalog.lexical import schema_of
from pytest_migsafe.findings import Finding
from pytest_migsafe.rehearsal.evidence import Evidence, StatementEvidence
from pytest_migsafe.rules.registry import Rule

FAMILY = "loses-data"

_ROW_EXCLUSIVE = "RowExclusiveLock"
#: Statements whose text is run, or says what is run.
CODE = frozenset({"DoStmt", "CallStmt", "SelectStmt"})
_WRITES = frozenset(
    {"InsertStmt", "UpdateStmt", "MergeStmt", "CreateTableAsStmt", "SelectStmt", "DoStmt", "CallStmt"}
)


def found_of(
    rule_: Rule, evidence: Evidence, at: StatementEvidence | None, proof: tuple[str, ...] = (), **given: Any
) -> Finding:
    """Return a finding of a rule at a statement; ``proof`` are the facts, a line each."""
    place = {"line": at.line, "column": at.column} if at is not None else {}
    return rule_.finding(evidence, **({"remedy": rule_.remedy, "evidence": proof} | place | given))


def is_judged(evidence: Evidence, name: str) -> bool:
    """Whether the settings have the schema of an object judged."""
    return evidence.state_after.scope.includes(schema_of(name))


def _names_of(evidence: Evidence, relation: str) -> set[str]:
    """Return all names that a relation had while the file ran."""
    names = {relation}
    for statement in evidence.statements:
        names |= {
            one.became
            for one in statement.namings
            if one.preexisting and one.relation in names and one.became
        }
    return names


def is_copied(evidence: Evidence, relation: str, before: StatementEvidence | None, word: str = "") -> bool:
    """Whether a statement of the file reads a relation and writes rows somewhere, before another statement takes it.

    With a word, only a statement that says it counts: of the table's columns it may have copied others.
    """
    names = _names_of(evidence, relation)
    until = [*takewhile(lambda one: one is not before, evidence.statements)]
    return any(
        one.node in _WRITES
        and _reads(one, names)
        and _writes(one, names, itself=bool(word))
        and re.search(rf"(?<!\w){re.escape(word)}(?!\w)" if word else "", one.text, re.IGNORECASE)
        for one in until
    )


def _reads(statement: StatementEvidence, names: set[str]) -> bool:
    return any(one.relation in names for one in statement.scans) or any(
        one.relation in names and one.mode == "AccessShareLock" for one in statement.locks
    )


def _writes(statement: StatementEvidence, names: set[str], *, itself: bool) -> bool:
    """Whether a statement writes to another relation, or makes one; to the same one counts where a column is moved."""
    if any(not one.relation and one.kind in {"table", "materialized view"} for one in statement.namings):
        return True
    if statement.node in {"InsertStmt", "MergeStmt"} or (itself and statement.node == "UpdateStmt"):
        return True
    return any(
        one.mode == _ROW_EXCLUSIVE and one.kind == "table" and (itself or one.relation not in names)
        for one in statement.locks
    )


def done(evidence: Evidence) -> Iterator[StatementEvidence]:
    """Yield the statements of a file that was applied."""
    if evidence.applied:
        yield from evidence.statements
