"""What is not there any more: everything that one statement took is one finding."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.lexical import schema_of, without_arguments
from pytest_migsafe.catalog.objects import Home
from pytest_migsafe.catalog.schema import (
    Column,
    Extension,
    Function,
    Table,
    Type,
    View,
)
from pytest_migsafe.catalog.schema import (
    Sequence as Sequence_,
)
from pytest_migsafe.findings import RemedyFile, Severity
from pytest_migsafe.rehearsal.evidence import Evidence, StatementEvidence, once
from pytest_migsafe.rules.compatibility.check import (
    FAMILY,
    NO_OLD_CODE,
    Breakage,
    CompatibilityRule,
    compatibility_rule,
)
from pytest_migsafe.rules.compatibility.functions import is_for_triggers, successor
from pytest_migsafe.rules.compatibility.types import form_of
from pytest_migsafe.rules.smoke.check import cause
from pytest_migsafe.texts.wording import listed


@dataclass(frozen=True)
class Gone:
    """Something that is not there any more, and is not called otherwise."""

    #: The word for it: "table", "view", "column", ...
    kind: str
    name: str
    statement: StatementEvidence | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@once
def all_gone(evidence: Evidence) -> tuple[Gone, ...]:
    """Return what a file removed, what contains first."""
    schemas = _schemas(evidence)
    within = {one.name for one in schemas}
    found = [
        *schemas,
        *(one for one in _relations(evidence) if schema_of(one.name) not in within),
        *_columns(evidence),
        *(one for one in _functions(evidence) if schema_of(one.name) not in within),
        *(one for one in _types(evidence) if schema_of(one.name) not in within),
        *_extensions(evidence),
    ]
    return tuple(sorted(found, key=lambda one: _ORDER.index(one.kind)))


_ORDER = (
    "schema",
    "table",
    "foreign table",
    # A column goes with CASCADE and takes views along, never the other way round.
    "column",
    "view",
    "materialized view",
    "function",
    "procedure",
    "aggregate",
    "type",
    "sequence",
    "extension",
)


def _because(evidence: Evidence, *names: str) -> StatementEvidence | None:
    return cause(evidence.statements, names)


def _schemas(evidence: Evidence) -> list[Gone]:
    found = evidence.identities
    return [
        Gone("schema", name, _because(evidence, name))
        for name in found.gone("schema")
        if name not in found.schemas
    ]


def _relations(evidence: Evidence) -> Iterator[Gone]:
    found = evidence.identities
    for name in found.gone("relation"):
        fate = found.fate(name)
        kind = _kind(evidence.before, name)
        if kind and not fate.became:
            yield Gone(kind, name, fate.statement or _because(evidence, name))


def _kind(schema: Schema, name: str) -> str:
    """Return what a relation is called that applications use by its name; empty for one that they do not."""
    home = schema.homes.get(Home("relation", name), {})
    for one in home.values():
        if isinstance(one, Table) and one.name == name:
            # Applications go by way of the partitioned table.
            return "" if one.partition_bound is not None else one.kind.replace("partitioned ", "")
        if isinstance(one, View) and one.name == name:
            return one.kind
        if isinstance(one, Sequence_) and one.name == name:
            return "" if one.owned_by or _is_drawn_from(schema, name) else "sequence"
    return ""


def _is_drawn_from(schema: Schema, sequence: str) -> bool:
    """Whether a column's default draws from a sequence: then that is how it is used."""
    drawing = f"nextval('{sequence}'::regclass)"
    return any(one.default is not None and drawing in one.default for one in schema.columns.values())


def _columns(evidence: Evidence) -> Iterator[Gone]:
    """Yield the columns that are gone from relations which are still there, or whose name means another one."""
    found = evidence.identities
    for relation in found.kept("relation"):
        missing = _missing_columns(evidence, relation)
        if not missing or _is_partition(evidence.before, relation):
            continue
        for column in missing:
            if not is_renamed(evidence, column) and not _is_gone_below(evidence, column):
                yield Gone("column", column.qualified_name, _because(evidence, column.name, relation))


