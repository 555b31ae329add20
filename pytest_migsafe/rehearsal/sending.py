"""Send a statement, with the rows that a file gives it."""

from typing import Any

import psycopg

#: A message to the server: large enough to be few, small enough not to hold a seed file twice.
_CHUNK = 1 << 20


def send(cursor: psycopg.Cursor[Any], text: str, data: str | None = None) -> str:
    """Run a text as one simple query and return its last command tag.

    ``data`` are the rows that a ``COPY ... FROM STDIN`` reads (manual: "COPY", "File Formats"); without a
    statement that reads them, the server would wait for them.

    Raises:
        psycopg.Error: what the server says against it.
    """
    if data is None:
        return cursor.execute(text.encode()).statusmessage or ""
    with cursor.copy(text.encode()) as copy:
        for at in range(0, len(data), _CHUNK):
            copy.write(data[at : at + _CHUNK].encode())
    return cursor.statusmessage or ""
