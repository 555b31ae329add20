"""What is stored that was computed with an immutable function as it was before the file."""

from collections.abc import Mapping
from dataclasses import replace

from pytest_migsafe.catalog.objects import Key
from pytest_migsafe.catalog.schema import Function
from pytest_migsafe.migrations.lexemes import tokens
from pytest_migsafe.rehearsal.facts import Computed, Facts
from pytest_migsafe.rehearsal.probes.asking import Asking
from pytest_migsafe.rehearsal.probes.scripts import script

_COMPUTED = script("immutable").encode()


def probe(asking: Asking, known: Facts) -> Facts:
    """Return what is known after a file of results that are kept of immutable functions."""
    return replace(known, computed_before=_computed_before(asking))


def _computed_before(asking: Asking) -> Mapping[str, tuple[Computed, ...]]:
    """Return what keeps results of functions whose bodies the file has changed, by the functions' signatures."""
    names = [
        home.name
        for home in asking.changed
        if home.catalog == "function"
        and isinstance(was := asking.before.homes.get(home, {}).get(Key(Function.KIND, home.name)), Function)
        and isinstance(now := asking.after.homes.get(home, {}).get(Key(Function.KIND, home.name)), Function)
        and was.volatility == "immutable"
        and (_code(was), was.strict) != (_code(now), now.strict)
    ]
    if not names:
        return {}
    found: dict[str, tuple[Computed, ...]] = {}
    # Names are to be qualified.
    asking.connection.execute(b"SAVEPOINT migsafe_immutable; SET LOCAL search_path = ''")
    for name, *what in asking.connection.execute(_COMPUTED, {"names": sorted(names)}, prepare=False):
        found[name] = (*found.get(name, ()), Computed(*what))
    asking.connection.execute(b"ROLLBACK TO SAVEPOINT migsafe_immutable; RELEASE SAVEPOINT migsafe_immutable")
    return found


def _code(function: Function) -> tuple[str, ...]:
    """Return a body without white space and comments, where these mean nothing."""
    if function.language not in ("sql", "plpgsql"):
        return (function.body,)
    return tuple(function.body[one.start : one.end] for one in tokens(function.body))
