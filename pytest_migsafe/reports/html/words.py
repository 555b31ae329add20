"""Words and signs that all parts of the page use."""

from collections.abc import Sequence

#: A sign beside each verdict's word, so that colour is never the only difference.
ICONS = {
    "failed": "✖",
    "error": "✖",
    "blocked": "■",
    "warned": "▲",
    "warning": "▲",
    "passed": "✔",
    "waived": "◇",
    "skipped": "○",
    "off": "·",
}


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: "1 migration", "3 migrations"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(names: Sequence[str], most: int = 12) -> str:
    """Return names one after the other, of many the first."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
