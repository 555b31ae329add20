"""What a smoke test is: a function from a database as it is to its defects, made a rule that reports the new ones."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_migsafe.catalog.lexical import LONGEST_NAME, last_part
from pytest_migsafe.catalog.renames import renamed, renames
from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.migrations.operations import operations
from pytest_migsafe.rehearsal.evidence import Evidence, StatementEvidence
from pytest_migsafe.rehearsal.state import State
from pytest_migsafe.rules.registry import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """What is wrong with one object of a database as it is."""

    #: The object, by its qualified name.
    subject: str
    #: Tells apart several defects that one smoke test finds in one object; with the subject it is what
    #: makes a defect the same before and after a file.
    detail: str = ""
    #: What happens, complete in one line.
    message: str
    #: What the server says, one fact a line.
    evidence: tuple[str, ...] = ()
    #: The safe way as SQL for this object.
    remedy: str = ""
    #: None: the rule's own.
    severity: Severity | None = None
    #: What a statement that causes the defect names, the most telling first; the subject is looked for last.
    named: tuple[str, ...] = ()
    #: The other objects concerned.
    objects: tuple[str, ...] = ()


Examine = Callable[[State], Iterator[Defect]]


@dataclass(frozen=True, kw_only=True)
class SmokeTest(Rule):
    """A rule over the database as a file leaves it."""

    #: Where reports list it: one of `SECTIONS`.
    section: str
    #: Finds the defects of a database as it is, or of the part that is looked at.
    examine: Examine = field(compare=False)
    #: Whether what it finds is legitimate between two files of a history, so that only the end state is asked.
    at_end_only: bool = False

    def defects(self, state: State) -> tuple[Defect, ...]:
        """Return what is wrong with a database as it is."""
        return tuple(self.examine(state))

    def describe(self, defect: Defect, path: str, statements: Sequence[StatementEvidence] = ()) -> Finding:
        """Return a defect as a finding in the file that caused it by one of its statements."""
        statement = cause(statements, (*defect.named, defect.subject))
        return Finding(
            rule=self.id,
            family=self.family,
            path=path,
            severity=defect.severity or self.severity,
            line=statement.line if statement is not None else 0,
            column=statement.column if statement is not None else 0,
            message=defect.message,
            evidence=defect.evidence,
            remedy=defect.remedy or self.remedy,
            objects=(defect.subject, *defect.objects),
        )


#: The sections of the summary, in their order.
SECTIONS = (
    "tables",
    "constraints",
    "foreign keys",
    "indexes",
    "sequences",
    "RLS",
    "policies",
    "privileges",
    "functions",
    "triggers",
    "views",
    "others",
)


#: Says what a file is told of the defects that it caused: which belong together, and how grave they are here.
Tell = Callable[[Evidence, Sequence[Defect]], Iterable[Defect]]
#: Compares a database before and after a file.
Compare = Callable[[Evidence], Iterator[Defect]]


def _each(_: Evidence, defects: Sequence[Defect]) -> Iterable[Defect]:
    return defects


def smoke_test(*, section: str, tell: Tell = _each, **metadata: Any) -> Callable[[Examine], SmokeTest]:
    """Make a smoke test of a function from a state to its defects; ``metadata`` are the other fields of ``Rule``."""
    assert section in SECTIONS, section  # noqa: S101 - a slip of ours

    def decorate(examine: Examine) -> SmokeTest:
        def newly_caused(evidence: Evidence) -> Iterator[Finding]:
            # What a failed file left is no state that anybody goes on from.
            if evidence.applied and not made.at_end_only:
                new = tuple(new_defects(made, evidence.state_before, evidence.state_after))
                for defect in tell(evidence, new) if new else ():
                    yield made.describe(defect, evidence.path, evidence.statements)

        made = SmokeTest(section=section, examine=examine, check=newly_caused, **metadata)
        return made

    return decorate


def change_test(*, section: str, **metadata: Any) -> Callable[[Compare], SmokeTest]:
    """Make a smoke test of what is no defect of a state: it is the change that may be wrong."""
    assert section in SECTIONS, section  # noqa: S101 - a slip of ours

    def decorate(compare: Compare) -> SmokeTest:
        def caused(evidence: Evidence) -> Iterator[Finding]:
            if evidence.applied:
                for defect in compare(evidence):
                    yield made.describe(defect, evidence.path, evidence.statements)

        made = SmokeTest(section=section, examine=lambda _: iter(()), check=caused, **metadata)
        return made

    return decorate


def new_defects(test: SmokeTest, before: State, after: State) -> Iterator[Defect]:
    """Yield the defects of a state that another, of which it was made, did not have."""
    found = test.defects(after)
    if not found:
        return
    known = {(one.subject, one.detail) for one in test.defects(before)}
    new = [one for one in found if (one.subject, one.detail) not in known]
    if new and known:
        # What has another name now was wrong already under its old one.
        names = renames(before.schema, after.schema)
        known = {(renamed(subject, names), detail) for subject, detail in known}
    yield from (one for one in new if (one.subject, one.detail) not in known)


def cause(statements: Sequence[StatementEvidence], names: Iterable[str]) -> StatementEvidence | None:
    """Return the statement that most likely caused a defect: of those that say the first name that is said at all.

    The one that is about just this (ADD COLUMN of it, where an index and a constraint name it, too), then the one that says
    most of the other names, and of several the last. What a file's only statement does not name, as with CASCADE, it caused
    all the same.
    """
    some = list(names)
    words = [_word(last_part(name)) for name in some]
    for name, word in zip(some, words, strict=True):
        found = [one for one in statements if word.search(_about(one))]
        if len(found) == 1:
            return found[0]
        if found:
            return max(
                reversed(found),
                key=lambda one: (
                    _is_about(one, last_part(name)),
                    sum(1 for each in words if each.search(_about(one))),
                    one.node not in _NAMES_IN_PASSING,
                ),
            )
    for name in some:
        for statement in reversed(statements):
            if any(lock.relation == name and lock.mode != "AccessShareLock" for lock in statement.locks):
                return statement
    changing = [one for one in statements if one.node not in _CHANGES_NO_SCHEMA]
    return changing[0] if len(changing) == 1 else None


def _is_about(statement: StatementEvidence, name: str) -> bool:
    """Whether a statement makes or changes the column, constraint or index of a name, and not only something with it."""
    return statement.node in _HAS_PARTS and any(one.name == name for one in operations(statement.text))


_HAS_PARTS = frozenset({"AlterTableStmt", "IndexStmt"})


def speaks_of(statement: StatementEvidence, name: str) -> bool:
    """Whether a statement says the last part of a qualified name."""
    return _word(last_part(name)).search(_about(statement)) is not None


_FUNCTION_AND_NAME = re.compile(r"\b(?:function|procedure)\b[^(]*", re.IGNORECASE)


def _about(statement: StatementEvidence) -> str:
    """Return the part of a statement that says what it is about: a function's body is run another time."""
    if statement.node == "CreateFunctionStmt" and (found := _FUNCTION_AND_NAME.search(statement.text)):
        return found[0]
    return statement.text


#: Says a function's or a table's name, and changes nothing about it.
_NAMES_IN_PASSING = frozenset(
    {
        "AlterOwnerStmt",
        "CommentStmt",
        "CreateEventTrigStmt",
        "CreateTrigStmt",
        "GrantStmt",
        "SelectStmt",
        "ViewStmt",
    }
)

#: What stands around the one statement of a file, and is not what caused anything in the schema.
_CHANGES_NO_SCHEMA = frozenset({"TransactionStmt", "VariableSetStmt"})


def _word(name: str) -> re.Pattern[str]:
    """Return what a name looks like in a statement, in which it may be longer than what PostgreSQL made of it."""
    end = "" if len(name.encode()) >= LONGEST_NAME else r"(?!\w)"
    return re.compile(rf"(?<!\w){re.escape(name)}{end}", re.IGNORECASE)
