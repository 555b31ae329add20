"""The family *transaction-shape*: files whose transactions are not what their runner makes of them."""

from collections.abc import Iterator

from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.rehearsal.evidence import Evidence, TransactionControlStatement
from pytest_migsafe.rules.registry import rule


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
