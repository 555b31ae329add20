"""What belongs to the whole cluster: its roles, databases, configuration; and what a file changes of it."""

from collections.abc import Iterator
from importlib.resources import files

import psycopg
from psycopg.rows import tuple_row

from pytest_migsafe.catalog.environment import CLUSTER, Facts
from pytest_migsafe.rehearsal.evidence import ClusterChange

#: Kind and name of each thing, with its definition.
ClusterState = Facts

_CLUSTER = CLUSTER.text().encode()
_CONFIGURATION = files(__package__).joinpath("configuration.sql").read_bytes()


def read_cluster(connection: psycopg.Connection) -> ClusterState:
    """Return what belongs to the whole cluster, as the running transaction sees it."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(_CLUSTER).fetchall()
    return {(kind, name): definition for kind, name, definition in rows}


def read_configuration(connection: psycopg.Connection) -> ClusterState:
    """Return what ALTER SYSTEM has written; nothing where our role may not know.

    In effect it is after a reload or a restart.
    """
    try:
        with connection.cursor(row_factory=tuple_row) as cursor:
            rows = cursor.execute(_CONFIGURATION).fetchall()
    except psycopg.errors.InsufficientPrivilege:
        return {}
    return {(kind, name): definition for kind, name, definition in rows}


def cluster_changes(before: ClusterState, after: ClusterState) -> tuple[ClusterChange, ...]:
    """Return what is otherwise in ``after``, by kind and name."""
    return tuple(_changes(before, after))


def _changes(before: ClusterState, after: ClusterState) -> Iterator[ClusterChange]:
    for kind, name in sorted(before.keys() | after.keys()):
        then, now = before.get((kind, name)), after.get((kind, name))
        if then != now:
            yield ClusterChange(kind=kind, name=name, before=then, after=now)
