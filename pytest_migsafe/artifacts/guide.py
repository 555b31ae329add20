"""The rollback guide: what to do on the day on which a deployment went wrong, with this file's facts in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_migsafe.artifacts.verdict import Judged, Verdict
from pytest_migsafe.catalog import Change, diff, render
from pytest_migsafe.catalog.lexical import last_part, own_name, parent_of, quoted
from pytest_migsafe.rehearsal.way_back import Source
from pytest_migsafe.rules.compatibility.check import FAMILY as BREAKS_OLD_CODE
from pytest_migsafe.rules.downtime import Downtime
from pytest_migsafe.texts.markdown import block, code, codes, listed, plain, table

_MEANING = {
    Verdict.PROVEN: "it was run, the schema was what it had been before, and nothing is lost",
    Verdict.LOSSY: "it was run, and the schema was what it had been before; rows or values are not",
    Verdict.INCOMPLETE: "it was run, and the schema was not what it had been before",
    Verdict.IMPOSSIBLE: "there is no way back that runs",
    Verdict.UNTESTED: "it could not be tried",
}
_WAITING = {
    Downtime.NONE: "no reader and no writer waits for it",
    Downtime.SHORT: "others wait for an instant, once it has its locks",
    Downtime.WINDOW: "others wait for work that grows with the tables",
}


_BY_THE_RUNNER = (
    "Have the project's runner undo the migration: then it also knows that it is not applied any more. `rollback.sql` is "
    "what it runs."
)
_BY_HAND = (
    "Run it as the role that migrations run as: `psql -X -v ON_ERROR_STOP=1 -f rollback.sql`. It is one transaction, and "
    "gives up when a lock is not to be had within two seconds; run it again then."
)


@dataclass(frozen=True)
class Guide:
    """The guide for one migration."""

    judged: Judged

    def sql(self) -> str:
        """Return the SQL of the way back, with what is known of it in front; empty where there is none."""
        way, review = self.judged.way, self.judged.review
        if not way.sql:
            return ""
        if way.source is Source.OWN:
            origin = f"The project's own, of {way.file or 'its section'}; its runner: {way.manner}."
        else:
            origin = "Made by pytest-migsafe of the schemas before and after."
        lines = [
            f"-- Undoes {review.migration.relative_path}. {origin}",
            f"-- {self.judged.verdict.value}, seen on PostgreSQL {review.postgres}: read rollback.md first.",
        ]
        return "\n".join([*lines, "", way.sql.strip("\n"), ""])

    def lines(self) -> Iterator[str]:
        """Yield the guide as Markdown."""
        judged = self.judged
        yield f"# The way back from {plain(judged.review.migration.relative_path)}"
        if judged.evidence.applied:
            yield from ("", f"**{judged.verdict.value}**: {self._meaning()}.")
        else:
            yield from ("", *self._failed())
        if judged.why:
            yield ""
            yield from listed(plain(one) for one in judged.why)
        if judged.evidence.applied:
            yield from self._decision()
        yield from self._steps()
        yield from self._sql()
        yield from self._remarks()

    def _meaning(self) -> str:
        if self.judged.way.source is Source.NONE:
            return "the file changes nothing in the schema" + (
                "; what it did with rows, only a backup brings back" if self.judged.taken else ""
            )
        return _MEANING[self.judged.verdict]

    def _failed(self) -> Iterator[str]:
        evidence = self.judged.evidence
        error = evidence.error
        assert error is not None  # noqa: S101 - it was not applied
        yield f"The file was not applied: {plain(error.message)} (line {error.line})."
        stayed = [line.text for line in render(diff(evidence.before, evidence.after))]
        yield ""
        if not stayed:
            yield "Nothing of it stayed in the schema: mend the file, and apply it."
            return
        yield "This stayed, for it is not one transaction. Undo it before the next try:"
        yield ""
        yield from block("\n".join(stayed), "diff")

    # -- what to decide ---------------------------------------------------------------------------------------

    def _decision(self) -> Iterator[str]:
        yield from ("", "## What to decide", "", f"{self._advice()}", "")
        yield from table(
            ("Way", "Choose it when", "In this case"),
            (
                (
                    "Forward fix",
                    "the application runs, or the schema can be mended by a migration more",
                    self._forward(),
                ),
                (
                    "Roll back",
                    "the schema itself is the fault, and nothing that matters is lost",
                    self._back(),
                ),
                ("Restore a backup", "rows or values are needed that are gone", self._restore()),
            ),
        )

    def _advice(self) -> str:
        judged = self.judged
        if judged.way.source is Source.NONE:
            return (
                "There is nothing to roll back in the schema. Mend the rows by a migration more, or restore them."
                if judged.taken
                else "There is nothing to roll back."
            )
        if judged.verdict in {Verdict.INCOMPLETE, Verdict.IMPOSSIBLE, Verdict.UNTESTED}:
            return "Do not count on rolling back: mend by a migration more, or restore a backup."
        if judged.taken:
            return (
                "Rolling back brings the structure, and not what was in it: mend by a migration more, unless a backup "
                "can be restored."
            )
        if judged.since:
            return (
                "Roll back soon, or not at all: whatever the application has written to what is new is lost with it. Once "
                "that matters, mend by a migration more."
            )
        return "Rolling back is safe: nothing is lost by it."

    def _forward(self) -> str:
        findings = self.judged.review.findings
        found = dict.fromkeys(one.rule for one in findings if one.family == BREAKS_OLD_CODE)
        if found:
            return (
                f"the previous version of the application does not run on this schema ({codes(found)}): it cannot simply be "
                "deployed again meanwhile"
            )
        return "the previous version of the application runs on this schema as it is: it can be deployed again meanwhile"

    def _back(self) -> str:
        judged = self.judged
        if judged.way.source is Source.NONE:
            return "nothing to do"
        waits = f"; {_WAITING[judged.downtime.downtime]}" if judged.downtime is not None else ""
        lost = "; what was written since is lost, see above" if judged.since else ""
        return f"{judged.verdict.value}{lost}{waits}"

    def _restore(self) -> str:
        if self.judged.taken:
            return "it is the only way to " + "; ".join(plain(one) for one in self.judged.taken)
        return "not needed: the file takes nothing away"

    # -- what to do -------------------------------------------------------------------------------------------

    def _steps(self) -> Iterator[str]:
        steps = list(self._what_to_do())
        if steps:
            yield from ("", "## Steps", "")
            for number, (first, *more) in enumerate(steps, start=1):
                yield f"{number}. {first}"
                yield from (f"   {line}" for line in more)

    def _what_to_do(self) -> Iterator[Sequence[str]]:
        judged = self.judged
        way = judged.way
        if not way.sql:
            return
        yield [
            "Deploy the previous version of the application, or stop it: nothing may use what is about to go."
        ]
        if judged.since:
            saved = list(self._saving())
            yield ["Save what is lost otherwise:", "", *block("\n".join(saved), "sql"), ""]
        if judged.risks:
            yield ["Look at what may be in the way:", "", *listed(plain(one) for one in judged.risks), ""]
        if way.source is Source.OWN:
            yield [_BY_THE_RUNNER]
        else:
            yield [_BY_HAND]
            yield [
                "Tell the project's runner that the migration is not applied any more, in its table of versions."
            ]
        yield ["See that the schema is what it was: `schema-before.json` and `schema.diff` say what that is."]

    def _saving(self) -> Iterator[str]:
        """Yield SQL that keeps what the way back drops."""
        columns: dict[str, list[str]] = {}
        for one in self.judged.since:
            if one.is_table:
                yield f"CREATE TABLE {_kept(one.name)} AS TABLE {one.name};"
            else:
                columns.setdefault(parent_of(one.name), []).append(own_name(one.name))
        for relation, names in columns.items():
            listed_columns = ", ".join([*self._key(relation), *names])
            kept = _kept(relation)
            yield f"CREATE TABLE {kept} AS SELECT {listed_columns} FROM {relation};"  # noqa: S608 - to be read

    def _key(self, relation: str) -> tuple[str, ...]:
        """Return the columns by which a saved value finds its row again."""
        keys = (
            one.columns
            for one in self.judged.evidence.after.constraints.values()
            if one.relation == relation and one.type == "primary key"
        )
        return next(keys, ())

    # -- the SQL, and what there is to say of it --------------------------------------------------------------

    def _sql(self) -> Iterator[str]:
        way, judged = self.judged.way, self.judged
        if not way.sql:
            return
        whose = "the project's own" if way.source is Source.OWN else "made of the schemas before and after"
        yield from (
            "",
            "## The SQL",
            "",
            f"It is {whose}, and stands in [rollback.sql](rollback.sql), too.",
            "",
        )
        yield from block(way.sql, "sql")
        if judged.downtime is not None:
            yield from ("", f"Who waits: {_WAITING[judged.downtime.downtime]}.", "")
            yield from listed(plain(one) for one in judged.downtime.proof)
        if judged.remedies:
            yield from ("", "## Without a stall", "")
            yield "What others would wait for, and the way in which they do not:"
            for remedy in judged.remedies:
                yield ""
                yield from block(remedy)
        if way.lacking:
            yield from ("", "## What it lacks", "")
            yield "Made of the schemas, and not tried as a part of the file:"
            yield ""
            yield from block("\n".join(way.lacking), "sql")

    def _remarks(self) -> Iterator[str]:
        way = self.judged.way
        lines = []
        if moved := [one.name for one in way.physical if _is_in_another_order(one)]:
            lines.append(f"The columns stand in another order, which means the same: {codes(moved)}.")
        if way.source is Source.GENERATED and "\nDROP INDEX " in way.sql:
            lines.append(_CONCURRENTLY)
        if way.again_differs:
            names = ", ".join(code(f"{one.kind} {one.name}") for one in way.again_differs)
            lines.append(
                f"Applied again after it, the file makes something else than the first time: {names}."
            )
        elif way.source is Source.OWN and self.judged.verdict in {Verdict.PROVEN, Verdict.LOSSY}:
            lines.append("The file was applied again after it, and made the same as the first time.")
        lines += [f"{code(statement)} was refused: {plain(error)}" for statement, error in way.refused]
        if lines:
            yield from ("", "## Remarks", "")
            yield from listed(lines)


_CONCURRENTLY = (
    "Nobody waits where an index is dropped by `DROP INDEX CONCURRENTLY`, which no transaction may be around."
)


def _is_in_another_order(change: Change) -> bool:
    return any(name == "column_order" for name, *_ in change.attributes)


def _kept(relation: str) -> str:
    """Return the name of a table that keeps what another had."""
    return f"{parent_of(relation)}.{quoted(f'{last_part(relation)}_kept')}"
