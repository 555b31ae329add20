"""Whether two texts of a file are the same to PostgreSQL: the same statements, sent in the same way.

Comments and white space between words do not count, the case of words without quotes neither. What stands in quotes counts
as it is written, and so does a comment in the body of a function, which PostgreSQL stores.
"""

import difflib
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_migsafe.errors import MigrationReadError
from pytest_migsafe.migrations.lexemes import tokens
from pytest_migsafe.migrations.model import Direction, Migration, Script, Unit
from pytest_migsafe.migrations.origin import Change
from pytest_migsafe.migrations.source import SourceText

#: Characters of which operators are made: side by side they may be one (manual: "Operators" in "Lexical Structure").
_OPERATOR = frozenset("+-*/<>=~!@#%^&|`?:.")
#: What may stand directly before a quote and belong to it: B'', X'', N'', U&''.
_PREFIXES = frozenset({"b", "x", "n", "u&"})
#: How many lines of differences are kept.
_MOST = 12

#: A unit as it matters: its name, how it is sent, and the words of its parts.
_Essence = tuple[str, str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between two texts of a file."""

    change: Change
    #: The 1-based line, in the later text, of the first difference; 0 where nothing differs.
    line: int = 0
    differences: tuple[str, ...] = ()


def compare(migration: Migration, was: bytes, now: bytes) -> Comparison:
    """Return what has become of a migration's file, given what stood in it and what does."""
    before, after = _text(was, migration.encoding), _text(now, migration.encoding)
    if before == after:
        return Comparison(Change.UNCHANGED)
    line, differences = _differences(before, after)
    if migration.is_repeatable:
        return Comparison(Change.ALLOWED, line, differences)
    old, new = _essences(migration, before), _essences(migration, after)
    change = Change.EDITED
    if old == new:
        change = _beside_statements(_way_up(migration, before), _way_up(migration, after))
    elif _is_extended(old, new):
        change = Change.ALLOWED
    return Comparison(change, line, differences)


def _beside_statements(before: str, after: str) -> Change:
    """Return what has changed of a way up whose statements have not."""
    if before == after:
        return Change.ALLOWED
    return Change.WHITE_SPACE if before.split() == after.split() else Change.COMMENTS


#: How many hexadecimal digits of a digest are kept.
DIGITS = 32


def digests(migration: Migration, content: bytes) -> tuple[str, ...]:
    """Return a digest of a file's statements alone, or of each of its changesets': the same as long as these are."""
    essences = _essences(migration, _text(content, migration.encoding))
    return tuple(hashlib.sha256(repr(one).encode()).hexdigest()[:DIGITS] for one in essences)


def is_extended(old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether some things, each of which stands once, are still there in their order, beside others."""
    known = set(old)
    return [one for one in new if one in known] == list(old)


def similarity(one: bytes, other: bytes) -> float:
    """Return how much two texts have in common, from 0 to 1, by their lines."""
    return difflib.SequenceMatcher(None, one.splitlines(), other.splitlines(), autojunk=False).ratio()


def _text(content: bytes, encoding: str) -> str:
    # What is no text in this encoding, or no encoding, is compared all the same.
    try:
        text = content.decode(encoding, errors="backslashreplace")
    except LookupError:
        text = content.decode(errors="backslashreplace")
    return text.replace("\r\n", "\n")


def _script(migration: Migration, text: str) -> Script | None:
    try:
        return migration.reader(SourceText(text), migration.runner, Direction.UP)
    except MigrationReadError:
        return None


def _essences(migration: Migration, text: str) -> tuple[_Essence, ...]:
    """Return what a file comes to, without what its runner runs whenever it changes."""
    script = _script(migration, text)
    if script is None:
        return (("", "", tuple(_words(text))),)
    return tuple(_essence(unit) for unit in script.units if not unit.is_repeatable)


def _essence(unit: Unit) -> _Essence:
    words: list[str] = []
    for part in unit.parts:
        in_part = list(_words(unit.text(part)))
        while in_part and in_part[-1] == ";":
            in_part.pop()
        words += [*in_part, ";"]
        if part.data is not None:
            words.append(part.data)
    return unit.name, unit.mode.value, tuple(words)


def _is_extended(old: tuple[_Essence, ...], new: tuple[_Essence, ...]) -> bool:
    """Whether a file has units with names, as Liquibase's changesets are, and some were only added."""
    has_names = all(name for name, _, _ in (*old, *new))
    return has_names and is_extended(list(map(repr, old)), list(map(repr, new)))


def _way_up(migration: Migration, text: str) -> str:
    """Return what is sent of a file; where both ways stand in one, the way back is blanks."""
    script = _script(migration, text)
    if script is None:
        return text
    if not any(unit.is_repeatable for unit in script.units):
        return script.source.text.rstrip()
    sent = script.source.text
    return "\n".join(
        sent[unit.parts[0].start : unit.parts[-1].end]
        for unit in script.units
        if unit.parts and not unit.is_repeatable
    )


def _words(text: str) -> Iterator[str]:
    """Yield a text's words, numbers, literals and operators, each as PostgreSQL takes it."""
    word, end = "", -1
    for kind, start, stop in tokens(text):
        one = text[start:stop]
        if kind == "word":
            one = _folded(one)
        if word and start == end and _is_glued(word, one, kind):
            word += one
        else:
            if word:
                yield word
            word = one
        end = stop
    if word:
        yield word


def _folded(word: str) -> str:
    # As PostgreSQL does it with ASCII's letters, whatever the locale (manual: "Identifiers and Key Words").
    return re.sub("[A-Z]+", lambda found: found[0].lower(), word)


def _is_glued(word: str, one: str, kind: str) -> bool:
    """Whether what follows a word without a blank belongs to it."""
    if kind in {"string", "quoted"}:
        return word in _PREFIXES
    if one == "&":
        return word == "u" or word[-1] in _OPERATOR
    return one in _OPERATOR and word[-1] in _OPERATOR


def _differences(before: str, after: str) -> tuple[int, tuple[str, ...]]:
    """Return the line of the first difference, and the lines that differ, not more than a person wants to read."""
    old, new = before.split("\n"), after.split("\n")
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=len(old) + len(new) > _LONG)
    first = 0
    lines: list[str] = []
    for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if tag == "equal":
            continue
        first = first or min(new_from + 1, len(new))
        lines += [f"-{line}" for line in old[old_from:old_to]]
        lines += [f"+{line}" for line in new[new_from:new_to]]
    if len(lines) > _MOST:
        lines = [*lines[:_MOST], f"... and {len(lines) - _MOST} lines more"]
    return first, tuple(line if len(line) <= _WIDEST else f"{line[:_WIDEST]}…" for line in lines)


#: A line longer than this is cut; with so many lines, those that stand often are not matched one by one.
_WIDEST = 160
_LONG = 5000
