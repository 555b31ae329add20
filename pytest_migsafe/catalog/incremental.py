"""Read only what one file changed: a history of 2,000 files does not pay for the whole schema 2,000 times.

    BEGIN; SAVEPOINT s
    mark(connection)                        what the catalogs' counters say before
    ... the file ...
    read_changes(connection, ...)           what it touched, as it is now
    ROLLBACK TO SAVEPOINT s
    apply_changes(connection, before, ...)  the names those objects had before, replaced in `before`

Objects are found by oid and kept by name; an oid never leaves this module, since the next run of the same file
gives another. Wherever it is uncertain what a file touched, everything is read.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from pytest_migsafe.catalog.queries import QUERIES, Query, ask, composed, oid_array, send
from pytest_migsafe.catalog.schema import CatalogObject, Column, Home, Homes, Key, Schema, gather
from pytest_migsafe.catalog.snapshot import build, snapshot

#: The catalogs that a Schema is made of.
_CATALOGS = (
    "pg_class",
    "pg_attribute",
    "pg_attrdef",
    "pg_constraint",
    "pg_index",
    "pg_inherits",
    "pg_partitioned_table",
    "pg_foreign_table",
    "pg_sequence",
    "pg_trigger",
    "pg_rewrite",
    "pg_policy",
    "pg_depend",
    "pg_description",
    "pg_type",
    "pg_enum",
    "pg_range",
    "pg_proc",
    "pg_aggregate",
    "pg_namespace",
    "pg_extension",
    "pg_default_acl",
)

#: Catalogs whose objects are no kind of ours, but whose names stand in definitions: after an update or a
#: deletion there, everything is read.
_NAMING_CATALOGS = (
    "pg_authid",
    "pg_am",
    "pg_collation",
    "pg_foreign_server",
    "pg_language",
    "pg_opclass",
    "pg_operator",
    "pg_tablespace",
    "pg_ts_config",
    "pg_ts_dict",
)

_COUNTED = _CATALOGS + _NAMING_CATALOGS

#: Small kinds that are read in full as soon as one of these catalogs changed.
_READ_IN_FULL: Mapping[str, tuple[str, ...]] = {
    "schema": ("pg_namespace", "pg_description"),
    "extension": ("pg_extension",),
    "default privileges": ("pg_default_acl",),
}

#: The queries of relations that need not be asked when `touched.sql` says that there is nothing to find.
_ASKED_IF = {
    "table": "has_tables",
    "view": "has_views",
    "sequence": "has_sequences",
    "index": "has_indexes",
    "trigger": "has_triggers",
    "rule": "has_rules",
    "policy": "has_policies",
    "grant_relation": "has_relation_grants",
    "grant_column": "has_column_grants",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Where a transaction stands: how much this session has written to each catalog, and the next new things."""

    inserted: tuple[int, ...]
    updated: tuple[int, ...]
    deleted: tuple[int, ...]
    next_xid: str
    highest_oid: int
    #: The schemas' oids and names.
    namespaces: Mapping[str, str]
    extension_members: int
    #: Without track_counts nothing is counted.
    is_counted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a file touched, as it is after the file, and what is needed to find it in the schema before."""

    #: Nothing was written to any catalog.
    is_empty: bool = False
    #: Everything, when it was not certain what the file touched.
    everything: Schema | None = None
    #: The touched objects that there are after the file.
    homes: Homes = field(default_factory=dict)
    #: Catalogs (as in `Home.catalog`) that were read in full.
    in_full: frozenset[str] = frozenset()
    #: The oids of what was touched; those of relations also where they are gone.
    relations: tuple[int, ...] = ()
    types: tuple[int, ...] = ()
    functions: tuple[int, ...] = ()
    #: Every oid that is left, when some were dropped.
    types_left: tuple[int, ...] | None = None
    functions_left: tuple[int, ...] | None = None


def mark(connection: psycopg.Connection[Any]) -> Mark:
    """Return where the open transaction stands before a file's statements."""
    catalogs = sql.SQL("array[{}]::pg_catalog.regclass[]").format(
        sql.SQL(", ").join(sql.Literal(f"pg_catalog.{one}") for one in _COUNTED)
    )
    row = ask(connection, composed("mark", catalogs=catalogs))
    inserted, updated, deleted, next_xid, highest_oid, namespaces, extension_members, track_counts = row
    return Mark(
        inserted=tuple(inserted),
        updated=tuple(updated),
        deleted=tuple(deleted),
        next_xid=next_xid,
        highest_oid=int(highest_oid),
        namespaces=dict(one.split(" ", 1) for one in (namespaces or "").split(",") if one),
        extension_members=extension_members,
        is_counted=track_counts == "on",
    )


