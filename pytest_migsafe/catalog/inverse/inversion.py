"""From the difference of two schemas to the statements that undo it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from pytest_migsafe.catalog import rarer
from pytest_migsafe.catalog.diff import Change, diff
from pytest_migsafe.catalog.inverse import enums, privileges, relations, routines, types
from pytest_migsafe.catalog.inverse import rarer as rare
from pytest_migsafe.catalog.inverse.dependents import dependents
from pytest_migsafe.catalog.inverse.steps import Phase, Unsaid, Way, role
from pytest_migsafe.catalog.inverse.words import target
from pytest_migsafe.catalog.lexical import constant
from pytest_migsafe.catalog.objects import CatalogObject, Key, Listed
from pytest_migsafe.catalog.schema import (
    Column,
    Constraint,
    DefaultPrivileges,
    Extension,
    Function,
    Grant,
    Index,
    Namespace,
    Policy,
    Rule,
    Schema,
    Sequence,
    Table,
    Trigger,
    Type,
    View,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inverse:
    """A way from one schema to another."""

    #: In their order; each ends with a semicolon.
    statements: tuple[str, ...]
    #: The differences that remain, as far as that is known without trying.
    unsaid: tuple[Unsaid, ...] = ()


def inverse(now: Schema, then: Schema, major: int) -> Inverse:
    """Return the statements that lead from a schema to another on a server of a major version.

    What is otherwise owned, and what comes or goes with something else, may take another round: compare what came of it
    with what was wanted, and ask again.
    """
    way = Way(now, then, major)
    _Inversion(way).run()
    return Inverse(statements=way.statements(), unsaid=tuple(dict.fromkeys(way.unsaid)))


class _Inversion:
    """Puts a way together."""

    def __init__(self, way: Way) -> None:
        self.way = way
        self.now, self.then = way.now, way.then
        self.changes = diff(self.now, self.then)
        self.removed = {Key(one.kind, one.name) for one in self.changes if one.action == "removed"}
        #: Columns whose type is made anew.
        self.retyped: list[CatalogObject] = []
        self.added = {Key(one.kind, one.name) for one in self.changes if one.action == "added"}

    def run(self) -> None:
        """Add all steps."""
        changed = [one for one in self.changes if one.action == "changed"]
        for one in changed:
            self._change(one)
        self._remake_what_depends(changed)
        self._drop_tables()
        gone = self.removed | {key for key in self.way.remade if self.now.get(*key) is not None}
        for key in reversed(list(self._in_order(self.now, gone))):
            self._drop(self._object(self.now, key))
        new = self.added | {key for key in self.way.remade if self.then.get(*key) is not None}
        for key in self._in_order(self.then, new):
            self._create(self._object(self.then, key))

    @staticmethod
    def _object(schema: Schema, key: Key) -> CatalogObject:
        found = schema.get(*key)
        assert found is not None  # noqa: S101 - the difference says that it is there
        return found

    def _in_order(self, schema: Schema, keys: set[Key]) -> Iterator[Key]:
        """Yield keys, those of views each after those that it reads, columns by their place, partitions after the whole."""
        views = [one for key in keys if isinstance(one := schema.get(*key), View)]
        rest = [self._object(schema, key) for key in keys if key.kind != View.KIND]
        for one in sorted(rest, key=partial(self._place, schema)):
            yield one.key
        for view in relations.in_order(sorted(views, key=lambda one: one.name)):
            yield view.key

    @staticmethod
    def _place(schema: Schema, one: CatalogObject) -> tuple[int, int, str, str]:
        if isinstance(one, Column):
            return 0, one.position, one.KIND, one.qualified_name
        depth = 0
        parent: CatalogObject | None = one
        while isinstance(parent, Table) and parent.parents:
            parent, depth = schema.get(Table.KIND, parent.parents[0]), depth + 1
        return 1, depth, one.KIND, one.qualified_name

    # -- what changed ----------------------------------------------------------------------------------------

    def _change(self, change: Change) -> None:
        now, then = (self._object(schema, Key(change.kind, change.name)) for schema in (self.now, self.then))
        names = {name for name, *_ in change.attributes}
        if isinstance(now, Grant) and isinstance(then, Grant):
            privileges.change_grant(self.way, now, then)
            return
        if isinstance(now, DefaultPrivileges) and isinstance(then, DefaultPrivileges):
            privileges.change_default(self.way, now, then)
            return
        if "owner" in names:
            self._own(then)
        if "comment" in names:
            self._comment(then)
        if names - {"owner", "comment"} and not self._alter(now, then):
            self.way.remade.add(then.key)

    def _alter(self, now: CatalogObject, then: CatalogObject) -> bool:  # noqa: C901, PLR0911, PLR0912 - a line a kind
        """Add the steps that make one object of another; return whether that is possible."""
        way = self.way
        match now, then:
            case Table(), Table():
                relations.change_table(way, now, then)
            case Column(), Column():
                self._alter_column(now, then)
            case Constraint(), Constraint():
                return bool(now.inherited and not now.local) or relations.change_constraint(way, now, then)
            case Index(), Index():
                return self._alter_index(now, then)
            case View(), View():
                return relations.change_view(way, now, then)
            case Trigger() | Rule(), Trigger() | Rule():
                if now.definition != then.definition:
                    return False
                if getattr(now, "cloned", False) != getattr(then, "cloned", False):
                    way.leave(then, "whether it comes from a partitioned table's")
                relations.change_state(way, now.enabled, then)
            case Policy(), Policy():
                return False
            case Sequence(), Sequence():
                types.change_sequence(way, now, then)
            case Function(), Function():
                if not routines.can_be_replaced(now, then):
                    return False
                way.add(Phase.FUNCTION, routines.create(then))
            case Type(), Type():
                return self._alter_type(now, then)
            case Extension(), Extension():
                self._alter_extension(now, then)
            case rarer.SecurityLabel(), rarer.SecurityLabel():
                way.add(Phase.COMMENT, _label(then, then.label))
            case Listed(), Listed():
                return rare.change(way, now, then)
            case _:
                way.leave(then, "it cannot be made what it was")
        return True

    def _alter_column(self, now: Column, then: Column) -> None:
        if isinstance(self.then.get(View.KIND, then.relation), View):
            relations.change_view_column(self.way, now, then)
        elif not self._comes_from_parent(then):
            relations.change_column(self.way, now, then)

    def _comes_from_parent(self, then: Column) -> bool:
        """Whether a column that is inherited changes as that of a parent does."""
        table = self.then.get(Table.KIND, then.relation)
        if not then.inherited or not isinstance(table, Table):
            return False
        return any(
            isinstance(old := self.now.get(Column.KIND, f"{one}.{then.name}"), Column)
            and isinstance(new := self.then.get(Column.KIND, f"{one}.{then.name}"), Column)
            and old != new
            and _said(new) == _said(then)
            for one in table.parents
        )

    def _alter_index(self, now: Index, then: Index) -> bool:
        constraint = relations.constraint_of(self.then, then)
        if constraint is not None and now.definition != then.definition:
            # What is made again with the constraint.
            self.way.remade.add(constraint.key)
            return True
        if relations.change_index(self.way, now, then):
            return True
        return constraint is not None

    def _alter_type(self, now: Type, then: Type) -> bool:
        if not self._uses_new_value(now, then) and types.change(self.way, now, then):
            return True
        user = next((one for one in self.now if _uses(one, now.name)), None)
        if user is None:
            return False
        moved = enums.made_anew(self.way, now, then) if now.kind == then.kind == "enum" else None
        if moved is None:
            gone = ", ".join(one for one in now.labels if one not in then.labels)
            why = f"no value is taken from an enum of which other types, casts or operators are made ({gone})"
            used = f"it is used by {user.KIND} {user.qualified_name}, and cannot be made again"
            self.way.leave(then, why if gone else used)
        else:
            self.retyped += [one for one in moved if isinstance(one, Column)]
            self.way.remade |= {one.key for one in moved if not isinstance(one, Column)}
        return True

    def _uses_new_value(self, now: Type, then: Type) -> bool:
        """Whether a value comes back that something else says, too: in one transaction it could not be used yet.

        (Manual: "ALTER TYPE", Notes.)
        """
        if {*now.labels} - {*then.labels}:
            return False
        said = [f"{constant(one)}::{then.name}" for one in then.labels if one not in now.labels]
        texts = (
            text
            for change in self.changes
            for _, _, text in change.attributes
            if change.action != "removed" and isinstance(text, str)
        )
        return any(one in text for text in texts for one in said)

    def _alter_extension(self, now: Extension, then: Extension) -> None:
        if now.version != then.version:
            self.way.leave(then, f"version {then.version}: scripts for the way down are rarely there")
        if now.schema != then.schema:
            self.way.add(Phase.EXTENSION, f"ALTER EXTENSION {then.name} SET SCHEMA {then.schema};")
        for verb, some, others in (
            ("NO DEPENDS", now.needed_by, then.needed_by),
            ("DEPENDS", then.needed_by, now.needed_by),
        ):
            for one in some:
                if one not in others:
                    kind = next((word for word in _CAN_DEPEND if one.startswith(f"{word} ")), "")
                    name = one.removeprefix(f"{kind} ").replace(" on ", " ON ", 1)
                    self.way.add(Phase.OWNER, f"ALTER {kind.upper()} {name} {verb} ON EXTENSION {then.name};")
        if now.configuration_tables != then.configuration_tables:
            self.way.leave(then, "which of its rows are dumped")

    def _own(self, one: CatalogObject) -> None:
        words, owner = target(one), getattr(one, "owner", None)
        if words is not None and owner is not None:
            self.way.add(Phase.OWNER, f"ALTER {words} OWNER TO {role(owner)};")

    def _comment(self, one: CatalogObject) -> None:
        words = target(one)
        if words is not None:
            self.way.add(Phase.COMMENT, relations.comment(words, getattr(one, "comment", None)))

    # -- what stands in the way ------------------------------------------------------------------------------

    def _remake_what_depends(self, changed: list[Change]) -> None:
        """Have everything made again that would keep something from being dropped or changed."""
        waiting = [self._object(self.now, key) for key in self.way.remade if self.now.get(*key) is not None]
        waiting += [
            self._object(self.now, Key(one.kind, one.name))
            for one in changed
            if one.kind == Column.KIND
            and {name for name, *_ in one.attributes} & {"type", "collation", "generated"}
        ]
        waiting += [self._object(self.now, key) for key in self.removed if key.kind == Column.KIND]
        waiting += self.retyped
        while waiting:
            for one in dependents(self.now, waiting.pop()):
                if one.key not in self.way.remade | self.removed:
                    self.way.remade.add(one.key)
                    waiting.append(one)

    # -- what is gone, and what is new -----------------------------------------------------------------------

    def _is_gone(self, relation: str) -> bool:
        return self.then.get(Table.KIND, relation) is None and self.then.get(View.KIND, relation) is None

    def _drop_tables(self) -> None:
        """Drop the tables that are new, those that refer to others before these."""
        waiting = {key.name for key in self.removed if key.kind == Table.KIND}
        keys = [one for one in self.now.constraints.values() if one.type == "foreign key"]
        while waiting:
            referred = {
                name
                for name in waiting
                for key in keys
                if key.relation in waiting - {name} and f" REFERENCES {name}(" in key.definition
            }
            free = sorted(waiting - referred) or sorted(waiting)
            if not waiting - referred:
                # They refer to each other.
                for key in keys:
                    if key.relation in waiting:
                        relations.drop_constraint(self.way, key)
            for name in free:
                table = self.now.tables[name]
                if not (table.partition_bound is not None and self._is_gone(table.parents[0])):
                    words = target(table)
                    self.way.add(Phase.DROP_TABLE, f"DROP {words};")
            waiting -= set(free)

    def _drop(self, one: CatalogObject) -> None:  # noqa: C901, PLR0912 - a line a kind
        way = self.way
        relation = getattr(one, "relation", None)
        if isinstance(one, Grant):
            if not self._goes(one):
                privileges.change_grant(way, one, None)
            return
        if relation is not None and not isinstance(one, rarer.Statistics) and one.key not in way.remade:
            is_domain = isinstance(one, Constraint) and one.object_kind == "domain"
            if self._is_gone(relation) if not is_domain else self.then.get(Type.KIND, relation) is None:
                # It goes with what it belongs to.
                return
        match one:
            case Table():
                if one.key in way.remade:
                    way.leave(one, "it cannot be made what it was")
            case Column():
                self._drop_column(one)
            case Constraint():
                relations.drop_constraint(way, one)
            case Index():
                relations.drop_index(way, one)
            case View():
                way.add(Phase.DROP_VIEW, relations.drop_view(one))
            case Trigger() | Rule():
                relations.drop_trigger(way, one)
            case Policy():
                way.add(Phase.DROP_POLICY, f"DROP POLICY {one.name} ON {one.relation};")
            case Sequence():
                self._drop_sequence(one)
            case DefaultPrivileges():
                privileges.change_default(way, one, None)
            case rarer.SecurityLabel():
                way.add(Phase.COMMENT, _label(one, None))
            case Listed():
                if one.key in way.remade:
                    before, _ = rare.phases(one)
                    is_late = before is not Phase.DROP_RARER
                    way.add(before if is_late else Phase.DROP_TO_MAKE, f"DROP {target(one)};")
                else:
                    rare.drop(way, one)
            case _:
                phase = _DROPPED[one.KIND] if one.key not in way.remade else Phase.DROP_TO_MAKE
                way.add(phase, f"DROP {target(one)};")

    def _goes(self, grant: Grant) -> bool:
        """Whether what a privilege is on is dropped; what PostgreSQL brings along is in no schema, and stays."""
        kind = grant.object_kind
        return self.now.get(kind, grant.object) is not None and self.then.get(kind, grant.object) is None

    def _drop_column(self, one: Column) -> None:
        comes_along = one.inherited and not one.local
        if self.now.get(View.KIND, one.relation) is None and not comes_along:
            relations.drop_column(self.way, one)

    def _drop_sequence(self, one: Sequence) -> None:
        is_owned = one.owned_by is not None and self.then.get(Column.KIND, one.owned_by) is None
        if not is_owned and not relations.is_of_identity(self.now, one):
            self.way.add(Phase.DROP_SEQUENCE, f"DROP SEQUENCE {one.name};")

    def _create(self, one: CatalogObject) -> None:  # noqa: C901, PLR0912 - a line a kind
        way = self.way
        match one:
            case Namespace():
                way.add(Phase.SCHEMA, f"CREATE SCHEMA {one.name};")
            case Extension():
                way.add(
                    Phase.EXTENSION,
                    f"CREATE EXTENSION {one.name} SCHEMA {one.schema} VERSION {constant(one.version)};",
                )
            case Type():
                self._create_type(one)
            case Sequence():
                self._create_sequence(one)
            case Function():
                is_late = one.body.startswith("BEGIN ATOMIC") or self._speaks_of_new_relation(one)
                way.add(Phase.VIEW if is_late else Phase.FUNCTION, routines.create(one))
            case Table():
                if not relations.create_table(way, one):
                    way.leave(one, "its options hold a secret")
            case Column():
                self._create_column(one)
            case Constraint():
                relations.create_constraint(way, one)
            case Index():
                relations.create_index(way, one)
            case View():
                way.add(Phase.VIEW, relations.create_view(one))
            case Trigger() | Rule():
                relations.create_trigger(way, one)
            case Policy():
                way.add(Phase.POLICY, relations.create_policy(one))
            case Grant():
                privileges.change_grant(way, None, one)
            case DefaultPrivileges():
                privileges.change_default(way, None, one)
            case rarer.SecurityLabel():
                way.add(Phase.COMMENT, _label(one, one.label))
            case Listed():
                rare.create(way, one)
        if getattr(one, "comment", None) is not None and not isinstance(one, Grant):
            self._comment(one)

    def _create_type(self, one: Type) -> None:
        statement = types.create(one)
        if statement is None:
            self.way.leave(one, "a base type is made of functions in C")
            return
        self.way.add(Phase.TYPE, statement)
        self.way.add(Phase.COMMENT, *types.comments(one))

    def _create_sequence(self, one: Sequence) -> None:
        if relations.is_of_identity(self.then, one):
            return
        self.way.add(Phase.SEQUENCE, types.create_sequence(one))
        if one.owned_by is not None:
            self.way.add(Phase.CONSTRAINT, f"ALTER SEQUENCE {one.name} OWNED BY {one.owned_by};")

    def _create_column(self, one: Column) -> None:
        if isinstance(self.then.get(View.KIND, one.relation), View):
            relations.change_view_column(self.way, None, one)
        elif self.now.get(Table.KIND, one.relation) is not None and (one.local or not one.inherited):
            relations.add_column(self.way, one)

    def _speaks_of_new_relation(self, one: Function) -> bool:
        signature = f"{one.name} {one.arguments} {one.returns}"
        return any(
            key.kind in {Table.KIND, View.KIND} and key.name in signature
            for key in self.added | self.way.remade
        )


_DROPPED = {
    Namespace.KIND: Phase.DROP_SCHEMA,
    Extension.KIND: Phase.DROP_EXTENSION,
    Type.KIND: Phase.DROP_TYPE,
    Function.KIND: Phase.DROP_FUNCTION,
}
#: What can be dropped with an extension (manual: "ALTER FUNCTION", DEPENDS ON EXTENSION).
_CAN_DEPEND = ("function", "procedure", "materialized view", "index", "trigger")


def _said(one: Column) -> tuple[object, ...]:
    return one.type, one.default, one.not_null, one.collation, one.generated


def _uses(one: CatalogObject, type_name: str) -> bool:
    """Whether a column, a function or another type is of a type."""
    if isinstance(one, Column):
        return one.type.removesuffix("[]") == type_name
    if isinstance(one, Function):
        return relations.names(f"{one.name} {one.arguments} {one.returns}", type_name)
    if isinstance(one, Type):
        said = (one.base_type or "", *one.attributes, one.range or "")
        return one.name != type_name and any(relations.names(text, type_name) for text in said)
    return False


def _label(one: rarer.SecurityLabel, text: str | None) -> str:
    identity, _, provider = one.name.rpartition(" for ")
    kind = next((word for word in _LABELLED if identity.startswith(f"{word} ")), "")
    words = f"{_LABELLED.get(kind, kind.upper())} {identity.removeprefix(f'{kind} ')}"
    return f"SECURITY LABEL FOR {provider} ON {words} IS {constant(text) if text is not None else 'NULL'};"


_LABELLED = {
    "table column": "COLUMN",
    "table": "TABLE",
    "view": "VIEW",
    "materialized view": "MATERIALIZED VIEW",
    "function": "FUNCTION",
    "schema": "SCHEMA",
    "type": "TYPE",
    "sequence": "SEQUENCE",
    "domain": "DOMAIN",
    "foreign table": "FOREIGN TABLE",
}
