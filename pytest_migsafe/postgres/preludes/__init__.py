"""Preludes: SQL that is applied before the first migration, for what production has from the start.

A hosting platform makes roles, schemas, tables and extensions before a project's first migration runs, and the
migrations rely on them. A prelude makes them on the throwaway server. It is one of ours, by its name, or a file of
the project.
"""

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from psycopg.pq import TransactionStatus

from pytest_migsafe.errors import ServerError, SettingsError

__all__ = ["BUILT_IN", "Prelude", "apply_prelude", "read_prelude"]

#: The names of the preludes that come with pytest-migsafe; each is a `.sql` file beside this one.
BUILT_IN: Final[tuple[str, ...]] = ("supabase",)

_OURS = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Prelude:
    """The SQL of one prelude."""

    #: The name of a built-in one, or the file's path as the project wrote it.
    name: str
    sql: str


def read_prelude(name_or_path: str, root: Path) -> Prelude:
    """Return the built-in prelude of that name, or else that file; its path is relative to `root`.

    A file that is called like a built-in prelude is reached as `./supabase`.

    Raises:
        SettingsError: there is no such prelude, or the file cannot be read as text.
    """
    if name_or_path in BUILT_IN:
        return Prelude(name_or_path, (_OURS / f"{name_or_path}.sql").read_text(encoding="utf-8"))
    try:
        content = (root / name_or_path).read_bytes()
    except FileNotFoundError as error:
        raise SettingsError(_not_found(name_or_path, root)) from error
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL byte
        cause = getattr(error, "strerror", None) or error
        raise SettingsError(f"The prelude {name_or_path} cannot be read: {cause}.\nFolder: {root}") from error
    return Prelude(name_or_path, _text(name_or_path, content))


def apply_prelude(connection: psycopg.Connection, prelude: Prelude) -> None:
    """Run a prelude as one simple query, which is one transaction unless the text has its own BEGIN and COMMIT.

    The session is then as if new (DISCARD ALL). What the prelude sets for a role or a database (ALTER ROLE ... SET)
    holds for sessions that connect later: manual, "ALTER ROLE".

    Args:
        connection: in autocommit mode, of a role that may do what the prelude does; for ours, a superuser.
        prelude: what `read_prelude` returned.

    Raises:
        ServerError: the server refused it; the message has file, line and what the server said.
    """
    try:
        connection.execute(prelude.sql.encode(), prepare=False)
    except psycopg.Error as error:
        _discard_session(connection)
        raise ServerError(_refused(prelude, error)) from error
    is_unfinished = connection.info.transaction_status is not TransactionStatus.IDLE
    _discard_session(connection)
    if is_unfinished:
        raise ServerError(_unfinished(prelude))


def _text(name: str, content: bytes) -> str:
    """Return the text of a file, without a byte order mark, which the server takes for a word."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SettingsError(
            f"The prelude {name} is not UTF-8: line {line} has the byte 0x{content[error.start]:02x}.\n"
            "Save the file as UTF-8."
        ) from error
    if "\0" in text:
        # A query ends for libpq at the first NUL: what follows would be left out in silence.
        line = text.count("\n", 0, text.index("\0")) + 1
        raise SettingsError(
            f"The prelude {name} has a NUL byte in line {line}, which PostgreSQL takes in no text.\n"
            "Save the file as UTF-8 (UTF-16 has a NUL in every second byte)."
        )
    return text


def _discard_session(connection: psycopg.Connection) -> None:
    """End the transaction and forget settings, role, temporary tables; a lost connection has nothing to forget."""
    if connection.info.transaction_status is TransactionStatus.ACTIVE:
        connection.close()  # it waits for the rows of a COPY, and takes nothing else
    if connection.closed:
        return
    connection.rollback()
    connection.execute("DISCARD ALL")


def _not_found(name: str, root: Path) -> str:
    close = difflib.get_close_matches(name, BUILT_IN, n=1, cutoff=0.5)
    meant = f"; did you mean {close[0]!r}?" if close else ""
    return (
        f"There is no prelude {name!r}: it is neither built in nor a file{meant}\n"
        f"Looked for: {root / name}.\n"
        f"Built in: {', '.join(BUILT_IN)}. A file's path is relative to the project's root."
    )


def _refused(prelude: Prelude, error: psycopg.Error) -> str:
    diagnosis = error.diag
    message = diagnosis.message_primary or " ".join(str(error).split())
    said = {"DETAIL": diagnosis.message_detail, "HINT": diagnosis.message_hint, "CONTEXT": diagnosis.context}
    lines = [f"The prelude cannot be applied: {_place(prelude, error)}: {message}"]
    lines += [f"{label}: {text}" for label, text in said.items() if text]
    return "\n".join([*lines, _way_out(prelude)])


def _place(prelude: Prelude, error: psycopg.Error) -> str:
    """Return where in the file the server stopped: with a line if it gave a position, which few errors have."""
    position = error.diag.statement_position
    if position is None:
        return prelude.name
    # Characters, from 1 (manual, "Error and Notice Message Fields").
    line = prelude.sql.count("\n", 0, int(position) - 1) + 1
    return f"{prelude.name}:{line}"


def _unfinished(prelude: Prelude) -> str:
    return (
        f"The prelude {prelude.name} ends in the middle of a transaction: it has a BEGIN without its COMMIT.\n"
        "Nothing after that BEGIN stays. Add the COMMIT, or leave both out: the whole file is one transaction anyway."
    )


def _way_out(prelude: Prelude) -> str:
    if prelude.name in BUILT_IN:
        return (
            "This prelude comes with pytest-migsafe and suits an empty database, a superuser and PostgreSQL 14 or "
            "later: if it had these, please report it. Until then name a file of your own as the prelude."
        )
    return (
        "Mend the file. It is sent to the server as it is, in one query: commands of psql (\\i, \\connect, \\restrict) "
        "and COPY ... FROM stdin are not possible in it."
    )
