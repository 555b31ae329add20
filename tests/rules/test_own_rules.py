"""A team's own rules: a decorated function, what it may leave out, and what is said when it is not made as rules are."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from pytest_migsafe.errors import RuleError
from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.rehearsal.evidence import Evidence
from pytest_migsafe.reports.rules import explain_lines
from pytest_migsafe.rules import Rule, judge, rule
from pytest_migsafe.rules.builtin import RULES
from pytest_migsafe.rules.own import Given, with_own
from pytest_migsafe.rules.registry import is_own
from tests.rules.evidence import evidence, schema


@rule
def no_floats(given: Evidence) -> Iterator[Finding]:
    """Money is numeric, never
    a float.

    Floats are rounded, and the books
    do not add up.

    Auditors ask.
    """  # noqa: D205 - a title of two lines is one
    for one in given.statements:
        if "float" in one.text:
            yield no_floats.finding(given, statement=one, message="a float", evidence="it says float")


FILE = evidence("CREATE TABLE a (id int)", "CREATE TABLE b (x float)")


def test_what_a_function_leaves_out_is_taken_from_it() -> None:
    assert isinstance(no_floats, Rule)
    assert (no_floats.id, no_floats.family, no_floats.severity) == ("no-floats", "project", Severity.ERROR)
    assert no_floats.title == "Money is numeric, never a float."
    assert no_floats.why == "Floats are rounded, and the books do not add up. Auditors ask."
    assert (no_floats.remedy, no_floats.is_waivable) == ("", True)


def test_what_is_said_goes_before_what_the_function_says() -> None:
    @rule(id="money", family="books", severity="warning", title="No floats.", remedy="Use numeric.")
    def check(_: Evidence) -> Iterator[Finding]:
        """About the code."""
        return iter(())

    assert (check.id, check.family, check.severity) == ("money", "books", Severity.WARNING)
    assert (check.title, check.why, check.remedy) == ("No floats.", "", "Use numeric.")


def test_it_is_judged_by_like_any_other() -> None:
    (finding,) = judge(FILE, [no_floats])
    assert (finding.rule, finding.family, finding.severity) == ("no-floats", "project", Severity.ERROR)
    assert (finding.path, finding.line, finding.column) == ("migrations/2_b.sql", 2, 1)
    assert finding.evidence == ("it says float",)

    (warning,) = judge(FILE, [no_floats], {"no-floats": Severity.WARNING})
    assert warning.severity is Severity.WARNING
    assert judge(FILE, [no_floats], {"no-floats": Severity.OFF}) == ()


def test_a_finding_about_an_object_stands_at_the_statement_that_made_it() -> None:
    @rule
    def no_names(given: Evidence) -> Iterator[Finding]:
        """Nothing is called name."""
        for change in given.changes:
            if change.name.endswith(".name"):
                yield no_names.finding(given, about=change.name, message="a name")

    file = replace(
        evidence("ALTER TABLE users ADD name text", "ALTER TABLE users ADD age text"),
        before=schema(users="id"),
        after=schema(users="id name age"),
    )
    (finding,) = judge(file, [no_names])
    assert (finding.line, finding.objects) == (1, ("public.users.name",))


def test_details_are_plain_when_the_finding_is_made() -> None:
    assert no_floats.finding(FILE, message="m", details={"at": (1, 2), "how": Severity.OFF}).details == {
        "at": [1, 2],
        "how": "off",
    }
    with pytest.raises(TypeError, match="not JSON serializable"):
        no_floats.finding(FILE, message="m", details={"at": object()})


def test_its_page_says_what_there_is_and_where_it_is_written() -> None:
    lines = list(explain_lines(no_floats, {}, 300))
    assert lines[:5] == [
        "no-floats",
        "Money is numeric, never a float.",
        "",
        "Family project. Severity: error.",
        "",
    ]
    assert lines[-6:-3] == ["", "Where it is written:", f"  {__file__}:23."]
    assert "The safe way:" not in lines


def _defined(**metadata: Any) -> Callable[[], Rule]:
    def define() -> Rule:
        @rule(**metadata)
        def check(_: Evidence) -> Iterator[Finding]:
            return iter(())

        return check

    return define


@pytest.mark.parametrize(
    ("define", "complaint"),
    [
        (
            _defined(),
            "the rule 'check' has no title: say what it finds in a sentence, as `title` or as the function's docstring",
        ),
        (
            _defined(id="No floats!", title="T."),
            "the rule 'No floats!': its id 'No floats!' is not kebab-case (small letters, digits and single hyphens, 'no-floats')",
        ),
        (_defined(family="A_B", title="T."), "the rule 'check': its family 'A_B' is not kebab-case"),
        (
            _defined(severity="fatal", title="T."),
            "the rule check: 'fatal' is no severity; known: error, warning, off",
        ),
    ],
)
def test_a_rule_that_is_not_made_as_rules_are_is_refused_where_it_is_decorated(
    define: Callable[[], Rule], complaint: str
) -> None:
    with pytest.raises(RuleError) as caught:
        define()
    assert str(caught.value).startswith(complaint)


def test_what_the_decorator_does_not_know_is_named() -> None:
    with pytest.raises(TypeError, match="titel"):
        _defined(titel="T.")()


# -- beside those that come with pytest-migsafe ----------------------------------------------------------------


def _module(**values: object) -> ModuleType:
    module = ModuleType("acme_rules")
    vars(module).update(values)
    return module


def test_own_rules_come_after_the_built_in_ones_however_they_are_given() -> None:
    other = replace(no_floats, id="other")
    third = replace(no_floats, id="third")
    given = [Given(no_floats, "a"), Given([other], "b"), Given(_module(x=1, rule=third), "c"), Given((), "d")]

    assert [one.id for one in with_own(RULES, given)[len(RULES) :]] == ["no-floats", "other", "third"]
    assert not any(is_own(one) for one in RULES)
    assert is_own(no_floats)


def test_one_rule_that_is_found_twice_is_one_rule() -> None:
    given = [Given(no_floats, "a hook"), Given(_module(one=no_floats, builtin=RULES[0]), "conftest.py")]
    assert with_own(RULES, given) == (*RULES, no_floats)


def _plain_function() -> None:
    """Look like a rule."""


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (
            7,
            "conftest.py: 7 is no rule: a rule is a function with the decorator `rule` of pytest_migsafe.rules",
        ),
        ("no-floats", "conftest.py: 'no-floats' is no rule"),
        ([_plain_function], "conftest.py: the function _plain_function is no rule; decorate it: `@rule`"),
        (_plain_function, "conftest.py: the function _plain_function is no rule; decorate it: `@rule`"),
        (_module(x=1), "conftest.py: the module acme_rules has no rules"),
        (
            replace(no_floats, id="Floats"),
            "conftest.py: the rule 'Floats': its id 'Floats' is not kebab-case",
        ),
        (replace(no_floats, title=" "), "conftest.py: the rule 'no-floats' has no title"),
        (
            replace(no_floats, id="apply-error"),
            "conftest.py: there is another rule with the id 'apply-error', of pytest-migsafe (",
        ),
    ],
)
def test_what_is_no_rule_is_refused_with_the_name_of_who_gave_it(value: object, complaint: str) -> None:
    with pytest.raises(RuleError) as caught:
        with_own(RULES, [Given(value, "conftest.py")])
    assert str(caught.value).startswith(complaint)


def test_two_rules_of_one_name_are_told_with_both_places() -> None:
    other = replace(no_floats, title="Another.", check=lambda _: iter(()))
    with pytest.raises(RuleError) as caught:
        with_own((), [Given(no_floats, "acme"), Given(other, "conftest.py")])
    places = str(caught.value).partition(", of acme (")[2]
    assert places.count(__file__) == 2


# -- rules that fail -------------------------------------------------------------------------------------------


def test_a_rule_that_raises_is_a_finding_and_hides_no_other_rules() -> None:
    @rule
    def breaks(given: Evidence) -> Iterator[Finding]:
        """Break."""
        yield breaks.finding(given, message="seen before")
        raise KeyError("x")

    found = judge(FILE, [breaks, no_floats], {"breaks": Severity.WARNING})

    assert [(one.rule, one.severity) for one in found] == [
        ("breaks", Severity.WARNING),
        ("rule-raised", Severity.ERROR),
        ("no-floats", Severity.ERROR),
    ]
    raised = found[1]
    assert (
        raised.message
        == "the rule breaks raised KeyError: 'x', so that nobody knows what it would have found"
    )
    (call,) = raised.evidence
    assert call.startswith(f"{__file__}:")
    assert call.endswith('in breaks: raise KeyError("x")')
    assert judge(FILE, [breaks], {"breaks": Severity.OFF}) == ()


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (None, "the rule wrong returned None: yield findings"),
        (
            ["a float"],
            "the rule wrong gave 'a float': a finding is made by wrong's own `finding(evidence, message=...)`",
        ),
    ],
)
def test_what_is_no_finding_is_said_to_be_none(returned: Any, said: str) -> None:
    @rule
    def wrong(_: Evidence) -> Any:
        """Go wrong."""
        return returned

    (finding,) = judge(FILE, [wrong])
    assert finding.rule == "rule-raised"
    assert finding.message == f"{said}, so that nobody knows what it would have found"


def test_the_decorator_costs_next_to_nothing_to_import() -> None:
    """A conftest.py imports it in every run of pytest, with ``--migsafe`` or without."""
    said = "import sys, pytest_migsafe.rules; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, check=True, text=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"psycopg", "postgast", "google.protobuf", "sqlglot", "pytest_migsafe.catalog"}
    assert {name for name in loaded if name.startswith("pytest_migsafe")} == {
        "pytest_migsafe",
        "pytest_migsafe.errors",
        "pytest_migsafe.findings",
        "pytest_migsafe.rules",
        "pytest_migsafe.rules.judging",
        "pytest_migsafe.rules.registry",
    }
