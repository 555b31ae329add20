"""The family *constraints*: whether they are in force."""

from collections.abc import Iterator

from pytest_migsafe.catalog.lexical import schema_of
from pytest_migsafe.catalog.schema import Constraint, Type
from pytest_migsafe.findings import Severity
from pytest_migsafe.rehearsal.facts import ForeignKeyShape
from pytest_migsafe.rehearsal.state import Relation, State
from pytest_migsafe.rules.smoke.check import Defect, smoke_test


def _constraints(relation: Relation) -> Iterator[Constraint]:
    """Yield a table's own constraints: what it has from a parent is told of the parent."""
    return (one for one in relation.constraints if not one.inherited)


def _domains_constraints(state: State) -> Iterator[Constraint]:
    for home, objects in state.schema.homes.items():
        if home.catalog != "type" or not (state.looked_at is None or home in state.looked_at):
            continue
        if state.scope.includes(schema_of(home.name)) and any(
            isinstance(one, Type) for one in objects.values()
        ):
            yield from (one for one in objects.values() if isinstance(one, Constraint))


@smoke_test(
    id="constraint-not-valid",
    family="constraints",
    section="constraints",
    severity=Severity.WARNING,
    at_end_only=True,
    title="A constraint was never validated.",
    why=(
        "NOT VALID is the right beginning for a big table: new rows are checked at once, the old ones later. As long as "
        "nobody says VALIDATE, the old rows may break the constraint, the planner does not trust it, and an UPDATE of such a row fails."
    ),
    remedy="ALTER TABLE ... VALIDATE CONSTRAINT, in a file of its own: it lets reads and writes go on.",
    manual="ALTER TABLE, VALIDATE CONSTRAINT",
    peers={"squawk": "constraint-missing-not-valid (the first half)"},
)
def constraint_not_valid(state: State) -> Iterator[Defect]:
    """Look at what the catalog says of each constraint, of tables and of domains."""
    for _, relation in state.tables:
        for one in _constraints(relation):
            if not one.validated and one.enforced:
                yield _not_valid(one, f"ALTER TABLE {one.relation} VALIDATE CONSTRAINT {one.name};")
    for one in _domains_constraints(state):
        if not one.validated:
            yield _not_valid(one, f"ALTER DOMAIN {one.relation} VALIDATE CONSTRAINT {one.name};")


def _not_valid(one: Constraint, remedy: str) -> Defect:
    return Defect(
        subject=one.qualified_name,
        message=f"the {one.type} constraint {one.name} of {one.relation} is NOT VALID: rows that were there before may break it",
        evidence=(one.definition,),
        remedy=remedy,
        objects=(one.relation,),
    )


@smoke_test(
    id="constraint-not-enforced",
    family="constraints",
    section="constraints",
    severity=Severity.WARNING,
    title="A constraint is not enforced.",
    why="NOT ENFORCED makes a constraint a comment: rows that break it are taken, old and new ones.",
    remedy="Make it ENFORCED, or leave it out.",
    manual="CREATE TABLE, NOT ENFORCED (since PostgreSQL 18)",
)
def constraint_not_enforced(state: State) -> Iterator[Defect]:
    """Look at what the catalog says of each constraint."""
    for _, relation in state.tables:
        for one in _constraints(relation):
            if not one.enforced:
                yield Defect(
                    subject=one.qualified_name,
                    message=f"the {one.type} constraint {one.name} of {one.relation} is NOT ENFORCED: rows that break it are taken",
                    evidence=(one.definition,),
                    remedy=_enforced(one),
                    objects=(one.relation,),
                )


def _enforced(one: Constraint) -> str:
    if one.type == "foreign key":
        return f"ALTER TABLE {one.relation} ALTER CONSTRAINT {one.name} ENFORCED;  -- reads the whole table"
    # PostgreSQL 18 alters foreign keys only (manual: "ALTER TABLE, ALTER CONSTRAINT").
    definition = one.definition.removesuffix(" NOT ENFORCED")
    return (
        f"ALTER TABLE {one.relation} DROP CONSTRAINT {one.name};\n"
        f"ALTER TABLE {one.relation} ADD CONSTRAINT {one.name} {definition} NOT VALID;\n"
        f"ALTER TABLE {one.relation} VALIDATE CONSTRAINT {one.name};  -- in the next file"
    )


@smoke_test(
    id="constraint-triggers-disabled",
    family="constraints",
    section="foreign keys",
    severity=Severity.ERROR,
    title="A foreign key is switched off.",
    why=(
        "A foreign key is enforced by triggers that PostgreSQL makes for it, and DISABLE TRIGGER ALL switches them off "
        "with the rest. The constraint still counts as valid, no dump shows it, and rows without their counterpart are taken silently."
    ),
    remedy="ALTER TABLE ... ENABLE TRIGGER ALL at the end of the file, and look for orphans. To load data, use a session with session_replication_role = replica.",
    manual="ALTER TABLE, DISABLE TRIGGER",
)
def constraint_triggers_disabled(state: State) -> Iterator[Defect]:
    """Look at the internal triggers that do not fire as usual."""
    for _, relation in state.tables:
        for one in relation.constraints:
            off = [line for line in one.triggers if not line.endswith(": always")]
            if off and not (one.inherited and _is_off_above(state, relation, one)):
                tables = sorted({_table_of(line) for line in off})
                yield Defect(
                    subject=one.qualified_name,
                    message=f"the foreign key {one.name} of {one.relation} is switched off: rows that break it are taken",
                    evidence=(one.definition, *off),
                    remedy="\n".join(line for table in tables for line in _enabled(state, table)),
                    named=tuple(tables),
                    objects=tuple(dict.fromkeys((one.relation, *tables))),
                )


