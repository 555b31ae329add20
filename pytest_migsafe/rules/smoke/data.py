"""The family *data*: whether the rows that the migrations wrote are what the schema promises."""

from collections.abc import Iterator

from pytest_migsafe.catalog.lexical import constant, parent_of, schema_of, unquoted
from pytest_migsafe.catalog.schema import Column, Sequence
from pytest_migsafe.findings import Severity
from pytest_migsafe.rehearsal.facts import TakenValue, Violation
from pytest_migsafe.rehearsal.state import Relation, State, sequence_of
from pytest_migsafe.rules.smoke.check import Defect, smoke_test
from pytest_migsafe.rules.sql import reindex

_ROWS_COME_FROM_MIGRATIONS = (
    "The rows are those that the migrations themselves wrote; whatever else production has comes on top."
)


@smoke_test(
    id="orphaned-rows",
    family="data",
    section="foreign keys",
    severity=Severity.ERROR,
    title="Rows refer to nothing, under a foreign key that counts as valid.",
    why=(
        "A foreign key is enforced by triggers. They do not fire while session_replication_role is replica or while"
        " they are disabled, and a trigger that returns NULL swallows their cascade. The constraint still counts as"
        " valid, so VALIDATE CONSTRAINT looks at nothing; joins lose the rows, the next UPDATE of the key fails, and a"
        f" restored dump ends with an error. {_ROWS_COME_FROM_MIGRATIONS}"
    ),
    remedy=(
        "List the rows, then delete them, point them elsewhere or insert what they refer to. Load rows with the"
        " triggers enabled, parents first, or with a DEFERRABLE constraint."
    ),
    manual="ALTER TABLE, DISABLE TRIGGER; Client Connection Defaults, session_replication_role",
)
def orphaned_rows(state: State) -> Iterator[Defect]:
    """Report the rows under valid foreign keys."""
    for relation, one in _violations(state):
        if one.kind == "foreign key" and one.validated:
            yield Defect(
                subject=f"{relation}.{one.constraint}",
                message=(
                    f"{_rows(one)} of {relation} {_refer(one)} to no row, although the foreign key {one.constraint} counts"
                    " as valid"
                ),
                evidence=_samples(one),
                remedy=(
                    f"SELECT child.* {one.source};\n"
                    "-- Delete these rows, point them elsewhere, or insert what they refer to. VALIDATE CONSTRAINT does not look"
                    " at them: the constraint counts as valid already."
                ),
                named=(relation,),
                objects=(relation,),
            )


@smoke_test(
    id="validate-fails",
    family="data",
    section="constraints",
    severity=Severity.ERROR,
    title="A constraint that is not validated cannot be: rows violate it.",
    why=(
        "NOT VALID leaves the rows alone that are there. While some violate the constraint, VALIDATE CONSTRAINT fails,"
        " and so does every UPDATE of such a row, whichever column it sets (of a foreign key: one that sets the key)."
        f" {_ROWS_COME_FROM_MIGRATIONS}"
    ),
    remedy="Mend the rows before, or in the same file as, the constraint is added.",
    manual="ALTER TABLE, VALIDATE CONSTRAINT",
)
def validate_fails(state: State) -> Iterator[Defect]:
    """Report the rows that a later VALIDATE will meet."""
    for relation, one in _violations(state):
        if one.kind != "unique" and not one.validated:
            yield Defect(
                subject=f"{relation}.{one.constraint}",
                message=(
                    f"VALIDATE will fail for the {one.kind} constraint {one.constraint}: {_rows(one)} of {relation}"
                    f" violate{'s' if one.count == 1 else ''} it"
                ),
                evidence=_samples(one),
                remedy=f"SELECT * {one.source};\n-- Mend these rows, then validate the constraint.",
                named=(one.constraint, relation),
                objects=(relation,),
            )


