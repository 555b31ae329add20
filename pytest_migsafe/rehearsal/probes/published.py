"""Whether rows of published tables can be updated and deleted: the server is asked to plan it, and refuses or not.

It looks at the replica identity, and at the row filter and the columns of the publication (manual: "Replica Identity",
"Row Filters", "Column Lists"). A plan runs nothing.
"""

from collections.abc import Iterator
from dataclasses import replace

from pytest_migsafe.catalog.objects import Key
from pytest_migsafe.catalog.rarer import Publication
from pytest_migsafe.catalog.schema import Column, Table
from pytest_migsafe.rehearsal.facts import Facts, Refusal
from pytest_migsafe.rehearsal.probes.asking import Asking
from pytest_migsafe.rehearsal.probes.questions import Unanswered, answer
from pytest_migsafe.rehearsal.publications import publications, publishing

_COMMANDS = {
    "update": "EXPLAIN UPDATE ONLY {table} SET {column} = DEFAULT WHERE false",
    "delete": "EXPLAIN DELETE FROM ONLY {table} WHERE false",
}
#: What is said without a replica identity (object_not_in_prerequisite_state), and of a column of a filter that is no part
#: of it (invalid_column_reference).
_REFUSALS = frozenset({"55000", "42P10"})


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
        refused = tuple(_refused(asking, name))
        if refused:
            refusals[name] = refused
    return replace(known, refusals=refusals)


def _refused(asking: Asking, name: str) -> Iterator[Refusal]:
    objects = asking.after.belonging_to(name)
    table = objects.get(Key(Table.KIND, name))
    column = next((one for one in objects.values() if isinstance(one, Column)), None)
    if not isinstance(table, Table) or table.kind != "table" or column is None:
        return
    actions = {action for one in publishing(asking.after, table) for action in one.actions}
    for action, command in _COMMANDS.items():
        if action in actions:
            # Both names are as the server wrote them: quoted where needed.
            asked = answer(asking, command.format(table=name, column=column.name), settings=b"")
            # Other errors are not our business here: a privilege that the role lacks, a rule that cannot be planned.
            if isinstance(asked, Unanswered) and asked.sqlstate in _REFUSALS:
                yield Refusal(action, asked.message, asked.detail)
