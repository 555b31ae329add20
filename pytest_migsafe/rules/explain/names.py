"""What explanations say of names: those in an error, those in a schema, and how they are written in SQL."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from pytest_migsafe.catalog.lexical import last_part, quoted
from pytest_migsafe.rehearsal.evidence import Creation, Evidence, StatementError

Explain = Callable[[Evidence, StatementError], Iterator[str]]


_QUOTED = re.compile(r'"([^"]+)"')


def failing_text(evidence: Evidence) -> str:
    """Return the failing statement's text, or what is known of it."""
    failed = [statement.text for statement in evidence.statements if statement.error is not None]
    return failed[-1] if failed else evidence.error_line


def quoted_names(error: StatementError) -> list[str]:
    """Return the names that stand in quotes in the server's message."""
    return _QUOTED.findall(error.message)


def same_name(one: str, other: str) -> bool:
    """Say whether two names are the same but for schema, quotes and letter case."""
    return last_part(one).lower() == last_part(other).lower()


def creators(evidence: Evidence, name: str, kinds: Iterable[str]) -> list[Creation]:
    """Return the statements of the history that create something of this name and one of these kinds."""
    wanted = set(kinds)
    return [one for one in evidence.creations if one.kind in wanted and same_name(one.name, name)]


def place_of(creation: Creation) -> str:
    """Return where a creating statement stands, in words."""
    if creation.when == "same":
        return f"line {creation.line} of this file"
    return f"{creation.path} (line {creation.line})"


def who_creates(
    evidence: Evidence, error: StatementError, name: str, kinds: tuple[str, ...]
) -> Iterator[str]:
    """Yield which statement creates a missing object, and what that means."""
    for one in creators(evidence, name, kinds):
        if one.when == "later":
            yield f"{one.path} creates it (line {one.line}), but is applied after this file: change their order."
            return
        if one.when == "same" and one.line > error.line:
            yield f"It is created further down, in line {one.line}: move that statement above this one."
            return
    for one in reversed(creators(evidence, name, kinds)):
        if one.when == "earlier":
            yield (
                f"{place_of(one)} creates {last_part(one.name)}, but it is not there any more, or under another name or "
                "schema: look for a DROP, a RENAME or the search_path."
            )
            return


def _folding(name: str, known: Iterable[str]) -> str | None:
    """Say when a name exists in another letter case, which only a quoted name keeps."""
    for one in known:
        if one != name and one.lower() == name.lower():
            return (
                f'There is "{one}". Names without double quotes are folded to lower case '
                f'(manual: Lexical Structure, Identifiers): write "{one}" in double quotes.'
            )
    return None


def nearest(name: str, known: Iterable[str], what: str) -> Iterator[str]:
    """Yield which of the known names was probably meant."""
    unique = sorted(set(known))
    if folded := _folding(name, unique):
        yield folded
        return
    close = difflib.get_close_matches(name, unique, n=3, cutoff=0.6)
    if close:
        yield f"Did you mean {' or '.join(close)}? {what}".rstrip()


def named_in(reason: str, known: Mapping[str, str]) -> str:
    """Return the text of the first known name that stands in the reason for a file's mode."""
    return next((text for name, text in known.items() if name in reason), "")


def table_of(error: StatementError) -> str:
    """Return the table that the server names, as it must be written in SQL, or dots."""
    schema = f"{quoted(error.schema)}." if error.schema not in ("", "public") else ""
    return f"{schema}{quoted(error.table)}" if error.table else "..."
