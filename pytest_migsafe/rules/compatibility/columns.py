"""Columns that take other values than before, or have to be given one."""

import re
from collections.abc import Iterable, Iterator

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.lexical import last_part
from pytest_migsafe.catalog.schema import Column, Constraint, Function, Table, Trigger, Type, View
from pytest_migsafe.findings import RemedyFile, Severity
from pytest_migsafe.rehearsal.evidence import Evidence
from pytest_migsafe.rules.compatibility.check import NO_OLD_CODE, Breakage, compatibility_rule
from pytest_migsafe.rules.compatibility.types import Change, changed, form_of
from pytest_migsafe.rules.compatibility.views import columns_of, unwritten_columns
from pytest_migsafe.texts.wording import listed


def _tables(evidence: Evidence) -> Iterator[tuple[Table, Table]]:
    """Yield the tables that were there before, as they were and as what old code writes to: by name, or by way of a view."""
    found = evidence.identities
    for name in found.kept("relation"):
        was = evidence.before.get(Table.KIND, name)
        if not isinstance(was, Table) or was.partition_bound is not None:
            continue
        now = evidence.after.get(Table.KIND, name)
        if not isinstance(now, Table):
            now = evidence.after.get(Table.KIND, found.fate(name).became)
        if isinstance(now, Table):
            yield was, now
    for name in found.gone("relation"):
        # Written under its old name by way of a view of it.
        was, became = evidence.before.get(Table.KIND, name), found.fate(name).became
        if became and isinstance(was, Table) and isinstance(evidence.after.get(View.KIND, name), View):
            now = evidence.after.get(Table.KIND, became)
            if isinstance(now, Table):
                yield was, now


def _pairs(evidence: Evidence) -> Iterator[tuple[Column, Column]]:
    """Yield the columns of tables that have the same name before and after; what is inherited is told of its parent."""
    for was, now in _tables(evidence):
        before, after = columns_of(evidence.before, was.name), columns_of(evidence.after, now.name)
        yield from ((one, after[name]) for name, one in before.items() if name in after and not one.inherited)


def _has_to_be_given(schema: Schema, column: Column) -> bool:
    """Whether an INSERT that does not name a column fails."""
    domain = schema.get(Type.KIND, form_of(column.type).base)
    is_domain = isinstance(domain, Type) and domain.kind == "domain"
    is_required = column.not_null or (is_domain and domain.not_null)  # type: ignore[union-attr]
    has_value = column.default is not None or column.identity or column.generated
    return bool(is_required and not has_value and not (is_domain and domain.default))  # type: ignore[union-attr]


def _is_filled_by_trigger(schema: Schema, column: Column) -> bool:
    """Whether a trigger that fires before each inserted row gives the column a value."""
    for one in schema.belonging_to(column.relation).values():
        if isinstance(one, Trigger) and re.search(r"BEFORE INSERT.*FOR EACH ROW", one.definition, re.DOTALL):
            function = schema.get(Function.KIND, one.function) or schema.get(
                Function.KIND, f"{one.function}()"
            )
            body = function.body if isinstance(function, Function) else ""
            if re.search(rf'\bnew\."?{re.escape(last_part(column.qualified_name))}\b', body, re.IGNORECASE):
                return True
    return False


@compatibility_rule(
    id="required-column-added",
    severity=Severity.ERROR,
    title="A new column has to be given a value, which old code does not know.",
    why=(
        "Every INSERT of the previous version of the application fails with 'null value in column violates not-null constraint' "
        "from the moment the file is applied until the last instance has been replaced. If rows are there already, the file "
        "itself fails."
    ),
    remedy=(
        "Give the column a default; or add it without NOT NULL, and set that when the application writes it everywhere and the "
        "old rows have a value."
    ),
    manual="ALTER TABLE, ADD COLUMN; Constraints, Not-Null Constraints",
    peers={
        "squawk": "adding-required-field",
        "Atlas": "MF103",
        "django-migration-linter": "NOT_NULL",
    },
)
def required_column_added(evidence: Evidence) -> Iterator[Breakage]:
    """Look for new columns of tables that were there, which are NOT NULL and get no value by themselves."""
    found = evidence.identities
    for was, now in _tables(evidence):
        before = columns_of(evidence.before, was.name)
        for name, column in columns_of(evidence.after, now.name).items():
            if name in before or column.inherited or not _has_to_be_given(evidence.after, column):
                continue
            if not found.is_remade(was.name) and found.former(column) is not None:
                # It was there under another name, of which that is said.
                continue
            if not _is_filled_by_trigger(evidence.after, column):
                yield _required(evidence, was, column)


