"""Assertions on migrations that say, when they fail, what a reviewer would: where, what PostgreSQL did, the way out.

They raise ``AssertionError`` and need no pytest. A name that does not exist - a relation, a rule, a lock mode - is an error of
its own: an assertion about it would hold whatever happens.
"""

from difflib import get_close_matches

from pytest_migsafe.catalog import Schema, diff, render
from pytest_migsafe.errors import IrreversibleError, SelectionError
from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.migrations.model import Migration
from pytest_migsafe.rehearsal.evidence import LOCK_MODES, RelationLock, StatementEvidence
from pytest_migsafe.rehearsal.holding import Hold, blocks
from pytest_migsafe.testing.database import MigrationDatabase
from pytest_migsafe.testing.names import index_in, lock_mode, relation_in
from pytest_migsafe.testing.plan import Parameters
from pytest_migsafe.testing.rehearsal import Rehearsal

#: The family of the rules on stalls; `rules.blocking` has it, and would be dear to import for it.
_BLOCKING = "blocking-work"


def assert_no_stall(rehearsal: Rehearsal, *, on: str | None = None) -> None:
    """Assert that nobody waits while a migration does work that grows with a table.

    All that PostgreSQL did counts: also what a waiver in the file allows, what the settings switch off, and small tables.
    `assert_no_findings` goes by the settings.

    Args:
        rehearsal: of the migration.
        on: the relation whose users are not to wait; None: any that was there before the file.

    Raises:
        AssertionError: somebody waits, or the file cannot be applied.
        SelectionError: there is no such relation.
    """
    __tracebackhide__ = True
    _demand_applied(rehearsal)
    relation = None if on is None else _relation(rehearsal, on)
    found = [
        finding
        for rule in rehearsal.rules
        if rule.family == _BLOCKING
        for finding in rule(rehearsal.evidence)
        if relation is None or relation in finding.details.get("waiting", {})
    ]
    if found:
        raise AssertionError(_told(rehearsal, "makes others wait", found))


def assert_no_lock_stronger_than(rehearsal: Rehearsal, mode: str, *, on: str | None = None) -> None:
    """Assert that a migration takes no lock stronger than a mode on a relation that was there before it.

    Args:
        rehearsal: of the migration.
        mode: as ``pg_locks`` spells it (``"ShareUpdateExclusiveLock"``), or the manual (``"SHARE UPDATE EXCLUSIVE"``).
        on: the relation; the locks on its indexes count, too. None: any that was there before the file.

    Raises:
        AssertionError: it takes one, or the file cannot be applied.
        SelectionError: there is no such relation, or no such mode.
    """
    __tracebackhide__ = True
    _demand_applied(rehearsal)
    most = lock_mode(mode)
    relation = None if on is None else _relation(rehearsal, on)
    found = []
    for statement in rehearsal.statements:
        locks = [
            lock
            for lock in statement.locks
            if lock.preexisting
            and (relation is None or relation in (lock.relation, lock.table))
            and _strength(lock.mode) > _strength(most)
        ]
        if locks:
            found.append(_lock_finding(rehearsal, statement, locks))
    if found:
        raise AssertionError(_told(rehearsal, f"takes a lock stronger than {most}", found))


def assert_no_findings(rehearsal: Rehearsal, *, rule: str | None = None, family: str | None = None) -> None:
    """Assert that the rules find nothing in a migration, errors and warnings alike, but for what the file itself allows.

    Args:
        rehearsal: of the migration.
        rule: the only rule that is asked about.
        family: the only family of rules that is asked about.

    Raises:
        AssertionError: there are findings.
        SelectionError: there is no such rule or family.
    """
    __tracebackhide__ = True
    _demand_known("rule", rule, {one.id for one in rehearsal.rules})
    _demand_known("family", family, {one.family for one in rehearsal.rules})
    found = [
        finding
        for finding in rehearsal.findings
        if finding.waived is None and rule in (None, finding.rule) and family in (None, finding.family)
    ]
    if found:
        raise AssertionError(_told(rehearsal, "has findings", found))


def assert_same_schema(one: Schema | MigrationDatabase, other: Schema | MigrationDatabase) -> None:
    """Assert that two schemas hold the same objects; the failure shows what is different, as the reports do.

    Args:
        one: a schema, or a database that is read now.
        other: what it should be equal to.

    Raises:
        AssertionError: they are not the same.
    """
    __tracebackhide__ = True
    if lines := schema_difference(_schema(one), _schema(other)):
        raise AssertionError("\n".join(["the schemas differ: from the first to the second", *lines]))


