"""Pieces of Markdown, in which what others wrote is text and nothing else: neither markup nor HTML, nobody's name, no command.

GitHub Flavored Markdown Spec, 6.1 "Backslash escapes", 4.5 "Fenced code blocks", 4.10 "Tables".
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from pytest_migsafe.texts import seen

#: What would be taken for Markdown, HTML or a formula; an underscore inside of a name is not. A bar is for ``table``.
_SPECIAL = re.compile(r"([\\`*<>~$]|(?<!\w)_|_(?!\w)|\[(?=[^\]])|&(?=#?\w+;))")
#: What begins a heading, a list, a line below a heading, or a command of GitLab's ("/close").
_FIRST = re.compile(r"^(\d*)([-#+=/.)])")
#: What GitHub and GitLab make a link of after the Markdown is read, and tell somebody: a user, an issue, a request.
_MENTION = re.compile(r"([@#!])(?=\w)")


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
    """Return a text as code; its lines become one."""
    line = " ".join(seen(text).split("\n"))
    if not line.strip():
        return '""'
    ticks = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    padding = " " if line.startswith(("`", " ")) or line.endswith(("`", " ")) else ""
    return f"{ticks}{padding}{line}{padding}{ticks}"


def codes(names: Iterable[str]) -> str:
    """Return names as code, with commas."""
    return ", ".join(map(code, names))


def plain(text: str) -> str:
    """Return a text in which nothing is Markdown; its lines become one."""
    line = _SPECIAL.sub(r"\\\1", " ".join(seen(text).split()))
    return _MENTION.sub("\\1\u200b", _FIRST.sub(r"\1\\\2", line))


def block(text: str, language: str = "") -> Iterator[str]:
    """Yield the lines of a code block."""
    ticks = "`" * max(3, *(len(run) + 1 for run in [*re.findall("`{3,}", text), ""]))
    yield f"{ticks}{language}"
    yield from seen(text).rstrip("\n").split("\n")
    yield ticks


_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})([^`]*)$")


def is_closed(text: str) -> bool:
    """Return whether somebody's Markdown ends what it begins: code blocks, ``<details>``, comments."""
    fence, outside = "", []
    for line in text.split("\n"):
        found = _FENCE.match(line)
        if not found or (fence and not (found[1].startswith(fence) and not found[2].strip())):
            outside += [] if fence else [line]
        else:
            fence = "" if fence else found[1]
    told = "\n".join(outside)
    return (
        not fence
        and told.count("<!--") == told.count("-->")
        and len(re.findall("<details", told)) == len(re.findall("</details", told))
    )
