"""A file that is written for another database."""

from collections.abc import Iterator

from pytest_migsafe.migrations.dialect import WrittenFor


def another_database(other: WrittenFor) -> Iterator[str]:
    """Say which database it is, and how PostgreSQL does what the file does."""
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