def _table_of(line: str) -> str:
    """Return the table in "function on table: state"."""
    return line.partition(" on ")[2].rpartition(": ")[0]


def _is_off_above(state: State, relation: Relation, constraint: Constraint) -> bool:
    table = state.schema.get("table", relation.name)
    for name in getattr(table, "parents", ()):
        above = state.relation(name)
        if above is not None and any(
            one.triggers and one.definition == constraint.definition for one in above.constraints
        ):
            return True
    return False


def _enabled(state: State, name: str) -> Iterator[str]:
    yield f"ALTER TABLE {name} ENABLE TRIGGER ALL;"
    relation = state.relation(name)
    for trigger in relation.triggers if relation is not None else ():
        if trigger.enabled == "disabled":
            yield f"ALTER TABLE {name} DISABLE TRIGGER {trigger.name};  -- if it is to stay so"


@smoke_test(
    id="foreign-key-type-mismatch",
    family="constraints",
    section="foreign keys",
    severity=Severity.WARNING,
    title="A foreign key's column is of another type than what it refers to.",
    why=(
        "A narrower type cannot hold all keys: when the counter passes its limit, rows can no longer be inserted there, long "
        "before the key itself is used up. Between other types each check converts, and joins may not use the index."
    ),
    remedy="Give both columns the same type.",
    manual="Constraints, Foreign Keys; Numeric Types",
)
def foreign_key_type_mismatch(state: State) -> Iterator[Defect]:
    """Compare the columns of all foreign keys: one that was not touched goes wrong with the table that it refers to."""
    for relation, foreign_keys in state.facts.foreign_keys.items():
        for one in foreign_keys:
            if one.types != one.target_types and state.scope.includes(schema_of(relation)):
                yield from _mismatches(relation, one)


_INTEGERS = ("smallint", "integer", "bigint")
#: Their values are compared as they are.
_TEXTS = frozenset({"text", "character varying"})


def _mismatches(relation: str, foreign_key: ForeignKeyShape) -> Iterator[Defect]:
    columns = zip(
        foreign_key.columns,
        foreign_key.types,
        foreign_key.target_columns,
        foreign_key.target_types,
        strict=True,
    )
    for column, its, target, other in columns:
        if its == other or {its, other} <= _TEXTS or _holds_all(its, other):
            continue
        narrower = its in _INTEGERS and other in _INTEGERS
        yield Defect(
            subject=f"{relation}.{foreign_key.name}",
            detail=column,
            message=f"{relation}.{column} is {its} and refers to {foreign_key.target}.{target}, which is {other}"
            + (": it cannot hold all of its values" if narrower else ""),
            evidence=(f"foreign key {foreign_key.name} ({', '.join(foreign_key.columns)})",),
            remedy=f"ALTER TABLE {relation} ALTER COLUMN {column} TYPE {other};  -- on a table with rows it rewrites it: add a column, fill it, swap",
            named=(foreign_key.name, column, relation, foreign_key.target),
            objects=(relation, foreign_key.target),
        )


def _holds_all(its: str, other: str) -> bool:
    """Say whether an integer type holds all values of another."""
    return its in _INTEGERS and other in _INTEGERS and _INTEGERS.index(its) >= _INTEGERS.index(other)


@smoke_test(
    id="foreign-key-to-auth-not-primary",
    family="constraints",
    section="foreign keys",
    severity=Severity.WARNING,
    title="A foreign key refers to a table of Supabase's auth by something else than its primary key.",
    why=(
        "The platform changes the schema auth with its own migrations, and promises no more than the primary keys. A unique "
        "constraint on which your key relies stands in the way of its upgrade, or goes away."
    ),
    remedy="Refer to the primary key: REFERENCES auth.users (id).",
    manual="Constraints, Foreign Keys",
    peers={"splinter": "0021_fkey_to_auth_unique"},
)
def foreign_key_to_auth_not_primary(state: State) -> Iterator[Defect]:
    """Look at the index that a foreign key to the schema auth relies on, where strangers' roles are known."""
    if not state.scope.exposed_roles:
        return
    for _, relation in state.tables:
        for one in state.facts.foreign_keys.get(relation.name, ()):
            if schema_of(one.target) != "auth" or relation.schema == "auth":
                continue
            target = state.relation(one.target)
            primary = (
                {index.name for index in target.indexes if index.primary} if target is not None else set()
            )
            used = next((c.index for c in relation.constraints if c.name == one.name), None)
            if used is not None and used not in primary:
                yield Defect(
                    subject=f"{relation.name}.{one.name}",
                    message=f"the foreign key {one.name} of {relation.name} relies on {used}, which is no primary key",
                    evidence=(f"{one.target} ({', '.join(one.target_columns)})",),
                    named=(one.name, one.columns[0], relation.name, one.target),
                    objects=(relation.name, one.target),
                )
