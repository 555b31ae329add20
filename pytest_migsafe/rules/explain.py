"""Server errors in plain words: the usual cause, who creates what is missing, and the way out.

Each explanation is a small function for one SQLSTATE (manual: "PostgreSQL Error Codes"). It may use the
error, the schema before the file, and the statements of the history that create objects; where it knows
nothing to add, it says nothing.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from pytest_migsafe.migrations.dialect import WrittenFor
from pytest_migsafe.migrations.model import TransactionMode
from pytest_migsafe.rehearsal.evidence import Creation, Evidence, StatementError

Explain = Callable[[Evidence, StatementError], Iterator[str]]

_QUOTED = re.compile(r'"([^"]+)"')


def explain(evidence: Evidence) -> list[str]:
    """Return the explanation of the error that ended a file, a sentence or a line of SQL each."""
    error = evidence.error
    if error is None:
        return []
    if evidence.written_for is not None:
        return list(_another_database(evidence.written_for))
    return list(_EXPLANATIONS.get(error.sqlstate, _nothing)(evidence, error))


def _nothing(evidence: Evidence, error: StatementError) -> Iterator[str]:  # noqa: ARG001 - Explain's signature
    yield from ()


def _another_database(other: WrittenFor) -> Iterator[str]:
    yield f"The file is written for {other.name}: {other.mark} (line {other.line}) is not PostgreSQL's."
    yield _IN_POSTGRESQL[other.name]


_IN_POSTGRESQL = {
    "MySQL": (
        'PostgreSQL quotes names with double quotes ("name"), numbers rows with GENERATED ALWAYS AS IDENTITY instead of '
        "AUTO_INCREMENT, has no ENGINE clause, no unsigned types, and text for strings of any length."
    ),
    "SQLite": (
        "PostgreSQL numbers rows with GENERATED ALWAYS AS IDENTITY instead of AUTOINCREMENT, has no PRAGMA and no "
        "tables WITHOUT ROWID."
    ),
    "SQL Server": (
        'PostgreSQL quotes names with double quotes ("name") instead of brackets, ends statements with semicolons '
        "instead of GO, numbers rows with GENERATED ALWAYS AS IDENTITY, and its text is Unicode as NVARCHAR is."
    ),
    "ClickHouse": "PostgreSQL has no ENGINE clause and one kind of table, whose order an index keeps.",
    "Oracle": "PostgreSQL has numeric instead of NUMBER, and text or varchar instead of VARCHAR2.",
}


def _failing_text(evidence: Evidence) -> str:
    failed = [statement.text for statement in evidence.statements if statement.error is not None]
    return failed[-1] if failed else evidence.error_line


def _names(error: StatementError) -> list[str]:
    return _QUOTED.findall(error.message)


def _base(name: str) -> str:
    return name.rsplit(".", 1)[-1].strip('"')


def _same_name(one: str, other: str) -> bool:
    return _base(one).lower() == _base(other).lower()


def _creators(evidence: Evidence, name: str, kinds: Iterable[str]) -> list[Creation]:
    wanted = set(kinds)
    return [one for one in evidence.creations if one.kind in wanted and _same_name(one.name, name)]


def _where(creation: Creation) -> str:
    if creation.when == "same":
        return f"line {creation.line} of this file"
    return f"{creation.path} (line {creation.line})"


def _who_creates(
    evidence: Evidence, error: StatementError, name: str, kinds: tuple[str, ...]
) -> Iterator[str]:
    """Yield which statement creates a missing object, and what that means."""
    for one in _creators(evidence, name, kinds):
        if one.when == "later":
            yield f"{one.path} creates it (line {one.line}), but is applied after this file: change their order."
            return
        if one.when == "same" and one.line > error.line:
            yield f"It is created further down, in line {one.line}: move that statement above this one."
            return
    for one in reversed(_creators(evidence, name, kinds)):
        if one.when == "earlier":
            yield (
                f"{_where(one)} creates {_base(one.name)}, but it is not there any more, or under another name or "
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


def _nearest(name: str, known: Iterable[str], what: str) -> Iterator[str]:
    unique = sorted(set(known))
    if folded := _folding(name, unique):
        yield folded
        return
    close = difflib.get_close_matches(name, unique, n=3, cutoff=0.6)
    if close:
        yield f"Did you mean {' or '.join(close)}? {what}".rstrip()


def _missing_column(evidence: Evidence, error: StatementError) -> Iterator[str]:
    names = re.search(r'column "?([^"\s]+)"?(?: of relation "([^"]+)")? does not exist', error.message)
    if names is None:
        return
    name, relation = _base(names[1]), names[2]
    text = _failing_text(evidence).lower()
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
        yield from _nearest(name, here, f"Columns of {', '.join(sorted(tables))}: {', '.join(here)}.")


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
        yield _base(column.relation), _base(column.name)
    for one in evidence.creations:
        if one.kind == "column" and one.when == "same" and evidence.error and one.line <= evidence.error.line:
            table, _, name = one.name.partition(".")
            yield table, name


def _missing_relation(evidence: Evidence, error: StatementError) -> Iterator[str]:
    names = _names(error)
    if not names:
        return
    kinds = ("table", "view", "sequence", "index")
    found = list(_who_creates(evidence, error, names[0], kinds))
    yield from found
    if not found:
        known = [_base(name) for name in (*evidence.before.tables, *evidence.before.views)]
        yield from _nearest(_base(names[0]), known, "")


def _missing_function(evidence: Evidence, error: StatementError) -> Iterator[str]:
    match = re.search(r"(?:function|procedure) ([^\s(]+)\(", error.message)
    if match is None:
        return
    name = match[1]
    found = list(_who_creates(evidence, error, name, ("function",)))
    there = [one for one in evidence.before.functions if _same_name(one.split("(")[0], name)]
    if there:
        yield f"There is {', '.join(there)}: the arguments' types do not fit; add a cast."
    elif found:
        yield from found
    elif hint := _EXTENSION_OF.get(_base(name)):
        yield f"The function belongs to the extension {hint}:"
        yield f'CREATE EXTENSION IF NOT EXISTS "{hint}";'
    else:
        known = [_base(one.split("(")[0]) for one in evidence.before.functions]
        yield from _nearest(_base(name), known, "")


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


def _missing_object(evidence: Evidence, error: StatementError) -> Iterator[str]:
    match = re.match(r'(\w+(?: \w+)?) "([^"]+)"(?: for encoding "\w+")? does not exist', error.message)
    if match is None:
        return
    kind, name = match[1], match[2]
    if kind == "collation" and name.endswith("-x-icu"):
        yield "Only a server that is built with ICU has collations called -x-icu, one for each locale that it knows."
        yield _with_icu(evidence)
        return
    if kind == "role":
        yield (
            "A throwaway server has no roles but its own. Create the role in a migration, guarded because roles "
            "belong to the whole server:"
        )
        yield f"DO $$ BEGIN CREATE ROLE {_base(name)}; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
        return
    found = list(_who_creates(evidence, error, name, (kind, "type", "table")))
    yield from found
    if kind == "schema" and not found:
        yield "No migration before this one creates the schema:"
        yield f"CREATE SCHEMA IF NOT EXISTS {_base(name)};"
    if kind == "type" and not found and name in _TYPES_ELSEWHERE:
        yield f"Other databases have a type {name}; PostgreSQL's is {_TYPES_ELSEWHERE[name]}."


#: Types that several other databases have, so that none of them is told by it, and PostgreSQL's that come nearest.
_TYPES_ELSEWHERE = {
    "blob": "bytea",
    "clob": "text",
    "datetime": "timestamp, or timestamptz with a time zone",
    "double": "double precision",
    "tinyint": "smallint",
    "varbinary": "bytea",
}


def _duplicate_relation(evidence: Evidence, error: StatementError) -> Iterator[str]:
    names = _names(error)
    if not names:
        return
    found = [
        one
        for one in _creators(evidence, names[0], ("table", "view", "sequence", "index"))
        if one.when == "earlier" or (one.when == "same" and one.line != error.line)
    ]
    if found:
        yield (
            f"{_where(found[0])} creates it already: this file repeats it, or the name is used twice. Rename one, or "
            "drop this statement."
        )
    yield (
        "IF NOT EXISTS would silence the error, and keep the existing object whatever it looks like: use it only "
        "where the definitions are the same."
    )


def _duplicate_column(evidence: Evidence, error: StatementError) -> Iterator[str]:
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
        yield f"{_where(earlier[0])} adds it already. If this file may meet databases with and without the column:"
    yield f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column} ...;"


def _creators_of_column(evidence: Evidence, table: str, column: str) -> list[Creation]:
    name = f"{table}.{column}".lower()
    return [one for one in evidence.creations if one.kind == "column" and one.name.lower() == name]


def _duplicate_object(evidence: Evidence, error: StatementError) -> Iterator[str]:
    match = re.match(
        r'(policy|trigger|type|role|extension|constraint|schema) "([^"]+)"(.*) already exists', error.message
    )
    if match is None:
        return
    kind, name = match[1], match[2]
    on = re.search(r'(?:table|relation) "([^"]+)"', match[3])
    found = [
        one
        for one in _creators(evidence, name, (kind,))
        if one.when == "earlier" or (one.when == "same" and one.line < error.line)
    ]
    if found:
        yield f"{_where(found[-1])} creates it already."
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


def _syntax(evidence: Evidence, error: StatementError) -> Iterator[str]:
    text = _failing_text(evidence)
    if error.message == 'syntax error at or near "\\"':
        yield (
            "A backslash begins a command of psql, which is not SQL: only psql knows it, and this project's runner sends "
            "the file to the server as it is. Leave the command out, or say it in SQL."
        )
        return
    if any(_COPY_FROM_STDIN.match(one.text) for one in evidence.statements if one.line <= error.line):
        yield (
            "Only psql sends the rows that stand below COPY ... FROM STDIN as rows; this project's runner sends them as "
            "SQL. Write them as INSERT."
        )
        return
    if "unterminated" in error.message and (cut := _named_in(evidence.mode_reason, _CUTS)):
        yield f"The runner ends a statement {cut}."
        return
    if "unterminated" in error.message:
        yield "A quotation mark, dollar quote or comment that begins here is not closed before the file ends."
        return
    before = text[: max(_offset_in(text, evidence, error), 0)].rstrip()
    if before.endswith(",") and error.message.endswith(('near ")"', 'near ";"', "end of input")):
        yield "There is a comma too many just before."
    elif match := re.match(r'syntax error at or near "(\w+)"', error.message):
        close = difflib.get_close_matches(match[1].upper(), _KEYWORDS, n=1, cutoff=0.7)
        if close and close[0] != match[1].upper():
            yield f"Did you mean {close[0]}?"
        elif match[1].upper() in _STARTS and before and not before.endswith(";"):
            yield "A semicolon may be missing before this line."


_COPY_FROM_STDIN = re.compile(r"copy\b[^;]{1,10000}\bfrom\s+stdin\b", re.IGNORECASE)
#: Where runners cut files that know no quotes, by what stands in the reason for a file's mode.
_CUTS = {
    "Liquibase": (
        "at its first semicolon outside of quotes, of which Liquibase does not know dollar quotes: add splitStatements:false to "
        "the --changeset line, or endDelimiter:// with // below each statement"
    ),
    "goose": (
        "with the first line that ends with a semicolon, in a function's body too: put the whole between "
        "`-- +goose StatementBegin` and `-- +goose StatementEnd`"
    ),
    "sql-migrate": (
        "with the first line that ends with a semicolon, in a function's body too: put the whole between "
        "`-- +migrate StatementBegin` and `-- +migrate StatementEnd`"
    ),
    "Play": "at every semicolon, in a function's body too: write two (;;) where one is meant",
}


def _named_in(reason: str, known: Mapping[str, str]) -> str:
    return next((text for name, text in known.items() if name in reason), "")


_STARTS = ("CREATE", "ALTER", "DROP", "INSERT", "UPDATE", "DELETE", "COMMENT", "GRANT", "REVOKE", "TRUNCATE")
_KEYWORDS = (
    *_STARTS,
    *(
        "SELECT",
        "TABLE",
        "COLUMN",
        "CONSTRAINT",
        "PRIMARY",
        "FOREIGN",
        "REFERENCES",
        "DEFAULT",
        "UNIQUE",
        "INDEX",
    ),
    *(
        "VALUES",
        "WHERE",
        "FUNCTION",
        "RETURNS",
        "LANGUAGE",
        "TRIGGER",
        "POLICY",
        "EXISTS",
        "CONCURRENTLY",
        "USING",
    ),
)


def _offset_in(text: str, evidence: Evidence, error: StatementError) -> int:
    """Return where in the failing statement's text the error points."""
    failed = [statement for statement in evidence.statements if statement.error is not None]
    if not failed:
        return error.column - 1
    lines = text.split("\n")
    down = error.line - failed[-1].line
    if down == 0:
        return error.column - failed[-1].column
    return sum(len(line) + 1 for line in lines[:down]) + error.column - 1