@smoke_test(
    id="constraint-violated",
    family="data",
    section="constraints",
    severity=Severity.ERROR,
    title="Rows violate a constraint that counts as valid.",
    why=(
        "Whoever sets convalidated or attnotnull in the catalog saves the look at the rows, and with it the proof. Queries are"
        f" planned as if the constraint held, and a dump cannot be restored. {_ROWS_COME_FROM_MIGRATIONS}"
    ),
    remedy="Mend the rows. Let ALTER TABLE ... VALIDATE CONSTRAINT look at them: it blocks neither reads nor writes.",
    manual="ALTER TABLE, VALIDATE CONSTRAINT",
)
def constraint_violated(state: State) -> Iterator[Defect]:
    """Report the rows under checks and NOT NULL that were declared valid."""
    for relation, one in _violations(state):
        if one.kind in {"check", "not null"} and one.validated:
            yield Defect(
                subject=f"{relation}.{one.constraint}",
                message=f"{_rows(one)} of {relation} violate the {one.kind} constraint {one.constraint}, which counts as valid",
                evidence=_samples(one),
                remedy=f"SELECT * {one.source};\n-- Mend these rows.",
                named=(one.constraint, relation),
                objects=(relation,),
            )


@smoke_test(
    id="duplicate-keys",
    family="data",
    section="indexes",
    severity=Severity.ERROR,
    title="Keys are there more than once, under a unique index that is not valid.",
    why=(
        "A unique index that is not valid says nothing of the rows that were there first. With duplicates among them it cannot be"
        f" made valid: REINDEX fails, and so does attaching the last partition's index. {_ROWS_COME_FROM_MIGRATIONS}"
    ),
    remedy="List the keys, remove the duplicates, then build the index again.",
    manual="CREATE INDEX, Building Indexes Concurrently",
)
def duplicate_keys(state: State) -> Iterator[Defect]:
    """Report the duplicates that keep a unique index from being valid."""
    for relation, one in _violations(state):
        if one.kind == "unique":
            keys = "1 key is" if one.count == 1 else f"{one.count} keys are"
            yield Defect(
                subject=one.constraint,
                message=f"the unique index {one.constraint} cannot be made valid: {keys} more than once in {relation}",
                evidence=_samples(one),
                remedy=f"SELECT * {one.source};\n-- Remove the duplicates, then:\n{reindex(one.constraint)}",
                named=(one.constraint, relation),
                objects=(relation,),
            )


@smoke_test(
    id="sequence-behind",
    family="data",
    section="sequences",
    severity=Severity.ERROR,
    title="A sequence will give a value that is taken.",
    why=(
        "A row inserted with an explicit id does not move the sequence of its column. So the INSERT that is given this id"
        " later fails with a duplicate key: the very next one (error), or one after some more (warning). It happens in"
        " every environment that is built from these migrations, and in production if the rows are new there."
    ),
    remedy="Set the sequence to the highest value after inserting rows with ids of their own, or let it give the ids.",
    manual="Sequence Manipulation Functions, setval",
)
def sequence_behind(state: State) -> Iterator[Defect]:
    """Report the first value that will collide."""
    for relation, some in sorted(state.facts.taken_values.items()):
        if not state.scope.includes(schema_of(relation)):
            continue
        for one in some:
            yield Defect(
                subject=f"{relation}.{one.column}",
                # What is a warning first may become an error.
                detail="" if one.draws_left else "next",
                severity=Severity.WARNING if one.draws_left else None,
                message=_collision(relation, one),
                evidence=(
                    f"next value of {one.sequence}: {one.next_value}",
                    f"first value from there on that {relation}.{one.column} has already: {one.taken}",
                ),
                remedy=_setval(state, relation, one),
                named=(relation, one.sequence),
                objects=(relation, one.sequence),
            )


def _collision(relation: str, one: TakenValue) -> str:
    if not one.draws_left:
        return (
            f"the next INSERT into {relation} that leaves {one.column} out fails: {one.sequence} gives {one.next_value},"
            " which is taken"
        )
    return (
        f"an INSERT into {relation} will fail when {one.sequence}, now at {one.next_value}, reaches {one.taken}:"
        f" {one.column} has that value already"
    )


