"""What is called otherwise than before, or lies in another schema: neither version of the application has both names."""

import re
from collections.abc import Iterator

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.lexical import last_part, own_name, parent_of
from pytest_migsafe.catalog.schema import Column, Grant, Sequence, Table, View
from pytest_migsafe.findings import RemedyFile, Severity
from pytest_migsafe.rehearsal.evidence import Evidence
from pytest_migsafe.rules.compatibility.check import NO_OLD_CODE, Breakage, compatibility_rule
from pytest_migsafe.rules.compatibility.gone import is_renamed
from pytest_migsafe.rules.compatibility.views import columns_of, unwritable
from pytest_migsafe.rules.smoke.audience import in_sql

_BOTH = (
    "The old version of the application, which still runs during the deployment, uses the old name and fails; the new version "
    "fails until the file has been applied."
)


@compatibility_rule(
    id="table-renamed",
    severity=Severity.ERROR,
    title="A table or view is called otherwise, or is in another schema, and nothing is left under its old name.",
    why=_BOTH,
    remedy=(
        "Leave a view under the old name, in the same transaction: a simple one is written as the table is; drop it when no "
        "previous version of the application runs any more."
    ),
    manual="ALTER TABLE, RENAME and SET SCHEMA; CREATE VIEW, Updatable Views",
    peers={
        "squawk": "renaming-table",
        "eugene": "E14",
        "strong_migrations": "rename_table",
        "Atlas": "BC101",
        "django-migration-linter": "RENAME_TABLE",
    },
)
def table_renamed(evidence: Evidence) -> Iterator[Breakage]:
    """Look for tables and views that are there under another name only."""
    found = evidence.identities
    for name in found.gone("relation"):
        fate = found.fate(name)
        kind = _kind(evidence.before, name)
        if not fate.became or not kind or parent_of(name) in found.schemas:
            continue
        moved = "is" if last_part(name) != last_part(fate.became) else "lies in another schema, as"
        yield Breakage(
            subject=name,
            message=f"old code that uses {kind} {name} fails: it {moved} {'called ' if moved == 'is' else ''}{fate.became} now",
            statement=fate.statement,
            named=(name, fate.became),
            files=_with_view(evidence, name, fate.became, kind),
            objects=(fate.became,),
        )


def _kind(schema: Schema, name: str) -> str:
    table = schema.get(Table.KIND, name)
    if isinstance(table, Table):
        return "" if table.partition_bound is not None else table.kind.replace("partitioned ", "")
    view = schema.get(View.KIND, name)
    return view.kind if isinstance(view, View) else ""


def _with_view(evidence: Evidence, old: str, new: str, kind: str) -> tuple[RemedyFile, ...]:
    """Return the renaming with a view under the old name, with its privileges, and how that goes later."""
    word = kind.upper()
    steps = []
    if own_name(old) != own_name(new):
        steps.append(f"ALTER {word} {old} RENAME TO {own_name(new)};")
    if parent_of(old) != parent_of(new):
        steps.append(f"ALTER {word} {old} SET SCHEMA {parent_of(new)};")
    columns = columns_of(evidence.before, old)
    if len(steps) != 1 or not columns or set(columns) != set(columns_of(evidence.after, new)):
        return ()
    # As the table does, the view asks for the privileges and the policies of whoever uses it (from 15 on).
    as_user = " WITH (security_invoker = true)" if evidence.major >= 15 else ""
    view = f"CREATE VIEW {old}{as_user} AS SELECT {', '.join(columns)} FROM {new};"  # noqa: S608 - shown, not run
    return (
        RemedyFile(sql="\n".join([*steps, view, *_grants(evidence.before, old)])),
        RemedyFile(sql=f"DROP VIEW {old};", when=NO_OLD_CODE),
    )


def _grants(schema: Schema, relation: str) -> Iterator[str]:
    """Yield the statements that give a view the privileges of a table."""
    owner = getattr(schema.get(Table.KIND, relation) or schema.get(View.KIND, relation), "owner", "")
    for _, one in sorted(schema.belonging_to(relation).items()):
        if not isinstance(one, Grant) or one.grantee == owner or not one.privileges:
            continue
        for option, suffix in ((False, ""), (True, " WITH GRANT OPTION")):
            some = [each.rstrip("*") for each in one.privileges if each.endswith("*") is option]
            if some and one.object_kind == "column":
                some = [f"{each} ({own_name(one.object)})" for each in some]
            if some:
                yield f"GRANT {', '.join(some)} ON {relation} TO {in_sql(one.grantee)}{suffix};"


