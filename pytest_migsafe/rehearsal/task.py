"""What is run of a file on a server: all of it, but for what cannot, or must not, be there as in production."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from pytest_migsafe.migrations.model import Direction, Migration, Script
from pytest_migsafe.migrations.source import CharOffset, CharSpan
from pytest_migsafe.migrations.waivers import Waiver, read_waivers
from pytest_migsafe.postgres.database import Database
from pytest_migsafe.rehearsal.evidence import LeftOut, LeftOutFor


@dataclass(frozen=True, slots=True)
class Task:
    """A file that is to be rehearsed: what of it is run, and what is not."""

    migration: Migration
    script: Script
    left_out: tuple[LeftOut, ...] = ()
    #: What the file allows, also of what is not run of it.
    waivers: tuple[Waiver, ...] = ()


def read_task(
    migration: Migration,
    database: Database,
    *,
    may_change_cluster: bool,
    direction: Direction = Direction.UP,
) -> Task:
    """Return what is to be run of a file in a database; on the way down, of what undoes it.

    Raises:
        MigrationReadError: the file cannot be read.
    """
    server = database.server
    script = migration.read(database=database.name, role=server.role, direction=direction)
    task = Task(migration, script)
    waivers = read_waivers(task.script)
    words = task.script.source.text.lower()
    if server.stubbed_access_methods:
        task = _without_index_parameters(task, server.stubbed_access_methods)
    if server.is_ours and "tablespace" in words:
        task = _with_tablespaces_in_place(task)
    if not server.has_icu and "icu" in words:
        task = _with_collations_of_bytes(task)
    if not may_change_cluster:
        task = _without_cluster_wide(task)
    return replace(task, waivers=waivers)


def _without_index_parameters(task: Task, access_methods: Collection[str]) -> Task:
    # The grammar costs 50 ms to import, and here it is needed only where there are stubs.
    from pytest_migsafe.migrations.adaptations import without_index_parameters  # noqa: PLC0415

    return _adapted(task, without_index_parameters(task.script, access_methods), LeftOutFor.STUB)


def _with_tablespaces_in_place(task: Task) -> Task:
    # The grammar costs 50 ms to import, and here it is needed only for files that speak of tablespaces.
    from pytest_migsafe.migrations.adaptations import with_tablespaces_in_place  # noqa: PLC0415

    return _adapted(task, with_tablespaces_in_place(task.script), LeftOutFor.TABLESPACE)


def _with_collations_of_bytes(task: Task) -> Task:
    # The grammar costs 50 ms to import, and here it is needed only for files that speak of ICU.
    from pytest_migsafe.migrations.adaptations import with_collations_of_bytes  # noqa: PLC0415

    return _adapted(task, with_collations_of_bytes(task.script), LeftOutFor.ICU)


def _adapted(task: Task, adapted: tuple[Script, tuple[CharSpan, ...]], reason: LeftOutFor) -> Task:
    written = task.script.source.text
    script, spans = adapted
    left_out = (_left_out(script, start, written[start:end], reason) for start, end in spans)
    return Task(task.migration, script, (*task.left_out, *left_out))


def _without_cluster_wide(task: Task) -> Task:
    # The grammar costs 50 ms to import, and here it is needed only where others use the server, too.
    from pytest_migsafe.migrations.cluster_wide import without_cluster_wide  # noqa: PLC0415

    script, found = without_cluster_wide(task.script)
    left_out = (_left_out(script, one.start, one.text, LeftOutFor.CLUSTER, changes) for one, changes in found)
    return Task(task.migration, script, (*task.left_out, *left_out))


def _left_out(script: Script, start: int, text: str, reason: LeftOutFor, changes: str = "") -> LeftOut:
    place = script.position(CharOffset(start))
    return LeftOut(line=place.line, column=place.column, text=text, reason=reason, changes=changes)
