"""Columns that are added, and what has to be done with every row for them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.lexical import last_part, quoted
from pytest_migsafe.catalog.objects import Home
from pytest_migsafe.catalog.schema import Column, Constraint, Type
from pytest_migsafe.findings import RemedyFile, Severity
from pytest_migsafe.migrations.columns import AddedColumn, added_columns
from pytest_migsafe.rehearsal.holding import WorkKind
from pytest_migsafe.rules.blocking.addition import Addition, files_of
from pytest_migsafe.rules.blocking.check import Situation, Told, blocking_rule
from pytest_migsafe.rules.blocking.doing import altered_table, rewritten_tables, work_of
from pytest_migsafe.rules.blocking.filling import in_batches
from pytest_migsafe.rules.blocking.keeping import kept_by_trigger, of_new_row
from pytest_migsafe.rules.remedy import written


class Cause(Enum):
    """Why a column that is added takes the time that it takes: first what makes an end of it, then what writes tables anew."""

    NOT_NULL = "it must not be null, and has no value"
    STORED = "its generated values are stored"
    SERIAL = "every row gets a number"
    IDENTITY = "every row gets an identity"
    DOMAIN = "its domain has constraints"
    VOLATILE = "its default is computed for every row"
    UNIQUE = "it is unique"
    REFERENCES = "it refers to another table"
    CHECK = "it has a CHECK"


@dataclass(frozen=True, slots=True)
class Added:
    """A column that is added, and why that takes long."""

    cause: Cause
    table: str
    #: As SQL writes it.
    name: str
    #: What the statement's text says of it; None where it is run by a DO block or a function.
    written: AddedColumn | None

    def files(self, situation: Situation) -> Addition | None:
        """Return what the safe way is made of; None where only words can say it."""
        if self.written is None or not self.table:
            return None
        return Addition(situation=situation, table=self.table, column=self.written)


def added(situation: Situation) -> Added | None:
    """Return the column whose being added explains a stall."""
    found = list(_written(situation) if not situation.is_opaque else _seen(situation))
    order = list(Cause)
    return min(found, key=lambda one: order.index(one.cause), default=None)


def _written(situation: Situation) -> Iterator[Added]:
    """Yield the columns that the statement adds and that can have made the work that was done."""
    for column in added_columns(situation.text):
        if cause := _cause(situation, column):
            yield Added(cause, altered_table(situation), quoted(column.name), column)


def _cause(situation: Situation, column: AddedColumn) -> Cause | None:
    if _fails_with_a_row(situation, column):
        return Cause.NOT_NULL
    if situation.worked(WorkKind.REWRITE):
        return _cause_of_rewrite(situation, column)
    if situation.worked(WorkKind.INDEX_BUILD):
        return Cause.UNIQUE if column.has("CONSTR_UNIQUE", "CONSTR_PRIMARY") else None
    if column.has("CONSTR_FOREIGN") and len(situation.tables) > 1:
        return Cause.REFERENCES
    if column.has("CONSTR_CHECK"):
        return Cause.CHECK
    return Cause.REFERENCES if column.has("CONSTR_FOREIGN") else None


def _fails_with_a_row(situation: Situation, column: AddedColumn) -> bool:
    """Whether the column must not be null, and nothing says what it is in the rows that are there."""
    if column.default is not None or column.serial_of is not None:
        return False
    if column.has("CONSTR_GENERATED", "CONSTR_IDENTITY"):
        return False
    domain = constrained_domain(situation.after, column.type_name)
    named = _domain(situation.after, column.type_name)
    is_given = named is not None and named.default is not None
    return not is_given and (column.is_not_null or (domain is not None and domain.not_null))


def _cause_of_rewrite(situation: Situation, column: AddedColumn) -> Cause | None:
    if column.is_stored:
        return Cause.STORED
    if column.serial_of is not None:
        return Cause.SERIAL
    if column.has("CONSTR_IDENTITY"):
        return Cause.IDENTITY
    if constrained_domain(situation.after, column.type_name) is not None:
        return Cause.DOMAIN
    is_computed = column.may_compute or _domain(situation.after, column.type_name) is not None
    return Cause.VOLATILE if is_computed else None


def _seen(situation: Situation) -> Iterator[Added]:
    """Yield the new columns of tables that were written anew by what no text shows."""
    named = {one.name for one in _other_columns(situation)}
    for table in rewritten_tables(situation):
        for one in _new_columns(situation, table):
            if last_part(one.qualified_name) not in named and (cause := _cause_seen(situation, one)):
                yield Added(cause, table, one.name, None)


def _other_columns(situation: Situation) -> Iterator[AddedColumn]:
    """Yield the columns that other statements of the file add."""
    for statement in situation.evidence.statements:
        if statement is not situation.stall.statement:
            yield from added_columns(statement.text)


def _new_columns(situation: Situation, table: str) -> Iterator[Column]:
    before = situation.before.belonging_to(table)
    for key, one in situation.after.belonging_to(table).items():
        if isinstance(one, Column) and key not in before:
            yield one


def _cause_seen(situation: Situation, column: Column) -> Cause | None:
    if column.generated is not None:
        return Cause.STORED if column.generated.endswith(" stored") else None
    if column.identity is not None:
        return Cause.IDENTITY
    if constrained_domain(situation.after, last_part(column.type)) is not None:
        return Cause.DOMAIN
    if column.default is None or column.has_missing_value:
        return None
    owned = (one.owned_by for one in situation.after.sequences.values())
    return Cause.SERIAL if column.qualified_name in owned else Cause.VOLATILE


def _domain(schema: Schema, name: str) -> Type | None:
    """Return a domain by its name without its schema."""
    found = (one for one in schema.types.values() if one.kind == "domain" and last_part(one.name) == name)
    return next(found, None)


def constrained_domain(schema: Schema, name: str) -> Type | None:
    """Return a domain that no value is put into unchecked, if that is what a name without its schema stands for."""
    domain = _domain(schema, name)
    while domain is not None:
        if domain.not_null or domain_checks(schema, domain):
            return domain
        domain = _domain(schema, last_part(domain.base_type or ""))
    return None


def domain_checks(schema: Schema, domain: Type) -> tuple[Constraint, ...]:
    """Return a domain's own constraints."""
    found = schema.homes.get(Home("type", domain.name), {}).values()
    return tuple(one for one in found if isinstance(one, Constraint))


