"""Functions: whether calls that resolved before a file still do, and give the same."""

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_migsafe.catalog.lexical import own_name, parent_of, without_arguments
from pytest_migsafe.catalog.schema import Function
from pytest_migsafe.findings import RemedyFile, Severity
from pytest_migsafe.migrations.definitions import Parameter, parameters
from pytest_migsafe.rehearsal.evidence import Evidence
from pytest_migsafe.rules.compatibility.check import NO_OLD_CODE, Breakage, compatibility_rule


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function takes and returns; parameters None: our grammar cannot read it."""

    inputs: tuple[Parameter, ...]
    outputs: tuple[Parameter, ...]
    returns: str


def is_for_triggers(function: Function) -> bool:
    """Whether a function is called by triggers only."""
    return function.returns in {"trigger", "event_trigger"}


def signature_of(function: Function) -> Signature | None:
    """Return what a function takes and returns; None where our grammar cannot read it."""
    returned = function.returns or "void"
    found = parameters(function.arguments, returned)
    if found is None:
        return None
    outputs = tuple(one for one in found if one.mode in {"OUT", "INOUT", "TABLE"})
    inputs = tuple(one for one in found if one.mode not in {"OUT", "TABLE"})
    return Signature(inputs, outputs, "" if outputs else returned)


def what_breaks(old: Function, new: Function) -> str:
    """Return how a call of the one does not work with the other in its place; empty when all do."""
    if old.kind != new.kind:
        return f"it is a {new.kind} now, not a {old.kind}"
    was, now = signature_of(old), signature_of(new)
    if was is None or now is None:
        return (
            ""
            if (old.arguments, old.returns) == (new.arguments, new.returns)
            else "its arguments are other ones"
        )
    return _of_inputs(was.inputs, now.inputs) or _of_results(was, now)


def _of_inputs(was: tuple[Parameter, ...], now: tuple[Parameter, ...]) -> str:
    for place, one in enumerate(was):
        if place >= len(now):
            return f"it takes {len(now)} arguments, not {len(was)}"
        other = now[place]
        if other.type != one.type or (other.mode == "VARIADIC") != (one.mode == "VARIADIC"):
            return f"argument {one.name or place + 1} is of type {other.type} now, not {one.type}"
        if one.name and other.name != one.name:
            return f"argument {one.name} is called {other.name or 'nothing'} now, so that a call by its name fails"
        if one.has_default and not other.has_default:
            return f"argument {one.name or place + 1} has to be given now"
    required = [one for one in now[len(was) :] if not one.has_default and one.mode != "VARIADIC"]
    return f"argument {required[0].name or len(was) + 1} is new and has to be given" if required else ""


def _of_results(was: Signature, now: Signature) -> str:
    if was.returns != now.returns and not (was.outputs and now.outputs):
        return f"it returns {now.returns or 'columns'}, not {was.returns or 'columns'}"
    columns = {one.name: one.type for one in now.outputs}
    for one in was.outputs:
        if one.name not in columns:
            return f"its result has no column {one.name} any more"
        if columns[one.name] != one.type:
            return f"column {one.name} of its result is of type {columns[one.name]} now, not {one.type}"
    return ""


def successor(evidence: Evidence, gone: Function) -> Function | None:
    """Return the function that takes the place of one that is gone: of the same name, and one that takes its calls if any does."""
    name = without_arguments(gone.name)
    found = [
        one
        for home, objects in evidence.after.homes.items()
        if home.catalog == "function" and without_arguments(home.name) == name
        for one in objects.values()
        if isinstance(one, Function)
    ]
    fitting = [one for one in found if not what_breaks(gone, one)]
    new = [one for one in found if evidence.before.get(Function.KIND, one.name) is None]
    return next(iter(fitting or new), None)


@compatibility_rule(
    id="function-signature-changed",
    severity=Severity.ERROR,
    title="A function that the previous version of the application could call takes or returns something else.",
    why=(
        "A call is resolved by the number and types of its arguments, or by their names: what does not fit any more fails with "
        "'function does not exist', and a result without a column that is read fails as well."
    ),
    remedy=(
        "Leave the old function as it is and make the new one beside it, under another name where PostgreSQL could not tell "
        "their calls apart; an argument added at the end, with a default, breaks no call."
    ),
    manual="Type Conversion, Functions; Calling Functions; CREATE FUNCTION, Overloading",
)
def function_signature_changed(evidence: Evidence) -> Iterator[Breakage]:
    """Compare each function that changed, or whose place another one took, with what is there now."""
    found = evidence.identities
    for name in (*found.gone("function"), *found.kept("function")):
        old = evidence.before.get(Function.KIND, name)
        if not isinstance(old, Function) or is_for_triggers(old):
            continue
        new = evidence.after.get(Function.KIND, name) or successor(evidence, old)
        if isinstance(new, Function) and (broken := what_breaks(old, new)):
            yield Breakage(
                subject=name,
                message=f"old code that calls {name} fails: {broken}",
                named=(without_arguments(name),),
                evidence=(f"before: {_shown(old)}", f"after: {_shown(new)}"),
                files=_both(evidence, old, new),
                objects=(new.name,) if new.name != name else (),
            )


def _shown(function: Function) -> str:
    returns = f" returns {function.returns}" if function.returns else ""
    return f"{without_arguments(function.name)}({function.arguments}){returns}"


def _both(evidence: Evidence, old: Function, new: Function) -> tuple[RemedyFile, ...]:
    """Return how the old function stays beside the new one for a while, where calls can tell them apart."""
    created = [
        one.text.strip().rstrip(";")
        for one in evidence.statements
        if one.node == "CreateFunctionStmt" and own_name(new.name) in one.text
    ]
    if old.name == new.name or len(created) != 1 or " DEFAULT " in f"{old.arguments}{new.arguments}":
        return ()
    kind = "PROCEDURE" if old.kind == "procedure" else "FUNCTION"
    return (
        RemedyFile(sql=f"{created[0]};"),
        RemedyFile(sql=f"DROP {kind} {old.name};", when=NO_OLD_CODE),
    )


@compatibility_rule(
    id="function-renamed",
    severity=Severity.ERROR,
    title="A function that the previous version of the application could call is called otherwise.",
    why="Until the new version has been deployed everywhere the old name is called, and fails; the new one fails before the file.",
    remedy="Leave a function under the old name that calls the new one, and drop it when no previous version runs any more.",
    manual="ALTER FUNCTION",
)
def function_renamed(evidence: Evidence) -> Iterator[Breakage]:
    """Look for functions that are gone and that are there under another name or in another schema."""
    found = evidence.identities
    for name in found.gone("function"):
        old = evidence.before.get(Function.KIND, name)
        now = found.function(name)
        if (
            isinstance(old, Function)
            and now
            and not is_for_triggers(old)
            and parent_of(name) not in found.schemas
        ):
            yield Breakage(
                subject=name,
                message=f"old code that calls {name} fails: it is called {now} now",
                named=(without_arguments(name), without_arguments(now)),
                files=_wrapped(old, now),
                objects=(now,),
            )


def _wrapped(old: Function, now: str) -> tuple[RemedyFile, ...]:
    """Return how a renamed function can be called under its old name for a while."""
    signature = signature_of(old)
    if old.kind != "function" or signature is None or any(one.mode == "VARIADIC" for one in signature.inputs):
        return ()
    given = ", ".join(f"${place}" for place in range(1, len(signature.inputs) + 1))
    call = f"{without_arguments(now)}({given})"
    many = signature.outputs or (old.returns or "").startswith("SETOF ")
    schema, new_schema = parent_of(without_arguments(old.name)), parent_of(without_arguments(now))
    steps = []
    if own_name(old.name) != own_name(now):
        steps.append(f"ALTER FUNCTION {old.name} RENAME TO {own_name(now)};")
    if schema != new_schema:
        steps.append(f"ALTER FUNCTION {old.name} SET SCHEMA {new_schema};")
    if len(steps) != 1:
        return ()
    tag = "$old$" if "$$" in call else "$$"
    body = f"SELECT {'* FROM ' if many else ''}{call}"  # noqa: S608 - shown, not run
    wrapper = (
        f"CREATE FUNCTION {without_arguments(old.name)}({old.arguments}) RETURNS {old.returns} LANGUAGE sql "
        f"AS {tag} {body} {tag};"
    )
    return (
        RemedyFile(sql="\n".join([*steps, wrapper])),
        RemedyFile(sql=f"DROP FUNCTION {old.name};", when=NO_OLD_CODE),
    )