def read_changes(connection: psycopg.Connection[Any], mark: Mark, *, locked: Collection[int]) -> Changes:
    """Return what was touched since the mark, as it is now.

    Args:
        connection: in the transaction of the mark.
        mark: what `mark` returned.
        locked: the oids (from 16384 on) of all relations that the transaction locks with SHARE UPDATE EXCLUSIVE
            or a stronger mode; more do no harm.

    Raises:
        SnapshotError: the transaction has failed, or the server refuses a query.
    """
    now = _mark(connection)
    written = _Written.between(mark, now)
    if written.is_certain and not written.anything:
        return Changes(is_empty=True)
    if not written.is_certain or written.renames_everywhere:
        return Changes(everything=snapshot(connection))
    touched = _Touched(*ask(connection, _touched_query(mark, written, locked)))
    in_full = frozenset(name for name, catalogs in _READ_IN_FULL.items() if written.to(*catalogs))
    planned = list(_plan(touched, in_full))
    found = send(connection, [one for _, one in planned]) if planned else []
    homes = gather(build(zip((query for query, _ in planned), found, strict=True)))
    return Changes(
        homes=homes,
        in_full=in_full,
        relations=tuple(sorted({*locked, *touched.relations})),
        types=tuple(touched.types),
        functions=tuple(touched.functions),
        types_left=tuple(touched.types_left) if written.deleted_from("pg_type") else None,
        functions_left=tuple(touched.functions_left) if written.deleted_from("pg_proc") else None,
    )


#: `mark` is also the natural name of its value.
_mark = mark


def apply_changes(connection: psycopg.Connection[Any], before: Schema, changes: Changes) -> Schema:
    """Return the schema after the file; when the file changed nothing that we know, `before` itself.

    Args:
        connection: rolled back to the state that `before` describes.
        before: the schema before the file.
        changes: what `read_changes` returned.

    Raises:
        SnapshotError: the transaction has failed, or the server refuses a query.
    """
    if changes.is_empty:
        return before
    if changes.everything is not None:
        return before if changes.everything == before else changes.everything
    gone = {Home(*one) for one in send(connection, [_names_query(changes)])[0]}
    if changes.in_full:
        gone.update(home for home in before.homes if home.catalog in changes.in_full)
    homes = dict(before.homes)
    is_changed = False
    for home in gone - changes.homes.keys():
        is_changed |= homes.pop(home, None) is not None
    for home, objects in changes.homes.items():
        is_changed |= not _is_same(homes.get(home, {}), objects)
        homes[home] = objects
    return Schema(homes) if is_changed else before


