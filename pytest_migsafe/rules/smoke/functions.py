"""The family *code*, functions: whether they still work, and what their callers may rely on."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pytest_migsafe.catalog.lexical import constant, last_part, schema_of
from pytest_migsafe.catalog.schema import Column, Function, Trigger
from pytest_migsafe.findings import Severity
from pytest_migsafe.rehearsal.evidence import Creation, Evidence, StatementEvidence
from pytest_migsafe.rehearsal.facts import BrokenCode, Computed
from pytest_migsafe.rehearsal.state import State
from pytest_migsafe.rules.smoke.check import Defect, change_test, smoke_test
from pytest_migsafe.rules.sql import partitions_of, reindex
from pytest_migsafe.texts.wording import joined

_BODIES_UNCHECKED = re.compile(r"\bcheck_function_bodies\b\W+(?:to\b\W*)?(?:off|false|0|no)\b", re.IGNORECASE)

#: What kind of object is missing, by the SQLSTATE that says so.
_KINDS = {"42703": {"column"}, "42883": {"function", "procedure"}, "42704": {"type"}, "3F000": {"schema"}}
_RELATION_KINDS = {"table", "view", "materialized view", "sequence", "foreign table"}


def tell(evidence: Evidence, defects: Sequence[Defect]) -> Iterator[Defect]:
    """Yield what a file is told of the bodies that it broke: once for each function and message."""
    by_message: dict[tuple[str, str], list[Defect]] = {}
    for one in defects:
        function = one.objects[0] if one.objects else one.subject
        by_message.setdefault((function, _said_by_server(one)), []).append(one)
    for (function, _), some in by_message.items():
        yield _graded(evidence, function, _together(some))


def _said_by_server(defect: Defect) -> str:
    return next((one for one in defect.evidence if one.startswith("SQLSTATE")), "")


#: Of so many places in one body each is told.
_TOLD = 10


def _together(defects: Sequence[Defect]) -> Defect:
    first = defects[0]
    others = [one.subject for one in defects if one.subject != first.subject]
    told = defects[:_TOLD]
    evidence = dict.fromkeys(line for one in told for line in one.evidence)
    if len(defects) > _TOLD:
        evidence[f"and {len(defects) - _TOLD} more of its queries"] = None
    if others:
        evidence[f"the same of {joined(dict.fromkeys(others))}"] = None
    objects = dict.fromkeys(name for one in defects for name in one.objects)
    return replace(first, evidence=tuple(evidence), objects=tuple(objects))


def _graded(evidence: Evidence, function: str, defect: Defect) -> Defect:
    """Return what is wrong with a function's body as the file that caused it has to hear it.

    A function that the file makes before what it needs works once that is made, too: that is a warning.
    """
    if not _is_made_here(evidence, function, defect):
        return defect
    made_here = replace(defect, named=(defect.subject, function))
    later = _created_later(evidence, defect)
    if later is not None:
        said = f"{later.path}:{later.line} creates the {later.kind} {later.name} later"
        return replace(made_here, severity=Severity.WARNING, evidence=(*defect.evidence, said))
    if any(_BODIES_UNCHECKED.search(one.text) for one in evidence.statements):
        said = "the file sets check_function_bodies to off"
        return replace(made_here, severity=Severity.WARNING, evidence=(*defect.evidence, said))
    return made_here


def _is_made_here(evidence: Evidence, function: str, defect: Defect) -> bool:
    """Whether the file made the function or the trigger what it is, and not what these need."""
    was, now = evidence.before.get(Function.KIND, function), evidence.after.get(Function.KIND, function)
    if isinstance(was, Function) and isinstance(now, Function) and was.body == now.body:
        return defect.subject != function and evidence.before.get(Trigger.KIND, defect.subject) is None
    return True


def _created_later(evidence: Evidence, defect: Defect) -> Creation | None:
    kinds = _KINDS.get(_said_by_server(defect)[9:14], _RELATION_KINDS)
    missing = {_last_word(name) for name in defect.named}
    return next(
        (
            one
            for one in evidence.creations
            if one.when == "later" and one.kind in kinds and _last_word(one.name) in missing
        ),
        None,
    )


@smoke_test(
    id="broken-function",
    family="code",
    section="functions",
    severity=Severity.ERROR,
    title="A function no longer works.",
    why=(
        "PostgreSQL does not look into the bodies of functions when a table, a column or another function is dropped, "
        "renamed or changed. The migration succeeds, and the function fails when it is called next, in production."
    ),
    remedy="Replace the function in the same transaction as what it depends on.",
    manual="CREATE FUNCTION, Notes; PL/pgSQL under the Hood",
    peers={"plpgsql_check": "plpgsql_check_function", "supabase db lint": ""},
    tell=tell,
)
def broken_function(state: State) -> Iterator[Defect]:
    """Look at what the server refuses in bodies that are called by no trigger."""
    for name, found in state.facts.broken_functions.items():
        function = _function(state, name)
        if function is None:
            continue
        for broken in found:
            if broken.table:
                continue
            is_dead = function.returns == "trigger"
            yield Defect(
                subject=name,
                detail=identity(broken),
                message=f"the {function.kind} {name} {_how(function, broken, is_dead=is_dead)}: {said(broken)}",
                evidence=tuple(proof(broken)),
                remedy=f"DROP FUNCTION {name};" if is_dead else remedy(function, broken),
                severity=Severity.WARNING if broken.caught or is_dead else None,
                named=named(broken),
            )


def _how(function: Function, broken: BrokenCode, *, is_dead: bool) -> str:
    if is_dead:
        return "would fail, but no trigger calls it"
    when = "when an event trigger calls it" if function.returns == "event_trigger" else "when it is called"
    return f"hides an error {when} (WHEN OTHERS)" if broken.caught else f"fails {when}"


def identity(broken: BrokenCode) -> str:
    """Return what makes an error the same before and after a file: where it is, and not what is missing there."""
    return broken.statement or broken.message


def _function(state: State, name: str) -> Function | None:
    function = state.schema.get(Function.KIND, name)
    judged = state.scope.includes(schema_of(name))
    return function if judged and isinstance(function, Function) else None


def said(broken: BrokenCode) -> str:
    """Return the server's message."""
    return (
        f"{broken.message}. {broken.hint}" if broken.sqlstate == "42804" and broken.hint else broken.message
    )