def _told(
    cause: Cause, message: str, *, remedy: Callable[[Situation, Added], str] | None = None
) -> Callable[[Situation], Told | None]:
    """Return a rule's function: it speaks of the columns that are added for one cause.

    Of the message, ``{waiting}`` are those who wait, ``{work}`` is what is done meanwhile, ``{column}`` and ``{table}`` the column and its table.
    """

    def tell(situation: Situation) -> Told | None:
        found = added(situation)
        if found is None or found.cause is not cause:
            return None
        said = message.format(
            waiting=situation.waiting, work=work_of(situation), column=found.name, table=found.table
        )
        plan = found.files(situation) if remedy is None else None
        return Told(
            message=said,
            remedy=remedy(situation, found) if remedy is not None else "",
            files=files_of(plan) if plan is not None else (),
        )

    return tell


_ADD_COLUMN = "ALTER TABLE, ADD COLUMN; Tips"
_REWRITTEN = (
    "ALTER TABLE holds a lock that everybody waits for, readers too, while it copies the whole table into a new file "
    "and builds all of its indexes anew."
)

volatile_default = blocking_rule(
    id="volatile-default",
    title="A column is added with a default that is computed for every row.",
    why=(
        "A default that is the same for all rows is stored once, in the catalog; one that may be another for each row "
        f"is computed and stored for each. {_REWRITTEN}"
    ),
    remedy=(
        "Add the column without a default, then set the default, which is for new rows only; fill the rows that are there "
        "in batches."
    ),
    manual=_ADD_COLUMN,
    peers={
        "squawk": "adding-field-with-default",
        "eugene": "E10",
        "strong_migrations": "add_column_default_callable",
        "Atlas": "PG302",
    },
)(
    _told(
        Cause.VOLATILE,
        "{waiting} wait while {work}: the default of column {column} is computed for every row",
    )
)

