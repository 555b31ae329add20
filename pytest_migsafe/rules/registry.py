"""What a rule is, and how one is made of a function.

A team's own rules are made by the same decorator, in a conftest.py that is imported in every run of pytest: this module
imports nothing that costs time.
"""

import inspect
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

from pytest_migsafe.errors import RuleError
from pytest_migsafe.findings import Finding, RemedyFile, Severity

if TYPE_CHECKING:
    # It brings psycopg and PostgreSQL's grammar along, a fifth of a second.
    from pytest_migsafe.rehearsal.evidence import Evidence

#: What judges: most are generators.
Check = Callable[["Evidence"], Iterable[Finding]]

#: The family of rules of which none is said.
PROJECT = "project"

_KEBAB_CASE = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


class Placed(Protocol):
    """Something that stands in a file: a statement, a waiver, an error."""

    @property
    def line(self) -> int: ...  # noqa: D102 - 1-based

    @property
    def column(self) -> int: ...  # noqa: D102 - 1-based


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A judgement on one migration's evidence, and what people need to know about it."""

    #: Kebab-case and stable: settings, waivers and reports name the rule by it.
    id: str
    family: str
    severity: Severity
    #: One sentence.
    title: str
    #: What happens in production.
    why: str
    #: The safe way.
    remedy: str
    #: The chapter of PostgreSQL's manual that the rule rests on.
    manual: str = ""
    #: What other tools call it, by the tool's name.
    peers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    #: Whether a comment in the file can allow what the rule finds.
    is_waivable: bool = True
    #: Whether it would find the same in every run. What a pull request changes is no change any more once it is merged: a
    #: waiver of it stays behind in the file, and cannot be taken out without editing that again.
    is_lasting: bool = True
    check: Check

    def __call__(self, evidence: "Evidence") -> Iterator[Finding]:
        """Judge one migration's evidence.

        Raises:
            RuleError: what the rule's function returns, or yields, is no finding.
        """
        found = self.check(evidence)
        if not isinstance(found, Iterable):
            raise RuleError(f"the rule {self.id} returned {found!r}: yield findings")
        for one in found:
            if not isinstance(one, Finding):
                raise RuleError(
                    f"the rule {self.id} gave {one!r}: a finding is made by {self.id}'s own `finding(evidence, message=...)`"
                )
            yield one

    def finding(
        self,
        judged: "Evidence",
        /,
        *,
        message: str,
        statement: Placed | None = None,
        about: str | Iterable[str] = (),
        line: int = 0,
        column: int = 0,
        severity: Severity | str | None = None,
        evidence: str | Iterable[str] = (),
        remedy: str | None = None,
        files: Iterable[RemedyFile] = (),
        objects: str | Iterable[str] = (),
        details: Mapping[str, Any] = MappingProxyType({}),
    ) -> Finding:
        """Return a finding of this rule in the file that is judged.

        Args:
            judged: the evidence of the file.
            message: what happens, complete in its first line.
            statement: where: a statement of the evidence, or whatever else has a line and a column.
            about: names of objects, the most telling first: the place is the statement that is about them.
            line: where, 1-based; 0 when the whole file is concerned.
            column: where in the line, 1-based.
            severity: another than the rule's own; that of the settings goes before both.
            evidence: what PostgreSQL did or said, one fact a line.
            remedy: the safe way in this case; None: as the rule has it.
            files: the SQL of it.
            objects: the objects concerned, with their schemas; those that it is about where nothing is said.
            details: what reports may want besides, as JSON values.

        Raises:
            TypeError: ``details`` are no JSON values.
        """
        names = _texts(about)
        if statement is None and names:
            # What it takes to read statements costs a tenth of a second, and a rule's import should not.
            from pytest_migsafe.rules.smoke.check import cause  # noqa: PLC0415

            statement = cause(judged.statements, names)
        return Finding(
            rule=self.id,
            family=self.family,
            severity=self.severity if severity is None else _severity(severity, self.id),
            path=judged.path,
            line=statement.line if statement is not None else line,
            column=statement.column if statement is not None else column,
            message=str(message),
            evidence=_texts(evidence),
            remedy=self.remedy if remedy is None else remedy,
            files=tuple(files),
            objects=_texts(objects) or names,
            # It crosses processes as it is.
            details=json.loads(json.dumps(dict(details))) if details else {},
        )


