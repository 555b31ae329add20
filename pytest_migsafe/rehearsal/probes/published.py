"""Whether rows of published tables can be updated and deleted: the server is asked to plan it, and refuses or not.

It looks at the replica identity, and at the row filter and the columns of the publication (manual: "Replica Identity",
"Row Filters", "Column Lists"). A plan runs nothing.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.objects import Key
from pytest_migsafe.catalog.rarer import Publication
from pytest_migsafe.catalog.schema import Column, Table
from pytest_migsafe.rehearsal.facts import Facts, Refusal
from pytest_migsafe.rehearsal.probes.asking import Asking
from pytest_migsafe.rehearsal.publications import publications, publishing

_COMMANDS = {"update": "UPDATE ONLY {table} SET {column} = DEFAULT", "delete": "DELETE FROM ONLY {table}"}
#: What is said without a replica identity, and of a column of a filter that is no part of it.
_REFUSALS = (psycopg.errors.ObjectNotInPrerequisiteState, psycopg.errors.InvalidColumnReference)


def probe(asking: Asking, known: Facts) -> Facts:
    """Ask of the published tables that were changed; of all, when a publication was."""
    if not any(publications(asking.after)):
        return replace(known, refusals={}) if known.refusals else known
    names = {home.name for home in asking.changed if home.catalog == "relation"}
    if any(home.catalog == Publication.GROUP for home in asking.changed):
        names |= asking.after.tables.keys()
    refusals: dict[str, tuple[Refusal, ...]] = {
        name: some for name, some in known.refusals.items() if name not in names
    }
    for name in sorted(names):
        refused = tuple(_refused(asking.connection, asking.after, name))
        if refused:
            refusals[name] = refused
    return replace(known, refusals=refusals)


def _refused(connection: psycopg.Connection[Any], schema: Schema, name: str) -> Iterator[Refusal]:
    objects = schema.belonging_to(name)
    table = objects.get(Key(Table.KIND, name))
    column = next((one for one in objects.values() if isinstance(one, Column)), None)
    if not isinstance(table, Table) or table.kind != "table" or column is None:
        return
    actions = {action for one in publishing(schema, table) for action in one.actions}
    for action, command in _COMMANDS.items():
        if action in actions:
            # Both names are as the server wrote them: quoted where needed.
            planned = command.format(table=name, column=column.name)
            refusal = _refusal(connection, action, planned)
            if refusal is not None:
                yield refusal


def _refusal(connection: psycopg.Connection[Any], action: str, planned: str) -> Refusal | None:
    try:
        with connection.transaction():
            connection.execute(f"EXPLAIN {planned} WHERE false".encode())
    except _REFUSALS as error:
        return Refusal(action, error.diag.message_primary or "", error.diag.message_detail or "")
    except psycopg.Error:
        # It is not our business here: a privilege that the role lacks, a rule that cannot be planned.
        return None
    return None
