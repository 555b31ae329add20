"""Which functions of the same name a call cannot tell apart, because they differ in arguments with defaults only."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import combinations

from psycopg import errors

from pytest_migsafe.catalog.lexical import without_arguments
from pytest_migsafe.catalog.objects import Key
from pytest_migsafe.catalog.schema import Function
from pytest_migsafe.rehearsal.facts import Facts
from pytest_migsafe.rehearsal.probes.asking import Asking

#: The call, by the two signatures.
Ambiguous = Mapping[tuple[str, str], str]


def probe(asking: Asking, known: Facts) -> Facts:
    """Return what is known after a file of the calls that are ambiguous."""
    return replace(known, ambiguous_calls=_ambiguous_after(asking, known.ambiguous_calls))


def _ambiguous_after(asking: Asking, known: Ambiguous) -> Ambiguous:
    changed = {without_arguments(home.name) for home in asking.changed if home.catalog == "function"}
    if not changed:
        return known
    named: dict[str, list[Function]] = {}
    for home, objects in asking.after.homes.items():
        if home.catalog == "function" and without_arguments(home.name) in changed:
            one = objects.get(Key(Function.KIND, home.name))
            if isinstance(one, Function) and one.kind == "function":
                named.setdefault(without_arguments(one.name), []).append(one)
    kept = {pair: call for pair, call in known.items() if without_arguments(pair[0]) not in changed}
    found = {
        (one.name, other.name): call
        for some in named.values()
        for one, other in combinations(sorted(some, key=lambda function: function.name), 2)
        for call in _shared_calls(one, other)
        if _is_ambiguous(asking, call)
    }
    return kept | found


def _shared_calls(one: Function, other: Function) -> Iterator[str]:
    """Yield the calls that both take, by the types and the defaults of their arguments; the shortest first."""
    types, others = _types(one.name), _types(other.name)
    fewest = max(len(types) - _defaults(one), len(others) - _defaults(other))
    for number in range(min(len(types), len(others)), fewest - 1, -1):
        if types[:number] == others[:number]:
            given = ", ".join(f"NULL::{type_}" for type_ in types[:number])
            yield f"{without_arguments(one.name)}({given})"


def _is_ambiguous(asking: Asking, call: str) -> bool:
    """Let the server tell: it is analysed, and not called."""
    asking.connection.execute(b"SAVEPOINT migsafe_overload")
    try:
        asking.connection.execute(f"PREPARE migsafe_overload AS SELECT {call}".encode(), prepare=False)
    except errors.AmbiguousFunction:
        return True
    except (errors.SyntaxErrorOrAccessRuleViolation, errors.FeatureNotSupported):
        return False
    else:
        asking.connection.execute(b"DEALLOCATE migsafe_overload")
        return False
    finally:
        asking.connection.execute(
            b"ROLLBACK TO SAVEPOINT migsafe_overload; RELEASE SAVEPOINT migsafe_overload"
        )


def _defaults(function: Function) -> int:
    return function.arguments.count(" DEFAULT ")


def _types(signature: str) -> list[str]:
    """Return the types of the arguments, as the signature has them."""
    types: list[str] = []
    quoted, start = False, len(without_arguments(signature)) + 1
    for place in range(start, len(signature)):
        character = signature[place]
        if character == '"':
            quoted = not quoted
        elif not quoted and character in ",)":
            types.append(signature[start:place])
            start = place + 1
    return [one for one in types if one]
