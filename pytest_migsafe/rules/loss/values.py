"""Values that another type cuts or rounds."""

import re
from collections.abc import Iterator

from pytest_migsafe.catalog.lexical import last_part
from pytest_migsafe.catalog.schema import Column, Table
from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.migrations.definitions import loss
from pytest_migsafe.migrations.operations import operations
from pytest_migsafe.rehearsal.evidence import Evidence, StatementEvidence
from pytest_migsafe.rules.loss.check import FAMILY, found_of, is_judged
from pytest_migsafe.rules.registry import rule
from pytest_migsafe.rules.smoke.check import cause

_TYPE = re.compile(r"(?P<base>.*?)(?:\((?P<modifiers>[-\d,\s]+)\))?(?P<zone> with(?:out)? time zone)?")
_TIMESTAMP = r"timestamp with(out)? time zone"
_WHOLE = r"smallint|integer|bigint"
#: What a cast leaves out without an error, by the types before and after (manual: "Date/Time Types", "Numeric Types").
_LOST: tuple[tuple[str, str, str], ...] = (
    (_TIMESTAMP, r"date", "the time of day is lost"),
    (_TIMESTAMP, r"time with(out)? time zone", "the date is lost"),
    (r"numeric|real|double precision", _WHOLE, "what is behind the point is rounded away"),
    (r"numeric|bigint", r"real|double precision", "digits beyond the float's precision are lost"),
    (r"integer|double precision", r"real", "digits beyond the float's precision are lost"),
)


def _what_is_lost(was: str, now: str) -> str:
    """Return what the cast from one type to another leaves out without an error; empty: nothing."""
    old, new = _TYPE.fullmatch(was), _TYPE.fullmatch(now)
    if old is None or new is None:
        return ""
    before, after = old["base"] + (old["zone"] or ""), new["base"] + (new["zone"] or "")
    if before != after:
        fitting = (
            what for one, other, what in _LOST if re.fullmatch(one, before) and re.fullmatch(other, after)
        )
        return next(fitting, "")
    if before == "numeric" and new["modifiers"] and _scale(new) < _scale(old):
        return f"values are rounded to {_scale(new)} decimals"
    if before.startswith("time") and _precision(new) < _precision(old):
        return "fractions of seconds are rounded away"
    return ""


def _scale(found: "re.Match[str]") -> int:
    if found["modifiers"] is None:
        return 1000
    return int((*found["modifiers"].split(","), "0")[1])


def _precision(found: "re.Match[str]") -> int:
    return int(found["modifiers"] or 6)


@rule(
    id="values-cut",
    family=FAMILY,
    severity=Severity.WARNING,
    title="The new type of a column takes less than what its values say.",
    why="The cast rounds or cuts without an error, in every row, and there is no way back to the values as they were.",
    remedy="Add a column of the new type beside the old one, fill it, and drop the old one when nobody needs it any more.",
    manual="ALTER TABLE, SET DATA TYPE; Date/Time Types; Numeric Types",
    peers={"squawk": "changing-column-type"},
)
def values_cut(evidence: Evidence) -> Iterator[Finding]:
    """Look for columns of another type, whose cast or whose USING leaves something out."""
    if not evidence.applied:
        return
    found = evidence.identities
    for relation in (*found.kept("relation"), *found.gone_or_renamed):
        if not isinstance(evidence.before.get(Table.KIND, relation), Table) or not is_judged(
            evidence, relation
        ):
            continue
        for was in evidence.before.belonging_to(relation).values():
            now = found.column(was) if isinstance(was, Column) else None
            if (
                not isinstance(was, Column)
                or now is None
                or now.type == was.type
                or was.inherited
                or was.generated
            ):
                continue
            statement, using = _using(evidence, was)
            what = using if using is not None else _what_is_lost(was.type, now.type)
            if what:
                yield found_of(
                    values_cut,
                    evidence,
                    statement or cause(evidence.statements, (was.name, relation)),
                    message=f"{was.qualified_name} is {now.type} now, and was {was.type}: {what}",
                    objects=(was.qualified_name,),
                )


def _using(evidence: Evidence, column: Column) -> tuple[StatementEvidence | None, str | None]:
    """Return the statement that gives a column another type with USING, and what that leaves out; None: a plain cast."""
    name = last_part(column.qualified_name)
    for statement in evidence.statements:
        if statement.node != "AlterTableStmt" or name not in statement.text:
            continue
        for one in operations(statement.text):
            if (
                one.action == "AT_AlterColumnType"
                and one.name == name
                and one.definition.HasField("raw_default")
            ):
                lost = loss(one.definition.raw_default, name)
                return statement, lost or None
    return None, None