serial_column_added = blocking_rule(
    id="serial-column-added",
    title="A serial column is added, which numbers every row.",
    why=f"A serial column's default draws from a sequence, for each row that is there. {_REWRITTEN}",
    remedy="Make the sequence and the column first, number the rows in batches, and make the column NOT NULL at the end.",
    manual=f"{_ADD_COLUMN}; Serial Types",
    peers={
        "eugene": "E11",
        "strong_migrations": "add_column_auto_incrementing",
    },
)(_told(Cause.SERIAL, "{waiting} wait while {work}: every row gets a number for column {column}"))

identity_column_added = blocking_rule(
    id="identity-column-added",
    title="An identity column is added, which numbers every row.",
    why=f"An identity column draws from a sequence, for each row that is there. {_REWRITTEN}",
    remedy=(
        "Number the rows in batches from a sequence of your own, and make the column an identity column at the end; it goes "
        "on where that sequence ended."
    ),
    manual=f"{_ADD_COLUMN}; Identity Columns",
    peers={"squawk": "adding-field-with-default", "Atlas": "PG310"},
)(_told(Cause.IDENTITY, "{waiting} wait while {work}: every row gets a number for column {column}"))


def _instead_of_stored(situation: Situation, found: Added) -> str:
    virtual = (
        f" Or make {found.name} VIRTUAL: then it is computed when it is read, and nothing is written."
        if situation.major >= _VIRTUAL_SINCE
        else ""
    )
    words = (
        "A stored generated column cannot be added without writing the table anew, so do it when nobody needs the table. Or have an "
        f"ordinary column that a trigger computes, and fill the rows that are there in batches.{virtual}"
    )
    return written(words, _computed_by_trigger(situation, found))


#: CREATE TABLE, GENERATED ALWAYS AS (release notes of PostgreSQL 18).
_VIRTUAL_SINCE = 18


def _computed_by_trigger(situation: Situation, found: Added) -> tuple[RemedyFile, ...]:
    """Return the files of an ordinary column with the values of a generated one."""
    column, table = found.written, found.table
    if column is None or not table:
        return ()
    value = column.expression()
    lines = (column.statement(table), *kept_by_trigger(table, column.name, of_new_row(table, value)))
    missing = f"{found.name} IS NULL AND ({value}) IS NOT NULL"
    return (
        RemedyFile(sql="\n".join(f"{line};" for line in lines)),
        in_batches(situation.after, table, found.name, value=value, missing=missing),
    )


stored_generated_column = blocking_rule(
    id="stored-generated-column",
    title="A generated column is added that is stored.",
    why=f"The values of a stored generated column are computed for every row that is there. {_REWRITTEN}",
    remedy=(
        "An ordinary column that a trigger computes, filled in batches; or, from PostgreSQL 18 on, a VIRTUAL generated column."
    ),
    manual=f"{_ADD_COLUMN}; Generated Columns",
    peers={
        "squawk": "adding-field-with-default",
        "eugene": "E11",
        "strong_migrations": "add_column_generated_stored",
        "Atlas": "PG309",
    },
)(
    _told(
        Cause.STORED,
        "{waiting} wait while {work}: generated column {column} is computed for every row",
        remedy=_instead_of_stored,
    )
)


def _instead_of_domain(situation: Situation, found: Added) -> str:
    base = "the domain's base type"
    if found.written is not None and (domain := constrained_domain(situation.after, found.written.type_name)):
        base = domain.base_type or base
    return (
        "PostgreSQL puts no column of a constrained domain into a table without writing it anew, not even one that is null "
        f"everywhere. Give {found.name} the type {base}, and the domain's constraints as CHECK constraints of its own: add them "
        "NOT VALID, and validate them in another file."
    )


