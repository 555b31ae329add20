"""PostgreSQL's grammar, imported when there is a first statement to read.

It takes 0.1 s to import, which whoever only lists the rules need not wait for. Who imports one of the modules that ask
for it has not paid yet; who reads statements anyway imports ``parse_tree`` and ``postgast``.
"""

from types import ModuleType
from typing import Any


def grammar() -> ModuleType:
    """Return the grammar: ``postgast``."""
    import postgast  # see above  # noqa: PLC0415

    return postgast


def tree_if_possible(text: str) -> Any | None:
    """Return the parse tree of a text; None where the grammar rejects it, or cannot be asked about it."""
    from pytest_migsafe.migrations.parse_tree import parse_if_possible  # see above  # noqa: PLC0415

    return parse_if_possible(text)


def whole_tree(text: str) -> Any | None:
    """Return the parse tree of a text, uncut; None where it is too big for that.

    Raises:
        PgQueryError: the grammar rejects the text.
    """
    from pytest_migsafe.migrations.parse_tree import parse_whole  # see above  # noqa: PLC0415

    return parse_whole(text)