def _missing_columns(evidence: Evidence, relation: str) -> list[Column]:
    """Return the columns of its own of which a relation has none of the name any more, in their physical order."""
    before, after = evidence.before.belonging_to(relation), evidence.after.belonging_to(relation)
    found = (before[key] for key in before.keys() - after.keys())
    own = [one for one in found if isinstance(one, Column) and not one.inherited]
    return sorted(own, key=lambda one: one.position)


def is_renamed(evidence: Evidence, column: Column) -> bool:
    """Whether a column has a new name, which no other column had before it."""
    found = evidence.identities
    now = found.column(column)
    if now is None or now.name == column.name or found.is_remade(column.relation):
        return False
    return evidence.before.get(Column.KIND, f"{column.relation}.{now.name}") is None


def _is_gone_below(evidence: Evidence, column: Column) -> bool:
    """Whether a view lacks a column because its table does, of which that is said."""
    view = evidence.before.get(View.KIND, column.relation)
    return isinstance(view, View) and any(
        evidence.before.get(Column.KIND, f"{one}.{column.name}") is not None
        and evidence.after.get(Column.KIND, f"{one}.{column.name}") is None
        for one in view.reads
    )


def _is_partition(schema: Schema, relation: str) -> bool:
    table = schema.get(Table.KIND, relation)
    return isinstance(table, Table) and table.partition_bound is not None


def _of(schema: Schema, relation: str) -> list[Column]:
    found = [one for one in schema.belonging_to(relation).values() if isinstance(one, Column)]
    return sorted(found, key=lambda one: one.position)


def _functions(evidence: Evidence) -> Iterator[Gone]:
    found = evidence.identities
    for name in found.gone("function"):
        one = evidence.before.get(Function.KIND, name)
        if not isinstance(one, Function) or is_for_triggers(one):
            continue
        if not found.function(name) and successor(evidence, one) is None:
            yield Gone(
                one.kind if one.kind != "window" else "function",
                name,
                _because(evidence, without_arguments(name)),
            )


def _types(evidence: Evidence) -> Iterator[Gone]:
    found = evidence.identities
    for name in found.gone("type"):
        one = evidence.before.get(Type.KIND, name)
        if isinstance(one, Type) and name not in found.types and not _is_used_by_columns(evidence, name):
            yield Gone("type", name, _because(evidence, name))


def _is_used_by_columns(evidence: Evidence, type_: str) -> bool:
    """Whether columns were of a type that is gone: of them it is said that they are gone, or of another type."""
    return any(
        form_of(one.type).base == type_
        for home in evidence.identities.changed
        for one in evidence.before.homes.get(home, {}).values()
        if isinstance(one, Column)
    )


def _extensions(evidence: Evidence) -> Iterator[Gone]:
    for name in evidence.identities.gone(Extension.CATALOG):
        yield Gone(Extension.KIND, name, _because(evidence, name))


def _removal(kinds: Sequence[str], **metadata: Any) -> CompatibilityRule:
    """Return the rule on what is gone of some kinds; whatever the same statement took is told with the first of it."""

    def compare(evidence: Evidence) -> Iterator[Breakage]:
        taken: dict[int, list[Gone]] = {}
        for one in all_gone(evidence):
            taken.setdefault(id(one.statement) if one.statement is not None else 0, []).append(one)
        for together in taken.values():
            if together[0].kind in kinds:
                yield _removed(evidence, together)

    rule: CompatibilityRule = compatibility_rule(severity=Severity.WARNING, **metadata)(compare)
    assert rule.family == FAMILY  # noqa: S101 - of this family by its making
    return rule


def _removed(evidence: Evidence, together: list[Gone]) -> Breakage:
    subject, *others = together
    alike = [one for one in together if one.kind == subject.kind]
    names = [one.name for one in alike]
    names[0] = f"{subject.kind}{'s' if len(alike) > 1 else ''} {names[0]}"
    names += [str(one) for one in together[len(alike) :]]
    are_gone = "they are gone" if others else "it is gone"
    return Breakage(
        subject=subject.name,
        message=f"old code that uses {listed(names)} fails: {are_gone}",
        statement=subject.statement,
        evidence=tuple(f"gone: {one}" for one in together) if len(together) > 1 else (),
        files=_in_two_steps(evidence, together),
        objects=tuple(one.name for one in others),
    )


