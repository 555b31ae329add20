"""Whether a file that PostgreSQL rejects is written for another database.

Asked only after a rejection, and careful all the same: a statement must bear a mark of the other database, which
PostgreSQL does not have, and ``sqlglot`` must be able to read the statement as that database's.
"""

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from pytest_migsafe.migrations.lexemes import tokens
from pytest_migsafe.migrations.source import CharOffset, SourceText


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenFor:
    """The database that a file is written for, and how that is known."""

    #: "MySQL", "SQLite", "SQL Server", "Oracle" or "ClickHouse".
    name: str
    #: What shows it, as it is written: "AUTO_INCREMENT".
    mark: str
    #: The 1-based line on which that stands.
    line: int


#: Enough of a file to tell, however long it is.
_READS_STATEMENTS = 20
_READS_CHARACTERS = 50_000
_READS_TOKENS = 5_000


def written_for(source: SourceText) -> WrittenFor | None:
    """Return the other database for which a text is written; None when nothing shows one."""
    # The grammar costs 50 ms to import, and is asked about files that fail only.
    from pytest_migsafe.migrations.grammar import split_statements  # noqa: PLC0415

    beginning = SourceText(source.text[:_READS_CHARACTERS])
    for statement in islice(split_statements(beginning), _READS_STATEMENTS):
        for mark in _marks(statement.text):
            # What PostgreSQL can read is wrong in its types at most.
            if (statement.syntax_error or mark.is_type) and _is_readable(statement.text, mark.dialect):
                at = CharOffset(statement.start + mark.start)
                return WrittenFor(name=_NAMES[mark.dialect], mark=mark.written, line=source.position(at).line)
    return None


#: The databases' names, and sqlglot's for their dialects.
_NAMES = {
    "mysql": "MySQL",
    "sqlite": "SQLite",
    "tsql": "SQL Server",
    "oracle": "Oracle",
    "clickhouse": "ClickHouse",
}


@dataclass(frozen=True, slots=True)
class _Mark:
    dialect: str
    written: str
    start: int
    is_type: bool = False


def _is_readable(statement: str, dialect: str) -> bool:
    import sqlglot  # noqa: PLC0415 - costs 0.1 s, and few files are rejected
    from sqlglot.expressions import Command  # noqa: PLC0415 - as above

    batches = _GO.split(statement) if dialect == "tsql" else [statement]
    # It warns of what it reads only roughly.
    logger = logging.getLogger("sqlglot")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        read = [one for batch in batches for one in sqlglot.parse(batch, read=dialect)]
    except Exception:  # noqa: BLE001 - whatever a parser for other databases stumbles on: it cannot read it
        return False
    finally:
        logger.setLevel(level)
    return any(one is not None and not isinstance(one, Command) for one in read)


# -- marks ---------------------------------------------------------------------------------------------------

_GO = re.compile(r"^[ \t]*GO[ \t\r]*$", re.MULTILINE | re.IGNORECASE)
_NUMBERS = frozenset(
    {"int", "integer", "bigint", "smallint", "tinyint", "mediumint", "decimal", "float", "double"}
)
#: Types that only one of them has.
_TYPES = {
    "mediumint": "mysql",
    "tinytext": "mysql",
    "mediumtext": "mysql",
    "longtext": "mysql",
    "tinyblob": "mysql",
    "mediumblob": "mysql",
    "longblob": "mysql",
    "nvarchar": "tsql",
    "datetime2": "tsql",
    "datetimeoffset": "tsql",
    "uniqueidentifier": "tsql",
    "varchar2": "oracle",
    "nvarchar2": "oracle",
}


def _marks(statement: str) -> Iterator[_Mark]:
    """Yield what another database's text shows, from the statement's beginning."""
    found = list(islice(tokens(statement), _READS_TOKENS))
    words = ["", *(statement[one.start : one.end].lower() for one in found), "", "", ""]
    defines = words[1] in ("create", "alter")
    for number, one in enumerate(found, 1):
        around = _Around(words[number - 1], words[number], *words[number + 1 : number + 4])
        for dialect, is_mark, shown in _MARKS:
            if is_mark(around):
                last = found[min(number - 1 + shown - 1, len(found) - 1)]
                yield _Mark(dialect, statement[one.start : last.end], one.start)
        if defines and around.word in _TYPES and _may_be_column(around.before):
            yield _Mark(_TYPES[around.word], statement[one.start : one.end], one.start, is_type=True)
        if defines and (around.word, around.next) == ("number", "(") and _may_be_column(around.before):
            yield _Mark("oracle", statement[one.start : one.end], one.start, is_type=True)
    if separator := _GO.search(statement):
        yield _Mark("tsql", separator.group().strip(), separator.start())


@dataclass(frozen=True, slots=True)
class _Around:
    """A token with its neighbours, in small letters; empty beyond the statement."""

    before: str
    word: str
    next: str
    second: str
    third: str


def _may_be_column(word: str) -> bool:
    """Whether a type may follow a word: a column's name, in whichever quotes."""
    return word[-1:].isalnum() or word[-1:] in ("_", '"', "`", "]")


#: Between these and a subscript, PostgreSQL has a name.
_BEFORE_NAMES = ("(", ",", ".", "table", "into", "update", "from", "join", "on", "add", "column", "schema")

#: The database, what shows it, and over how many tokens that goes.
_MARKS: tuple[tuple[str, Callable[[_Around], bool], int], ...] = (
    # Before MySQL, whose clause is written in the same way.
    ("clickhouse", lambda at: (at.word, at.next) == ("engine", "=") and at.second.endswith("mergetree"), 3),
    ("mysql", lambda at: (at.word, at.second) == ("`", "`"), 3),
    ("mysql", lambda at: at.word == "auto_increment" and at.before[-1:].isalpha(), 1),
    ("mysql", lambda at: at.word == "auto_increment" and (at.before, at.next) == (")", "="), 1),
    ("mysql", lambda at: (at.before, at.word, at.next) == (")", "engine", "="), 1),
    ("mysql", lambda at: at.word == "unsigned" and at.before in (*_NUMBERS, ")"), 1),
    ("sqlite", lambda at: at.word == "autoincrement" and at.before in ("key", "asc", "desc"), 1),
    ("sqlite", lambda at: at.word == "pragma" and at.before == "", 1),
    ("sqlite", lambda at: (at.before, at.word, at.next) == (")", "without", "rowid"), 2),
    ("tsql", lambda at: (at.word, at.second) == ("[", "]") and at.before in _BEFORE_NAMES, 3),
    ("tsql", lambda at: (at.word, at.next, at.third) == ("identity", "(", ","), 1),
    ("oracle", lambda at: at.word == "varchar2" and at.next == "(", 1),
)