def _texts(given: str | Iterable[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(str(one) for one in given)


@overload
def rule(check: Check, /) -> Rule: ...


@overload
def rule(
    *,
    id: str | None = None,
    family: str = PROJECT,
    severity: Severity | str = Severity.ERROR,
    title: str = "",
    why: str = "",
    remedy: str = "",
    manual: str = "",
    peers: Mapping[str, str] = MappingProxyType({}),
    is_waivable: bool = True,
    is_lasting: bool = True,
) -> Callable[[Check], Rule]: ...


def rule(
    check: Check | None = None,
    /,
    *,
    id: str | None = None,  # noqa: A002 - what the field is called
    severity: Severity | str = Severity.ERROR,
    family: str = PROJECT,
    title: str = "",
    why: str = "",
    **metadata: Any,
) -> Rule | Callable[[Check], Rule]:
    """Make a rule of a function from evidence to findings; the arguments are the other fields of ``Rule``.

    What is left out is taken from the function: the id from its name (``no_floats`` is *no-floats*), the title from the
    first paragraph of its docstring, and then the reasons from the others.

    Raises:
        RuleError: something is missing or wrong.
    """

    def decorate(check: Check) -> Rule:
        name = id if id is not None else str(getattr(check, "__name__", "")).strip("_").replace("_", "-")
        told = (title, why) if title else _told(check, why)
        made = Rule(
            id=name,
            family=family,
            severity=_severity(severity, name),
            title=told[0],
            why=told[1],
            remedy=metadata.pop("remedy", ""),
            check=check,
            **metadata,
        )
        if problem := problem_of(made):
            raise RuleError(problem)
        return made

    return decorate if check is None else decorate(check)


def _told(check: Check, why: str) -> tuple[str, str]:
    """Return title and reasons as a docstring gives them, each in one line."""
    written = inspect.cleandoc(check.__doc__ or "")
    first, *others = (" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", written))
    return first, why or " ".join(others)


def _severity(given: Severity | str, rule_id: str) -> Severity:
    try:
        return Severity(given)
    except ValueError as error:
        known = ", ".join(one.value for one in Severity)
        raise RuleError(f"the rule {rule_id}: {given!r} is no severity; known: {known}") from error


def problem_of(rule: Rule) -> str:
    """Return what is wrong with a rule by itself, in one line; empty when nothing is."""
    named = {"id": rule.id, "family": rule.family}
    for what, name in named.items():
        if not isinstance(name, str) or not _KEBAB_CASE.fullmatch(name):
            kebab = "-".join(re.findall(r"[a-z0-9]+", str(name).lower()))
            meant = f", {kebab!r}" if _KEBAB_CASE.fullmatch(kebab) else ""
            return (
                f"the rule {rule.id!r}: its {what} {name!r} is not kebab-case "
                f"(small letters, digits and single hyphens{meant})"
            )
    if not isinstance(rule.title, str) or not rule.title.strip():
        return f"the rule {rule.id!r} has no title: say what it finds in a sentence, as `title` or as the function's docstring"
    if not isinstance(rule.severity, Severity):
        return f"the rule {rule.id!r}: its severity {rule.severity!r} is none"
    return "" if callable(rule.check) else f"the rule {rule.id!r}: its check is no function"


def is_own(rule: Rule) -> bool:
    """Whether a rule is a team's own, or a package's, and does not come with pytest-migsafe."""
    return not getattr(rule.check, "__module__", "").startswith("pytest_migsafe.")


def place_of(rule: Rule) -> str:
    """Return where a rule's function is written, as ``file:line``; empty when that cannot be told."""
    code = getattr(inspect.unwrap(rule.check), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code is not None else ""


def severity_of(rule: Rule, severities: Mapping[str, Severity]) -> Severity:
    """Return a rule's severity, given those of the settings by id."""
    return severities.get(rule.id, rule.severity)


def meant(name: str, known: Iterable[str]) -> str:
    """Return what is said behind the name of a rule that there is not: which is meant, or how to find out."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else "; `pytest --migsafe-rules` lists them"


_Rule = TypeVar("_Rule", bound=Rule)


def graded(
    rules: Iterable[_Rule], severities: Mapping[str, Severity], ask: Callable[[_Rule], Iterable[Finding]]
) -> tuple[Finding, ...]:
    """Return what rules find when they are asked, with the severities that the settings give; those that are off are not."""
    found: list[Finding] = []
    for one in rules:
        given = severities.get(one.id)
        if severity_of(one, severities) is not Severity.OFF:
            found += (finding if given is None else replace(finding, severity=given) for finding in ask(one))
    return in_order(found)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings in the order of their file."""
    return tuple(sorted(findings, key=lambda finding: (finding.line, finding.column, finding.rule)))
