"""Which command of an ALTER TABLE did the work: each is run once more alone, and rolled back.

PostgreSQL carries out the commands of an ALTER TABLE together: one reading of the table proves a NOT NULL and a CHECK, and
writes a column of another type. What each of them asks for is seen when it is run alone. That costs time, so it is done only
where a statement did work that grows with a table, and nothing of it remains: after it the statement is run as it stands.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg

from pytest_migsafe.migrations.model import Script
from pytest_migsafe.migrations.source import CharOffset
from pytest_migsafe.migrations.statements import Statement
from pytest_migsafe.rehearsal.trace import RelationReading, TracedStatement, Tracer, TransactionReading

if TYPE_CHECKING:
    from pytest_migsafe.migrations.commands import Command

_SET = b"SAVEPOINT migsafe_commands"
_BACK = b"ROLLBACK TO SAVEPOINT migsafe_commands"
_RELEASE = b"RELEASE SAVEPOINT migsafe_commands"


class Attribution:
    """Runs the statements of a file in the transaction block that is open, and tells the work of their commands apart."""

    def __init__(self, connection: psycopg.Connection[Any], tracer: Tracer, script: Script) -> None:
        """Ask, where the file has such statements, which relations there are before it."""
        self._connection = connection
        self._tracer = tracer
        self._commands = _commands(script)
        self._newest = tracer.newest() if self._commands else 0

    def run(self, statement: Statement, before: TransactionReading) -> TracedStatement:
        """Run a statement and read what it did, by its commands where it has several and did work."""
        commands = self._commands.get(statement.start, ())
        if not commands:
            return self._tracer.run(statement, before)
        self._connection.execute(_SET)
        whole = self._tracer.run(statement, before)
        if whole.after is None:
            return whole
        if self._has_worked(statement, before, whole.after) and not self._has_drawn(whole.after):
            whole = self._run_by_commands(statement, commands, whole.after)
        if whole.after is not None:
            self._connection.execute(_RELEASE)
        return whole

    def _has_worked(
        self, statement: Statement, before: TransactionReading, after: TransactionReading
    ) -> bool:
        """Whether a table that was there before the file may have been read or copied as a whole."""
        # Only SET TABLESPACE copies a table without reading it.
        return "tablespace" in statement.text.lower() or any(
            now.scans > (before.relations[oid].scans if oid in before.relations else 0)
            for oid, now in after.relations.items()
            if oid <= self._newest
        )

    def _has_drawn(self, after: TransactionReading) -> bool:
        """Whether numbers were drawn from a sequence that was there before: no rollback would put them back."""
        return any(
            one.kind == "sequence" and "RowExclusiveLock" in one.modes
            for oid, one in after.relations.items()
            if oid <= self._newest
        )

    def _run_by_commands(
        self, statement: Statement, commands: "tuple[Command, ...]", seen: TransactionReading
    ) -> TracedStatement:
        """Undo a statement, run its commands, undo them, and run it again."""
        self._connection.execute(_BACK)
        parts = self._run_alone([_as_statement(statement, one) for one in commands], seen.relations)
        self._connection.execute(_BACK)
        touched = {oid for one in parts if one.after is not None for oid in one.after.relations}
        again = self._tracer.run(statement, self._ground(touched | seen.relations.keys()))
        is_told_apart = all(one.after is not None for one in parts)
        return replace(again, parts=tuple(parts) if is_told_apart else ())

    def _run_alone(
        self, commands: list[Statement], touched: Mapping[int, RelationReading]
    ) -> list[TracedStatement]:
        """Run commands one after the other, up to the first that fails."""
        ground = reading = self._ground(touched)
        parts: list[TracedStatement] = []
        for command in commands:
            part = self._tracer.run(command, reading)
            parts.append(part)
            if part.after is None:
                break
            reading = replace(part.after, relations={**ground.relations, **part.after.relations})
        return parts

    def _ground(self, oids: Iterable[int]) -> TransactionReading:
        """Return what there is now, also of relations that are not locked: counters outlive a rollback."""
        unlocked = self._tracer.baseline(oids)
        now = self._tracer.read()
        return replace(now, relations={**unlocked, **now.relations})


def _commands(script: Script) -> "dict[CharOffset, tuple[Command, ...]]":
    """Return the commands of each statement that has several, by the statement's place."""
    altering = [one for one in script.statements if one.node == "AlterTableStmt"]
    if not altering:
        return {}
    # The grammar costs 50 ms to import, and a file without such a statement may have come without it.
    from pytest_migsafe.migrations.commands import single_commands  # noqa: PLC0415

    return {one.start: commands for one in altering if (commands := single_commands(one.text))}


def _as_statement(statement: Statement, command: "Command") -> Statement:
    return Statement(
        text=command.text,
        start=CharOffset(statement.start + command.start),
        end=CharOffset(statement.start + command.end),
        node=statement.node,
    )
