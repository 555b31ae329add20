"""Lists in sentences."""

from collections.abc import Iterable


def joined(some: Iterable[str]) -> str:
    """Return some things as a list with "and"; empty for nothing."""
    *first, last = [*some] or [""]
    return f"{', '.join(first)} and {last}" if first else last


def listed(some: Iterable[str], most: int = 5) -> str:
    """Return some things as a list with "and", of many only the first; empty for nothing."""
    names = list(some)
    return joined(names if len(names) <= most else [*names[:most], f"{len(names) - most} more"])
