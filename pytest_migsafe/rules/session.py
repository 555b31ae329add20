"""The family *session*: what a file leaves behind in the session that ran it."""

from collections.abc import Iterator

from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.rehearsal.evidence import Evidence, Leak
from pytest_migsafe.rules.registry import rule

_REMEDIES = {
    "setting": "SET LOCAL {name} = ...;  -- ends with the transaction",
    "role": "SET LOCAL ROLE {name};  -- ends with the transaction; or RESET ROLE; at the end of the file",
    "session authorization": "RESET SESSION AUTHORIZATION;  -- at the end of the file",
    "temporary relation": "CREATE TEMPORARY TABLE {name} (...) ON COMMIT DROP;",
    "advisory lock": "SELECT pg_advisory_xact_lock(...);  -- let go at the end of the transaction",
    "prepared statement": "DEALLOCATE {name};",
    "cursor": "CLOSE {name};",
    "LISTEN": "UNLISTEN {name};",
    "open transaction": "COMMIT;  -- at the end of the file",
}


@rule(
    id="session-state-leaked",
    family="session",
    severity=Severity.WARNING,
    title="The file leaves settings, temporary tables or locks behind in its session.",
    why=(
        "Runners that apply several files on one connection hand the leftovers to the next file, and to the "
        "runner's own bookkeeping: a search_path that is still set makes the next file create its tables in "
        "another schema. The same files then do different things one by one and together."
    ),
    remedy="Use SET LOCAL, ON COMMIT DROP and transaction-level advisory locks, or undo it at the end of the file.",
    manual="SET; CREATE TABLE, ON COMMIT; Explicit Locking, Advisory Locks",
)
def session_state_leaked(evidence: Evidence) -> Iterator[Finding]:
    """Report what is left in the session once the file has been applied, as one finding."""
    if not evidence.leaks or evidence.session_per_file or evidence.error is not None:
        return
    yield session_state_leaked.finding(
        evidence,
        line=1,
        column=1,
        message="the session that ran the file is left with " + ", ".join(map(_describe, evidence.leaks)),
        evidence=tuple(
            f"{leak.kind} {leak.name}" + (f" = {leak.value}" if leak.value else "") for leak in evidence.leaks
        ),
        remedy="\n".join(
            dict.fromkeys(_REMEDIES[leak.kind].format(name=leak.name) for leak in evidence.leaks)
        ),
    )


def _describe(leak: Leak) -> str:
    if leak.kind == "setting":
        return f"{leak.name} = {leak.value!r}"
    return f"{leak.kind} {leak.name}"