def _required(evidence: Evidence, table: Table, column: Column) -> Breakage:
    fails = ""
    if _fails_with_rows(evidence, column):
        fails = "; and the file itself fails where the table has rows"
    return Breakage(
        subject=column.qualified_name,
        message=(
            f"old code that inserts into {table.name} fails: {column.qualified_name} is new, is NOT NULL and has no default{fails}"
        ),
        named=(column.name, table.name),
        evidence=("with a row in the table: column contains null values (23502)",) if fails else (),
        files=_in_steps(evidence, column),
        objects=(table.name,),
    )


def _fails_with_rows(evidence: Evidence, column: Column) -> bool:
    """Whether nothing in the file can have given the column a value in rows that are there already."""
    if evidence.identities.is_remade(column.relation) or column.has_missing_value:
        return False
    return all(
        one.observed
        and not any(rewrite.relation == column.relation for rewrite in one.rewrites)
        and not any(
            lock.relation == column.relation and lock.mode == "RowExclusiveLock" for lock in one.locks
        )
        for one in evidence.statements
        if one.node != "TransactionStmt"
    )


def _in_steps(evidence: Evidence, column: Column) -> tuple[RemedyFile, ...]:
    """Return how a column comes to be NOT NULL without a moment in which old code cannot write."""
    if _has_more(evidence.after, column):
        return ()
    collation = f" COLLATE {column.collation}" if column.collation else ""
    return (
        RemedyFile(sql=f"ALTER TABLE {column.relation} ADD COLUMN {column.name} {column.type}{collation};"),
        *_not_null(column, when=f"{NO_OLD_CODE} and every row has a value"),
    )


def _has_more(schema: Schema, column: Column) -> bool:
    """Whether more comes with a column than its type: constraints, indexes, comments."""
    return bool(column.comment) or any(
        column.name in getattr(one, "columns", ()) for one in schema.belonging_to(column.relation).values()
    )


def _not_null(column: Column, when: str) -> tuple[RemedyFile, ...]:
    """Return how NOT NULL is set while the table is used: proven by a constraint first."""
    table = column.relation
    words = f"{last_part(table)}_{last_part(column.qualified_name)}_is_set"
    name = re.sub(r"\W", "_", words.lower())[-63:].lstrip("_0123456789")
    return (
        RemedyFile(
            sql=f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column.name} IS NOT NULL) NOT VALID;",
            when=when,
        ),
        RemedyFile(sql=f"ALTER TABLE {table} VALIDATE CONSTRAINT {name};"),
        RemedyFile(
            sql=f"ALTER TABLE {table} ALTER COLUMN {column.name} SET NOT NULL;\n"
            f"ALTER TABLE {table} DROP CONSTRAINT {name};"
        ),
    )


@compatibility_rule(
    id="not-null-added",
    severity=Severity.WARNING,
    title="A column that could be NULL may not be any more, and nothing gives it a value by itself.",
    why=(
        "The previous version of the application may write NULL, or leave the column out of an INSERT: that worked before the "
        "file, and fails after it."
    ),
    remedy="Give the column a default, or wait until no previous version runs that does not always write it.",
    manual="Constraints, Not-Null Constraints",
    peers={
        "squawk": "adding-not-nullable-field",
        "strong_migrations": "change_column_null",
        "Atlas": "MF104",
    },
)
def not_null_added(evidence: Evidence) -> Iterator[Breakage]:
    """Look for columns that refuse NULL, by NOT NULL or by a CHECK, and did not before."""
    for was, now in _pairs(evidence):
        if _refuses_null(evidence.before, was) or not _refuses_null(evidence.after, now):
            continue
        if (
            now.default is not None
            or now.identity
            or now.generated
            or _is_filled_by_trigger(evidence.after, now)
        ):
            continue
        yield Breakage(
            subject=was.qualified_name,
            message=f"old code that leaves {was.qualified_name} empty fails: it may not be NULL any more, and has no default",
            named=(was.name, was.relation),
            files=_not_null(now, f"{NO_OLD_CODE} that leaves it empty") if now.not_null else (),
        )


_IS_NOT_NULL = re.compile(r"CHECK \(\((.*) IS NOT NULL\)\)(?: NO INHERIT)?(?: NOT VALID)?")


def _refuses_null(schema: Schema, column: Column) -> bool:
    return column.not_null or any(
        (found := _IS_NOT_NULL.fullmatch(one.definition)) is not None
        and found[1] == column.name
        and one.enforced
        for one in schema.belonging_to(column.relation).values()
        if isinstance(one, Constraint) and one.type == "check"
    )


