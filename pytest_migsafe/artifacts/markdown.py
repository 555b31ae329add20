"""Pieces of Markdown that the guides are made of."""

import re
from collections.abc import Iterable, Iterator, Sequence

#: What would be taken for Markdown; an underscore inside of a name is not.
_SPECIAL = re.compile(r"([\\`*<]|(?<!\w)_|_(?!\w)|\[(?=[^\]]))")


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table; its cells are Markdown."""
    yield f"| {' | '.join(heading)} |"
    yield f"|{'---|' * len(heading)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', BAR).replace(chr(10), ' ') or '-' for cell in row)} |"


#: A bar that ends no cell.
BAR = r"\|"


def listed(items: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a list; its entries are Markdown."""
    for item in items:
        first, *more = item.splitlines() or [""]
        yield f"- {first}"
        yield from (f"  {line}" for line in more)


def code(text: str) -> str:
    """Return a text of one line as code."""
    ticks = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    padding = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{padding}{text}{padding}{ticks}"


def codes(names: Iterable[str]) -> str:
    """Return names as code, with commas."""
    return ", ".join(map(code, names))


def plain(text: str) -> str:
    """Return a text in which nothing is Markdown."""
    return _SPECIAL.sub(r"\\\1", text)


def block(text: str, language: str = "") -> Iterator[str]:
    """Yield the lines of a code block."""
    ticks = "`" * max(3, *(len(run) + 1 for run in [*re.findall("`{3,}", text), ""]))
    yield f"{ticks}{language}"
    yield from text.rstrip("\n").split("\n")
    yield ticks