#: Reserved in PostgreSQL, so that a name which is one of them must be quoted (manual, appendix "SQL Key Words").
_RESERVED = frozenset(
    """
    all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation
    column concurrently constraint create cross current_catalog current_date current_role current_schema current_time
    current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze
    from full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit
    localtime localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references
    returning right select session_user similar some symmetric system_user table tablesample then to trailing true
    union unique user using variadic verbose when where window with
    """.split()  # noqa: SIM905 - a hundred quotes are harder to read
)
_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*")


def _quoted(name: str) -> str:
    """Return a name as it must be written in SQL."""
    if _PLAIN_NAME.fullmatch(name) and name not in _RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def _table_of(error: StatementError) -> str:
    """Return the table that the server names, as it must be written in SQL, or dots."""
    schema = f"{_quoted(error.schema)}." if error.schema not in ("", "public") else ""
    return f"{schema}{_quoted(error.table)}" if error.table else "..."


def _not_null(evidence: Evidence, error: StatementError) -> Iterator[str]:  # noqa: ARG001 - Explain's signature
    named = error.column_name or "the column"
    column = _quoted(error.column_name) if error.column_name else "..."
    yield f"Rows that are there already have no value for {named}. Give them one before it is required:"
    yield f"UPDATE {_table_of(error)} SET {column} = ... WHERE {column} IS NULL;"  # noqa: S608 - advice, never run


