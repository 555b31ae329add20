"""What every probe is given: the database, and what a file can have changed in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.composition import Source
from pytest_migsafe.catalog.objects import Home
from pytest_migsafe.rehearsal.facts import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A database in which something was changed."""

    #: In a transaction that is rolled back when all probes have asked.
    connection: psycopg.Connection[Any]
    #: The same, with what is prepared in it: for queries that are asked after many files.
    source: Source
    before: Schema
    after: Schema
    scope: Scope
    #: The homes whose objects are other ones than before, or gone.
    changed: frozenset[Home]
    #: The tables whose rows were changed, and the sequences that were moved; None: not known, so it may be any.
    written: frozenset[str] | None
    #: Whether roles, memberships or settings of the cluster may be others.
    cluster_changed: bool

    @property
    def relations(self) -> Iterator[str]:
        """The relations that were changed and are still there, by name."""
        return (home.name for home in self.changed if home.catalog == "relation" and home in self.after.homes)
