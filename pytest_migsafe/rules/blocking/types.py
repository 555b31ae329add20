"""Types of columns that are changed, and what has to be done with every row for it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.lexical import constant, last_part, own_name, quoted
from pytest_migsafe.catalog.schema import Column, Constraint, Index
from pytest_migsafe.findings import RemedyFile
from pytest_migsafe.migrations.columns import ChangedType, changed_types
from pytest_migsafe.rehearsal.holding import WorkKind
from pytest_migsafe.rules.blocking.check import Situation, Told, blocking_rule
from pytest_migsafe.rules.blocking.columns import added, constrained_domain
from pytest_migsafe.rules.blocking.doing import (
    altered_table,
    rewritten_tables,
    scanned_tables,
    work_of,
)
from pytest_migsafe.rules.blocking.filling import has_parts
from pytest_migsafe.rules.blocking.replacement import replacement_files
from pytest_migsafe.rules.blocking.time_zone import IN_UTC, is_change_of_time_zone


class Cause(Enum):
    """What a change of type has to do."""

    REWRITES = "the values are stored otherwise"
    INDEXES = "indexes are sorted otherwise, or computed of it"
    REFERENCES = "foreign keys compare otherwise"
    CHECKS = "checks are about it"


@dataclass(frozen=True, slots=True)
class Retyped:
    """A column whose type changes, and what that takes."""

    cause: Cause
    #: Empty for an attribute of a composite type.
    table: str
    #: As SQL writes it.
    name: str
    #: The types before and after, as far as the schema tells.
    before: str
    after: str
    #: What the statement's text says of it; None where it is run by a DO block or a function.
    written: ChangedType | None

    @property
    def change(self) -> str:
        """The change in words."""
        if self.before == self.after and self.written is not None and not self.written.is_cast:
            return f"every row gets another value of column {self.name}"
        return f"column {self.name} becomes {self.after}{f' instead of {self.before}' if self.before else ''}"


def retyped(situation: Situation) -> Retyped | None:
    """Return the column whose change of type explains a stall."""
    if added(situation) is not None:
        return None
    found = _written(situation) if not situation.is_opaque else _seen(situation)
    return next(found, None)


def _written(situation: Situation) -> Iterator[Retyped]:
    table = altered_table(situation)
    for changed in changed_types(situation.text):
        name = quoted(changed.column)
        before = situation.before.get("column", f"{table}.{name}") if table else None
        after = situation.after.get("column", f"{table}.{name}") if table else None
        yield Retyped(
            cause=_cause(situation, table, name),
            table=table,
            name=name,
            before=before.type if isinstance(before, Column) else "",
            after=_type_after(before, after, changed),
            written=changed,
        )


def _type_after(before: object, after: object, changed: ChangedType) -> str:
    """Return the type that the statement makes of a column, as PostgreSQL writes it if it has remained so."""
    if not isinstance(after, Column):
        return changed.type
    is_taken_back = isinstance(before, Column) and before.type == after.type and changed.is_cast
    return changed.type if is_taken_back else after.type


def _seen(situation: Situation) -> Iterator[Retyped]:
    """Yield the columns that have another type now, of tables that were written anew by what no text shows."""
    named = {one.column for one in _other_changes(situation)}
    for table in rewritten_tables(situation):
        for one in situation.after.belonging_to(table).values():
            before = situation.before.get("column", one.qualified_name) if isinstance(one, Column) else None
            if (
                isinstance(one, Column)
                and isinstance(before, Column)
                and one.type != before.type
                and last_part(one.qualified_name) not in named
            ):
                yield Retyped(Cause.REWRITES, table, one.name, before.type, one.type, None)


def _other_changes(situation: Situation) -> Iterator[ChangedType]:
    """Yield the changes that other statements of the file make."""
    for statement in situation.evidence.statements:
        if statement is not situation.stall.statement:
            yield from changed_types(statement.text)


def _cause(situation: Situation, table: str, name: str) -> Cause:
    if situation.worked(WorkKind.REWRITE):
        return Cause.REWRITES
    if situation.worked(WorkKind.INDEX_BUILD):
        return Cause.INDEXES
    if any(one != table for one in scanned_tables(situation)) and not has_parts(situation.after, table):
        return Cause.REFERENCES
    checks = (one for one in situation.constraints(table) if one.type == "check" and name in one.columns)
    return Cause.CHECKS if any(checks) else Cause.REFERENCES


def _told(
    cause: Cause,
    message: str,
    *,
    files: Callable[[Situation, Retyped], tuple[RemedyFile, ...]],
    words: Callable[[Situation, Retyped], str] | None = None,
) -> Callable[[Situation], Told | None]:
    """Return a rule's function: it speaks of the columns whose change of type has one effect.

    Of the message, ``{waiting}`` are those who wait, ``{work}`` is what is done meanwhile, ``{change}`` the change.
    """

    def tell(situation: Situation) -> Told | None:
        found = retyped(situation)
        if found is None or found.cause is not cause:
            return None
        return Told(
            message=message.format(waiting=situation.waiting, work=work_of(situation), change=found.change),
            remedy=words(situation, found) if words is not None else "",
            files=files(situation, found) if found.written is not None and found.table else (),
        )

    return tell


def _by_new_column(situation: Situation, found: Retyped) -> tuple[RemedyFile, ...]:
    if found.written is None:
        return ()
    if not _depends_on_time_zone(found):
        return replacement_files(situation, found.table, found.written)
    if found.cause is Cause.REWRITES:
        return ()
    # Nothing was written anew, so the session's TimeZone was UTC; whoever writes to the table may have another.
    of_utc = replace(found.written, using=f"{found.name} AT TIME ZONE 'UTC'")
    return replacement_files(situation, found.table, of_utc)


def _depends_on_time_zone(found: Retyped) -> bool:
    """Whether what the values become is the session's TimeZone's affair."""
    is_plain = found.written is None or found.written.is_cast
    return is_plain and is_change_of_time_zone(found.before, found.after)


def _of_rewrite(situation: Situation, found: Retyped) -> str:
    if _depends_on_time_zone(found):
        return (
            "Under TimeZone UTC nothing is written, for a timestamp of UTC is stored the same with and without time zone: if the "
            f"times of {found.name} are those of UTC, say SET LOCAL TimeZone = 'UTC' before it. If not, have a new column that a "
            "trigger keeps in step, fill it in batches with AT TIME ZONE '...', and let it take the old one's place."
        )
    if constrained_domain(situation.after, last_part(found.after)) is not None:
        return _WITHOUT_DOMAIN
    if found.written is None or not found.table or not _by_new_column(situation, found):
        return _IN_WORDS
    return ""


#: Of the new way that has files, and of one that has none.
_BY_NEW_COLUMN = (
    "A new column that a trigger keeps in step with the old one; it is filled in batches, gets its indexes and constraints, and "
    "takes the old one's place at the end, as the last column of the table. Applications use the old one all the time; SELECT * "
    "and INSERT without column names notice where it stands then."
)
_IN_WORDS = (
    "Have a new column of the new type that a trigger keeps in step with the old one, fill it in batches, build its indexes "
    "CONCURRENTLY (those of a partitioned table a partition at a time), add its constraints NOT VALID and validate them, and let "
    "it take the old one's place by renaming."
)
_WITHOUT_DOMAIN = (
    "A column of a domain that has constraints cannot be had without looking at every row under the lock. Leave the column its type, "
    "and give the table the domain's conditions as CHECK constraints, NOT VALID first and validated in a file of its own."
)

_ALTER_TYPE = "ALTER TABLE, ALTER COLUMN ... TYPE; Notes"

type_change_rewrites = blocking_rule(
    id="type-change-rewrites",
    title="A column's type is changed to one whose values are stored otherwise.",
    why=(
        "ALTER TABLE holds a lock that everybody waits for, readers too, while it copies the whole table into a new file "
        "and builds all of its indexes anew; foreign keys on the column are looked up for every row, too, and the other "
        "tables are locked for it."
    ),
    remedy=_BY_NEW_COLUMN,
    manual=_ALTER_TYPE,
    peers={
        "squawk": "changing-column-type",
        "eugene": "E5",
        "strong_migrations": "change_column",
        "Atlas": "PG301",
    },
)(_told(Cause.REWRITES, "{waiting} wait while {work}: {change}", files=_by_new_column, words=_of_rewrite))


def _in_place(situation: Situation, found: Retyped) -> tuple[RemedyFile, ...]:
    """Return the files that change the type while what would have to be done anew is away."""
    away = _put_away(situation, found)
    if away is None:
        return _by_new_column(situation, found)
    return tuple(_steps(situation, *away, in_utc=_depends_on_time_zone(found)))


def _of_in_place(situation: Situation, found: Retyped) -> str:
    if found.written is None or _put_away(situation, found) is not None:
        return ""
    return _BY_NEW_COLUMN if _by_new_column(situation, found) else _IN_WORDS


def _put_away(situation: Situation, found: Retyped) -> tuple[list[Index], list[Constraint]] | None:
    """Return the indexes and constraints that would be done anew; None where one of them cannot be away for a while."""
    indexes = [one for work in situation.worked(WorkKind.INDEX_BUILD) if (one := situation.index(work.index))]
    constraints = _looked_up_again(situation, found)
    backing = {
        one.name
        for one in situation.constraints(found.table)
        if one.type in {"primary key", "unique", "exclude"}
    }
    is_simple = not has_parts(situation.after, found.table) and not any(
        _is_odd(one, backing) for one in indexes
    )
    if (indexes and not is_simple) or not all(_can_be_put_off(situation, one) for one in constraints):
        return None
    return indexes, constraints


def _is_odd(index: Index, backing: set[str]) -> bool:
    """Whether an index is more than can be dropped and made again."""
    return bool(
        own_name(index.name) in backing
        or index.clustered
        or index.tablespace
        or index.statistics
        or index.parent
    )


def _looked_up_again(situation: Situation, found: Retyped) -> list[Constraint]:
    """Return the constraints that are looked up for every row because of the column's new type."""
    name, table, after = found.name, found.table, situation.after
    own = [one for one in situation.constraints(table) if name in one.columns]
    again = [one for one in own if one.type == "check"]
    if any(one != table for one in scanned_tables(situation)) or found.cause is Cause.REFERENCES:
        keys = {one.name for one in after.belonging_to(table).values() if isinstance(one, Index)}
        referring = (
            one for one in after.constraints.values() if one.type == "foreign key" and one.index in keys
        )
        again += [one for one in own if one.type == "foreign key"] + [
            one for one in referring if name in _referred(after, one)
        ]
    return [one for one in dict.fromkeys(again) if one.validated and one.local]