def _unique(evidence: Evidence, error: StatementError) -> Iterator[str]:  # noqa: ARG001 - Explain's signature
    yield "Rows that earlier migrations inserted are equal in these columns; find them before making them unique:"
    # The server writes the columns as SQL has them (BuildIndexValueDescription).
    match = re.match(r"Key \((.+?)\)=", error.detail)
    columns = match[1] if match else "..."
    yield f"SELECT {columns}, count(*) FROM {_table_of(error)} GROUP BY {columns} HAVING count(*) > 1;"  # noqa: S608 - advice, never run


def _unread(evidence: Evidence, error: StatementError) -> Iterator[str]:  # noqa: ARG001 - Explain's signature
    if "Permission denied" in error.message:
        yield "The user that pytest runs as may not read the file: give it the right (chmod a+r), or change the user."


def _enum_in_use(evidence: Evidence, error: StatementError) -> Iterator[str]:  # noqa: ARG001 - Explain's signature
    yield (
        "A value that ALTER TYPE ... ADD VALUE adds can be used only after its transaction has committed: put the "
        "statement that uses it into the next migration."
    )


def _outside_only(evidence: Evidence, error: StatementError) -> Iterator[str]:  # noqa: ARG001 - Explain's signature
    if evidence.mode is TransactionMode.SINGLE_QUERY:
        yield f"PostgreSQL runs what comes in one query as one transaction ({evidence.mode_reason})."
        yield "Move the statement into a file of its own, with no other statement in it."
        return
    yield f"The runner puts this file into a transaction ({evidence.mode_reason})."
    way = _named_in(evidence.mode_reason, _OPT_OUTS)
    yield f"Move the statement into a file of its own that runs without one: {way or _ANY_OPT_OUT}."