def _setval(state: State, relation: str, one: TakenValue) -> str:
    """Return what moves a sequence behind the rows; by way of its column where it goes with it."""
    sequence = _sequence(state, one.sequence)
    furthest = "max" if one.increment > 0 else "min"
    which = constant(one.sequence)
    if sequence is not None and sequence.owned_by == f"{relation}.{one.column}":
        which = f"pg_get_serial_sequence({constant(relation)}, {constant(unquoted(one.column))})"
    # Shown to a person, and run by nobody here.
    return f"SELECT setval({which}, (SELECT {furthest}({one.column}) FROM {relation}));"  # noqa: S608


@smoke_test(
    id="default-rejected",
    family="data",
    section="constraints",
    severity=Severity.ERROR,
    title="A column's default is a value that the column does not take.",
    why=(
        "PostgreSQL does not try a default when it is declared. If a check of the column, its domain or the length of its"
        " type rejects it, every INSERT that leaves the column out fails; adding the column fails on every table with rows."
    ),
    remedy="Give the column a default that it takes, or none.",
    manual="Default Values",
)
def default_rejected(state: State) -> Iterator[Defect]:
    """Report the constant defaults that were tried and rejected."""
    for relation, some in sorted(state.facts.rejected_defaults.items()):
        if not state.scope.includes(schema_of(relation)):
            continue
        for one in some:
            yield Defect(
                subject=f"{relation}.{one.column}",
                detail=one.by,
                message=(
                    f"every INSERT into {relation} that leaves {one.column} out fails: its default {one.default} is"
                    f" rejected by {one.by}"
                ),
                evidence=(one.error,) if one.error else (),
                remedy=(
                    f"ALTER TABLE {relation} ALTER COLUMN {one.column} DROP DEFAULT;\n"
                    "-- Or SET DEFAULT to a value that it takes."
                ),
                named=(one.column, relation),
                objects=(relation,),
            )


#: For each type of integers the highest value, which is a sequence's own maximum unless it is given another.
_HIGHEST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}


@smoke_test(
    id="sequence-too-narrow",
    family="data",
    section="sequences",
    severity=Severity.WARNING,
    title="A sequence ends before its column does.",
    why=(
        "ALTER COLUMN ... TYPE bigint widens the column and leaves the sequence of a serial column as it was: it still ends at"
        " 2147483647, and then every INSERT fails, on the day from which the wider column was to save."
    ),
    remedy="ALTER SEQUENCE ... AS bigint together with the column: it takes no scan and no rewrite.",
    manual="ALTER SEQUENCE, AS data_type",
)
def sequence_too_narrow(state: State) -> Iterator[Defect]:
    """Compare the types of columns and of the sequences that feed them."""
    for relation, column, sequence in _fed(state):
        highest = _HIGHEST.get(column.type, 0)
        is_its_types_own = sequence.increment > 0 and sequence.maximum == _HIGHEST.get(sequence.type)
        if is_its_types_own and sequence.maximum < highest and not sequence.cycle:
            yield Defect(
                subject=sequence.name,
                detail=f"{relation.name}.{column.name}",
                message=(
                    f"{sequence.name} is {sequence.type} and ends at {sequence.maximum}, although {relation.name}.{column.name}"
                    f" is {column.type}"
                ),
                evidence=(f"default: {column.default}",) if column.default else (),
                remedy=f"ALTER SEQUENCE {sequence.name} AS {column.type};",
                named=(column.name, relation.name),
                objects=(relation.name,),
            )


@smoke_test(
    id="sequence-not-owned",
    family="data",
    section="sequences",
    severity=Severity.OFF,
    title="A sequence does not go with the column that it feeds.",
    why=(
        "A sequence that its column does not own stays when the column or table is dropped, TRUNCATE ... RESTART IDENTITY"
        " passes it over, and pg_get_serial_sequence does not find it. Where several tables share one, that is as it must be."
    ),
    remedy="ALTER SEQUENCE ... OWNED BY the column, or an identity column.",
    manual="CREATE SEQUENCE, OWNED BY",
    peers={"pg-schema-diff": "sequences without owner"},
)
def sequence_not_owned(state: State) -> Iterator[Defect]:
    """Look at the owner of each sequence that a default uses."""
    for relation, column, sequence in _fed(state):
        if sequence.owned_by is None:
            yield Defect(
                subject=sequence.name,
                detail=f"{relation.name}.{column.name}",
                message=f"{sequence.name} feeds {relation.name}.{column.name} and does not go with it",
                evidence=(f"default: {column.default}",),
                remedy=f"ALTER SEQUENCE {sequence.name} OWNED BY {relation.name}.{column.name};",
                named=(column.name, relation.name),
                objects=(relation.name,),
            )