def proof(broken: BrokenCode) -> Iterator[str]:
    """Yield where it is, and what the server says."""
    if broken.line:
        yield f"line {broken.line} of its body" + (
            f": {_short(broken.statement)}" if broken.statement else ""
        )
    yield f"SQLSTATE {broken.sqlstate}: {broken.message}"
    yield from (one for one in (broken.detail, broken.hint) if one)


def _short(statement: str, longest: int = 160) -> str:
    return statement if len(statement) <= longest else f"{statement[: longest - 1]}…"


def remedy(function: Function, broken: BrokenCode) -> str:
    """Return how the function is had and replaced."""
    where = f", with line {broken.line} changed" if broken.line else ""
    return (
        f"SELECT pg_catalog.pg_get_functiondef({constant(function.name)}::pg_catalog.regprocedure);"
        f" -- and put it into this file as CREATE OR REPLACE {function.kind.upper()} {function.name}{where}"
    )


_QUOTED = re.compile(r'"((?:[^"]|"")+)"')
_BARE = re.compile(r"\b(?:column|function|type|schema|procedure) ([\w.]+)")
_RELATIONS = re.compile(
    r'\b(?:from|join|into|update|table)\s+((?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+))*)', re.IGNORECASE
)


def named(broken: BrokenCode) -> tuple[str, ...]:
    """Return what a statement that broke it will name: what the message names, or else the relations of the query."""
    message = [*_QUOTED.findall(broken.message), *_BARE.findall(broken.message)]
    return tuple(dict.fromkeys([*reversed(message), *_RELATIONS.findall(broken.statement)]))


def _last_word(name: str) -> str:
    return name.rpartition(".")[2].strip('"').lower()


@smoke_test(
    id="ambiguous-overload",
    family="code",
    section="functions",
    severity=Severity.ERROR,
    title="Calls of a function have become ambiguous.",
    why=(
        "Two functions of one name, of which one has more arguments, all with defaults: a call that both can take fails "
        "with 42725 from now on. Calls that worked until now are among them."
    ),
    remedy="Drop the old function, or give the new one another name.",
    manual="Function Type Resolution",
)
def ambiguous_overload(state: State) -> Iterator[Defect]:
    """Look at the calls of which the server says so."""
    for (one, other), call in state.facts.ambiguous_calls.items():
        if _function(state, one) is not None:
            yield Defect(
                subject=other,
                detail=one,
                message=f"a call such as {call} is ambiguous: {one} and {other} both take it",
                evidence=(f"SELECT {call} fails with SQLSTATE 42725",),
                remedy=f"DROP FUNCTION {one};",
                objects=(one,),
            )


@smoke_test(
    id="definer-search-path",
    family="code",
    section="functions",
    severity=Severity.WARNING,
    title="A SECURITY DEFINER function goes by its caller's search_path.",
    why=(
        "Whoever may create a table, function or operator in any schema puts it before the one that is meant, sets "
        "search_path, calls the function, and runs code with its owner's rights."
    ),
    remedy="ALTER FUNCTION ... SET search_path = '', with every name in the body qualified.",
    manual="CREATE FUNCTION, Writing SECURITY DEFINER Functions Safely",
    peers={"splinter": "0011_function_search_path_mutable"},
)
def definer_search_path(state: State) -> Iterator[Defect]:
    """Look at the settings of SECURITY DEFINER functions."""
    yield from (_mutable(one) for one in state.functions if one.security_definer and _is_mutable(one))