#: How a file opts out of its runner's transaction, by what stands in the reason for its mode.
_OPT_OUTS = {
    "Diesel": "run_in_transaction = false in its metadata.toml",
    "Flyway": "executeInTransaction=false in `<file>.conf` beside it",
    "Liquibase": "runInTransaction:false on the line of a changeset that has this statement alone",
    "dbmate": "`-- migrate:up transaction:false`",
    "goose": "`-- +goose NO TRANSACTION`",
    "sql-migrate": "`-- +migrate Up notransaction`",
    "sqlx": "`-- no-transaction` as its very first characters",
    "Supabase": "`-- pg-delta: transaction=false` as its first line",
    "tern": "`---- tern: disable-tx ----`",
    "node-pg-migrate": "a migration in JavaScript with pgm.noTransaction(), for SQL files have no way",
    "Drizzle": "apply it by hand, for Drizzle has no way",
}
_ANY_OPT_OUT = (
    "`-- no-transaction` as the first line, or the runner's own way (Diesel: run_in_transaction = false in "
    "metadata.toml)"
)


def _canceled(evidence: Evidence, error: StatementError) -> Iterator[str]:
    if error.message.startswith("COPY from stdin failed"):
        yield f"{evidence.mode_reason}: it has no rows to send. Write them as INSERT, or load them otherwise."
        return
    if "statement timeout" not in error.message:
        return
    yield (
        "The statement took longer than statement_timeout allows; raise it with [tool.migsafe] statement_timeout "
        "if the file really needs that long on an all but empty database."
    )