@smoke_test(
    id="sequence-left-behind",
    family="data",
    section="sequences",
    severity=Severity.OFF,
    title="A sequence goes with no column and feeds none.",
    why=(
        "When a column, its default or its table is dropped, a sequence that the column did not own stays. Functions and applications"
        " may draw from a sequence without a column, so this is for teams that know that theirs do not."
    ),
    remedy="DROP SEQUENCE, where nothing else draws from it.",
    manual="CREATE SEQUENCE, OWNED BY",
)
def sequence_left_behind(state: State) -> Iterator[Defect]:
    """Look for sequences without owner that stand in no default."""
    alone = [sequence for sequence, _ in state.sequences if sequence.owned_by is None]
    fed_from = {sequence_of(one) for one in state.schema.columns.values()} if alone else set()
    for sequence in alone:
        if sequence.name not in fed_from:
            yield Defect(
                subject=sequence.name,
                message=f"{sequence.name} goes with no column and feeds none",
                remedy=f"DROP SEQUENCE {sequence.name};",
            )


@smoke_test(
    id="rows-not-asked",
    family="data",
    section="constraints",
    severity=Severity.OFF,
    title="It could not be found out whether rows violate a constraint.",
    why=(
        "A question about rows that takes longer than two seconds is given up, and so is one that the role of the migrations may"
        " not ask, or that ends with an error. Then the other rules of this family are silent about the constraint."
    ),
    remedy="Ask the question yourself.",
    manual="Client Connection Defaults, statement_timeout",
)
def rows_not_asked(state: State) -> Iterator[Defect]:
    """Report the questions that were refused."""
    for relation, one in _asked(state):
        if one.refused:
            yield Defect(
                subject=relation,
                detail=one.constraint,
                message=(
                    f"whether rows of {relation} violate the {one.kind} constraint {one.constraint} could not be found out:"
                    f" {one.refused}"
                ),
                remedy=f"SELECT count(*) {one.source};",
                objects=(relation,),
            )


def _violations(state: State) -> Iterator[tuple[str, Violation]]:
    """Yield the violations that were found."""
    return ((relation, one) for relation, one in _asked(state) if not one.refused)


def _asked(state: State) -> Iterator[tuple[str, Violation]]:
    """Yield what was found out in the schemas that are judged, wherever the file wrote: rows change in tables that do not."""
    for relation, some in sorted(state.facts.violations.items()):
        if state.scope.includes(schema_of(relation)):
            yield from ((relation, one) for one in some)


def _rows(one: Violation) -> str:
    return "1 row" if one.count == 1 else f"{one.count} rows"


def _refer(one: Violation) -> str:
    return "refers" if one.count == 1 else "refer"


def _samples(one: Violation) -> tuple[str, ...]:
    lines = [f"({one.columns}) = ({sample})" for sample in one.samples]
    if one.count > len(lines):
        lines.append(f"{one.count} in all")
    return tuple(lines)


def _fed(state: State) -> Iterator[tuple[Relation, Column, Sequence]]:
    """Yield the columns that a default or identity feeds from a sequence, where either is looked at."""
    owners = {sequence.owned_by: sequence for sequence, _ in state.sequences if sequence.owned_by is not None}
    names = {relation.name for _, relation in state.tables} | {parent_of(one) for one in owners}
    for name in sorted(names):
        relation = state.relation(name)
        for column in relation.columns if relation is not None else ():
            drawn_from = sequence_of(column)
            if drawn_from is not None:
                sequence = _sequence(state, drawn_from)
            else:
                sequence = owners.get(f"{name}.{column.name}") if column.identity else None
            if relation is not None and sequence is not None:
                yield relation, column, sequence


def _sequence(state: State, name: str) -> Sequence | None:
    relation = state.relation(name)
    return relation.itself(Sequence) if relation is not None else None
