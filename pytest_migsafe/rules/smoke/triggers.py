"""The family *code*, triggers: whether they still work, fire, and in which order."""

from collections.abc import Iterator

from pytest_migsafe.catalog.lexical import schema_of
from pytest_migsafe.catalog.rarer import EventTrigger
from pytest_migsafe.catalog.schema import Function, Table, Trigger
from pytest_migsafe.findings import Severity
from pytest_migsafe.rehearsal.evidence import Evidence
from pytest_migsafe.rehearsal.facts import BrokenCode
from pytest_migsafe.rehearsal.state import Relation, State
from pytest_migsafe.rules.smoke.check import Defect, change_test, smoke_test
from pytest_migsafe.rules.smoke.functions import identity, named, proof, remedy, said, tell


@smoke_test(
    id="broken-trigger",
    family="code",
    section="triggers",
    severity=Severity.ERROR,
    title="A trigger no longer works.",
    why=(
        "PostgreSQL does not look into trigger functions when a column is dropped or renamed. The migration succeeds, and "
        "from then on every INSERT, UPDATE or DELETE that fires the trigger fails: the table cannot be written."
    ),
    remedy="Replace the trigger function in the same transaction as what it depends on.",
    manual="Trigger Functions; PL/pgSQL under the Hood",
    peers={"plpgsql_check": "plpgsql_check_function with relid"},
    tell=tell,
)
def broken_trigger(state: State) -> Iterator[Defect]:
    """Look at what the server refuses in trigger functions, for each table that they are on."""
    for name, found in state.facts.broken_functions.items():
        function = state.schema.get(Function.KIND, name)
        if not isinstance(function, Function):
            continue
        for broken in found:
            if not broken.table or not state.scope.includes(schema_of(broken.table)):
                continue
            yield Defect(
                subject=f"{broken.table}.{broken.triggers[0]}",
                detail=identity(broken),
                message=f"{_who(broken)}: {said(broken)}",
                evidence=(f"trigger function: {name}", *proof(broken)),
                remedy=remedy(function, broken),
                severity=Severity.WARNING if broken.caught else None,
                named=named(broken),
                objects=(name, broken.table),
            )


def _who(broken: BrokenCode) -> str:
    """Return who fails, and when: "the trigger audit on shop.orders fails at its next INSERT or UPDATE"."""
    triggers = broken.triggers
    events = _or(broken.events)
    on = f"on {broken.table}"
    if len(triggers) > 1:
        verb = "hide an error (WHEN OTHERS)" if broken.caught else "fail"
        return (
            f"the triggers {', '.join(triggers[:-1])} and {triggers[-1]} {on} {verb} at their next {events}"
        )
    verb = "hides an error (WHEN OTHERS)" if broken.caught else "fails"
    return f"the trigger {triggers[0]} {on} {verb} at its next {events}"


def _or(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


@smoke_test(
    id="disabled-trigger",
    family="code",
    section="triggers",
    severity=Severity.WARNING,
    title="A trigger does not fire.",
    why="It was switched off, as for loading data, and not on again: what it audits, checks or keeps up to date is not.",
    remedy="ALTER TABLE ... ENABLE TRIGGER in the same transaction.",
    manual="ALTER TABLE, DISABLE TRIGGER",
)
def disabled_trigger(state: State) -> Iterator[Defect]:
    """Look at the state of each trigger."""
    for relation in state.relations:
        for trigger in relation.triggers:
            if trigger.enabled in ("disabled", "replica") and not _told_of_parent(state, relation, trigger):
                yield Defect(
                    subject=trigger.qualified_name,
                    message=f"the trigger {trigger.name} on {relation.name} {_STATES[trigger.enabled]}",
                    evidence=(trigger.definition, f"state: {trigger.enabled}"),
                    remedy=f"ALTER TABLE {relation.name} ENABLE TRIGGER {trigger.name};",
                    named=(trigger.name, relation.name),
                    objects=(relation.name,),
                )


def _told_of_parent(state: State, relation: Relation, trigger: Trigger) -> bool:
    """Whether a partition has its trigger, and the trigger's state, from its partitioned table."""
    table = relation.itself(Table)
    parents = [state.relation(name) for name in table.parents] if table is not None and trigger.cloned else []
    return any(
        one.name == trigger.name and one.enabled == trigger.enabled
        for parent in parents
        if parent is not None
        for one in parent.triggers
    )


_STATES = {
    "disabled": "does not fire: it is disabled",
    "replica": "does not fire for users: it is enabled for replication only",
}


@smoke_test(
    id="disabled-event-trigger",
    family="code",
    section="triggers",
    severity=Severity.WARNING,
    title="An event trigger does not fire.",
    why="What it enforces or logs of DDL is neither enforced nor logged.",
    remedy="ALTER EVENT TRIGGER ... ENABLE.",
    manual="ALTER EVENT TRIGGER",
)
def disabled_event_trigger(state: State) -> Iterator[Defect]:
    """Look at the state of each event trigger."""
    for trigger in state.listed(EventTrigger):
        if trigger.enabled in ("disabled", "replica"):
            yield Defect(
                subject=trigger.name,
                message=f"the event trigger {trigger.name} {_STATES[trigger.enabled]}",
                evidence=(f"on {trigger.event}, calls {trigger.function}",),
                remedy=f"ALTER EVENT TRIGGER {trigger.name} ENABLE;",
            )


@smoke_test(
    id="rewrite-rule",
    family="code",
    section="triggers",
    severity=Severity.OFF,
    title="A rule rewrites what is sent to a table.",
    why=(
        "A rule rewrites the statement, not the row: an expression in it is evaluated more than once, and RETURNING and "
        "the count of rows change. PostgreSQL's manual advises triggers."
    ),
    remedy="A trigger, or for a view an INSTEAD OF trigger.",
    manual="Rules Versus Triggers",
)
def rewrite_rule(state: State) -> Iterator[Defect]:
    """Look for rules other than those that views are made of."""
    for relation in state.relations:
        for rule in relation.rules:
            yield Defect(
                subject=rule.qualified_name,
                message=f"the rule {rule.name} rewrites what is sent to {relation.name}",
                evidence=(rule.definition,),
                remedy=f"DROP RULE {rule.name} ON {relation.name};",
                named=(rule.name, relation.name),
                objects=(relation.name,),
            )


@change_test(
    id="trigger-order",
    family="code",
    section="triggers",
    severity=Severity.OFF,
    title="A trigger fires between others.",
    why=(
        "Triggers of the same table, time and event fire in the order of their names. A new name in between changes what "
        "the later ones get to see."
    ),
    remedy="A name that comes after the others.",
    manual="CREATE TRIGGER, Notes",
)
def trigger_order(evidence: Evidence) -> Iterator[Defect]:
    """Look for new triggers before old ones of the same time."""
    for relation in evidence.state_after.relations:
        known = evidence.before.belonging_to(relation.name)
        for trigger in relation.triggers:
            later = [
                one.name
                for one in relation.triggers
                if one.key in known and one.name > trigger.name and _time(one) == _time(trigger)
            ]
            if trigger.key not in known and later:
                yield Defect(
                    subject=trigger.qualified_name,
                    message=f"the trigger {trigger.name} on {relation.name} fires before {', '.join(later)}",
                    evidence=(trigger.definition,),
                    remedy=f"ALTER TRIGGER {trigger.name} ON {relation.name} RENAME TO ...;",
                    named=(trigger.name,),
                    objects=(relation.name,),
                )


def _time(trigger: Trigger) -> str:
    return next((time for time in (" BEFORE ", " AFTER ", " INSTEAD OF ") if time in trigger.definition), "")