@smoke_test(
    id="mutable-search-path",
    family="code",
    section="functions",
    severity=Severity.OFF,
    title="A function goes by its caller's search_path.",
    why="What its unqualified names mean depends on who calls it: it works for one role and fails for another.",
    remedy="ALTER FUNCTION ... SET search_path = '', with every name in the body qualified.",
    manual="CREATE FUNCTION",
    peers={"splinter": "0011_function_search_path_mutable"},
)
def mutable_search_path(state: State) -> Iterator[Defect]:
    """Look at the settings of the other functions."""
    yield from (_mutable(one) for one in state.functions if not one.security_definer and _is_mutable(one))


def _is_mutable(function: Function) -> bool:
    return (
        function.kind in ("function", "procedure")
        and function.language not in ("c", "internal")
        # The names of a BEGIN ATOMIC body have been resolved.
        and not (
            function.language == "sql"
            and function.body.lstrip().upper().startswith(("BEGIN ATOMIC", "RETURN "))
        )
        and not any(one.startswith("search_path=") for one in function.config)
    )


def _mutable(function: Function) -> Defect:
    rights = ", with its owner's rights" if function.security_definer else ""
    return Defect(
        subject=function.name,
        message=f"the {function.kind} {function.name} looks names up in its caller's search_path{rights}",
        evidence=(f"owner: {function.owner}", "settings: " + (", ".join(function.config) or "none")),
        remedy=f"ALTER {function.kind.upper()} {function.name} SET search_path = '';",
    )


@change_test(
    id="immutable-body-changed",
    family="code",
    section="functions",
    severity=Severity.WARNING,
    title="What is stored was computed with a function's old body.",
    why=(
        "An index, a generated column or a partition key keeps what an immutable function returned when the row was "
        "written, and a CHECK constraint asked it then. With another body the old rows keep the old results: queries that use "
        "the index or the partitions miss rows, and rows violate a constraint that counts as valid."
    ),
    remedy="Rebuild what depends on the function, in the same migration.",
    manual="Function Volatility Categories",
)
def immutable_body_changed(evidence: Evidence) -> Iterator[Defect]:
    """Look at what depends on immutable functions that the file replaced, and at whether the file rebuilt it."""
    state = evidence.state_after
    if state.facts is evidence.state_before.facts:
        return
    for name, kept in state.facts.computed_before.items():
        some = tuple(
            one
            for one in kept
            if not any(_rebuilds(state, statement, one) for statement in evidence.statements)
        )
        if some and _function(state, name) is not None:
            first, *others = [_out_of_date(one, name) for one in some]
            more = f" (and {len(others)} more, for the same reason)" if others else ""
            yield Defect(
                subject=name,
                message=f"{first}{more}",
                evidence=(first, *others),
                remedy="\n".join(_rebuilt(state, one) for one in some),
            )


def _out_of_date(one: Computed, function: str) -> str:
    """Return what follows from a function's other body for what was computed with the old one."""
    before = f"{function} before this file changed it"
    match one.kind:
        case "generated column":
            return f"the generated column {one.relation}.{one.name} holds what was returned by {before}"
        case "check":
            return f"the rows of {one.relation} passed the CHECK constraint {one.name} with {before}: they may violate it"
        case "partition key":
            return f"the rows of {one.relation} were put into partitions by {before}: queries miss those that belong elsewhere"
        case "exclusion constraint":
            return f"the index {one.name} holds what was returned by {before}: its exclusion constraint misses conflicts"
    return f"the index {one.name} holds what was returned by {before}: queries that use it miss rows"


def _rebuilds(state: State, statement: StatementEvidence, one: Computed) -> bool:
    """Whether a statement computes anew what was computed: it rewrites it, updates its table, or checks the rows again."""
    match one.kind:
        case "check":
            again = rf"\b(?:add|validate)\s+constraint\s+{re.escape(one.name)}(?!\w)"
            return statement.node == "AlterTableStmt" and bool(
                re.search(again, statement.text, re.IGNORECASE)
            )
        case "generated column" | "partition key":
            relations = {one.relation, *partitions_of(state, one.relation)}
            return (
                # A table without rows, as a rehearsal may have it, and rows that move count no update.
                (statement.node == "UpdateStmt" and last_part(one.relation).lower() in statement.text.lower())
                or any(each.relation in relations for each in statement.rewrites)
                or any(each.relation in relations and each.updated for each in statement.writes)
            )
    names = [rf"(?<!\w){re.escape(last_part(name))}(?!\w)" for name in (one.name, one.relation)]
    reindexed = re.compile("|".join((*names, r"\b(?:schema|database)\b")), re.IGNORECASE)
    return bool(statement.node == "ReindexStmt" and reindexed.search(statement.text)) or any(
        each.relation in (one.name, one.relation) for each in statement.rewrites
    )


