"""What a database holds, as values: one frozen dataclass a kind of object, and `Schema`, which holds them all.

Names are written as `quote_ident` writes them, and qualified: `public.orders`, `public."Odd Name"`. Equality is
generated and logical: no oid, no physical position takes part in it.

A kind is a dataclass here and a `.sql` file whose columns have the names of its fields (see `queries`).
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, ClassVar, Self, TypeVar, cast

from pytest_migsafe.catalog import rarer
from pytest_migsafe.catalog.lexical import parent_of
from pytest_migsafe.catalog.objects import Bound, CatalogObject, Home, Key, Listed, Named
from pytest_migsafe.errors import SnapshotError

#: The version of what `Schema.to_json` writes.
FORMAT_VERSION = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace(Named):
    """A schema."""

    KIND: ClassVar[str] = "schema"
    CATALOG: ClassVar[str] = "schema"

    owner: str
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension(Named):
    """An extension; its version stands for its members."""

    KIND: ClassVar[str] = "extension"
    CATALOG: ClassVar[str] = "extension"

    schema: str
    version: str
    #: The tables whose rows a dump keeps, sorted, each with the condition for them.
    configuration_tables: tuple[str, ...] = ()
    #: What would be dropped with it (ALTER ... DEPENDS ON EXTENSION): kind and name, sorted.
    needed_by: tuple[str, ...] = ()
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Type(Named):
    """A type: an enum, a domain, a composite, a range, a base type or the shell of one."""

    KIND: ClassVar[str] = "type"
    CATALOG: ClassVar[str] = "type"

    #: enum, domain, composite, range, base or shell.
    kind: str
    #: An enum's labels, in their order.
    labels: tuple[str, ...] = ()
    #: A domain's.
    base_type: str | None = None
    not_null: bool = False
    default: str | None = None
    collation: str | None = None
    #: A composite's attributes, in their order: "name type".
    attributes: tuple[str, ...] = ()
    #: Of those that have one: "name: comment".
    attribute_comments: tuple[str, ...] = ()
    #: What a range is made of.
    range: str | None = None
    #: What a base type is made of.
    base: str | None = None
    owner: str
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence(Named):
    """A sequence, also that of an identity column."""

    KIND: ClassVar[str] = "sequence"
    CATALOG: ClassVar[str] = "relation"

    type: str
    start: int
    increment: int
    minimum: int
    maximum: int
    cache: int
    cycle: bool
    #: The column that it goes with.
    owned_by: str | None = None
    persistence: str = "permanent"
    owner: str
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Function(Named):
    """A function, procedure, aggregate or window function; its name is `schema.name(argument types)`."""

    KIND: ClassVar[str] = "function"
    CATALOG: ClassVar[str] = "function"

    #: function, procedure, aggregate or window.
    kind: str
    #: With names, modes and defaults.
    arguments: str
    returns: str | None = None
    language: str
    volatility: str = "volatile"
    strict: bool = False
    security_definer: bool = False
    leakproof: bool = False
    parallel: str = "unsafe"
    cost: float
    rows: float
    support: str | None = None
    config: tuple[str, ...] = ()
    transforms: tuple[str, ...] = ()
    body: str
    library: str | None = None
    #: An aggregate's transition function, final function and so on.
    aggregate: str | None = None
    owner: str
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Named):
    """A table: ordinary, partitioned or foreign."""

    KIND: ClassVar[str] = "table"
    CATALOG: ClassVar[str] = "relation"

    #: table, partitioned table or foreign table.
    kind: str = "table"
    persistence: str = "permanent"
    owner: str
    row_security: bool = False
    force_row_security: bool = False
    partition_key: str | None = None
    partition_bound: str | None = None
    #: The partitioned table, or the tables inherited from, in their order.
    parents: tuple[str, ...] = ()
    of_type: str | None = None
    #: Storage parameters, sorted; those of the TOAST table begin with "toast.".
    options: tuple[str, ...] = ()
    access_method: str | None = None
    tablespace: str | None = None
    #: default, nothing, full or "index name".
    replica_identity: str | None = "default"
    #: ALTER TABLE ... DETACH PARTITION CONCURRENTLY has begun, and not ended.
    detach_pending: bool = False
    #: A foreign table's server, and its options, sorted; of secrets, only a fingerprint.
    server: str | None = None
    foreign_options: tuple[str, ...] = ()
    comment: str | None = None
    #: How many columns were dropped, and have still their place in every row: no part of what the schema means.
    dropped_columns: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column(Bound):
    """A column of a table or view."""

    KIND: ClassVar[str] = "column"

    type: str
    not_null: bool = False
    default: str | None = None
    #: always or by default.
    identity: str | None = None
    #: The expression, and stored or virtual.
    generated: str | None = None
    #: Where it differs from the type's.
    collation: str | None = None
    #: Where it differs from the type's.
    storage: str | None = None
    compression: str | None = None
    statistics: int | None = None
    options: tuple[str, ...] = ()
    #: Those of a foreign table's column.
    foreign_options: tuple[str, ...] = ()
    #: Whether the relation has it of its own, and from how many parents it comes.
    local: bool = True
    inherited: int = 0
    comment: str | None = None
    #: The physical place: no part of what the schema means.
    position: int = field(default=0, compare=False)
    #: Rows that were there before the column was do not have it stored, but share one value: physical, too. Which one,
    #: is another on every run where the default is a time.
    has_missing_value: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint(Bound):
    """A constraint of a table or domain."""

    KIND: ClassVar[str] = "constraint"

    #: relation or domain.
    object_kind: str = "relation"
    #: check, foreign key, primary key, unique, exclude, or not null where that is not valid or not inherited.
    type: str
    definition: str
    validated: bool = True
    enforced: bool = True
    deferrable: bool = False
    deferred: bool = False
    #: Whether the table has it of its own, and from how many parents it comes.
    local: bool = True
    inherited: int = 0
    #: The index of the other table that a foreign key relies on.
    index: str | None = None
    #: The triggers that enforce a foreign key, where they do not fire as usual: "function on table: state", sorted.
    triggers: tuple[str, ...] = ()
    comment: str | None = None
    #: The columns that it is about, as the definition says it, too; a domain's has none.
    columns: tuple[str, ...] = field(default=(), compare=False)

    @property
    def home(self) -> Home:
        """Return the table or domain."""
        return Home("type" if self.object_kind == "domain" else "relation", self.relation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Index(Bound):
    """An index; its name is qualified by the schema, not by its table."""

    KIND: ClassVar[str] = "index"

    definition: str
    unique: bool = False
    primary: bool = False
    valid: bool = True
    ready: bool = True
    live: bool = True
    clustered: bool = False
    #: The index of the partitioned table that it is a part of.
    parent: str | None = None
    #: The statistics targets of expressions: "column number: target".
    statistics: tuple[str, ...] = ()
    tablespace: str | None = None
    comment: str | None = None
    #: Its columns, also those of INCLUDE, as the definition says it, too; for an expression, what PostgreSQL calls it.
    columns: tuple[str, ...] = field(default=(), compare=False)

    @property
    def qualified_name(self) -> str:
        """Return the name: it is qualified already."""
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class View(Named):
    """A view or materialized view."""

    KIND: ClassVar[str] = "view"
    CATALOG: ClassVar[str] = "relation"

    #: view or materialized view.
    kind: str = "view"
    definition: str
    #: The relations and the functions that it depends on directly, sorted; of those that come with PostgreSQL itself
    #: no dependency is kept (manual: "pg_depend").
    reads: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    populated: bool = True
    access_method: str | None = None
    tablespace: str | None = None
    owner: str
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger(Bound):
    """A trigger that a user made."""

    KIND: ClassVar[str] = "trigger"

    definition: str
    #: origin, disabled, replica or always.
    enabled: str = "origin"
    function: str
    #: It comes from the trigger of the same name of the partitioned table.
    cloned: bool = False
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Bound):
    """A rewrite rule, other than the one that makes a view."""

    KIND: ClassVar[str] = "rule"

    definition: str
    #: origin, disabled, replica or always.
    enabled: str = "origin"
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(Bound):
    """A row-level security policy."""

    KIND: ClassVar[str] = "policy"

    command: str = "all"
    permissive: bool = True
    roles: tuple[str, ...] = ("PUBLIC",)
    using: str | None = None
    check: str | None = None
    comment: str | None = None


#: What can be granted and is read in groups.
_GROUPS_GRANTED_ON: Mapping[str, str] = MappingProxyType(
    {one.KIND: one.GROUP for one in (rarer.Language, rarer.ForeignDataWrapper, rarer.ForeignServer)}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant(CatalogObject):
    """What a role may do with an object, where that differs from what is so by default.

    An empty list of privileges says that what is granted by default has been revoked.
    """

    KIND: ClassVar[str] = "grant"

    #: table, view, sequence, column, function, type, schema, language, foreign-data wrapper or server.
    object_kind: str
    object: str
    #: A role, or PUBLIC.
    grantee: str
    #: Sorted; an asterisk stands for WITH GRANT OPTION.
    privileges: tuple[str, ...] = ()

    @property
    def qualified_name(self) -> str:
        """Return what is granted on what to whom."""
        return f"{self.object_kind} {self.object} to {self.grantee}"

    @property
    def home(self) -> Home:
        """Return what it is granted on; for a column, its relation."""
        if self.object_kind == "column":
            return Home("relation", parent_of(self.object))
        if group := _GROUPS_GRANTED_ON.get(self.object_kind):
            return Home(group, "")
        catalog = self.object_kind if self.object_kind in {"function", "type", "schema"} else "relation"
        return Home(catalog, self.object)


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultPrivileges(CatalogObject):
    """What a role will be granted on what another creates (ALTER DEFAULT PRIVILEGES)."""

    KIND: ClassVar[str] = "default privileges"

    #: The role that creates.
    role: str
    #: None: in all schemas.
    schema: str | None = None
    #: tables, sequences, functions, types, schemas or large objects.
    objects: str
    grantee: str
    privileges: tuple[str, ...] = ()

    @property
    def qualified_name(self) -> str:
        """Return for what, of whom, where and to whom."""
        place = f" in schema {self.schema}" if self.schema else ""
        return f"on {self.objects} of {self.role}{place} to {self.grantee}"

    @property
    def home(self) -> Home:
        """Return the one home of all default privileges."""
        return Home("default privileges", "")


#: Every kind, each after what it depends on.
KINDS: tuple[type[CatalogObject], ...] = (
    Namespace,
    Extension,
    rarer.Language,
    rarer.Collation,
    Type,
    Sequence,
    Function,
    rarer.Cast,
    rarer.Transform,
    rarer.Operator,
    rarer.OperatorFamily,
    rarer.OperatorClass,
    rarer.Conversion,
    rarer.AccessMethod,
    rarer.TextSearchParser,
    rarer.TextSearchTemplate,
    rarer.TextSearchDictionary,
    rarer.TextSearchConfiguration,
    rarer.ForeignDataWrapper,
    rarer.ForeignServer,
    rarer.UserMapping,
    Table,
    Column,
    Constraint,
    Index,
    rarer.Statistics,
    View,
    Trigger,
    Rule,
    Policy,
    rarer.EventTrigger,
    rarer.Publication,
    rarer.Subscription,
    Grant,
    DefaultPrivileges,
    rarer.SecurityLabel,
)

KIND_ORDER: Mapping[str, int] = MappingProxyType({one.KIND: place for place, one in enumerate(KINDS)})
_CLASS_OF: Mapping[str, type[CatalogObject]] = MappingProxyType({one.KIND: one for one in KINDS})

Homes = Mapping[Home, Mapping[Key, CatalogObject]]
#: The homes of what there is little of, each that of a whole group.
GROUPS: tuple[Home, ...] = tuple(
    Home(name, "")
    for name in sorted({one.GROUP for one in KINDS if issubclass(one, Listed)} | {DefaultPrivileges.KIND})
)

#: Kinds that lie among many others, and are asked for after every file.
_FEW: frozenset[type[Named]] = frozenset({View, Function})

_Object = TypeVar("_Object", bound=CatalogObject)


@dataclass(frozen=True, slots=True)
class Schema:
    """All objects of a database. Equality is that of the objects.

    The objects lie with their homes, so that the few that a migration changes are replaced without touching,
    copying or sorting the rest.
    """

    homes: Homes = field(default_factory=dict, repr=False)
    #: What has been put in order before; no part of the value.
    _sorted: dict[str, Mapping[str, CatalogObject]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    # As large as a database: never a key.
    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def of(cls, objects: Iterable[CatalogObject]) -> Self:
        """Return the schema that holds these objects."""
        return cls(gather(objects))

    def replaced(self, gone: Iterable[Home], new: Homes) -> Self:
        """Return the schema without some homes, and with some that are new or other ones.

        Of kinds of which there are few in a large schema, what has been put in order stays so.
        """
        homes = dict(self.homes)
        for home in gone:
            del homes[home]
        homes.update(new)
        made = type(self)(homes)
        in_order = made._sorted  # noqa: SLF001 - of our own
        for kind in _FEW & {_CLASS_OF[name] for name in self._sorted}:
            in_order[kind.KIND] = self._sorted_after(kind, {*gone, *new}, homes)
        return made

    def _sorted_after(
        self, kind: type[Named], touched: Iterable[Home], homes: Homes
    ) -> Mapping[str, CatalogObject]:
        known = self._sorted[kind.KIND]
        keys = {home: Key(kind.KIND, home.name) for home in touched if home.catalog == kind.CATALOG}
        new = {home.name: one for home, key in keys.items() if (one := homes.get(home, {}).get(key))}
        if not new and known.keys().isdisjoint(home.name for home in keys):
            return known
        names = {home.name for home in keys}
        kept = ((name, one) for name, one in known.items() if name not in names)
        return MappingProxyType(dict(sorted([*kept, *new.items()])))

    def __iter__(self) -> Iterator[CatalogObject]:
        """Iterate over all objects, each kind after what it depends on, then by name."""
        for kind in KINDS:
            yield from self.of_kind(kind).values()

    def __len__(self) -> int:
        return sum(map(len, self.homes.values()))

    def of_kind(self, kind: type[_Object]) -> Mapping[str, _Object]:
        """Return the objects of a kind by qualified name, sorted."""
        if kind.KIND not in self._sorted:
            found = (
                (key.name, one)
                for home in self._homes_with(kind)
                for key, one in home.items()
                if key.kind == kind.KIND
            )
            self._sorted[kind.KIND] = MappingProxyType(dict(sorted(found)))
        return cast(Mapping[str, _Object], self._sorted[kind.KIND])

    def _homes_with(self, kind: type[CatalogObject]) -> Iterator[Mapping[Key, CatalogObject]]:
        """Yield the homes in which objects of a kind can lie."""
        if issubclass(kind, Listed):
            yield self.homes.get(Home(kind.GROUP, ""), {})
        elif issubclass(kind, Named):
            yield from (one for home, one in self.homes.items() if home.catalog == kind.CATALOG)
        else:
            yield from self.homes.values()

    def get(self, kind: str, name: str) -> CatalogObject | None:
        """Return an object by its kind (as its `KIND` says it) and its qualified name, or None.

        Raises:
            KeyError: there is no such kind.
        """
        cls = _CLASS_OF[kind]
        # The common questions are answered without putting everything in order.
        if issubclass(cls, Named):
            return self.homes.get(Home(cls.CATALOG, name), {}).get(Key(kind, name))
        if issubclass(cls, Listed):
            return self.homes.get(Home(cls.GROUP, ""), {}).get(Key(kind, name))
        if cls in {Column, Trigger, Rule, Policy}:
            return self.belonging_to(parent_of(name)).get(Key(kind, name))
        return self.of_kind(cls).get(name)

    def belonging_to(self, relation: str) -> Mapping[Key, CatalogObject]:
        """Return a relation with its columns, constraints, indexes, triggers, rules, policies and grants."""
        return self.homes.get(Home("relation", relation), {})

    @property
    def namespaces(self) -> Mapping[str, Namespace]:
        """Return the schemas."""
        return self.of_kind(Namespace)

    @property
    def extensions(self) -> Mapping[str, Extension]:
        """Return the extensions."""
        return self.of_kind(Extension)

    @property
    def types(self) -> Mapping[str, Type]:
        """Return the types."""
        return self.of_kind(Type)

    @property
    def sequences(self) -> Mapping[str, Sequence]:
        """Return the sequences."""
        return self.of_kind(Sequence)

    @property
    def functions(self) -> Mapping[str, Function]:
        """Return the functions, procedures, aggregates and window functions."""
        return self.of_kind(Function)

    @property
    def tables(self) -> Mapping[str, Table]:
        """Return the tables."""
        return self.of_kind(Table)

    @property
    def columns(self) -> Mapping[str, Column]:
        """Return the columns of tables and views."""
        return self.of_kind(Column)

    @property
    def constraints(self) -> Mapping[str, Constraint]:
        """Return the constraints of tables and domains."""
        return self.of_kind(Constraint)

    @property
    def indexes(self) -> Mapping[str, Index]:
        """Return the indexes."""
        return self.of_kind(Index)

    @property
    def views(self) -> Mapping[str, View]:
        """Return the views and materialized views."""
        return self.of_kind(View)

    @property
    def triggers(self) -> Mapping[str, Trigger]:
        """Return the triggers."""
        return self.of_kind(Trigger)

    @property
    def rules(self) -> Mapping[str, Rule]:
        """Return the rewrite rules."""
        return self.of_kind(Rule)

    @property
    def policies(self) -> Mapping[str, Policy]:
        """Return the row-level security policies."""
        return self.of_kind(Policy)

    @property
    def grants(self) -> Mapping[str, Grant]:
        """Return the grants."""
        return self.of_kind(Grant)

    @property
    def default_privileges(self) -> Mapping[str, DefaultPrivileges]:
        """Return the default privileges."""
        return self.of_kind(DefaultPrivileges)

    @property
    def event_triggers(self) -> Mapping[str, rarer.EventTrigger]:
        """Return the event triggers."""
        return self.of_kind(rarer.EventTrigger)

    @property
    def publications(self) -> Mapping[str, rarer.Publication]:
        """Return the publications."""
        return self.of_kind(rarer.Publication)

    @property
    def statistics(self) -> Mapping[str, rarer.Statistics]:
        """Return the objects of extended statistics."""
        return self.of_kind(rarer.Statistics)

    @property
    def casts(self) -> Mapping[str, rarer.Cast]:
        """Return the casts."""
        return self.of_kind(rarer.Cast)

    @property
    def operators(self) -> Mapping[str, rarer.Operator]:
        """Return the operators."""
        return self.of_kind(rarer.Operator)

    @property
    def collations(self) -> Mapping[str, rarer.Collation]:
        """Return the collations."""
        return self.of_kind(rarer.Collation)

    @property
    def servers(self) -> Mapping[str, rarer.ForeignServer]:
        """Return the foreign servers."""
        return self.of_kind(rarer.ForeignServer)

    def to_json(self) -> dict[str, object]:
        """Return plain values in a stable order."""
        return {
            "version": FORMAT_VERSION,
            "objects": {
                kind.KIND: [one.to_json() for one in some.values()]
                for kind in KINDS
                if (some := self.of_kind(kind))
            },
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the schema that `to_json` described.

        Raises:
            SnapshotError: another version wrote it, or it is damaged; the message is one line.
        """
        if not isinstance(values, Mapping) or not isinstance(values.get("objects"), Mapping):
            raise SnapshotError('this is no stored schema: it has no "objects"')
        if (version := values.get("version")) != FORMAT_VERSION:
            raise SnapshotError(
                f"a stored schema has format version {version!r}, not {FORMAT_VERSION}: read the schema anew"
            )
        objects: dict[Key, CatalogObject] = {}
        for one in _stored(values["objects"]):
            if one.key in objects:
                raise SnapshotError(f"a stored schema has {one.KIND} {one.qualified_name} twice")
            objects[one.key] = one
        return cls.of(objects.values())

    def dumps(self) -> str:
        """Return the schema as text, an object a line."""
        objects = ",\n".join(self._dumped())
        return f'{{"version": {FORMAT_VERSION}, "objects": {{\n{objects}\n}}}}\n'

    def _dumped(self) -> Iterator[str]:
        for kind in KINDS:
            if some := self.of_kind(kind):
                objects = ",\n".join(_text(one.to_json()) for one in some.values())
                yield f"{_text(kind.KIND)}: [\n{objects}\n]"

    @classmethod
    def loads(cls, text: str) -> Self:
        """Return the schema that `dumps` wrote.

        Raises:
            SnapshotError: another version wrote it, or it is damaged; the message is one line.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise SnapshotError(f"a stored schema is no JSON: {error}") from error
        return cls.from_json(values)

    def fingerprints(self) -> Mapping[str, str]:
        """Return a hash for each kind of which there are objects: the same wherever these are equal.

        It is the same in every process, on every machine, until `FORMAT_VERSION` is raised.
        """
        return MappingProxyType(
            {
                kind.KIND: _hash(_compared(one) for one in some.values())
                for kind in KINDS
                if (some := self.of_kind(kind))
            }
        )

    def fingerprint(self) -> str:
        """Return a hash of the whole, the same wherever schemas are equal."""
        return _hash([[FORMAT_VERSION], *map(list, self.fingerprints().items())])


def _stored(objects: Mapping[str, Any]) -> Iterator[CatalogObject]:
    for kind, some in objects.items():
        if kind not in _CLASS_OF:
            raise SnapshotError(
                f"a stored schema has an unknown kind of objects, {kind!r}: another version of pytest-migsafe wrote it"
            )
        if not isinstance(some, list):
            raise SnapshotError(f"a stored schema has no list of {kind!r}")
        yield from map(_CLASS_OF[kind].from_json, some)


def _compared(one: CatalogObject) -> list[object]:
    """Return the values that take part in equality, in the order of the fields."""
    values = (getattr(one, part.name) for part in fields(one) if part.compare)
    # 1.0 and 1 are equal, and written in two ways.
    return [int(value) if isinstance(value, float) and value.is_integer() else value for value in values]


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _hash(lines: Iterable[object]) -> str:
    """Return a hash of plain values."""
    found = hashlib.sha256()
    for line in lines:
        found.update(f"{json.dumps(line)}\n".encode())
    return found.hexdigest()


def gather(objects: Iterable[CatalogObject]) -> dict[Home, dict[Key, CatalogObject]]:
    """Return objects by their homes."""
    homes: dict[Home, dict[Key, CatalogObject]] = {}
    for one in objects:
        homes.setdefault(one.home, {})[one.key] = one
    return homes
