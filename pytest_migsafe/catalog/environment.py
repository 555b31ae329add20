"""What a schema stands in: roles and memberships, settings of databases and roles, the database itself.

None of it is part of a `Schema`: it belongs to a cluster, and is another on every machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_migsafe.catalog.composition import Source, composed, connection_of
from pytest_migsafe.catalog.diff import Action, Change
from pytest_migsafe.catalog.queries import send

#: Kind and name of each thing, with its definition.
Facts = Mapping[tuple[str, str], str]

#: What belongs to the whole cluster and migrations change; the rehearsal sends it, too.
CLUSTER = composed("cluster")


@dataclass(frozen=True, slots=True)
class Environment:
    """What stands around a schema."""

    #: By kind (role, membership, setting, database, tablespace ...) and name. This database's own attributes are of
    #: the kind "database", and its name is none of them.
    facts: Facts

    # As large as a cluster: never a key.
    __hash__ = None  # type: ignore[assignment]


def environment(connection: Source) -> Environment:
    """Return what stands around the schema of the connection's database.

    Raises:
        SnapshotError: the connection's transaction has failed, or the server refuses a query.
    """
    cluster, own = send(connection_of(connection), [CLUSTER, composed("environment")])
    name = connection_of(connection).info.dbname
    facts = {(kind, what): definition for kind, what, definition in cluster if not _is_own(kind, what, name)}
    return Environment({**facts, **{(kind, what): definition for kind, what, definition in own}})


def _is_own(kind: str, what: str, database: str) -> bool:
    """Say whether this is about this database by its name."""
    return (kind == "database" and what == database) or (
        kind == "setting" and what.endswith(f"in database {database}")
    )


def environment_diff(before: Environment, after: Environment) -> list[Change]:
    """Return what stands otherwise around a schema, by kind and name."""
    return [
        _change(kind, name, before.facts.get((kind, name)), after.facts.get((kind, name)))
        for kind, name in sorted(before.facts.keys() | after.facts.keys())
        if before.facts.get((kind, name)) != after.facts.get((kind, name))
    ]


def _change(kind: str, name: str, before: str | None, after: str | None) -> Change:
    action: Action = "added" if before is None else "removed" if after is None else "changed"
    return Change(action=action, kind=kind, name=name, attributes=(("definition", before, after),))
