"""More of the family *left-behind*: what a file's text does not say of what the database is like after it."""

import re
from collections.abc import Iterator

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.lexical import last_part, schema_of, unquoted
from pytest_migsafe.catalog.objects import Home
from pytest_migsafe.catalog.schema import Function, Sequence, Table, Type, View
from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.migrations.source import SourceText
from pytest_migsafe.migrations.statements import CreatedObject
from pytest_migsafe.rehearsal.evidence import Evidence, StatementEvidence
from pytest_migsafe.rules.registry import rule

_CREATING = frozenset({"CreateStmt", "CreateTableAsStmt", "ViewStmt", "CreateFunctionStmt", "CreateSeqStmt"})


@rule(
    id="created-object-missing",
    family="left-behind",
    severity=Severity.ERROR,
    title="What a file creates is not there after it.",
    why=(
        "The file went through, its runner notes it as applied, and the object is not in the database: a ROLLBACK that was left "
        "in the file, or an event trigger, has taken it away again. The next deployment fails for want of it."
    ),
    remedy="Take the ROLLBACK out of the file.",
    manual="ROLLBACK",
    peers={"pgTAP": "has_table, has_view, has_function, by hand"},
)
def created_object_missing(evidence: Evidence) -> Iterator[Finding]:
    """Look for each relation and function that a statement creates and that no later statement names."""
    if not evidence.applied or not any(_undoes(one) for one in evidence.statements):
        return
    for place, statement in enumerate(evidence.statements):
        if statement.node not in _CREATING:
            continue
        for created in _created(statement):
            later = (one for one in evidence.statements[place + 1 :] if not _undoes(one))
            named = re.compile(rf"(?<!\w){re.escape(created.name)}(?!\w)", re.IGNORECASE)
            if not _is_there(evidence.after, created) and not any(named.search(one.text) for one in later):
                yield created_object_missing.finding(
                    evidence,
                    line=statement.line,
                    column=statement.column,
                    message=f"the {created.kind} {created.name} is created here, and is not there after the file",
                    evidence=tuple(
                        f"line {one.line}: {one.text}" for one in evidence.statements if _undoes(one)
                    ),
                    remedy=created_object_missing.remedy,
                    objects=(created.name,),
                )


def _undoes(statement: StatementEvidence) -> bool:
    # ROLLBACK TO a savepoint is meant: it says what of the transaction goes.
    return statement.node == "TransactionStmt" and bool(_ROLLBACK.match(statement.text))


_ROLLBACK = re.compile(r"(?:rollback|abort)\b(?!.*\bto\b)", re.IGNORECASE | re.DOTALL)


def _created(statement: StatementEvidence) -> Iterator[CreatedObject]:
    if re.match(r"create\s+(?:or\s+replace\s+)?(?:(?:global|local)\s+)?temp", statement.text, re.IGNORECASE):
        return
    # The grammar costs 50 ms to import, and few files roll back.
    from pytest_migsafe.migrations.grammar import split_statements  # noqa: PLC0415

    for one in split_statements(SourceText(statement.text)):
        yield from (
            created for created in one.creates if created.kind in {"table", "view", "sequence", "function"}
        )


def _is_there(schema: Schema, created: CreatedObject) -> bool:
    catalog = "function" if created.kind == "function" else "relation"
    return any(
        home.catalog == catalog
        and last_part(home.name) == created.name
        and (not created.schema or unquoted(schema_of(home.name)) == created.schema)
        for home in schema.homes
    )


@rule(
    id="undeclared-object",
    family="left-behind",
    severity=Severity.OFF,
    title="A file makes an object that its text does not name.",
    why="It comes from SQL that is put together when the file runs, or from a trigger; whoever reviews the file does not see it.",
    remedy="Write out what is created, or have the list reviewed.",
    manual="PL/pgSQL, Executing Dynamic Commands",
    peers={"Atlas": "drift detection (Pro)"},
)
def undeclared_object(evidence: Evidence) -> Iterator[Finding]:
    """Look for new relations, functions and types whose name stands nowhere in the file."""
    if not evidence.applied:
        return
    text = "\n".join(one.text for one in evidence.statements).lower()
    for home in sorted(evidence.after.homes.keys() - evidence.before.homes.keys()):
        one = _independent(evidence.after, home)
        if one is not None and last_part(home.name).lower() not in text:
            yield undeclared_object.finding(
                evidence,
                message=f"the {one.KIND} {home.name} is new, and the file does not name it",
                remedy=undeclared_object.remedy,
                objects=(home.name,),
            )


def _independent(schema: Schema, home: Home) -> Table | View | Function | Type | Sequence | None:
    """Return what a home is named after, if it can be made by itself: not the sequence of a column."""
    for one in schema.homes[home].values():
        if isinstance(one, Table | View | Function | Type) or (
            isinstance(one, Sequence) and one.owned_by is None
        ):
            return one
    return None


@rule(
    id="setting-for-later-sessions",
    family="left-behind",
    severity=Severity.OFF,
    title="A file changes a setting of a role or of the database.",
    why=(
        "ALTER ROLE ... SET and ALTER DATABASE ... SET change how every later session behaves, the application's too, and no schema "
        "diff shows it."
    ),
    remedy="ALTER ROLE ... RESET or ALTER DATABASE ... RESET, unless it is meant.",
    manual="ALTER ROLE; ALTER DATABASE; pg_db_role_setting",
)
def setting_for_later_sessions(evidence: Evidence) -> Iterator[Finding]:
    """Report each setting that is another one after the file."""
    for one in evidence.cluster_changes:
        if one.kind == "setting":
            yield setting_for_later_sessions.finding(
                evidence,
                message=f"the settings of {one.name} are other ones for later sessions",
                evidence=(f"before: {one.before or 'none'}", f"after: {one.after or 'none'}"),
                remedy=setting_for_later_sessions.remedy,
                objects=(one.name,),
            )