constrained_domain_column = blocking_rule(
    id="constrained-domain-column",
    title="A column is added whose domain has constraints.",
    why=f"Whether null is a value of the domain is looked up for every row that is there. {_REWRITTEN}",
    remedy="A column of the domain's base type, with CHECK constraints that are added NOT VALID and validated in another file.",
    manual=f"{_ADD_COLUMN}; CREATE DOMAIN",
)(
    _told(
        Cause.DOMAIN,
        "{waiting} wait while {work}: the domain of column {column} has constraints",
        remedy=_instead_of_domain,
    )
)

add_column_unique = blocking_rule(
    id="add-column-unique",
    title="A column is added that is unique or a primary key.",
    why="ALTER TABLE holds a lock that everybody waits for, readers too, while it builds the constraint's index.",
    remedy="Add the column alone, build the unique index with CONCURRENTLY, and make the constraint of it.",
    manual="ALTER TABLE, ADD table_constraint_using_index",
    peers={
        "squawk": "disallowed-unique-constraint",
        "eugene": "E7",
        "strong_migrations": "add_unique_constraint",
    },
)(_told(Cause.UNIQUE, "{waiting} wait while {work}, for new column {column} is unique"))

add_column_references = blocking_rule(
    id="add-column-references",
    title="A column is added with a default that refers to another table.",
    why=(
        "With a default every row refers to another table, and PostgreSQL looks up each: both tables are read while one is "
        "locked for everybody and the other for writes. Without a default nothing is read."
    ),
    remedy="Add the foreign key NOT VALID, and validate it in another file.",
    manual="ALTER TABLE, NOT VALID",
    peers={
        "squawk": "adding-foreign-key-constraint",
        "eugene": "E1",
        "strong_migrations": "add_reference",
        "Atlas": "PG306",
    },
)(
    _told(
        Cause.REFERENCES,
        "{waiting} wait while {work}, for new column {column} has a foreign key and a default",
    )
)

add_column_check = blocking_rule(
    id="add-column-check",
    title="A column is added with a CHECK, and the whole table is read for it.",
    why=(
        "A CHECK that is added is looked up for every row, also where the new column is null in all of them, "
        "while everybody waits, readers too."
    ),
    remedy="Add the CHECK as a constraint that is NOT VALID, and validate it in another file.",
    manual="ALTER TABLE, NOT VALID",
    peers={"eugene": "E1", "strong_migrations": "add_check_constraint", "Atlas": "PG305"},
)(_told(Cause.CHECK, "{waiting} wait while {work}, for new column {column} has a CHECK"))


def _with_values(situation: Situation, found: Added) -> str:  # noqa: ARG001 - as all of them
    return (
        f"Say what {found.name} is in the rows that are there: with a DEFAULT that is a constant nothing is read. Or add it without "
        "NOT NULL, fill it in batches, prove by CHECK (... IS NOT NULL) that is added NOT VALID and validated in another file that "
        "it has a value everywhere, and then SET NOT NULL."
    )


add_column_not_null = blocking_rule(
    id="add-column-not-null",
    # Nobody waits: it ends at the first row.
    severity=Severity.WARNING,
    title="A column is added that must not be null, and has no default.",
    why="It fails if the table has a single row; only production's tables know.",
    remedy="A DEFAULT; or a column that is filled first, and NOT NULL then.",
    manual=_ADD_COLUMN,
    peers={"squawk": "adding-required-field", "Atlas": "MF103"},
)(
    _told(
        Cause.NOT_NULL,
        "this fails if {table} has a row: new column {column} must not be null, and has no default",
        remedy=_with_values,
    )
)

COLUMN_RULES = (
    volatile_default,
    serial_column_added,
    identity_column_added,
    stored_generated_column,
    constrained_domain_column,
    add_column_unique,
    add_column_references,
    add_column_check,
    add_column_not_null,
)