@compatibility_rule(
    id="table-not-writable",
    severity=Severity.ERROR,
    title="Under a table's or a writable view's name there is something now that cannot be written.",
    why=(
        "Old code goes on to insert, update and delete under the old name. A view takes that only if it shows the rows of one "
        "table, column by column, or if INSTEAD OF triggers say what is to be done."
    ),
    remedy="Let the view show the columns of one table as they are, or give it INSTEAD OF triggers.",
    manual="CREATE VIEW, Updatable Views; CREATE TRIGGER",
)
def table_not_writable(evidence: Evidence) -> Iterator[Breakage]:
    """Ask of each view in the place of what could be written whether it can be written, too."""
    found = evidence.identities
    for name in found.kept("relation"):
        now = evidence.after.get(View.KIND, name)
        if not isinstance(now, View) or now == evidence.before.get(View.KIND, name):
            continue
        was_table = isinstance(evidence.before.get(Table.KIND, name), Table)
        if was_table or not unwritable(evidence.before, name):
            why = unwritable(evidence.after, name)
            if why:
                yield Breakage(
                    subject=name,
                    message=f"old code that writes to {name} fails: it is a {now.kind} now, and {why}",
                    # Views are made to be read: few write to them.
                    severity=None if was_table else Severity.WARNING,
                    remedy=(
                        "A materialized view is only read; make a view with INSTEAD OF triggers."
                        if now.kind != "view"
                        else ""
                    ),
                )


@compatibility_rule(
    id="column-renamed",
    severity=Severity.ERROR,
    title="A column is called otherwise.",
    why=_BOTH,
    remedy=(
        "Add a column of the new name, keep both the same by a trigger, and let the old one go when no previous version of the "
        "application runs any more."
    ),
    manual="ALTER TABLE, RENAME",
    peers={
        "squawk": "renaming-column",
        "eugene": "E13",
        "strong_migrations": "rename_column",
        "Atlas": "BC102",
        "django-migration-linter": "RENAME_COLUMN",
    },
)
def column_renamed(evidence: Evidence) -> Iterator[Breakage]:
    """Look for columns that have another name in the same place, and the old one is not there."""
    found = evidence.identities
    for relation in found.kept("relation"):
        before, after = columns_of(evidence.before, relation), columns_of(evidence.after, relation)
        for column in (one for name, one in before.items() if name not in after):
            now = found.column(column)
            if (
                now is None
                or column.inherited
                or not is_renamed(evidence, column)
                or _is_said_of_table(evidence, column)
            ):
                continue
            yield Breakage(
                subject=column.qualified_name,
                message=f"old code that uses column {column.qualified_name} fails: it is called {now.name} now",
                named=(now.name, column.name, relation),
                files=_both_columns(evidence, column, now),
                objects=(now.qualified_name,),
            )


def _is_said_of_table(evidence: Evidence, column: Column) -> bool:
    view = evidence.before.get(View.KIND, column.relation)
    return isinstance(view, View) and any(
        column.name in columns_of(evidence.before, one) and column.name not in columns_of(evidence.after, one)
        for one in view.reads
    )


