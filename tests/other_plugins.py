"""Plugins that may be installed beside ours, and that the runs which tests start are to have nothing to do with.

pytest-randomly changes the order, pytest-asyncio warns of settings that a project without it does not make, pytest-django
looks for one of Django's. Tests of how we live with one of them let it be.
"""

from collections.abc import Collection

NAMES = ("randomly", "asyncio", "django", "anyio")


def without(but: Collection[str] = ()) -> tuple[str, ...]:
    """Return the arguments that keep these plugins out of a run, but for some."""
    return tuple(argument for name in NAMES if name not in but for argument in ("-p", f"no:{name}"))