def _is_same(before: Mapping[Key, CatalogObject], after: Mapping[Key, CatalogObject]) -> bool:
    """Say whether objects are equal also where equality does not look: in the physical place of columns."""
    return before == after and all(
        one.position == getattr(before[key], "position", None)
        for key, one in after.items()
        if isinstance(one, Column)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """How much was written to the catalogs between two marks."""

    inserted: Mapping[str, int]
    updated: Mapping[str, int]
    deleted: Mapping[str, int]
    is_certain: bool
    #: A name was changed that may stand in any definition.
    renames_everywhere: bool

    @classmethod
    def between(cls, before: Mark, after: Mark) -> "_Written":
        inserted, updated, deleted = (
            {name: late - early for name, early, late in zip(_COUNTED, *pair, strict=True) if late != early}
            for pair in (
                (before.inserted, after.inserted),
                (before.updated, after.updated),
                (before.deleted, after.deleted),
            )
        )
        is_schema_renamed = any(
            after.namespaces.get(oid, name) != name for oid, name in before.namespaces.items()
        )
        naming = any(name in updated or name in deleted for name in _NAMING_CATALOGS)
        return cls(
            inserted=inserted,
            updated=updated,
            deleted=deleted,
            is_certain=before.is_counted
            and after.is_counted
            and before.extension_members == after.extension_members,
            renames_everywhere=is_schema_renamed or naming,
        )

    @property
    def anything(self) -> bool:
        return bool(self.inserted or self.updated or self.deleted)

    def to(self, *catalogs: str) -> bool:
        """Say whether anything was written to one of these."""
        return any(one in self.inserted or one in self.updated or one in self.deleted for one in catalogs)

    def added_to(self, *catalogs: str) -> bool:
        """Say whether one of these has new rows, or new versions of rows."""
        return any(one in self.inserted or one in self.updated for one in catalogs)

    def updated_in(self, *catalogs: str) -> bool:
        return any(one in self.updated for one in catalogs)

    def deleted_from(self, *catalogs: str) -> bool:
        return any(one in self.deleted for one in catalogs)


@dataclass(frozen=True, slots=True)
class _Touched:
    """The row of `touched.sql`."""

    relations: list[int]
    types: list[int]
    functions: list[int]
    functions_left: list[int]
    types_left: list[int]
    has_tables: bool
    has_views: bool
    has_sequences: bool
    has_indexes: bool
    has_triggers: bool
    has_rules: bool
    has_relation_grants: bool
    has_policies: bool
    has_column_grants: bool


def _touched_query(mark: Mark, written: _Written, locked: Collection[int]) -> sql.Composed:
    """Return the query for what was touched, without the parts that the counters rule out.

    The planner drops what stands beside a constant false, so a part that is ruled out costs next to nothing.
    """
    return composed(
        "touched",
        xid=sql.Literal(mark.next_xid),
        highest=sql.SQL("{}::pg_catalog.oid").format(sql.Literal(str(mark.highest_oid))),
        locked=oid_array(sorted(locked)),
        class_updated=sql.Literal(written.updated_in("pg_class")),
        attribute_updated=sql.Literal(written.updated_in("pg_attribute")),
        may_rename=sql.Literal(written.updated_in("pg_class", "pg_attribute", "pg_type")),
        type_changed=sql.Literal(written.added_to("pg_type", "pg_range")),
        type_updated=sql.Literal(written.updated_in("pg_type")),
        type_deleted=sql.Literal(written.deleted_from("pg_type")),
        enum_changed=sql.Literal(written.added_to("pg_enum")),
        constraint_changed=sql.Literal(written.added_to("pg_constraint")),
        constraint_deleted=sql.Literal(written.deleted_from("pg_constraint")),
        function_changed=sql.Literal(written.added_to("pg_proc", "pg_aggregate")),
        function_updated=sql.Literal(written.updated_in("pg_proc", "pg_aggregate")),
        function_deleted=sql.Literal(written.deleted_from("pg_proc")),
        description_changed=sql.Literal(written.added_to("pg_description")),
        description_deleted=sql.Literal(written.deleted_from("pg_description")),
    )


def _plan(touched: _Touched, in_full: frozenset[str]) -> Iterator[tuple[Query, sql.Composed]]:
    """Yield the queries that must be asked, in full or restricted to what was touched."""
    oids = {"relation": touched.relations, "type": touched.types, "function": touched.functions}
    for query in QUERIES:
        if query.catalog in in_full:
            yield query, query.in_full()
        elif (some := oids.get(query.catalog)) and getattr(touched, _ASKED_IF.get(query.name, ""), True):
            yield query, query.restricted(some)


def _names_query(changes: Changes) -> sql.Composed:
    types_left, functions_left = changes.types_left, changes.functions_left
    return composed(
        "names",
        relations=oid_array(changes.relations),
        types_touched=sql.SQL("t.oid = any({})").format(oid_array(changes.types)),
        types_dropped=sql.Literal(types_left is not None),
        types_left=oid_array(types_left or ()),
        functions_touched=sql.SQL("p.oid = any({})").format(oid_array(changes.functions)),
        functions_dropped=sql.Literal(functions_left is not None),
        functions_left=oid_array(functions_left or ()),
    )