def _in_two_steps(evidence: Evidence, together: list[Gone]) -> tuple[RemedyFile, ...]:
    """Return how columns go that have to be written as long as they are there."""
    required = [
        column
        for one in together
        if one.kind == "column" and isinstance(column := evidence.before.get(Column.KIND, one.name), Column)
        if column.not_null and column.default is None and not column.identity and not column.generated
    ]
    if len(together) > 1 or not required or _is_keyed(evidence.before, required[0]):
        return ()
    column = required[0]
    table = column.relation
    if not isinstance(evidence.before.get(Table.KIND, table), Table):
        return ()
    return (
        RemedyFile(
            sql=f"ALTER TABLE {table} ALTER COLUMN {column.name} DROP NOT NULL;",
            when="before the new version, which writes the column no more",
        ),
        RemedyFile(sql=f"ALTER TABLE {table} DROP COLUMN {column.name};", when=NO_OLD_CODE),
    )


def _is_keyed(schema: Schema, column: Column) -> bool:
    return any(
        column.name in getattr(one, "columns", ()) and getattr(one, "type", "") == "primary key"
        for one in schema.belonging_to(column.relation).values()
    )


_WAIT = (
    "Deploy first the version of the application that does without, and drop in a later release, when no older one runs; "
    "then this is the second step, and a waiver says so."
)
_MANUAL = "Dependency Tracking"


def _because_of(what: str) -> str:
    return (
        f"While the new version is being deployed, the old one still runs, and so does it after a way back: its statements that "
        f"name {what} fail."
    )


schema_removed = _removal(
    ("schema",),
    id="schema-removed",
    title="A schema is dropped that the previous version of the application could use.",
    why=_because_of("anything in it"),
    remedy=_WAIT,
    manual="DROP SCHEMA",
    peers={"squawk": "ban-drop-schema", "Atlas": "DS101"},
)

table_removed = _removal(
    ("table", "foreign table"),
    id="table-removed",
    title="A table is dropped that the previous version of the application could use.",
    why=_because_of("the table"),
    remedy=_WAIT,
    manual="DROP TABLE",
    peers={"squawk": "ban-drop-table", "Atlas": "DS102", "django-migration-linter": "DROP_TABLE"},
)

view_removed = _removal(
    ("view", "materialized view"),
    id="view-removed",
    title="A view is dropped that the previous version of the application could use.",
    why=_because_of("the view"),
    remedy=_WAIT,
    manual="DROP VIEW",
)

column_removed = _removal(
    ("column",),
    id="column-removed",
    title="A column is dropped that the previous version of the application could use.",
    why=(
        "While the new version is being deployed, the old one still runs: its statements that name the column fail, and so do "
        "those of libraries that write all columns that they know."
    ),
    remedy=(
        "Deploy first the version of the application that neither reads nor writes it, and drop it in a later release; then "
        "this is the second step, and a waiver says so."
    ),
    manual="Modifying Tables, Removing a Column",
    peers={
        "squawk": "ban-drop-column",
        "strong_migrations": "remove_column",
        "Atlas": "DS103",
        "django-migration-linter": "DROP_COLUMN",
    },
)

function_removed = _removal(
    ("function", "procedure", "aggregate"),
    id="function-removed",
    title="A function is dropped that the previous version of the application could call.",
    why=_because_of("the function"),
    remedy=_WAIT,
    manual="DROP FUNCTION",
)

type_removed = _removal(
    ("type",),
    id="type-removed",
    title="A type is dropped that the previous version of the application could use.",
    why=_because_of("the type, as casts do,"),
    remedy=_WAIT,
    manual="DROP TYPE; DROP DOMAIN",
)

sequence_removed = _removal(
    ("sequence",),
    id="sequence-removed",
    title="A sequence is dropped that the previous version of the application could draw from.",
    why=_because_of("the sequence"),
    remedy=_WAIT,
    manual="DROP SEQUENCE",
)

extension_removed = _removal(
    ("extension",),
    id="extension-removed",
    title="An extension is dropped that the previous version of the application could use.",
    why=_because_of("its functions, types or operators"),
    remedy=_WAIT,
    manual="DROP EXTENSION",
)

REMOVALS = (
    schema_removed,
    table_removed,
    view_removed,
    column_removed,
    function_removed,
    type_removed,
    sequence_removed,
    extension_removed,
)