def _unavailable(evidence: Evidence, error: StatementError) -> Iterator[str]:
    server = f"The server (PostgreSQL {evidence.server_version})"
    if missing := _NO_EXTENSION.search(error.message):
        name = missing[1] or missing[2]
        yield f"{server} does not have the extension {name}."
    elif missing := _NO_LIBRARY.search(error.message):
        created = _CREATE_EXTENSION.search(_failing_text(evidence))
        name = created[1] if created else missing[1]
        package = _LIBRARIES.get(missing[2].split(".so")[0])
        where = f" (Debian, Ubuntu: apt install {package})" if package else ""
        yield f"{server} has {name}, which needs the system's library {missing[2]}: install it{where}."
    elif "ICU is not supported" in error.message:
        yield f"{server} is built without ICU."
        yield _with_icu(evidence)
        return
    else:
        return
    major = evidence.server_version.split(".")[0]
    yield (
        f"A server that has it: apt install {_package(name, major)} (Debian, Ubuntu) and "
        f"--migsafe-bindir=/usr/lib/postgresql/{major}/bin, or one that runs already, such as a container: --migsafe-dsn."
    )
    yield "Or a stub, a file of SQL with what your migrations use of the extension, named in pyproject.toml:"
    yield f'[tool.migsafe.extensions]\n{name} = "stubs/{name}.sql"'


def _with_icu(evidence: Evidence) -> str:
    major = evidence.server_version.split(".")[0]
    return (
        f"A server that has it: apt install postgresql-{major} (Debian, Ubuntu) and --migsafe-bindir "
        f"/usr/lib/postgresql/{major}/bin, or one that runs already, such as a container: --migsafe-dsn."
    )


#: Until PostgreSQL 14 only the file is named.
_NO_EXTENSION = re.compile(
    r'extension "([^"]+)" is not available|could not open extension control file ".*/([^"/]+)\.control"'
)
_NO_LIBRARY = re.compile(
    r'could not load library ".*/([^"/]+)\.\w+": (?:.*: )?([^:\s]+): cannot open shared object file'
)

