"""Send a text to the server, with the rows that a file gives it."""

import re
from typing import Any

import psycopg
from psycopg.pq import ExecStatus

#: A message to the server: large enough to be few, small enough not to hold a seed file twice.
_CHUNK = 1 << 20
#: COPY to or from the client: a substring test is all that most texts need.
_COPIES = re.compile(r"\b(?:stdin|stdout)\b", re.IGNORECASE)


def send(cursor: psycopg.Cursor[Any], text: str, data: str | None = None) -> str:
    """Run a text as one simple query and return its last command tag.

    ``data`` are the rows that a ``COPY ... FROM STDIN`` reads (manual: "COPY", "File Formats"). Where there are none
    for it, the server is told so, and says that the statement failed; what ``COPY ... TO STDOUT`` sends is dropped.

    Raises:
        psycopg.Error: what the server says against it.
    """
    if data is None and _COPIES.search(text) is None:
        return cursor.execute(text.encode()).statusmessage or ""
    if data is None:
        return _send_by_hand(cursor.connection, text)
    with cursor.copy(text.encode()) as copy:
        for at in range(0, len(data), _CHUNK):
            copy.write(data[at : at + _CHUNK].encode())
    return cursor.statusmessage or ""


def _send_by_hand(connection: psycopg.Connection[Any], text: str) -> str:
    """Run a text in which a COPY may stand among other statements, which ``Cursor.execute`` refuses to."""
    protocol = connection.pgconn
    protocol.send_query(text.encode())
    tag = ""
    problem: psycopg.Error | None = None
    while (result := protocol.get_result()) is not None:
        if result.status == ExecStatus.COPY_OUT:
            while protocol.get_copy_data(0)[0] > 0:
                pass
        elif result.status == ExecStatus.COPY_IN:
            protocol.put_copy_end(b"the file has no rows for it that its runner would send")
        elif result.status == ExecStatus.FATAL_ERROR:
            problem = psycopg.errors.error_from_result(result)
        else:
            tag = (result.command_status or b"").decode()
    if problem is not None:
        raise problem
    return tag
