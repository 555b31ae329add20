"""What a statement creates is there already."""

import re
from collections.abc import Iterator

from pytest_migsafe.rehearsal.evidence import Creation, Evidence, StatementError
from pytest_migsafe.rules.explain.names import creators, place_of, quoted_names


def duplicate_relation(evidence: Evidence, error: StatementError) -> Iterator[str]:
    """Explain 42P07: a relation of this name is there."""
    names = quoted_names(error)
    if not names:
        return
    found = [
        one
        for one in creators(evidence, names[0], ("table", "view", "sequence", "index"))
        if one.when == "earlier" or (one.when == "same" and one.line != error.line)
    ]
    if found:
        yield (
            f"{place_of(found[0])} creates it already: this file repeats it, or the name is used twice. Rename one, or "
            "drop this statement."
        )
    yield (
        "IF NOT EXISTS would silence the error, and keep the existing object whatever it looks like: use it only "
        "where the definitions are the same."
    )


def duplicate_column(evidence: Evidence, error: StatementError) -> Iterator[str]:
    """Explain 42701: a column of this name is there."""
    match = re.search(r'column "([^"]+)" of relation "([^"]+)"', error.message)
    if match is None:
        return
    column, table = match[1], match[2]
    found = [
        one
        for one in _creators_of_column(evidence, table, column)
        if (one.when, one.line) != ("same", error.line)
    ]
    earlier = [one for one in found if one.when != "later"]
    if earlier:
        yield f"{place_of(earlier[0])} adds it already. If this file may meet databases with and without the column:"
    yield f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column} ...;"


def _creators_of_column(evidence: Evidence, table: str, column: str) -> list[Creation]:
    name = f"{table}.{column}".lower()
    return [one for one in evidence.creations if one.kind == "column" and one.name.lower() == name]


def duplicate_object(evidence: Evidence, error: StatementError) -> Iterator[str]:
    """Explain 42710 and 42P06: an object of this name is there."""
    match = re.match(
        r'(policy|trigger|type|role|extension|constraint|schema) "([^"]+)"(.*) already exists', error.message
    )
    if match is None:
        return
    kind, name = match[1], match[2]
    on = re.search(r'(?:table|relation) "([^"]+)"', match[3])
    found = [
        one
        for one in creators(evidence, name, (kind,))
        if one.when == "earlier" or (one.when == "same" and one.line < error.line)
    ]
    if found:
        yield f"{place_of(found[-1])} creates it already."
    where = f" ON {on[1]}" if on else ""
    if kind in ("policy", "trigger"):
        yield f"There is no CREATE {kind.upper()} IF NOT EXISTS: drop it first, in the same transaction:"
        yield f"DROP {kind.upper()} IF EXISTS {name}{where};"
    elif kind == "constraint":
        yield f"ALTER TABLE {on[1] if on else '...'} DROP CONSTRAINT IF EXISTS {name};"
    elif kind == "role":
        yield "Roles belong to the whole server and are there in the next database, too:"
        yield f"DO $$ BEGIN CREATE ROLE {name}; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
    elif kind == "type":
        yield "There is no CREATE TYPE IF NOT EXISTS: leave the statement out, or give the type another name."
