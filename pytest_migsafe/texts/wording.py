"""Lists and numbers in sentences."""

from collections.abc import Iterable, Sequence


def joined(some: Iterable[str]) -> str:
    """Return some things as a list with "and"; empty for nothing."""
    *first, last = [*some] or [""]
    return f"{', '.join(first)} and {last}" if first else last


def listed(some: Iterable[str], most: int = 5) -> str:
    """Return some things as a list with "and", of many only the first; empty for nothing."""
    names = list(some)
    return joined(names if len(names) <= most else [*names[:most], f"{len(names) - most} more"])


def enumerated(names: Sequence[str], most: int = 5) -> str:
    """Return names one after the other, which are no part of a sentence, of many only the first; empty for none."""
    return (
        ", ".join(names) if len(names) <= most else f"{', '.join(names[:most])} and {len(names) - most} more"
    )


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: "1 migration", "3 migrations"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
