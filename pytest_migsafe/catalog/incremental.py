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

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pytest_migsafe.catalog.composition import Fragment, Source, Value, composed, fragment, oid_array
from pytest_migsafe.catalog.objects import CatalogObject, Home, Key
from pytest_migsafe.catalog.physical import physical_values
from pytest_migsafe.catalog.queries import (
    QUERIES,
    Query,
    Reading,
    Rows,
    reading,
    send,
    user_homes,
)
from pytest_migsafe.catalog.schema import Homes, Schema, gather
from pytest_migsafe.catalog.snapshot import build, snapshot

#: The catalogs that relations, types and functions are made of.
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
    "pg_tablespace",
    "pg_ts_config",
    "pg_ts_dict",
)

#: pg_publication_namespace, which came with PostgreSQL 15. Where there is none, nothing is counted for its oid.
_PUBLISHED_SCHEMAS = "6237"

#: What is read in full as soon as one of these catalogs changed: `Home.catalog`, and the catalogs.
_READ_IN_FULL: Mapping[str, tuple[str, ...]] = {
    "schema": ("pg_namespace", "pg_description"),
    "extension": ("pg_extension", "pg_description"),
    "default privileges": ("pg_default_acl",),
    "event trigger": ("pg_event_trigger",),
    "statistics": ("pg_statistic_ext",),
    "publication": ("pg_publication", "pg_publication_rel", _PUBLISHED_SCHEMAS),
    "subscription": ("pg_subscription",),
    "cast": ("pg_cast",),
    "operator": ("pg_operator", "pg_opclass", "pg_opfamily", "pg_amop", "pg_amproc"),
    "collation": ("pg_collation",),
    "conversion": ("pg_conversion",),
    "text search": ("pg_ts_parser", "pg_ts_template", "pg_ts_dict", "pg_ts_config", "pg_ts_config_map"),
    "foreign data": ("pg_foreign_data_wrapper", "pg_foreign_server", "pg_user_mapping"),
    "language": ("pg_language", "pg_transform"),
    "access method": ("pg_am",),
    "security label": ("pg_seclabel",),
}

_COUNTED = tuple(
    dict.fromkeys((*_CATALOGS, *_NAMING_CATALOGS, *(one for some in _READ_IN_FULL.values() for one in some)))
)

