"""One form for what servers of different major versions write in different ways: the same SQL is the same schema.

What differs in the catalogs, the queries themselves make alike. Here is what differs in the text of definitions, and the
one privilege that came later than the others.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

Values = dict[str, Any]

#: What stands between quotes.
_QUOTED = r"""E'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*\""""
#: Tokens of what PostgreSQL writes: its keywords are in capitals, names are in small letters or quoted, no comments.
_TOKEN = re.compile(rf"{_QUOTED}|[^\W\d][\w$]*|\s+|::|.", re.DOTALL)
_NAME = re.compile(r'"|[^\W\dA-Z]')
_NO_INDENT = re.compile(rf"({_QUOTED})| NO INDENT(?=\))", re.DOTALL)
_SUBQUERY_OF_VALUES = re.compile(rf"({_QUOTED})|\( VALUES \(", re.DOTALL)

_SET_OPERATIONS = frozenset({"UNION", "INTERSECT", "EXCEPT"})
_SUBQUERY = frozenset({"SELECT", "WITH", "VALUES"})
_AFTER_FROM = frozenset(
    {"WHERE", "GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT", "OFFSET", "FETCH", "FOR", ";"}
)
#: What a qualified name that is no column's follows.
_BEFORE_OTHER_NAMES = frozenset({"::", ".", "COLLATE", "AS"})

#: All privileges on tables up to PostgreSQL 16 (manual: "Privileges").
_ALL_BEFORE_MAINTAIN = frozenset(
    {"DELETE", "INSERT", "REFERENCES", "SELECT", "TRIGGER", "TRUNCATE", "UPDATE"}
)


def made_alike(kind: str, values: Values, major: int) -> Values:
    """Return an object's fields as every major version would have them."""
    for first, last, refine in _REFINEMENTS.get(kind, ()):
        if first <= major <= last:
            refine(values)
    return values


def _refine_indent(*names: str) -> Callable[[Values], None]:
    def refine(values: Values) -> None:
        for name in names:
            if (text := values[name]) and " NO INDENT)" in text:
                values[name] = without_no_indent(text)

    return refine


def without_no_indent(text: str) -> str:
    """Return an expression's text without what XMLSERIALIZE does unasked, and says since PostgreSQL 16."""
    return _NO_INDENT.sub(lambda found: found[1] or "", text)


def _refine_values(name: str) -> Callable[[Values], None]:
    def refine(values: Values) -> None:
        if "( VALUES (" in (text := values[name]):
            values[name] = with_bare_values(text)

    return refine


def with_bare_values(text: str) -> str:
    """Return a query's text with VALUES in FROM written as they are when they were given as a table.

    A dump that is restored makes a subquery of them, which is written with a space more.
    """
    return _SUBQUERY_OF_VALUES.sub(lambda found: found[1] or "(VALUES (", text)


def _refine_function(values: Values) -> None:
    # Only a tree is written by PostgreSQL; text is as somebody wrote it.
    if values["language"] == "sql" and values["body"].startswith(("BEGIN ATOMIC", "RETURN ")):
        _refine_indent("body")(values)
        _refine_values("body")(values)


def _refine_view(values: Values) -> None:
    values["definition"] = unqualified(values["definition"])


def _refine_privileges(values: Values) -> None:
    if (
        values.get("object_kind", "table") not in {"table", "view"}
        or values.get("objects", "tables") != "tables"
    ):
        return
    privileges = values["privileges"]
    if {one.removesuffix("*") for one in privileges} == _ALL_BEFORE_MAINTAIN:
        # Who has all of them is granted ALL by a dump, and so MAINTAIN where there is such a privilege.
        maintain = "MAINTAIN*" if all(one.endswith("*") for one in privileges) else "MAINTAIN"
        values["privileges"] = tuple(sorted((*privileges, maintain)))


_NEWEST = 99
_Refinement = tuple[int, int, Callable[[Values], None]]

