"""What a statement names is not there."""

import re
from collections.abc import Iterator

from pytest_migsafe.catalog.lexical import last_part, quoted, unquoted
from pytest_migsafe.rehearsal.evidence import Evidence, StatementError
from pytest_migsafe.rules.explain.extensions import with_icu
from pytest_migsafe.rules.explain.names import failing_text, nearest, quoted_names, same_name, who_creates


def missing_column(evidence: Evidence, error: StatementError) -> Iterator[str]:
    """Explain 42703: there is no such column."""
    names = re.search(r'column "?([^"\s]+)"?(?: of relation "([^"]+)")? does not exist', error.message)
    if names is None:
        return
    name, relation = last_part(names[1]), names[2]
    text = failing_text(evidence).lower()
    columns = list(_columns(evidence))
    tables = (
        {relation}
        if relation
        else {table for table, _ in columns if re.search(rf"\b{re.escape(table.lower())}\b", text)}
    )
    found = list(_who_adds(evidence, error, {f"{table}.{name}".lower() for table in tables}))
    yield from found
    if not found:
        here = sorted({column for table, column in columns if table in tables})
        yield from nearest(name, here, f"Columns of {', '.join(sorted(tables))}: {', '.join(here)}.")


def _who_adds(evidence: Evidence, error: StatementError, names: set[str]) -> Iterator[str]:
    """Yield which statement adds a missing column, when it comes too late."""
    for one in evidence.creations:
        if one.kind != "column" or one.name.lower() not in names:
            continue
        if one.when == "later":
            yield f"{one.path} adds the column (line {one.line}), but is applied after this file."
            return
        if one.when == "same" and one.line > error.line:
            yield f"The column is added further down, in line {one.line}: move that statement up."
            return


def _columns(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Yield (table, column) of everything that exists before the file or is created above the error in it."""
    for column in evidence.before.columns.values():
        yield last_part(column.relation), last_part(column.name)
    for one in evidence.creations:
        if one.kind == "column" and one.when == "same" and evidence.error and one.line <= evidence.error.line:
            table, _, name = one.name.partition(".")
            yield table, name


def missing_relation(evidence: Evidence, error: StatementError) -> Iterator[str]:
    """Explain 42P01: there is no such relation."""
    names = quoted_names(error)
    if not names:
        return
    kinds = ("table", "view", "sequence", "index")
    found = list(who_creates(evidence, error, names[0], kinds))
    yield from found
    if not found:
        known = [last_part(name) for name in (*evidence.before.tables, *evidence.before.views)]
        yield from nearest(last_part(names[0]), known, "")


def missing_function(evidence: Evidence, error: StatementError) -> Iterator[str]:
    """Explain 42883: there is no such function."""
    match = re.search(r"(?:function|procedure) ([^\s(]+)\(", error.message)
    if match is None:
        return
    name = match[1]
    found = list(who_creates(evidence, error, name, ("function",)))
    there = [one for one in evidence.before.functions if same_name(one.split("(")[0], name)]
    if there:
        yield f"There is {', '.join(there)}: the arguments' types do not fit; add a cast."
    elif found:
        yield from found
    elif hint := _EXTENSION_OF.get(last_part(name)):
        yield f"The function belongs to the extension {hint}:"
        yield f'CREATE EXTENSION IF NOT EXISTS "{hint}";'
    else:
        known = [last_part(one) for one in evidence.before.functions]
        yield from nearest(last_part(name), known, "")


#: Functions of contrib modules that migrations most often forget to install.
_EXTENSION_OF = {
    "uuid_generate_v4": "uuid-ossp",
    "uuid_generate_v1": "uuid-ossp",
    "uuid_generate_v5": "uuid-ossp",
    "crypt": "pgcrypto",
    "gen_salt": "pgcrypto",
    "digest": "pgcrypto",
    "hmac": "pgcrypto",
    "gen_random_bytes": "pgcrypto",
    "similarity": "pg_trgm",
    "unaccent": "unaccent",
    "crosstab": "tablefunc",
}


def missing_object(evidence: Evidence, error: StatementError) -> Iterator[str]:
    """Explain 42704 and 3F000: there is no such type, role, schema and so on."""
    match = re.match(r'(\w+(?: \w+)?) "([^"]+)"(?: for encoding "\w+")? does not exist', error.message)
    if match is None:
        return
    kind, name = match[1], match[2]
    if kind == "collation" and name.endswith("-x-icu"):
        yield "Only a server that is built with ICU has collations called -x-icu, one for each locale that it knows."
        yield with_icu(evidence)
        return
    if kind == "role":
        yield from _missing_role(evidence, quoted(name))
        return
    found = list(who_creates(evidence, error, name, (kind, "type", "table")))
    yield from found
    if kind == "schema" and not found:
        yield "No migration before this one creates the schema:"
        yield f"CREATE SCHEMA IF NOT EXISTS {last_part(name)};"
    if kind == "type" and not found and name in _TYPES_ELSEWHERE:
        yield f"Other databases have a type {name}; PostgreSQL's is {_TYPES_ELSEWHERE[name]}."


def _missing_role(evidence: Evidence, name: str) -> Iterator[str]:
    if evidence.may_change_cluster:
        yield (
            "A throwaway server has no roles but its own. Create the role in a migration, guarded because roles "
            "belong to the whole server:"
        )
        yield f"DO $$ BEGIN CREATE ROLE {name}; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
        return
    makes_it = re.compile(
        rf'\bcreate\s+(?:role|user|group)\s+"?{re.escape(unquoted(name))}(?!\w)', re.IGNORECASE
    )
    found = next((one for one in evidence.left_out if makes_it.search(one.text)), None)
    which = (
        f"The statement in line {found.line} that creates it" if found is not None else "What creates roles"
    )
    yield (
        f"{which} is left out, for the server is not ours. Where it is thrown away after the run, allow it: "
        "`cluster_wide = true` in `[tool.migsafe]`. Or create the role on the server before the run:"
    )
    yield f"CREATE ROLE {name};"


#: Types that several other databases have, so that none of them is told by it, and PostgreSQL's that come nearest.
_TYPES_ELSEWHERE = {
    "blob": "bytea",
    "clob": "text",
    "datetime": "timestamp, or timestamptz with a time zone",
    "double": "double precision",
    "tinyint": "smallint",
    "varbinary": "bytea",
}
