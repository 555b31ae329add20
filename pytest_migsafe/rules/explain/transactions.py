"""What the transaction around a statement does not allow."""

from collections.abc import Iterator

from pytest_migsafe.migrations.model import TransactionMode
from pytest_migsafe.rehearsal.evidence import Evidence, StatementError
from pytest_migsafe.rules.explain.names import named_in


def enum_in_use(evidence: Evidence, error: StatementError) -> Iterator[str]:  # noqa: ARG001 - Explain's signature
    """Explain 55P04: a new enum value is used in the transaction that added it."""
    yield (
        "A value that ALTER TYPE ... ADD VALUE adds can be used only after its transaction has committed: put the "
        "statement that uses it into the next migration."
    )


def outside_only(evidence: Evidence, error: StatementError) -> Iterator[str]:
    """Explain 25001: the statement cannot run inside a transaction block."""
    if evidence.mode is TransactionMode.SINGLE_QUERY:
        yield f"PostgreSQL runs what comes in one query as one transaction ({evidence.mode_reason})."
        yield "Move the statement into a file of its own, with no other statement in it."
        return
    own = [one for one in evidence.transaction_control if one.line <= error.line]
    if own and not evidence.mode.wraps:
        yield f"The file itself has begun a transaction (line {own[-1].line}: {own[-1].text}): leave that out."
        return
    yield f"The runner puts this file into a transaction ({evidence.mode_reason})."
    way = named_in(evidence.mode_reason, _OPT_OUTS)
    yield f"Move the statement into a file of its own that runs without one: {way or _ANY_OPT_OUT}."


#: How a file opts out of its runner's transaction, by what stands in the reason for its mode.
_OPT_OUTS = {
    "Diesel": "run_in_transaction = false in its metadata.toml",
    "Flyway": "executeInTransaction=false in `<file>.conf` beside it",
    "Liquibase": "runInTransaction:false on the line of a changeset that has this statement alone",
    "dbmate": "`-- migrate:up transaction:false`",
    "goose": "`-- +goose NO TRANSACTION`",
    "sql-migrate": "`-- +migrate Up notransaction`",
    "sqlx": "`-- no-transaction` as its very first characters",
    "Supabase": "`-- pg-delta: transaction=false` as its first line",
    "tern": "`---- tern: disable-tx ----`",
    "node-pg-migrate": "a migration in JavaScript with pgm.noTransaction(), for SQL files have no way",
    "Drizzle": "apply it by hand, for Drizzle has no way",
}


_ANY_OPT_OUT = (
    "`-- no-transaction` as the first line, or the runner's own way (Diesel: run_in_transaction = false in "
    "metadata.toml)"
)


def canceled(evidence: Evidence, error: StatementError) -> Iterator[str]:
    """Explain 57014: a time limit is over, or COPY had no rows."""
    if error.message.startswith("COPY from stdin failed"):
        yield f"{evidence.mode_reason}: it has no rows to send. Write them as INSERT, or load them otherwise."
        return
    if "statement timeout" not in error.message:
        return
    yield (
        "The statement took longer than statement_timeout allows; raise it with [tool.migsafe] statement_timeout "
        "if the file really needs that long on an all but empty database."
    )


def pending_events(evidence: Evidence, error: StatementError) -> Iterator[str]:  # noqa: ARG001 - Explain's signature
    """Explain 55006: deferred triggers of the same transaction are pending."""
    yield (
        "Rows were changed under deferred constraints in the same transaction. Put the data change into an earlier "
        "file, or check the constraints first:"
    )
    yield "SET CONSTRAINTS ALL IMMEDIATE;"