def _referred(schema: Schema, constraint: Constraint) -> tuple[str, ...]:
    """Return the columns that a foreign key refers to."""
    index = schema.get("index", constraint.index or "")
    return index.columns if isinstance(index, Index) else ()


def _can_be_put_off(situation: Situation, constraint: Constraint) -> bool:
    """Whether a constraint can be NOT VALID for a while."""
    is_divided = has_parts(situation.after, constraint.relation)
    return not constraint.triggers and not (constraint.type == "foreign key" and is_divided)


def _steps(
    situation: Situation, indexes: list[Index], constraints: list[Constraint], *, in_utc: bool
) -> Iterator[RemedyFile]:
    for index in indexes:
        yield RemedyFile(sql=f"DROP INDEX CONCURRENTLY {index.name};", in_transaction=False)
    yield _file(
        [
            *(f"ALTER TABLE {one.relation} DROP CONSTRAINT {one.name}" for one in constraints),
            *([IN_UTC] if in_utc else []),
            situation.text.rstrip().removesuffix(";"),
            *(
                f"ALTER TABLE {one.relation} ADD CONSTRAINT {one.name} {one.definition} NOT VALID"
                for one in constraints
            ),
            *(
                f"COMMENT ON CONSTRAINT {one.name} ON {one.relation} IS {constant(one.comment)}"
                for one in constraints
                if one.comment is not None
            ),
        ]
    )
    if constraints:
        yield _file([f"ALTER TABLE {one.relation} VALIDATE CONSTRAINT {one.name}" for one in constraints])
    for index in indexes:
        made = index.definition.replace("INDEX ", "INDEX CONCURRENTLY ", 1)
        yield RemedyFile(sql=f"{made};", in_transaction=False)
    if comments := [
        f"COMMENT ON INDEX {one.name} IS {constant(one.comment)}"
        for one in indexes
        if one.comment is not None
    ]:
        yield _file(comments)