def assert_reversible(database: MigrationDatabase, migration: str | Migration | None = None) -> None:
    """Assert that the next migration can be applied, undone and applied again, and that undoing it leaves no trace.

    Afterwards it is applied. Rows that the test has put in are there on the way, and may be what cannot be undone.

    Args:
        database: where the migration comes next.
        migration: which one that should be; None leaves it to the history.

    Raises:
        AssertionError: nothing undoes it, the schema is not what it was, or the second time makes another one.
        psycopg.Error: one of the ways cannot be gone.
        SelectionError: it is another migration that comes next.
    """
    __tracebackhide__ = True
    before = database.schema()
    applied = database.apply(migration)
    after = database.schema()
    try:
        database.rollback()
    except IrreversibleError as error:
        raise AssertionError(str(error)) from None
    down = applied.relative_down
    if lines := schema_difference(before, database.schema()):
        raise AssertionError("\n".join([f"{down} does not restore the schema:", *lines]))
    database.apply(applied)
    if lines := schema_difference(after, database.schema()):
        head = f"applied again after {down}, {applied.relative_path} makes another schema:"
        raise AssertionError("\n".join([head, *lines]))


def assert_plan_uses(
    database: MigrationDatabase, index: str, query: str, parameters: Parameters = None
) -> None:
    """Assert that a query would use an index if its tables were big; see `MigrationDatabase.plan`.

    Args:
        database: where it is planned.
        index: its name; the schema may be left out where one has it.
        query: what is planned, and not run.
        parameters: its values.

    Raises:
        AssertionError: its plan does not use the index.
        SelectionError: there is no such index.
        psycopg.Error: what the server says against the query.
    """
    __tracebackhide__ = True
    plan = database.plan(query, parameters)
    name = index_in(database.schema(), index)
    if not plan.uses(name):
        lines = ["  " + line for line in plan.text.splitlines()]
        raise AssertionError(
            "\n".join([f"the plan does not use {name}, even with enable_seqscan off:", *lines])
        )


def schema_difference(one: Schema, other: Schema) -> list[str]:
    """Return the lines that show what must happen to get from one schema to another; none where they are the same."""
    return [f"  {line.text}" for line in render(diff(one, other))]


def _schema(one: Schema | MigrationDatabase) -> Schema:
    return one.schema() if isinstance(one, MigrationDatabase) else one


def _relation(rehearsal: Rehearsal, named: str) -> str:
    __tracebackhide__ = True
    return relation_in((rehearsal.schema_before, rehearsal.schema_after), named)


def _demand_known(kind: str, named: str | None, known: set[str]) -> None:
    __tracebackhide__ = True
    if named is None or named in known:
        return
    close = get_close_matches(named, sorted(known), n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}?" if close else "`pytest --migsafe-rules` lists them"
    raise SelectionError(f"there is no {kind} {named!r}; {hint}")


def _demand_applied(rehearsal: Rehearsal) -> None:
    """See that a file went to its end: of one that did not, nothing can be said."""
    __tracebackhide__ = True
    error = rehearsal.error
    if error is not None:
        place = f"{rehearsal.migration.relative_path}:{error.line}:{error.column}"
        raise AssertionError(f"{place}: cannot be applied: {error.message}")


def _strength(mode: str) -> int:
    return LOCK_MODES.index(mode)


def _lock_finding(rehearsal: Rehearsal, statement: StatementEvidence, locks: list[RelationLock]) -> Finding:
    """Return the locks of a statement as a finding, so that they are shown as one."""
    names = {lock.relation for lock in locks}
    remedies = (
        one.remedy
        for one in rehearsal.findings
        if one.line == statement.line and names.intersection(one.objects) and one.family == _BLOCKING
    )
    return Finding(
        rule="",
        family="",
        severity=Severity.ERROR,
        path=rehearsal.migration.relative_path,
        line=statement.line,
        column=statement.column,
        message=", ".join(f"{lock.mode} on {lock.relation}" for lock in locks),
        evidence=tuple(
            f"{Hold(lock, statement).waiting} of {Hold(lock, statement).relation} wait while it is held"
            for lock in locks
            if blocks(lock)
        ),
        remedy=next(remedies, ""),
    )


def _told(rehearsal: Rehearsal, verdict: str, found: list[Finding]) -> str:
    # Only what fails pays for the reports, which bring along all that rehearses.
    from pytest_migsafe.reports.failure import excerpt, facts  # noqa: PLC0415

    first, *others = sorted(found, key=lambda one: (one.line, one.column))
    more = f" (and {len(others)} more)" if others else ""
    lines = [f"{rehearsal.migration.relative_path} {verdict}: {_headline(first)}{more}"]
    for finding in (first, *others):
        if finding is not first:
            lines += ["", _headline(finding)]
        lines += [*excerpt(rehearsal.review, finding), *facts(finding)]
    return "\n".join(lines)


def _headline(finding: Finding) -> str:
    return f"{finding.rule}: {finding.message}" if finding.rule else finding.message
