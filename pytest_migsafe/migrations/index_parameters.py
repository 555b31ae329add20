"""The storage parameters of indexes by foreign access methods, which a stub of their extension cannot know.

``USING ivfflat (...) WITH (lists = 100)``: which parameters there are, the access method's library says, and a stub
in SQL has none (manual: "Index Access Method Functions", amoptions).
"""

from dataclasses import replace

from postgast import unwrap_node

from pytest_migsafe.migrations.lexemes import tokens
from pytest_migsafe.migrations.model import Script
from pytest_migsafe.migrations.parse_tree import parse
from pytest_migsafe.migrations.statements import Statement

#: PostgreSQL's own (manual: "Index Types").
_OWN = frozenset({"btree", "hash", "gist", "spgist", "gin", "brin", ""})

#: First and one after the last character, in the file's text.
Span = tuple[int, int]


def without_index_parameters(script: Script) -> tuple[Script, tuple[Span, ...]]:
    """Return a script without the parameters of indexes whose access method is not PostgreSQL's own, and these."""
    spans = tuple(span for statement in script.statements for span in _parameters(statement))
    if not spans:
        return script, ()
    source = script.source.masked(spans)
    return Script(source, tuple(replace(unit, source=source) for unit in script.units)), spans


def _parameters(statement: Statement) -> tuple[Span, ...]:
    if statement.node != "IndexStmt":
        return ()
    node = unwrap_node(parse(statement.text).stmts[0].stmt)
    if node.access_method in _OWN or not node.options:
        return ()
    start, end = _with_clause(statement.text)
    return ((statement.start + start, statement.start + end),)


def _with_clause(text: str) -> Span:
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
