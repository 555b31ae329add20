"""The family *transaction-shape*: files whose transactions are not what their runner makes of them."""

import re
from collections.abc import Iterator, Sequence

from pytest_migsafe.findings import Finding, RemedyFile, Severity
from pytest_migsafe.migrations.lexemes import headline
from pytest_migsafe.rehearsal.evidence import Evidence, Lane, StatementEvidence, TransactionControlStatement
from pytest_migsafe.rules.registry import rule
from pytest_migsafe.rules.remedy import written
from pytest_migsafe.rules.reruns import fails_again


@rule(
    id="transaction-control-in-file",
    family="transaction-shape",
    severity=Severity.ERROR,
    title="The file has its own BEGIN or COMMIT, although its runner wraps it in a transaction.",
    why=(
        "The file's COMMIT ends the runner's transaction. What follows it is no longer rolled back when something "
        "fails, and the runner's record that the migration was applied is written outside the transaction: "
        "a failure leaves the database half migrated."
    ),
    remedy=(
        "Leave BEGIN and COMMIT out and let the runner make the transaction; put what must be committed "
        "separately into files of its own."
    ),
    manual="Transactions; BEGIN; COMMIT",
    peers={"squawk": "transaction-nesting", "Atlas": "TX201"},
)
def transaction_control_in_file(evidence: Evidence) -> Iterator[Finding]:
    """Judge a file's own transaction control under a runner that opens the transaction."""
    controls = _controls(evidence)
    if not evidence.mode.wraps or not controls:
        return
    if evidence.has_transaction_pair:
        begin, commit = controls[0], controls[-1]
        yield transaction_control_in_file.finding(
            evidence,
            # Nothing of the file stands outside the pair, so only the runner's own record does.
            severity=Severity.WARNING,
            line=begin.line,
            column=begin.column,
            message=(
                f"the file's own BEGIN and COMMIT (line {commit.line}) end the transaction that its runner "
                "opened, before the runner has recorded the migration"
            ),
            evidence=(evidence.mode_reason,),
            remedy=transaction_control_in_file.remedy,
        )
        return
    first = controls[0]
    others = ", ".join(f"line {one.line}: {one.text}" for one in controls)
    yield transaction_control_in_file.finding(
        evidence,
        line=first.line,
        column=first.column,
        message=(
            f"{_verb(first.text)} in the file ends or nests the transaction that its runner opened: "
            "a failure further down leaves the first half applied"
        ),
        evidence=(evidence.mode_reason, others),
        remedy=transaction_control_in_file.remedy,
    )


def _controls(evidence: Evidence) -> tuple[TransactionControlStatement, ...]:
    # Behind a quote that is not closed stands only what a runner that knows no quotes has cut off: the END of a
    # function's body is no COMMIT.
    error = evidence.error
    if error is not None and error.message.startswith("unterminated"):
        return tuple(one for one in evidence.transaction_control if one.line < error.line)
    return evidence.transaction_control


def _verb(text: str) -> str:
    return text.split(maxsplit=1)[0].upper().rstrip(";")


#: Transactions of an application end within minutes; the build of a big index takes longer than any request.
_LONG_ENOUGH_LOCK_TIMEOUT_MS = 5 * 60_000
_LONG_ENOUGH_STATEMENT_TIMEOUT_MS = 60 * 60_000
#: Characters of a statement without comments.
_WHOLE = 10_000
_CONCURRENTLY = re.compile(r"\bconcurrently\b", re.IGNORECASE)


@rule(
    id="short-timeout-around-concurrently",
    family="transaction-shape",
    severity=Severity.WARNING,
    title="A timeout is in force around CONCURRENTLY, which waits for everybody who uses the table.",
    why=(
        "What runs CONCURRENTLY lets everybody go on, and so waits, twice or more, for the transactions that use the table. "
        "These waits count for lock_timeout, and all of it for statement_timeout. When one of them is over, the statement "
        "fails (55P03, 57014) and leaves an INVALID index, which every write has to keep up and no query uses."
    ),
    remedy=(
        "Nobody waits for such a statement: lift the timeouts for it, and drop what a failed attempt has left."
    ),
    manual="CREATE INDEX, Building Indexes Concurrently; Client Connection Defaults",
)
def short_timeout_around_concurrently(evidence: Evidence) -> Iterator[Finding]:
    """Look at the timeouts in force before what runs CONCURRENTLY; one finding for a file."""
    # The session's own statement_timeout is a limit of the rehearsal.
    limit = evidence.statements[0].statement_timeout_before_ms if evidence.statements else 0
    found = [
        (one, timeouts)
        for one in evidence.statements
        if _is_concurrent(one) and (timeouts := tuple(_short_timeouts(one, limit)))
    ]
    if not found:
        return
    (first, timeouts), *_ = found
    yield short_timeout_around_concurrently.finding(
        evidence,
        line=first.line,
        column=first.column,
        message=_ended(first, timeouts),
        evidence=tuple(
            f"line {one.line}: {name} = {_seconds(ms)} ({headline(one.text)})"
            for one, some in found
            for name, ms in some
        ),
        remedy=written(short_timeout_around_concurrently.remedy, _without_timeouts(first, timeouts)),
        files=_without_timeouts(first, timeouts),
        objects=tuple(dict.fromkeys(build.index for one, _ in found for build in one.index_builds)),
        details={"timeouts": dict(timeouts)},
    )