_CREATE_EXTENSION = re.compile(r'CREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?"?([\w-]+)', re.IGNORECASE)

#: Where Debian has the libraries that modules of the bundled server need (docs/servers.md).
_LIBRARIES = {
    "libossp-uuid": "libossp-uuid16",
    "libpq": "libpq5",
    "libpython3.11": "libpython3.11",
    "libxslt": "libxslt1.1",
}

#: Extensions whose packages are not called like them, in Debian and on apt.postgresql.org.
_PACKAGES = {
    "address_standardizer": "postgis-3",
    "pg_cron": "cron",
    "pg_partman": "partman",
    "pg_repack": "repack",
    "pg_similarity": "similarity",
    "vector": "pgvector",
}


def _package(extension: str, major: str) -> str:
    """Return the Debian package of an extension; those of the server's own languages end with the version."""
    if language := re.fullmatch(r"(plperl|plpython3|pltcl)u?", extension):
        return f"postgresql-{language[1]}-{major}"
    if extension.startswith("postgis"):
        return f"postgresql-{major}-postgis-3"
    return f"postgresql-{major}-{_PACKAGES.get(extension, extension.replace('_', '-'))}"


def _other_version(evidence: Evidence, error: StatementError) -> Iterator[str]:  # noqa: ARG001 - Explain's signature
    match = re.search(r'extension "([^"]+)" has no .*update path .*version "([^"]+)"', error.message)
    if match:
        yield (
            "Each server has the versions of its own packages: leave VERSION or TO out, unless the migrations need "
            "this one. A stub says in its first line for which version it stands:"
        )
        yield f"-- version: {match[2]}"


def _dependents(evidence: Evidence, error: StatementError) -> Iterator[str]:  # noqa: ARG001 - Explain's signature
    yield (
        "Drop or change what depends on it first, by name. CASCADE would drop all of it, and what depends on that, "
        "without asking."
    )


def _pending_events(evidence: Evidence, error: StatementError) -> Iterator[str]:  # noqa: ARG001 - Explain's signature
    yield (
        "Rows were changed under deferred constraints in the same transaction. Put the data change into an earlier "
        "file, or check the constraints first:"
    )
    yield "SET CONSTRAINTS ALL IMMEDIATE;"


def _not_allowed(evidence: Evidence, error: StatementError) -> Iterator[str]:
    if not evidence.role or "must be owner" in error.message:
        yield from _owner(evidence, error)
        return
    yield (
        f"The file was run as {evidence.role}. If that role may do this in production, grant it before the first "
        "migration, in a prelude ([tool.migsafe] prelude); if not, a superuser has to do it there, too."
    )


def _owner(evidence: Evidence, error: StatementError) -> Iterator[str]:  # noqa: ARG001 - Explain's signature
    if evidence.role:
        yield (
            f"The file was run as {evidence.role}, and only an object's owner, or a member of the owning role, may "
            "change it."
        )


def _no_publisher(evidence: Evidence, error: StatementError) -> Iterator[str]:
    if "connect to the publisher" in error.message and _failing_text(evidence):
        yield (
            "No publisher can be reached from a rehearsal. `WITH (connect = false)` makes the subscription without "
            "reaching for it (manual: CREATE SUBSCRIPTION)."
        )


_EXPLANATIONS: dict[str, Explain] = {
    "": _unread,
    "42703": _missing_column,
    "42P01": _missing_relation,
    "42883": _missing_function,
    "42704": _missing_object,
    "3F000": _missing_object,
    "42P07": _duplicate_relation,
    "42701": _duplicate_column,
    "42710": _duplicate_object,
    "42P06": _duplicate_object,
    "42601": _syntax,
    "23502": _not_null,
    "23505": _unique,
    "42501": _not_allowed,
    "08006": _no_publisher,
    "55P04": _enum_in_use,
    "25001": _outside_only,
    "57014": _canceled,
    "0A000": _unavailable,
    "58P01": _unavailable,
    "22023": _other_version,
    "2BP01": _dependents,
    "55006": _pending_events,
}
