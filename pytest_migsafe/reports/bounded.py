"""A text of parts that fits into a room: what matters less is left out, each part whole or not at all."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A part of a text; it may have parts itself, which are there only with it."""

    text: str
    #: The smaller, the more it matters. What is 0 is always there: it has to be short.
    importance: int
    parts: tuple["Part", ...] = ()
    #: What comes after its parts, if they need a frame: such a part is not there without any of them.
    end: str | None = None
    #: What it is, in the singular, to say how many are left out; empty: its absence needs no word.
    noun: str = ""

    @property
    def length(self) -> int:
        """How many characters it has without its parts."""
        return len(self.text) + len(self.end or "")


def fitted(parts: Sequence[Part], most: int, left_out: Callable[[str], str]) -> str:
    """Return the text of parts in at most so many characters.

    ``left_out`` makes of a list ("3 schema changes, 1 warning") what is said of that; it stands at the end.
    """
    # Twice: what is said takes room itself, and how much is known only then.
    chosen = _chosen(parts, most)
    said = _said(parts, chosen, left_out)
    if said:
        chosen = _chosen(parts, most - max(400, 2 * len(said)))
        said = _said(parts, chosen, left_out)
    return "".join(_written(parts, chosen)) + said


def _said(parts: Sequence[Part], chosen: set[int], left_out: Callable[[str], str]) -> str:
    missing = Counter(_missing(parts, chosen))
    counted = ", ".join(f"{number} {noun}{'s' if number > 1 else ''}" for noun, number in missing.items())
    return left_out(counted) if counted else ""


def _chosen(parts: Sequence[Part], most: int) -> set[int]:
    """Return which parts fit, by identity: the most important first, none without the one that it is in."""
    within = {id(part): parent for part, parent in _with_parents(parts, None)}
    # Sorting is stable: of equal importance the first comes first, and a part before those in it.
    in_turn = sorted((part for part, _ in _with_parents(parts, None)), key=lambda part: part.importance)
    chosen: set[int] = set()
    used = 0
    for part in in_turn:
        if part.end is not None:
            continue  # it comes along with what is in it
        new = [one for one in _line(part, within) if id(one) not in chosen]
        length = sum(one.length for one in new)
        if part.importance == 0 or used + length <= most:
            chosen |= {id(one) for one in new}
            used += length
    return chosen


def _line(part: Part, within: dict[int, Part | None]) -> list[Part]:
    """Return a part and those that it is in."""
    line = [part]
    while (parent := within[id(line[-1])]) is not None:
        line.append(parent)
    return line


def _with_parents(parts: Sequence[Part], parent: Part | None) -> Iterator[tuple[Part, Part | None]]:
    for part in parts:
        yield part, parent
        yield from _with_parents(part.parts, part)


def _missing(parts: Sequence[Part], chosen: set[int]) -> Iterator[str]:
    """Yield what is left out; of what is left out with all that is in it, only that."""
    for part in parts:
        if id(part) in chosen or part.end is not None:
            yield from _missing(part.parts, chosen)
        elif part.noun:
            yield part.noun


def _written(parts: Sequence[Part], chosen: set[int]) -> Iterator[str]:
    for part in parts:
        if id(part) in chosen:
            yield part.text
            yield from _written(part.parts, chosen)
            yield part.end or ""