@compatibility_rule(
    id="default-removed",
    severity=Severity.WARNING,
    title="A column that may not be NULL has no default any more.",
    why="The previous version of the application may leave the column out of an INSERT, which worked, and fails now.",
    remedy="Keep the default until no previous version runs that relies on it.",
    manual="Modifying Tables, Changing a Column's Default Value",
    peers={"strong_migrations": "change_column_default"},
)
def default_removed(evidence: Evidence) -> Iterator[Breakage]:
    """Look for columns that an INSERT could leave out before."""
    for was, now in _pairs(evidence):
        if (
            was.not_null
            and now.not_null
            and not _has_to_be_given(evidence.before, was)
            and _has_to_be_given(evidence.after, now)
            and not _is_filled_by_trigger(evidence.after, now)
        ):
            yield Breakage(
                subject=was.qualified_name,
                message=f"old code that inserts into {was.relation} without {was.name} fails: it has no default any more",
                named=(was.name, was.relation),
                objects=(was.relation,),
            )


@compatibility_rule(
    id="column-not-writable",
    severity=Severity.ERROR,
    title="A column that could be written is computed now.",
    why=(
        "A generated column and one that is an identity 'always' take no value, nor does an expression of a view: statements of "
        "the previous version that give one fail."
    ),
    remedy="Add the computed column under a name of its own, and drop the old one when no previous version writes it any more.",
    manual="Generated Columns; Identity Columns; CREATE VIEW, Updatable Views",
)
def column_not_writable(evidence: Evidence) -> Iterator[Breakage]:
    """Look for columns to which a value could be given before, and cannot now."""
    for was, now in _pairs(evidence):
        took = not was.generated and was.identity != "always"
        if took and (now.generated or now.identity == "always"):
            what = "generated" if now.generated else "an identity, always"
            yield Breakage(
                subject=was.qualified_name,
                message=f"old code that writes {was.qualified_name} fails: it is {what} now",
                named=(was.name, was.relation),
                # Few write a column that gets its value from a sequence.
                severity=None if now.generated else Severity.WARNING,
            )
    for name in evidence.identities.kept("relation"):
        if isinstance(evidence.before.get(Table.KIND, name), Table):
            written = columns_of(evidence.before, name)
            if lost := sorted(unwritten_columns(evidence.after, name) & written.keys()):
                yield Breakage(
                    subject=name,
                    message=f"old code that writes {listed(lost)} of {name} fails: the view computes what it shows there",
                    objects=tuple(f"{name}.{one}" for one in lost),
                )


@compatibility_rule(
    id="column-type-changed",
    severity=Severity.ERROR,
    title="A column is of another type, which takes or gives other values than old code writes and reads.",
    why=(
        "The previous version of the application writes, reads and compares values of the old type: what does not fit is "
        "refused, and drivers that use the binary protocol, or map columns to types of a language, fail to read."
    ),
    remedy=(
        "Add a column of the new type, write both, fill it in batches, read from it, and drop the old one when no previous "
        "version runs any more."
    ),
    manual="ALTER TABLE, SET DATA TYPE",
    peers={
        "squawk": "changing-column-type",
        "eugene": "E5",
        "strong_migrations": "change_column",
        "Atlas": "DS104",
        "django-migration-linter": "ALTER_COLUMN",
    },
)
def column_type_changed(evidence: Evidence) -> Iterator[Breakage]:
    """Compare the types of columns that have the same name; a varchar that is made longer is no matter."""
    tables = _retyped(evidence, _pairs(evidence))
    # A view of the column, made again because of it, says the same.
    said = {(column, types) for (_, types, _), columns in tables.items() for column in columns}
    views = [
        (was, now) for was, now in _columns_of_views(evidence) if (was.name, (was.type, now.type)) not in said
    ]
    for (relation, (was, now), change), columns in (*tables.items(), *_retyped(evidence, views).items()):
        names = [f"{relation}.{columns[0]}", *columns[1:]]
        yield Breakage(
            subject=names[0],
            message=f"{listed(names)} {'are' if columns[1:] else 'is'} {now} now, and {'were' if columns[1:] else 'was'} {was}: {change.what}",
            named=(columns[0], relation),
            severity=change.severity,
            objects=tuple(f"{relation}.{one}" for one in columns[1:]),
        )


#: A relation, what its columns were and are, and what follows.
_Retyping = tuple[str, tuple[str, str], Change]


def _retyped(evidence: Evidence, pairs: Iterable[tuple[Column, Column]]) -> dict[_Retyping, list[str]]:
    """Return the columns of another type, those together that are of one relation and changed alike."""
    names = evidence.identities.types
    found: dict[_Retyping, list[str]] = {}
    for was, now in pairs:
        if was.type != now.type and (
            change := changed(evidence.before, was.type, evidence.after, now.type, names)
        ):
            found.setdefault((was.relation, (was.type, now.type), change), []).append(was.name)
    return found


def _columns_of_views(evidence: Evidence) -> Iterator[tuple[Column, Column]]:
    for name in evidence.identities.kept("relation"):
        if isinstance(evidence.after.get(View.KIND, name), View):
            before, after = columns_of(evidence.before, name), columns_of(evidence.after, name)
            yield from ((one, after[column]) for column, one in before.items() if column in after)