def _rebuilt(state: State, one: Computed) -> str:
    """Return the statements that compute anew what was computed."""
    table = one.relation
    match one.kind:
        case "generated column":
            return f"UPDATE {table} SET {one.name} = DEFAULT;"  # noqa: S608 - advice, never run
        case "check":
            return (
                f"ALTER TABLE {table} DROP CONSTRAINT {one.name}, ADD CONSTRAINT {one.name} {one.definition} NOT VALID;\n"
                f"ALTER TABLE {table} VALIDATE CONSTRAINT {one.name};  -- in a transaction of its own"
            )
        case "partition key":
            column = _some_column(state, table)
            return f"UPDATE {table} SET {column} = {column};  -- moves each row to where it belongs"  # noqa: S608
        case "exclusion constraint":
            return (
                f"REINDEX INDEX {one.name};  -- locks the table against writes: here CONCURRENTLY is refused"
            )
    return reindex(one.name)


def _some_column(state: State, table: str) -> str:
    """Return the first column to which a value can be assigned."""
    columns = [one for one in state.schema.belonging_to(table).values() if isinstance(one, Column)]
    assignable = [one for one in columns if one.generated is None and one.identity != "always"]
    return min(assignable or columns, key=lambda one: one.position).name


@change_test(
    id="function-promise-changed",
    family="code",
    section="functions",
    severity=Severity.WARNING,
    title="A function that was replaced promises something else.",
    why=(
        "CREATE OR REPLACE FUNCTION keeps the owner and the grants and nothing else: STABLE, STRICT, SECURITY DEFINER, "
        "LEAKPROOF or SET search_path that is not said again is gone, and without a word."
    ),
    remedy="Say the attribute again in CREATE OR REPLACE FUNCTION.",
    manual="CREATE FUNCTION, Notes",
)
def function_promise_changed(evidence: Evidence) -> Iterator[Defect]:
    """Compare the attributes of functions that the file changed."""
    for now in evidence.state_after.functions:
        was = evidence.before.get(Function.KIND, now.name)
        if not isinstance(was, Function) or was.language != now.language:
            continue
        changes = list(_promises(was, now))
        if changes and was.body != now.body:
            # ALTER FUNCTION says what it changes.
            first = changes[0]
            yield Defect(
                subject=now.name,
                message=f"the {now.kind} {now.name} {first[0]}, since the file replaced it: {first[1]}",
                evidence=tuple(f"{change}: {effect}" for change, effect, _ in changes),
                remedy=" ".join(f"ALTER {now.kind.upper()} {now.name} {back};" for _, _, back in changes),
            )


def _promises(was: Function, now: Function) -> Iterator[tuple[str, str, str]]:
    """Yield what changed dangerously, what follows from it, and what ALTER FUNCTION says to have it back."""
    order = ("immutable", "stable", "volatile")
    if order.index(now.volatility) > order.index(was.volatility):
        effect = "it is called for every row now, and no index serves a condition with it"
        yield f"is no longer {was.volatility.upper()}", effect, was.volatility.upper()
    if was.strict and not now.strict:
        yield "is no longer STRICT", "it is called with NULL now", "STRICT"
    if now.strict and not was.strict:
        yield (
            "became STRICT",
            "with any argument NULL it returns NULL and is not called",
            "CALLED ON NULL INPUT",
        )
    if was.security_definer and not now.security_definer:
        effect = "it runs with its caller's rights now, who may lack them"
        yield "is no longer SECURITY DEFINER", effect, "SECURITY DEFINER"
    if now.leakproof and not was.leakproof:
        effect = "it is called before row-level security hides rows"
        yield "became LEAKPROOF", effect, "NOT LEAKPROOF"
    lost = [
        one
        for one in was.config
        if one.partition("=")[0] not in {two.partition("=")[0] for two in now.config}
    ]
    for one in lost:
        name, _, value = one.partition("=")
        # The search_path of a SECURITY DEFINER function is another smoke test's.
        if name != "search_path" or not now.security_definer:
            yield (
                f"lost SET {name}",
                "it goes by its caller's setting now",
                f"SET {name} = {_setting(name, value)}",
            )


#: Settings whose value is kept as a list of identifiers, quoted as need be.
_LISTS = frozenset(
    {"search_path", "temp_tablespaces", "local_preload_libraries", "session_preload_libraries"}
)


def _setting(name: str, value: str) -> str:
    """Return a setting's value as ALTER FUNCTION takes it: an identifier may not be empty there."""
    if name in _LISTS and value not in ("", '""'):
        return value
    literal = ("" if name in _LISTS else value).replace("'", "''")
    return f"'{literal}'"