def _file(lines: list[str]) -> RemedyFile:
    return RemedyFile(sql="\n".join(f"{line};" for line in lines))


type_change_rebuilds_index = blocking_rule(
    id="type-change-rebuilds-index",
    title="A column's type is changed, and its indexes are built anew for it.",
    why=(
        "The table stays as it is, but an index on an expression or with a WHERE clause, or one of another operator class, is "
        "built anew, while everybody waits, readers too. A plain index is kept."
    ),
    remedy=(
        "Drop the indexes CONCURRENTLY, change the type, and build them CONCURRENTLY. Queries do without them in between, and "
        "what was unique is not looked after."
    ),
    manual=_ALTER_TYPE,
    peers={"squawk": "changing-column-type", "strong_migrations": "change_column", "Atlas": "PG301"},
)(_told(Cause.INDEXES, "{waiting} wait while {work}: {change}", files=_in_place, words=_of_in_place))

type_change_rescans_check = blocking_rule(
    id="type-change-rescans-check",
    title="A column's type is changed, and its CHECK constraints are looked up for every row again.",
    why="The table stays as it is, but all of it is read for the constraints, while everybody waits, readers too.",
    remedy="Change the type while the constraint is away; add it NOT VALID in the same file, and validate it in another.",
    manual=_ALTER_TYPE,
    peers={"squawk": "changing-column-type", "strong_migrations": "change_column_constraint"},
)(
    _told(
        Cause.CHECKS,
        "{waiting} wait while {work}, for the CHECK constraints of it: {change}",
        files=_in_place,
        words=_of_in_place,
    )
)