#: The column that says to which relation a row belongs.
_RELATION_IN: Mapping[str, str] = {
    "pg_class": "oid",
    "pg_attribute": "attrelid",
    "pg_constraint": "conrelid",
    "pg_index": "indrelid",
    "pg_inherits": "inhrelid",
    "pg_policy": "polrelid",
    "pg_rewrite": "ev_class",
    "pg_sequence": "seqrelid",
    "pg_trigger": "tgrelid",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Where a transaction stands: how much this session has written to each catalog, and the next new things."""

    inserted: tuple[int, ...]
    updated: tuple[int, ...]
    deleted: tuple[int, ...]
    #: Without track_counts nothing is counted.
    is_counted: bool
    next_xid: str
    highest_oid: int
    has_event_triggers: bool
    has_security_labels: bool
    extension_members: int
    extension_dependents: int


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


def mark(connection: Source) -> Mark:
    """Return where the open transaction stands before a file's statements.

    Raises:
        SnapshotError: the transaction has failed, or the server refuses a query.
    """
    (
        (counts,),
        ((next_xid, highest_oid, has_event_triggers, has_security_labels),),
        ((members, dependents),),
    ) = send(
        connection,
        [
            _written_query(),
            composed("next_new"),
            composed(
                "extension_members", highest="(select pg_catalog.max(c.oid) from pg_catalog.pg_class c)"
            ),
        ],
    )
    inserted, updated, deleted, is_counted = counts
    return Mark(
        inserted=tuple(inserted),
        updated=tuple(updated),
        deleted=tuple(deleted),
        is_counted=is_counted,
        next_xid=next_xid,
        highest_oid=highest_oid,
        has_event_triggers=has_event_triggers,
        has_security_labels=has_security_labels,
        extension_members=members,
        extension_dependents=dependents,
    )


_COUNTED_CATALOGS = (
    "'{"
    + ",".join(one if one.isdigit() else f"pg_catalog.{one}" for one in _COUNTED)
    + "}'::pg_catalog.regclass[]"
)


def _written_query() -> Fragment:
    return composed("written", catalogs=_COUNTED_CATALOGS)


def read_changes(
    connection: Source, mark: Mark, *, locked: Collection[int], locks_tell_all: bool = False
) -> Changes:
    """Return what was touched since the mark, as it is now.

    Args:
        connection: in the transaction of the mark.
        mark: what `mark` returned.
        locked: the oids (from 16384 on) of all relations that the transaction locks with SHARE UPDATE EXCLUSIVE
            or a stronger mode; more do no harm.
        locks_tell_all: the caller knows that of the relations that there were before, only those have been
            changed that are locked. Then the catalogs need not be searched for others, at a price that grows
            with the database.

    Raises:
        SnapshotError: the transaction has failed, or the server refuses a query.
    """
    ((counts,),) = send(connection, [_written_query()])
    written = _Written(mark, *counts)
    if written.is_counted and not written.anything:
        return Changes(is_empty=True)
    if not written.is_counted or written.may_rename_anywhere:
        return Changes(everything=snapshot(connection))
    with reading(connection) as read:
        ((members, dependents),), *seeds = read.rows(
            [
                composed("extension_members", highest=_highest(mark)),
                *_seed_queries(mark, written, locked, locks_tell_all=locks_tell_all),
            ]
        )
        if members == mark.extension_members or written.deleted("pg_extension"):
            touched = _Touched(locked)
            for rows in seeds:
                touched.add(rows)
            touched.add_dependents(read, mark, written)
            if written.deleted("pg_constraint"):
                # A deleted row does not tell which domain lost a constraint.
                touched.add(read.rows([_homes("type", "t.typtype = 'd'")])[0])
            if dependents or mark.extension_dependents:
                touched.groups.add("extension")
            if mark.has_security_labels:
                touched.groups.add("security label")
            return _read_touched(read, touched, written)
    # An object was added to an extension, or taken from it, and nothing says which.
    return Changes(everything=snapshot(connection))


def apply_changes(connection: Source, before: Schema, changes: Changes) -> Schema:
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
    gone = {Home(*one) for rows in send(connection, list(_name_queries(changes))) for one in rows}
    if changes.in_full:
        gone.update(home for home in before.homes if home.catalog in changes.in_full)
    gone = (gone & before.homes.keys()) - changes.homes.keys()
    if not gone and all(_is_same(before.homes.get(home, {}), now) for home, now in changes.homes.items()):
        return before
    return before.replaced(gone, changes.homes)


def _is_same(before: Mapping[Key, CatalogObject], after: Mapping[Key, CatalogObject]) -> bool:
    """Say whether objects are equal also where equality does not look: in what is physical."""
    return before == after and all(
        physical_values(one) == physical_values(before[key]) for key, one in after.items()
    )


class _Written:
    """Which catalogs were written to since a mark."""

    def __init__(
        self,
        mark: Mark,
        inserted: Sequence[int],
        updated: Sequence[int],
        deleted: Sequence[int],
        is_counted: bool,
    ) -> None:
        self._inserted, self._updated, self._deleted = (
            {name for name, early, late in zip(_COUNTED, was, now, strict=True) if late != early}
            for was, now in ((mark.inserted, inserted), (mark.updated, updated), (mark.deleted, deleted))
        )
        self.is_counted = mark.is_counted and is_counted

    @property
    def anything(self) -> bool:
        return bool(self._inserted or self._updated or self._deleted)

    @property
    def may_rename_anywhere(self) -> bool:
        """Say whether a name may be another that can stand in any definition."""
        if self.updated("pg_namespace", *_NAMING_CATALOGS) or self.deleted(*_NAMING_CATALOGS):
            return True
        # An operator that is made updates its commutator; else it is moved to another schema.
        return self.updated("pg_operator") and not self.inserted("pg_operator")

    @property
    def dropped(self) -> list[str]:
        """Return the catalogs, as `Home.catalog` says it, from which something may have been dropped."""
        pairs = (("type", "pg_type"), ("function", "pg_proc"))
        return [name for name, catalog in pairs if catalog in self._deleted]

    def to(self, *catalogs: str) -> bool:
        return self.added(*catalogs) or self.deleted(*catalogs)

    def added(self, *catalogs: str) -> bool:
        """Say whether one of these has new rows, or new versions of rows."""
        return self.inserted(*catalogs) or self.updated(*catalogs)

    def inserted(self, *catalogs: str) -> bool:
        return not self._inserted.isdisjoint(catalogs)

    def updated(self, *catalogs: str) -> bool:
        return not self._updated.isdisjoint(catalogs)

    def deleted(self, *catalogs: str) -> bool:
        return not self._deleted.isdisjoint(catalogs)


def _since(mark: Mark) -> Value:
    return Value(mark.next_xid, "pg_catalog.xid")


def _boolean(value: bool) -> str:
    # No value of its own: with a constant, the planner leaves out what it rules out.
    return "true" if value else "false"


def _highest(mark: Mark) -> Value:
    return Value(str(mark.highest_oid), "pg_catalog.oid")


def _seed_queries(
    mark: Mark, written: _Written, locked: Iterable[int], *, locks_tell_all: bool
) -> Iterator[Fragment]:
    """Yield the queries for what was made or written without a lock that tells of it: (catalog, oid)."""
    since, highest = _since(mark), _highest(mark)
    if written.to("pg_attribute") or written.deleted("pg_description"):
        yield composed("composites", relations=oid_array(locked))
    if written.inserted("pg_class"):
        yield composed("relations_new", highest=highest)
    if written.inserted("pg_type"):
        yield composed("types_new", highest=highest)
    if written.inserted("pg_proc"):
        yield composed("functions_new", highest=highest)
    if written.added("pg_constraint"):
        is_updated = _boolean(written.updated("pg_constraint"))
        yield composed("domains_constrained", highest=highest, since=since, is_updated=is_updated)
    yield from _update_queries(written, since)
    if written.updated("pg_trigger"):
        yield composed("foreign_keys_switched", since=since)
    if not locks_tell_all or mark.has_event_triggers:
        yield from _search_queries(written, since)
    if written.added("pg_description"):
        yield composed("homes_of", objects=composed("comments_changed", since=since))
    if written.deleted("pg_description"):
        yield composed("homes_of", objects=composed("objects_locked"))


def _update_queries(written: _Written, since: Value) -> Iterator[Fragment]:
    for name, is_needed in (
        ("types_updated", written.updated("pg_type")),
        ("enums_changed", written.added("pg_enum")),
        ("functions_updated", written.updated("pg_proc", "pg_aggregate")),
    ):
        if is_needed:
            yield composed(name, since=since)


def _search_queries(written: _Written, since: Value) -> Iterator[Fragment]:
    """Yield the queries for relations that were changed and may not be locked: each looks at a whole catalog."""
    for catalog, relation in _RELATION_IN.items():
        if written.updated(catalog):
            yield composed(
                "rows_updated",
                catalog=f"pg_catalog.{catalog}",
                relation=relation,
                since=since,
            )


def _homes(catalog: str, among: Fragment | str) -> Fragment:
    homes = user_homes({"type": "user_types", "function": "user_functions"}[catalog], among=among)
    return composed("among", catalog=f"'{catalog}'", homes=homes)


class _Touched:
    """The oids of the objects whose description may be another, by catalog as `Home.catalog` says it."""

    def __init__(self, locked: Iterable[int]) -> None:
        self.relations = set(locked)
        self.types: set[int] = set()
        self.functions: set[int] = set()
        #: What is read in full.
        self.groups: set[str] = set()
        self._of = {"relation": self.relations, "type": self.types, "function": self.functions}

    def not_relations(self) -> list[str]:
        """Return the other catalogs of which something is touched."""
        return [name for name, some in self._of.items() if some and name != "relation"]

    def condition(self, catalog: str) -> Fragment:
        """Return the condition that holds for the touched objects of a catalog."""
        oid = {"type": "t.oid", "function": "p.oid"}[catalog]
        return fragment("{oid} = any({oids})", oid=oid, oids=oid_array(self._of[catalog]))

    def add(self, rows: Rows) -> None:
        for catalog, oid in rows:
            # What is gone belongs to nothing.
            if catalog in self._of and oid:
                self._of[catalog].add(oid)
            elif catalog in _READ_IN_FULL:
                self.groups.add(catalog)

    def add_dependents(self, read: Reading, mark: Mark, written: _Written) -> None:
        """Add what names the objects that there were before and that may have another name now."""
        queries = []
        existing = sorted(one for one in self.relations if one <= mark.highest_oid)
        if existing and written.updated("pg_class", "pg_attribute", "pg_type"):
            ((renamed),) = read.rows([composed("renamed", relations=oid_array(existing), since=_since(mark))])
            queries += [
                _dependents("pg_class", [oid], as_a_whole=as_a_whole, columns=columns)
                for oid, as_a_whole, columns in renamed
                if as_a_whole or columns
            ]
        for catalog, some in (("pg_type", self.types), ("pg_proc", self.functions)):
            if existing := sorted(one for one in some if one <= mark.highest_oid):
                queries.append(_dependents(catalog, existing, as_a_whole=True))
        if not queries:
            return
        before = set(self.functions)
        for rows in read.rows(queries):
            self.add(rows)
        # A function's name has the types of its arguments in it, which what calls it need not name.
        if others := sorted(self.functions - before):
            (rows,) = read.rows([_dependents("pg_proc", others, as_a_whole=True)])
            self.add(rows)


def _dependents(
    catalog: str, oids: Iterable[int], *, as_a_whole: bool, columns: Iterable[int] = ()
) -> Fragment:
    objects = composed(
        "dependents",
        catalog=f"'pg_catalog.{catalog}'",
        oids=oid_array(oids),
        as_a_whole=_boolean(as_a_whole),
        columns=Value("{" + ",".join(map(str, columns)) + "}", "pg_catalog.int4[]"),
    )
    return composed("homes_of", objects=objects)


class _State(NamedTuple):
    """A row of `relations.sql`."""

    oid: int
    kind: str
    has_indexes: bool
    has_triggers: bool
    has_rules: bool
    has_grants: bool
    has_policies: bool
    has_column_grants: bool


#: Which relations can have what a query finds.
_CAN_HAVE: Mapping[str, Callable[[_State], bool]] = {
    "table": lambda one: one.kind in "rpf",
    "view": lambda one: one.kind in "vm",
    "sequence": lambda one: one.kind == "S",
    "column": lambda one: one.kind in "rpfvm",
    "constraint": lambda one: one.kind in "rpf",
    "index": lambda one: one.has_indexes,
    "trigger": lambda one: one.has_triggers,
    "rule": lambda one: one.has_rules,
    "policy": lambda one: one.has_policies,
    "grant_relation": lambda one: one.has_grants,
    "grant_column": lambda one: one.has_column_grants,
}


def _state_query(relations: Iterable[int]) -> Fragment:
    tables = composed("tables_of", relations=oid_array(relations))
    among = fragment("c.oid = any(array({tables}))", tables=tables)
    return composed("relations", user_relations=user_homes("user_relations", among=among))


def _read_touched(read: Reading, touched: _Touched, written: _Written) -> Changes:
    """Return the touched objects as they are now; nothing can be read after that."""
    in_full = touched.groups.union(name for name, catalogs in _READ_IN_FULL.items() if written.to(*catalogs))
    others = touched.not_relations()
    rows = read.rows(
        [
            _state_query(touched.relations),
            *(_homes(name, touched.condition(name)) for name in others),
            *(composed(f"{name}s_left") for name in written.dropped),
        ]
    )
    states = [_State(*one) for one in rows.pop(0)]
    oids: dict[str, set[int]] = {"type": set(), "function": set()}
    for name in others:
        oids[name].update(oid for _, oid in rows.pop(0))
    left = {name: tuple(oid for (oid,) in rows.pop(0)) for name in written.dropped}
    # What else is read in full says nothing that not everybody may read.
    is_privileged = "subscription" in in_full and read.is_privileged()
    planned: list[tuple[Query, Fragment]] = []
    for query in QUERIES:
        if query.catalog in in_full:
            planned.append((query, query.in_full(is_privileged=is_privileged)))
        elif query.catalog == "relation":
            can_have = _CAN_HAVE[query.name]
            if some := [one.oid for one in states if can_have(one)]:
                planned.append((query, query.restricted(some)))
        elif some := sorted(oids.get(query.catalog, ())):
            planned.append((query, query.restricted(some)))
    found = read.last([one for _, one in planned])
    return Changes(
        homes=gather(build(read.source, zip((query for query, _ in planned), found, strict=True))),
        in_full=frozenset(in_full),
        relations=tuple({*touched.relations, *(one.oid for one in states)}),
        types=tuple(touched.types | oids["type"]),
        functions=tuple(touched.functions | oids["function"]),
        types_left=left.get("type"),
        functions_left=left.get("function"),
    )


def _name_queries(changes: Changes) -> Iterator[Fragment]:
    if changes.relations:
        yield composed("names", relations=oid_array(changes.relations))
    for name, touched, left in (
        ("names_of_types", changes.types, changes.types_left),
        ("names_of_functions", changes.functions, changes.functions_left),
    ):
        if touched or left is not None:
            yield composed(
                name,
                touched=oid_array(touched),
                is_dropped=_boolean(left is not None),
                left=oid_array(left or ()),
            )
