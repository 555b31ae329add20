"""The rules as text: a list of all of them, and each one's page; the documentation is made of the same."""

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pytest_migsafe.findings import Severity
from pytest_migsafe.rules import Rule
from pytest_migsafe.rules.registry import is_own, place_of, severity_of

#: From the gravest on.
BY_SEVERITY = (Severity.ERROR, Severity.WARNING, Severity.OFF)
#: A line of text that is longer is hard to read, however wide the terminal is.
_WIDEST = 100
_NARROWEST = 40


def families(rules: Iterable[Rule]) -> dict[str, list[Rule]]:
    """Return the rules of each family, in the order in which the families first come."""
    found: dict[str, list[Rule]] = {}
    for rule in rules:
        found.setdefault(rule.family, []).append(rule)
    return found


def gravest_first(rules: Iterable[Rule], severities: Mapping[str, Severity]) -> list[Rule]:
    """Return rules by the severities that they have in a project."""
    return sorted(rules, key=lambda rule: BY_SEVERITY.index(severity_of(rule, severities)))


def rule_lines(rules: Sequence[Rule], severities: Mapping[str, Severity], width: int) -> Iterator[str]:
    """Yield the list of all rules, by family, each with its id, its severity in the project, and its title.

    ``severities`` are those that the settings give, by id; a severity that is not the rule's own has a star.
    """
    longest = max((len(rule.id) for rule in rules), default=0)
    for family, some in families(rules).items():
        yield f"{family}:"
        for rule in gravest_first(some, severities):
            severity = severity_of(rule, severities)
            star = "*" if severity is not rule.severity else ""
            head = f"  {rule.id:{longest}}  {severity.value + star:8}  "
            yield from _wrapped(head, rule.title, width)
        yield ""
    counts = {
        severity: sum(severity_of(rule, severities) is severity for rule in rules) for severity in BY_SEVERITY
    }
    counted = ", ".join(f"{number} {_COUNTED[severity]}" for severity, number in counts.items() if number)
    yield f"{len(rules)} rules: {counted}"
    if any(severity_of(rule, severities) is not rule.severity for rule in rules):
        yield "* not its own severity: the settings give it this one"
    yield "--migsafe-explain RULE says more of one"


_COUNTED = {Severity.ERROR: "errors", Severity.WARNING: "warnings", Severity.OFF: "off"}


def paragraphs(rule: Rule) -> Iterator[tuple[str, str]]:
    """Yield what there is to know of a rule beside its title: a heading and a text each."""
    # A team's own rule need not say them.
    if rule.why:
        yield "Why", rule.why
    if rule.remedy:
        yield "The safe way", rule.remedy
    if rule.manual:
        yield "PostgreSQL's manual", f"{rule.manual}."
    if rule.peers:
        yield "Elsewhere", ", ".join(f"{tool} {name}" for tool, name in rule.peers.items()) + "."
    if is_own(rule) and (place := place_of(rule)):
        yield "Where it is written", f"{place}."
    if not rule.is_waivable:
        yield "Waivers", "No comment in a file can allow it."


def explain_lines(rule: Rule, severities: Mapping[str, Severity], width: int) -> Iterator[str]:
    """Yield a rule's page for a terminal; ``severities`` are those that the settings give, by id."""
    own, given = rule.severity, severity_of(rule, severities)
    yield rule.id
    yield from _wrapped("", rule.title, width)
    yield ""
    changed = "" if own is given else f"; {given.value} in this project"
    yield f"Family {rule.family}. Severity: {own.value}{changed}."
    for heading, text in paragraphs(rule):
        yield ""
        yield f"{heading}:"
        yield from _wrapped("  ", text, width)
    if rule.is_waivable:
        yield ""
        yield "Where it is no danger, a comment above the statement allows it:"
        yield f"  -- migsafe: allow {rule.id} because ..."


def _wrapped(head: str, text: str, width: int) -> list[str]:
    """Return a text behind a head, in lines of a width; what would become too narrow goes below the head."""
    most = min(width, _WIDEST + len(head))
    if most - len(head) >= _NARROWEST:
        return textwrap.wrap(
            text,
            most,
            initial_indent=head,
            subsequent_indent=" " * len(head),
            break_on_hyphens=False,
            break_long_words=False,
        )
    below = textwrap.wrap(
        text,
        max(most, _NARROWEST),
        initial_indent="      ",
        subsequent_indent="      ",
        break_on_hyphens=False,
        break_long_words=False,
    )
    return [head.rstrip(), *below] if head.strip() else below


#: Commands whose page has hyphens in its name, by their first word.
_HYPHENATED = frozenset({"COMMIT", "PREPARE", "RELEASE", "ROLLBACK", "SECURITY", "SET", "START"})
_COMMAND = re.compile(r"([A-Z]+(?: [A-Z]+)*)(?=[,;]| \(|$)")


def manual_page(chapter: str) -> str:
    """Return the address of the manual's page on the SQL command that a chapter begins with; empty if it does not."""
    command = _COMMAND.match(chapter)
    if command is None:
        return ""
    words = command[1].lower().split()
    name = ("-" if words[0].upper() in _HYPHENATED else "").join(words)
    return f"https://www.postgresql.org/docs/current/sql-{name}.html"