type_change_revalidates_foreign_key = blocking_rule(
    id="type-change-revalidates-foreign-key",
    title="A column's type is changed, and its foreign keys are looked up for every row again.",
    why=(
        "The tables stay as they are, but those at both ends of a foreign key are locked for everybody, readers too, and "
        "read as a whole, for the values are compared otherwise now."
    ),
    remedy="Change the type while the foreign key is away; add it NOT VALID in the same file, and validate it in another.",
    manual=_ALTER_TYPE,
    peers={"squawk": "changing-column-type", "strong_migrations": "change_column"},
)(
    _told(
        Cause.REFERENCES,
        "{waiting} wait while {work}, for the foreign keys of it: {change}",
        files=_in_place,
        words=_of_in_place,
    )
)


@blocking_rule(
    id="generated-expression-changed",
    title="The expression of a stored generated column is changed.",
    why=(
        "Every row gets the new value: ALTER TABLE holds a lock that everybody waits for, readers too, while it copies the "
        "whole table into a new file and builds all of its indexes anew."
    ),
    remedy=(
        "There is no way to do this bit by bit: do it when nobody needs the table. Or have an ordinary column that a BEFORE "
        "INSERT OR UPDATE trigger computes, and fill it in batches; from PostgreSQL 18 on a VIRTUAL generated column is computed "
        "when it is read, and its expression is changed in a moment."
    ),
    manual="ALTER TABLE, SET EXPRESSION; Generated Columns",
    peers={"squawk": "ban-alter-generated-expression"},
)
def generated_expression_changed(situation: Situation) -> Told | None:
    """Judge ALTER COLUMN ... SET EXPRESSION."""
    changed = situation.asks_for("AlterTableStmt", "AT_SetExpression")
    if not changed or not situation.worked(WorkKind.REWRITE):
        return None
    if added(situation) is not None or retyped(situation) is not None:
        return None
    name = quoted(changed[0].name)
    return Told(
        message=f"{situation.waiting} wait while {work_of(situation)}: generated column {name} is computed otherwise"
    )


TYPE_RULES = (
    type_change_rewrites,
    type_change_rebuilds_index,
    type_change_rescans_check,
    type_change_revalidates_foreign_key,
    generated_expression_changed,
)
