"""CHECK constraints and foreign keys, exclusion constraints and those of domains: checked against all rows while others wait."""

from collections.abc import Iterable

from pytest_migsafe.catalog.lexical import last_part, quoted
from pytest_migsafe.catalog.schema import Constraint, Type
from pytest_migsafe.rehearsal.holding import WorkKind
from pytest_migsafe.rules import safe_ways
from pytest_migsafe.rules.blocking.check import Situation, Told, blocking_rule
from pytest_migsafe.texts.wording import listed

_TWO_FILES = (
    "NOT VALID lets the constraint hold for what is written from then on, and reads nothing. VALIDATE CONSTRAINT checks the "
    "rows that were there while the table is read and written, in a file of its own: the locks of the first one are gone by then."
)


@blocking_rule(
    id="add-check-validates",
    title="A CHECK constraint is checked against all rows while its table is locked.",
    why="ADD CONSTRAINT ... CHECK locks the table for readers and writers, and reads the whole of it.",
    remedy=_TWO_FILES,
    manual="ALTER TABLE, Notes",
    peers={
        "squawk": "constraint-missing-not-valid",
        "eugene": "E1",
        "strong_migrations": "add_check_constraint",
        "Atlas": "PG305",
    },
)
def add_check_validates(situation: Situation) -> Told | None:
    """Judge ADD CONSTRAINT ... CHECK."""
    if not situation.adds("CONSTR_CHECK", "check") or not situation.worked(WorkKind.SCAN):
        return None
    made = situation.made("check")
    return Told(
        message=f"{situation.waiting} wait while {_checked('CHECK constraint', made)}",
        files=safe_ways.side_by_side(safe_ways.check(situation.before, one) for one in made),
    )


@blocking_rule(
    id="add-foreign-key-validates",
    title="A foreign key is checked against all rows while both tables are locked.",
    why=(
        "ADD FOREIGN KEY locks the table and the one that it references, so that every write of either waits until all rows "
        "have been looked up."
    ),
    remedy=_TWO_FILES,
    manual="ALTER TABLE, Notes",
    peers={
        "squawk": "adding-foreign-key-constraint",
        "eugene": "E1",
        "strong_migrations": "add_foreign_key",
        "Atlas": "PG306",
    },
)
def add_foreign_key_validates(situation: Situation) -> Told | None:
    """Judge ADD FOREIGN KEY."""
    if not situation.adds("CONSTR_FOREIGN", "foreign key") or not situation.worked(WorkKind.SCAN):
        return None
    made = situation.made("foreign key") or _of_new_tables(situation)
    ways = (safe_ways.foreign_key(situation.before, situation.after, one, situation.major) for one in made)
    return Told(
        message=f"{situation.waiting} wait while {_checked('foreign key', made)}",
        remedy=_words_on_partitions(situation, made),
        files=safe_ways.side_by_side(ways),
    )


def _of_new_tables(situation: Situation) -> tuple[Constraint, ...]:
    """Return the foreign keys of tables that the file creates to those that were read to check them."""
    named = [f"REFERENCES {table}(" for table in situation.tables]
    return tuple(
        one
        for one in situation.after.constraints.values()
        if one.type == "foreign key"
        and situation.before.get("table", one.relation) is None
        and any(name in one.definition for name in named)
        and situation.speaks_of(one)
    )


def _words_on_partitions(situation: Situation, made: Iterable[Constraint]) -> str:
    """Return what is to be said beside the files where tables are partitioned; nothing from PostgreSQL 18 on."""
    if situation.major >= safe_ways.PARTITIONED_NOT_VALID:
        return ""
    said = [_BY_PARTITION] if any(situation.is_partitioned(one.relation) for one in made) else []
    if any(_parts_for_partitions(situation, one) for one in made):
        said += [_TWO_FILES] if not said else []
        said += [_MARKED]
    return " ".join(said)


def _parts_for_partitions(situation: Situation, made: Constraint) -> bool:
    """Whether a foreign key has parts of its own for each partition of the table that it references."""
    return any(
        one.type == "foreign key" and one.inherited and one.columns == made.columns
        for one in situation.constraints(made.relation)
    )


_LAST_WITHOUT = safe_ways.PARTITIONED_NOT_VALID - 1
_BY_PARTITION = (
    f"NOT VALID is refused for a foreign key of a partitioned table up to PostgreSQL {_LAST_WITHOUT}. So each partition has it "
    "first, NOT VALID, then validated; that of the whole table takes these over, and reads nothing."
)
_MARKED = (
    f"Up to PostgreSQL {_LAST_WITHOUT} the parts of it for the partitions of the other table stay marked as NOT VALID, without "
    "effect: the whole has been checked."
)


def _checked(kind: str, made: Iterable[Constraint]) -> str:
    names = [one.name for one in made]
    if len(names) == 1:
        return f"{kind} {names[0]} is checked against every row"
    return (
        f"{kind}s {listed(names)} are checked against every row"
        if names
        else f"a {kind} is checked against every row"
    )


