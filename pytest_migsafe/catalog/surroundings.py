"""What of a schema is not the doing of the history that made it: what was there before, and what the server brings along."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from pytest_migsafe.catalog.composition import Source, composed, connection_of
from pytest_migsafe.catalog.queries import send
from pytest_migsafe.catalog.schema import Extension, Grant, Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where a history was applied."""

    #: The schema before the first migration.
    base: Schema
    #: The role that runs the migrations.
    role: str
    #: The extensions as the server offers them, by name: what CREATE EXTENSION without a version makes.
    extensions: Mapping[str, Extension]

    @classmethod
    def read(cls, connection: Source, *, base: Schema, role: str, schema: Schema) -> Self:
        """Return the surroundings of a schema that was read from this connection.

        Raises:
            SnapshotError: the connection's transaction has failed, or the server refuses the query.
        """
        (offered,) = send(connection_of(connection), [composed("offered_extensions")])
        extensions = {
            name: Extension(name=name, schema="", version=version, comment=comment)
            for name, version, comment in offered
        }
        return cls(base=base, role=role, extensions=extensions).of(schema)

    def of(self, schema: Schema) -> Self:
        """Return the surroundings as they are of another schema of the same history."""
        return replace(
            self,
            base=_as_since_15(self.base, schema),
            # The tables whose rows are dumped come with the version.
            extensions={
                name: replace(
                    schema.extensions.get(name, one), name=name, version=one.version, comment=one.comment
                )
                for name, one in self.extensions.items()
            },
        )


#: The usual privilege of everybody on public since PostgreSQL 15, which is why no snapshot has it there.
_USAGE_OF_PUBLIC = Grant(object_kind="schema", object="public", grantee="PUBLIC", privileges=("USAGE",))


def _as_since_15(base: Schema, schema: Schema) -> Schema:
    """Return what was there before as it would be in PostgreSQL 15, if the history has made that of it.

    Many take CREATE on public from PUBLIC; since PostgreSQL 15 that changes nothing (release notes, "Migration").
    """
    if schema.get("grant", _USAGE_OF_PUBLIC.qualified_name) == _USAGE_OF_PUBLIC:
        return Schema.of([*base, _USAGE_OF_PUBLIC])
    return base
