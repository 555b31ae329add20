"""What of a schema is not the doing of the history that made it: what was there before, and what the server brings along."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from pytest_migsafe.catalog.composition import Source, composed, connection_of
from pytest_migsafe.catalog.queries import send
from pytest_migsafe.catalog.schema import Extension, Schema


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
        # The tables whose rows are dumped come with the version.
        nothing = Extension(name="", schema="", version="")
        return cls(
            base=base,
            role=role,
            extensions={
                name: replace(
                    schema.extensions.get(name, nothing), name=name, version=version, comment=comment
                )
                for name, version, comment in offered
            },
        )