@blocking_rule(
    id="validate-under-lock",
    title="A constraint is validated in a transaction that holds a stronger lock.",
    why=(
        "VALIDATE CONSTRAINT alone lets others read and write. But the locks of the statements before it, such as that of ADD "
        "CONSTRAINT ... NOT VALID, are held until the transaction ends, and so while the whole table is read."
    ),
    remedy="Let it stand in a file of its own, after this one, so that the other locks are gone when the table is read.",
    manual="ALTER TABLE, Notes",
    peers={
        "squawk": "constraint-missing-not-valid",
        "eugene": "E4",
        "strong_migrations": "validate_foreign_key",
    },
)
def validate_under_lock(situation: Situation) -> Told | None:
    """Judge VALIDATE CONSTRAINT."""
    asked = {quoted(one.name) for one in situation.asks_for("AlterTableStmt", "AT_ValidateConstraint")}
    validated = [
        one
        for one in situation.constraints_concerned
        if one.validated and (one.name in asked or (situation.is_opaque and _waited(situation, one)))
    ]
    if not situation.worked(WorkKind.SCAN) or not (asked or validated):
        return None
    names = [one.name for one in validated] or sorted(asked)
    noun = "constraint" if len(names) == 1 else "constraints"
    verb = "is" if len(names) == 1 else "are"
    return Told(
        message=f"{situation.waiting} wait while {noun} {listed(names)} {verb} checked against every row",
        files=safe_ways.side_by_side((safe_ways.validated(one.relation, [one.name]),) for one in validated),
    )


def _waited(situation: Situation, now: Constraint) -> bool:
    """Whether a constraint was there before the file, and not validated."""
    before = safe_ways.constraint_of(situation.before, now.relation, now.name)
    return before is not None and before.enforced and not before.validated


@blocking_rule(
    id="alter-constraint-enforced",
    title="A foreign key that was not enforced is checked against all rows while both tables are locked.",
    why=(
        "ALTER CONSTRAINT ... ENFORCED (PostgreSQL 18) locks the table for readers and writers and the one that it references "
        "for writers, and looks all rows up."
    ),
    remedy=(
        "Another foreign key beside it is added NOT VALID and validated while both tables are written; then it takes the place "
        "and the name of the one that is not enforced."
    ),
    manual="ALTER TABLE, ALTER CONSTRAINT",
)
def alter_constraint_enforced(situation: Situation) -> Told | None:
    """Judge ALTER CONSTRAINT ... ENFORCED."""
    asked = [
        one
        for one in situation.asks_for("AlterTableStmt", "AT_AlterConstraint")
        if getattr(one.definition, "is_enforced", False)
    ]
    enforced = [
        one
        for one in situation.constraints_concerned
        if one.enforced
        and (before := safe_ways.constraint_of(situation.before, one.relation, one.name)) is not None
        and not before.enforced
        and (situation.is_opaque or one.name in {quoted(each.name) for each in asked})
    ]
    if not situation.worked(WorkKind.SCAN) or not (asked or enforced):
        return None
    return Told(
        message=f"{situation.waiting} wait while {_checked('foreign key', enforced)}",
        files=safe_ways.side_by_side(
            safe_ways.in_place_of(situation.before, one) for one in enforced if not one.inherited
        ),
    )


@blocking_rule(
    id="add-exclusion-constraint",
    title="An exclusion constraint is built while its table is locked.",
    why=(
        "ADD CONSTRAINT ... EXCLUDE locks the table for readers and writers, builds an index and checks every row against it. "
        "It can neither be NOT VALID nor be made of an index that is there."
    ),
    remedy=(
        "There is no way to add it to a table in use. Create a new table with the constraint, write to both, copy the rows in "
        "batches, then swap the tables' names; or add it while nobody needs the table."
    ),
    manual="ALTER TABLE, ADD table_constraint",
    peers={"eugene": "E8", "strong_migrations": "add_exclusion_constraint"},
)
def add_exclusion_constraint(situation: Situation) -> Told | None:
    """Judge ADD CONSTRAINT ... EXCLUDE."""
    if not situation.adds("CONSTR_EXCLUSION", "exclude") or not situation.worked(WorkKind.INDEX_BUILD):
        return None
    return Told(
        message=f"{situation.waiting} wait while {_checked('exclusion constraint', situation.made('exclude'))}"
    )


@blocking_rule(
    id="domain-constraint-scans",
    title="A domain's constraint is checked against all rows of the tables that use it while their writes wait.",
    why=(
        "ALTER DOMAIN locks every table with a column of the domain so that its writes wait, and reads all of them, one after "
        "another. VALIDATE CONSTRAINT does so, too, so NOT VALID first does not help."
    ),
    remedy=(
        "A domain's constraint cannot be checked without these locks. Add it NOT VALID, so that it holds for what is written "
        "from then on and nothing is read, and leave it so; or give the columns CHECK constraints of their own, added NOT VALID "
        "and validated in another file."
    ),
    manual="ALTER DOMAIN, Notes",
    peers={"squawk": "ban-alter-domain-with-add-constraint"},
)
def domain_constraint_scans(situation: Situation) -> Told | None:
    """Judge ALTER DOMAIN ADD CONSTRAINT, SET NOT NULL and VALIDATE CONSTRAINT."""
    if not situation.worked(WorkKind.SCAN):
        return None
    asked = situation.asks_for("AlterDomainStmt")
    changed = _changed_domains(situation)
    if not asked and not (situation.is_opaque and changed):
        return None
    domain = changed[0] if len(changed) == 1 else ""
    if asked:
        (*_, name) = (part.string.sval for part in asked[0].tree.type_name)
        domain = next((one for one in changed if last_part(one) == name), name)
    return Told(
        message=f"{situation.waiting} wait while all their rows are checked against a constraint of "
        f"{f'domain {domain}' if domain else 'their domains'}",
    )


def _changed_domains(situation: Situation) -> list[str]:
    """Return the domains that the file has given something to check."""
    now = situation.after.types.items()
    return [name for name, one in now if one.kind == "domain" and _has_more_to_check(situation, one)]


def _has_more_to_check(situation: Situation, now: Type) -> bool:
    before = situation.before.get("type", now.name)
    if not isinstance(before, Type):
        return False
    return (now.not_null and not before.not_null) or any(
        one.validated and safe_ways.domain_constraint(situation.before, now.name, one.name) != one
        for one in safe_ways.domain_constraints(situation.after, now.name)
    )
