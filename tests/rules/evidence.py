"""Evidence from a few lines: a file of statements, what was there before, and the error that ended it."""

from dataclasses import replace
from typing import Any

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.objects import CatalogObject
from pytest_migsafe.catalog.schema import Column, Function, Table, View
from pytest_migsafe.migrations.model import TransactionMode
from pytest_migsafe.rehearsal.evidence import Creation, Evidence, Lane, StatementError, StatementEvidence

_FILE = Evidence(
    migration_id="2",
    path="migrations/2_b.sql",
    mode=TransactionMode.TRANSACTION,
    mode_reason="each file is one transaction, the default",
    lane=Lane.SAVEPOINT,
    server_version="18.1",
    before=Schema(),
    after=Schema(),
)


def evidence(*statements: str, **fields: Any) -> Evidence:
    """Return the evidence of a file whose statements stand a line each and all went well."""
    return replace(
        _FILE,
        statements=tuple(_statement(text, line) for line, text in enumerate(statements, 1)),
        statement_count=len(statements),
        **fields,
    )


def failed(*statements: str, sqlstate: str, message: str, at: str = "", **fields: Any) -> Evidence:
    """Return the evidence of a file whose last statement the server rejected.

    The server points at the text ``at`` in it; ``error_`` fields go to the error, the others to the evidence.
    """
    of_error = {
        key.removeprefix("error_"): fields.pop(key) for key in list(fields) if key.startswith("error_")
    }
    last = len(statements)
    error = StatementError(
        sqlstate=sqlstate,
        message=message,
        **{"line": last, "column": statements[-1].index(at) + 1, **of_error},
    )
    whole = evidence(*statements, error=error, **fields)
    *sound, broken = whole.statements
    return replace(whole, statements=(*sound, replace(broken, error=error, tag="")))


def _statement(text: str, line: int) -> StatementEvidence:
    return StatementEvidence(line=line, column=1, end_line=line, text=text, node="", tag="OK")


def schema(*objects: CatalogObject, **tables: str) -> Schema:
    """Return a schema of tables in ``public``, each with its columns' names: ``orders="id total"``."""
    made: list[CatalogObject] = list(objects)
    for name, columns in tables.items():
        made.append(Table(name=f"public.{name}", owner="o"))
        made += [Column(relation=f"public.{name}", name=column, type="text") for column in columns.split()]
    return Schema.of(made)


def function(name: str) -> Function:
    """Return a function by its name with argument types: ``public.f(integer)``."""
    return Function(
        name=name, kind="function", arguments="", language="sql", cost=100, rows=0, body="SELECT 1", owner="o"
    )


def view(name: str) -> View:
    """Return a view."""
    return View(name=name, definition="SELECT 1", owner="o")


def created(kind: str, name: str, path: str, line: int, when: str) -> Creation:
    """Return a statement of the history that creates something."""
    return Creation(kind=kind, schema="", name=name, path=path, line=line, when=when)