#: For each kind: from which to which major version, and what is done with its fields there.
_REFINEMENTS: Mapping[str, tuple[_Refinement, ...]] = MappingProxyType(
    {
        "view": (
            (14, 15, _refine_view),
            (16, _NEWEST, _refine_indent("definition")),
            (14, _NEWEST, _refine_values("definition")),
        ),
        "constraint": ((16, _NEWEST, _refine_indent("definition")),),
        "index": ((16, _NEWEST, _refine_indent("definition")),),
        "trigger": ((16, _NEWEST, _refine_indent("definition")),),
        "rule": (
            (16, _NEWEST, _refine_indent("definition")),
            (14, _NEWEST, _refine_values("definition")),
        ),
        "statistics": ((16, _NEWEST, _refine_indent("definition")),),
        "column": ((16, _NEWEST, _refine_indent("default", "generated")),),
        "policy": ((16, _NEWEST, _refine_indent("using", "check")),),
        "function": ((14, _NEWEST, _refine_function),),
        "grant": ((14, 16, _refine_privileges),),
        "default privileges": ((14, 16, _refine_privileges),),
    }
)


def unqualified(definition: str) -> str:
    """Return a view's definition with its columns unqualified, where it reads only one table.

    So it is written since PostgreSQL 16. Before that, columns always bear their table's name, because the view
    itself is among its tables, as OLD and as NEW.
    """
    tokens = _TOKEN.findall(definition)
    places = [place for place, token in enumerate(tokens) if not token.isspace()]
    words = [tokens[place] for place in places]
    outermost = list(_outermost(words))
    if (clause := _from_clause(words, outermost)) is None:
        return definition
    columns = [word for word in outermost if word.at not in clause and _is_qualified_column(words, word.at)]
    if len({words[one.at] for one in columns}) != 1:
        return definition
    renamed = {words[one.at + 1] for one in outermost if one.depth == 0 and words[one.at] == "AS"}
    for one in columns:
        # A bare name that is sorted by would mean the view's column of that name.
        if not (one.is_sorted_by(words) and words[one.at + 2] in renamed):
            tokens[places[one.at]] = tokens[places[one.at + 1]] = ""
    return "".join(tokens)


class _Word(NamedTuple):
    """A word of the outermost query: where it is, in how many parentheses, and what the list is for that it is in."""

    at: int
    depth: int
    list: str

    def is_sorted_by(self, words: Sequence[str]) -> bool:
        """Say whether it stands alone in ORDER BY, PARTITION BY or DISTINCT ON."""
        return self.list in {"ORDER", "PARTITION", "ON"} and words[self.at - 1] in {"BY", ",", "("}


def _outermost(words: Sequence[str]) -> Iterator[_Word]:
    """Yield the words that are in no subquery."""
    #: For each open parenthesis: what the list is for, or None in a subquery.
    lists: list[str | None] = [""]
    for at, word in enumerate(words):
        if word == "(":
            is_subquery = lists[-1] is None or words[at + 1] in _SUBQUERY
            before = words[at - 1]
            lists.append(None if is_subquery else before if before == "ON" else "")
        elif word == ")":
            lists.pop()
        elif (purpose := lists[-1]) is not None:
            if word == "BY":
                lists[-1] = purpose = words[at - 1]
            yield _Word(at, len(lists) - 1, purpose)


def _from_clause(words: Sequence[str], outermost: Iterable[_Word]) -> range | None:
    """Return where FROM and what it names stand, if that is one table, function or subquery; else None."""
    bare = [one.at for one in outermost if one.depth == 0]
    starts = [at for at in bare if words[at] == "FROM"]
    if len(starts) != 1 or not _SET_OPERATIONS.isdisjoint(words[at] for at in bare):
        return None
    (start,) = starts
    end = next(at for at in bare if at > start and words[at] in _AFTER_FROM)
    is_joined = words[start + 1] == "(" and words[start + 2] not in _SUBQUERY
    if is_joined or any(start < at < end and words[at] in {",", "JOIN"} for at in bare):
        return None
    return range(start, end)


def _is_qualified_column(words: Sequence[str], at: int) -> bool:
    """Say whether a column with its table's name begins here: no function, type, operator or collation."""
    first, (dot, second, after) = words[at], (*words[at + 1 : at + 4], "", "", "")[:3]
    return (
        dot == "."
        and bool(_NAME.match(first) and _NAME.match(second))
        and words[at - 1] not in _BEFORE_OTHER_NAMES
        and after not in {"(", "."}
    )