def _both_columns(evidence: Evidence, old: Column, new: Column) -> tuple[RemedyFile, ...]:
    """Return how a column gets another name while both are written: at last the old one takes the place of the new one."""
    table = old.relation
    if (
        not isinstance(evidence.before.get(Table.KIND, table), Table)
        or old.generated
        or old.type != new.type
        or _serial(evidence.before, old)
    ):
        return ()
    words = f"{last_part(table)}_{last_part(new.qualified_name)}_sync"
    name = f"{parent_of(table)}.{_plain(words)}"
    trigger = own_name(name)
    # Types without an equality, such as json, are compared as texts.
    is_given = f"NEW.{new.name}::text IS DISTINCT FROM OLD.{new.name}::text"
    expand = f"""\
ALTER TABLE {table} ADD COLUMN {new.name} {old.type};
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.{new.name} IS NULL THEN
            NEW.{new.name} := NEW.{old.name};
        ELSE
            NEW.{old.name} := NEW.{new.name};
        END IF;
    ELSIF {is_given} THEN
        NEW.{old.name} := NEW.{new.name};
    ELSE
        NEW.{new.name} := NEW.{old.name};
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER {trigger} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {name}();"""
    fill = f"UPDATE {table} SET {new.name} = {old.name} WHERE {new.name} IS NULL AND {old.name} IS NOT NULL;"  # noqa: S608 - shown, not run
    contract = f"""\
DROP TRIGGER {trigger} ON {table};
DROP FUNCTION {name}();
ALTER TABLE {table} DROP COLUMN {new.name};
ALTER TABLE {table} RENAME COLUMN {old.name} TO {new.name};"""
    return (
        RemedyFile(sql=expand),
        RemedyFile(sql=fill, when="in batches where the table is big"),
        RemedyFile(sql=contract, when=NO_OLD_CODE),
    )


def _serial(schema: Schema, column: Column) -> bool:
    """Whether a sequence goes with a column."""
    return bool(column.identity) or any(
        one.owned_by == column.qualified_name for one in schema.sequences.values()
    )


def _plain(name: str) -> str:
    """Return a name that needs no quotes, and is short enough."""
    return re.sub(r"\W", "_", name.lower())[:63]


@compatibility_rule(
    id="schema-renamed",
    severity=Severity.ERROR,
    title="A schema is called otherwise, and everything in it with it.",
    why=_BOTH,
    remedy=(
        "Make the new schema, move one table after the other, and leave a view of each in the old schema until no previous "
        "version of the application runs any more."
    ),
    manual="ALTER SCHEMA",
    peers={"strong_migrations": "rename_schema", "squawk": "renaming-object"},
)
def schema_renamed(evidence: Evidence) -> Iterator[Breakage]:
    """Look for schemas that hold what another one held."""
    for old, now in evidence.identities.schemas.items():
        held = sum(
            1 for home in evidence.before.homes if home.catalog == "relation" and parent_of(home.name) == old
        )
        yield Breakage(
            subject=old,
            message=f"old code that uses the schema {old} fails, and with it {held} relations: it is called {now} now",
            named=(old, now),
            objects=(now,),
        )


@compatibility_rule(
    id="type-renamed",
    severity=Severity.ERROR,
    title="A type is called otherwise.",
    why=(
        "Old code names it in casts, and drivers look it up by its name to write parameters and to read results: both fail."
    ),
    remedy="Leave the name; or make a domain of the old name over the new type, for casts.",
    manual="ALTER TYPE, RENAME TO",
    peers={"squawk": "renaming-object"},
)
def type_renamed(evidence: Evidence) -> Iterator[Breakage]:
    """Look for types that are gone and that are there under another name."""
    found = evidence.identities
    for old, now in found.types.items():
        if parent_of(old) not in found.schemas:
            yield Breakage(
                subject=old,
                message=f"old code that uses the type {old} fails: it is called {now} now",
                named=(old, now),
                objects=(now,),
            )


@compatibility_rule(
    id="sequence-renamed",
    severity=Severity.ERROR,
    title="A sequence is called otherwise.",
    why="Old code, or its object-relational mapper, calls nextval with the old name, and every insert fails.",
    remedy="Leave the name. It is of no matter to the column that draws from it.",
    manual="ALTER SEQUENCE, RENAME TO",
)
def sequence_renamed(evidence: Evidence) -> Iterator[Breakage]:
    """Look for sequences that are there under another name only."""
    found = evidence.identities
    for name in found.gone("relation"):
        old = evidence.before.get(Sequence.KIND, name)
        fate = found.fate(name)
        if isinstance(old, Sequence) and fate.became and parent_of(name) not in found.schemas:
            yield Breakage(
                subject=name,
                message=f"old code that calls nextval('{name}') fails: the sequence is called {fate.became} now",
                statement=fate.statement,
                named=(name, fate.became),
                # What goes with a column is mostly drawn from by its default.
                severity=Severity.WARNING if old.owned_by else None,
                objects=(fate.became,),
            )