def _ended(statement: StatementEvidence, timeouts: Sequence[tuple[str, int]]) -> str:
    limits = " and ".join(f"{name} = {_seconds(ms)}" for name, ms in timeouts)
    left = (
        "leave an INVALID index" if statement.node in ("IndexStmt", "ReindexStmt") else "leave it half done"
    )
    return (
        f"{limits} may end {headline(statement.text, 60)} while it waits for others' transactions, and {left}"
    )


def _is_concurrent(statement: StatementEvidence) -> bool:
    return not statement.transaction and _CONCURRENTLY.search(headline(statement.text, _WHOLE)) is not None


def _short_timeouts(statement: StatementEvidence, limit: int) -> Iterator[tuple[str, int]]:
    if 0 < statement.lock_timeout_before_ms < _LONG_ENOUGH_LOCK_TIMEOUT_MS:
        yield "lock_timeout", statement.lock_timeout_before_ms
    its_own = statement.statement_timeout_before_ms
    if its_own != limit and 0 < its_own < _LONG_ENOUGH_STATEMENT_TIMEOUT_MS:
        yield "statement_timeout", its_own


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:g} s"


def _without_timeouts(
    statement: StatementEvidence, timeouts: tuple[tuple[str, int], ...]
) -> tuple[RemedyFile, ...]:
    names = [name for name, _ in timeouts]
    lines = [
        *(f"SET {name} = 0;" for name in names),
        *(
            f"DROP INDEX CONCURRENTLY IF EXISTS {build.index};"
            for build in statement.index_builds
            if statement.node == "IndexStmt"
        ),
        f"{statement.text};",
        *(f"RESET {name};" for name in names),
    ]
    return (RemedyFile(sql="\n".join(lines), in_transaction=False),)


@rule(
    id="not-rerunnable",
    family="transaction-shape",
    severity=Severity.WARNING,
    title="A file of several transactions cannot be run again after it failed half way.",
    why=(
        "When a statement fails, those before it are done and stay, and the runner has not recorded the file. Its next run "
        "begins with the first statement again, which fails as its work is done, and somebody has to mend the database or "
        "the file by hand, in the middle of a deployment."
    ),
    remedy=(
        "One statement a file, or statements that can be run again: IF NOT EXISTS, IF EXISTS, OR REPLACE; before CREATE "
        "INDEX CONCURRENTLY a DROP INDEX CONCURRENTLY IF EXISTS, for a failed build leaves an INVALID index that IF NOT "
        "EXISTS would keep."
    ),
    manual="CREATE INDEX, Building Indexes Concurrently; Transactions",
    peers={"squawk": "prefer-robust-stmts"},
)
def not_rerunnable(evidence: Evidence) -> Iterator[Finding]:
    """Report statements that could not be run again after a later transaction of the file failed."""
    # What a savepoint can hold is one transaction.
    if evidence.error is not None or evidence.lane is Lane.SAVEPOINT:
        return
    done = tuple(_before_last_transaction(evidence.statements))
    stuck = [
        one
        for at, one in enumerate(done)
        if fails_again(one.text, tuple(earlier.text for earlier in done[:at]))
    ]
    if not stuck:
        return
    first, last = stuck[0], evidence.statements[-1]
    yield not_rerunnable.finding(
        evidence,
        line=first.line,
        column=first.column,
        message=(
            f"when a later statement fails, the file cannot be run again: {headline(first.text, 60)} fails the second time"
            if len(stuck) == 1
            else f"when the file fails half way it cannot be run again: {len(stuck)} of its statements fail the second time"
        ),
        evidence=(
            f"each of the file's transactions is committed by itself; the last begins at line {last.line} or before",
            *(f"line {one.line}: {headline(one.text)}" for one in stuck),
        ),
        remedy=not_rerunnable.remedy,
    )


def _before_last_transaction(statements: Sequence[StatementEvidence]) -> Iterator[StatementEvidence]:
    """Yield the statements that are done for good when the last one that can fail is run."""
    # Settings and the bounds of transactions are no work.
    work = [one for one in statements if one.node not in ("VariableSetStmt", "TransactionStmt", "SelectStmt")]
    if work:
        last = work[-1]
        yield from (
            one
            for one in work[:-1]
            if one.kept == () and (not one.transaction or one.transaction != last.transaction)
        )
