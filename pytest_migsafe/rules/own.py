"""A team's own rules, among those that come with pytest-migsafe."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType

from pytest_migsafe.errors import RuleError
from pytest_migsafe.rules.registry import Rule, place_of, problem_of


@dataclass(frozen=True, slots=True)
class Given:
    """A value that somebody gives for a rule, or for several."""

    value: object
    #: Who gave it, as a message says it: "conftest.py", "the entry point acme of acme-rules".
    by: str


def rules_in(module: ModuleType) -> list[Rule]:
    """Return the rules that are attributes of a module, in the order in which they stand there."""
    return [value for value in vars(module).values() if isinstance(value, Rule)]


def with_own(builtin: Sequence[Rule], given: Iterable[Given]) -> tuple[Rule, ...]:
    """Return all rules: those that come with pytest-migsafe, and then those that are given.

    Raises:
        RuleError: a value is no rule, a rule is not made as rules are, or two have one id.
    """
    known = {rule.id: (rule, "pytest-migsafe") for rule in builtin}
    for one in given:
        for rule in _rules(one):
            if problem := problem_of(rule):
                raise RuleError(f"{one.by}: {problem}")
            # A module may hold what it has imported, and a hook return what stands beside it.
            if known.setdefault(rule.id, (rule, one.by))[0] is not rule:
                raise RuleError(f"{one.by}: {_twice(rule, *known[rule.id])}")
    return tuple(rule for rule, _ in known.values())


def _rules(given: Given) -> Iterator[Rule]:
    value = given.value
    if isinstance(value, ModuleType):
        found = rules_in(value)
        if not found:
            raise RuleError(f"{given.by}: the module {value.__name__} has no rules")
        yield from found
    elif isinstance(value, Rule):
        yield value
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for one in value:
            if not isinstance(one, Rule):
                raise RuleError(f"{given.by}: {_no_rule(one)}")
            yield one
    else:
        raise RuleError(f"{given.by}: {_no_rule(value)}")


def _no_rule(value: object) -> str:
    name = getattr(value, "__name__", None)
    if callable(value) and isinstance(name, str):
        return f"the function {name} is no rule; decorate it: `@rule` of pytest_migsafe.rules"
    return f"{value!r} is no rule: a rule is a function with the decorator `rule` of pytest_migsafe.rules"


def _twice(rule: Rule, first: Rule, by: str) -> str:
    places = " and ".join(place for one in (first, rule) if (place := place_of(one)))
    return f"there is another rule with the id {rule.id!r}, of {by} ({places}); give one of them another id"
