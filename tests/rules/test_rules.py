"""Rules judge evidence: each from a few lines of it, without a database."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.migrations.model import TransactionMode
from pytest_migsafe.rehearsal.evidence import (
    Evidence,
    Kept,
    Lane,
    Leak,
    StatementError,
    TransactionControlStatement,
    Write,
    once,
)
from pytest_migsafe.rules import judge, rule
from pytest_migsafe.rules.apply import apply_error
from pytest_migsafe.rules.builtin import RULES
from pytest_migsafe.rules.left_behind import already_exists_skipped
from pytest_migsafe.rules.session import session_state_leaked
from pytest_migsafe.rules.transaction_shape import transaction_control_in_file
from tests.rules.evidence import evidence, failed, schema


def judged(given: Evidence, **severities: Severity) -> tuple[Finding, ...]:
    return judge(given, RULES, {name.replace("_", "-"): severity for name, severity in severities.items()})


def test_a_file_that_did_what_it_says_has_no_findings() -> None:
    assert judged(evidence("CREATE TABLE t (id int)", "INSERT INTO t VALUES (1)")) == ()


# -- apply-error ---------------------------------------------------------------------------------------------


def test_an_error_is_reported_at_its_place_with_all_that_the_server_said() -> None:
    given = failed(
        "CREATE TABLE t ()",
        "SELECT odrers.id FROM orders",
        sqlstate="42P01",
        message='invalid reference to FROM-clause entry for table "odrers"',
        at="odrers",
        error_detail="There is an entry.",
        error_hint='Perhaps you meant "orders".',
        error_context="SQL statement 1\nPL/pgSQL function f() line 2",
    )
    (finding,) = apply_error(given)

    assert (finding.rule, finding.family, finding.severity) == ("apply-error", "apply", Severity.ERROR)
    assert (finding.path, finding.line, finding.column) == ("migrations/2_b.sql", 2, 8)
    assert finding.message == 'invalid reference to FROM-clause entry for table "odrers" (42P01)'
    assert finding.evidence == (
        "detail: There is an entry.",
        'hint: Perhaps you meant "orders".',
        "context: SQL statement 1",
        "context: PL/pgSQL function f() line 2",
    )
    assert finding.details == {
        "sqlstate": "42P01",
        "done": "1 of 2 statements had been run; nothing of it stayed.",
    }
    assert finding.fails


def test_an_error_of_the_runner_s_commit_says_when_it_came() -> None:
    error = StatementError(
        sqlstate="23503", message="violates a foreign key", line=1, column=1, during="COMMIT"
    )
    (finding,) = apply_error(evidence("INSERT INTO t VALUES (1)", error=error))

    assert finding.evidence == ("during COMMIT",)
    assert finding.details["done"] == "1 of 1 statement had been run; nothing of it stayed."


def test_a_file_that_cannot_be_read_has_an_error_without_a_code() -> None:
    error = StatementError(
        sqlstate="", message="the file is UTF-16", line=1, column=1, during="reading the file"
    )
    (finding,) = apply_error(evidence(error=error))

    assert (finding.message, finding.details["done"]) == (
        "the file is UTF-16",
        "Nothing of the file was run.",
    )


def test_what_stayed_of_a_half_applied_file_is_named() -> None:
    given = failed(
        "CREATE TABLE a ()",
        "SELEC",
        sqlstate="42601",
        message="syntax error",
        lane=Lane.REAL,
        lane_reason="VACUUM runs outside a transaction block only (line 3)",
        after=schema(a="", b="", c="", d="", e="", f="", g=""),
    )
    (finding,) = apply_error(given)

    assert finding.details["done"] == (
        "1 of 2 statements had been run, and this stayed, for the file is not one transaction: table public.a added, "
        "table public.b added, table public.c added, table public.d added, table public.e added and 2 more changes. "
        "Undo it before the next try, or make the statements safe to run again."
    )


def test_rows_that_may_have_stayed_are_mentioned() -> None:
    given = failed(
        "UPDATE t SET a = 1", "SELEC", sqlstate="42601", message="syntax error", lane_reason="COMMIT"
    )
    wrote = replace(
        given.statements[0],
        writes=(Write(relation="public.t", inserted=0, updated=3, deleted=0, preexisting=True),),
    )
    (finding,) = apply_error(replace(given, statements=(wrote, given.statements[1])))

    assert finding.details["done"] == (
        "1 of 2 statements had been run, and the rows that they wrote may have stayed: the file is not one transaction."
    )


# -- transaction-control-in-file -----------------------------------------------------------------------------


def control(*texts: str) -> tuple[TransactionControlStatement, ...]:
    return tuple(
        TransactionControlStatement(line=line, column=1, text=text) for line, text in enumerate(texts, 1)
    )


def test_a_pair_of_begin_and_commit_is_a_warning() -> None:
    given = evidence(transaction_control=control("BEGIN", "COMMIT"), has_transaction_pair=True)
    (finding,) = transaction_control_in_file(given)

    assert (finding.severity, finding.line) == (Severity.WARNING, 1)
    assert finding.message == (
        "the file's own BEGIN and COMMIT (line 2) end the transaction that its runner opened, before the runner has "
        "recorded the migration"
    )
    assert finding.evidence == ("each file is one transaction, the default",)


def test_a_commit_in_the_middle_is_an_error() -> None:
    (finding,) = transaction_control_in_file(evidence(transaction_control=control("commit;", "BEGIN")))

    assert (finding.severity, finding.line, finding.column) == (Severity.ERROR, 1, 1)
    assert finding.message == (
        "COMMIT in the file ends or nests the transaction that its runner opened: a failure further down leaves the "
        "first half applied"
    )
    assert finding.evidence == ("each file is one transaction, the default", "line 1: commit;, line 2: BEGIN")


def test_the_end_of_a_body_that_the_runner_cut_is_no_commit() -> None:
    given = failed(
        "SELECT 1",
        "CREATE FUNCTION f() RETURNS int AS $$ BEGIN RETURN 1",
        sqlstate="42601",
        message='unterminated dollar-quoted string at or near "$$ BEGIN RETURN 1"',
        transaction_control=control("COMMIT", "SELECT 1", "END")[::2],
    )
    (finding,) = transaction_control_in_file(given)

    assert finding.evidence[-1] == "line 1: COMMIT"


@pytest.mark.parametrize("mode", [TransactionMode.SINGLE_QUERY, TransactionMode.AUTOCOMMIT])
def test_a_runner_that_opens_no_transaction_leaves_them_to_the_file(mode: TransactionMode) -> None:
    assert list(transaction_control_in_file(evidence(mode=mode, transaction_control=control("COMMIT")))) == []


# -- session-state-leaked ------------------------------------------------------------------------------------

LEAKS = {
    "setting": "SET LOCAL x = ...;  -- ends with the transaction",
    "role": "SET LOCAL ROLE x;  -- ends with the transaction; or RESET ROLE; at the end of the file",
    "session authorization": "RESET SESSION AUTHORIZATION;  -- at the end of the file",
    "temporary relation": "CREATE TEMPORARY TABLE x (...) ON COMMIT DROP;",
    "advisory lock": "SELECT pg_advisory_xact_lock(...);  -- let go at the end of the transaction",
    "prepared statement": "DEALLOCATE x;",
    "cursor": "CLOSE x;",
    "LISTEN": "UNLISTEN x;",
    "open transaction": "COMMIT;  -- at the end of the file",
}


@pytest.mark.parametrize(("kind", "remedy"), LEAKS.items())
def test_each_kind_of_leak_has_its_remedy(kind: str, remedy: str) -> None:
    (finding,) = session_state_leaked(evidence("SELECT 1", leaks=(Leak(kind=kind, name="x"),)))

    assert (finding.severity, finding.line, finding.remedy) == (Severity.WARNING, 1, remedy)


def test_what_ends_with_the_files_session_is_no_leak() -> None:
    given = evidence("SET x.y = 1", leaks=(Leak(kind="setting", name="x.y"),), session_per_file=True)

    assert list(session_state_leaked(given)) == []


def test_all_leaks_of_a_file_are_one_finding() -> None:
    leaks = (
        Leak(kind="setting", name="search_path", value="app"),
        Leak(kind="temporary relation", name="tmp"),
        Leak(kind="temporary relation", name="tmp"),
    )
    (finding,) = session_state_leaked(evidence("SELECT 1", leaks=leaks))

    assert finding.message == (
        "the session that ran the file is left with search_path = 'app', temporary relation tmp, temporary relation tmp"
    )
    assert finding.evidence == (
        "setting search_path = app",
        "temporary relation tmp",
        "temporary relation tmp",
    )
    assert len(finding.remedy.splitlines()) == 2


def test_a_file_that_failed_left_its_session_where_it_stopped() -> None:
    given = failed("SET x = 1", sqlstate="42704", message="no x", leaks=(Leak(kind="setting", name="y"),))

    assert list(session_state_leaked(given)) == []


# -- already-exists-skipped ----------------------------------------------------------------------------------


def keeping(*kept: Kept) -> Evidence:
    given = evidence("SELECT 1", "CREATE TABLE IF NOT EXISTS settings (id int, value text)")
    return replace(given, statements=(given.statements[0], replace(given.statements[1], kept=kept)))


def test_a_different_object_that_was_kept_is_an_error() -> None:
    kept = Kept(
        kind="table", name="settings", existing=("id bigint", "at date"), wanted=("id integer", "at date")
    )
    (finding,) = already_exists_skipped(keeping(kept))

    assert (finding.severity, finding.line, finding.objects) == (Severity.ERROR, 2, ("settings",))
    assert (
        finding.message
        == "IF NOT EXISTS kept the existing table settings, which is not the one described here"
    )
    assert finding.evidence == ("described, not there: id integer", "there, not described: id bigint")


def test_an_object_that_is_more_than_what_is_described_is_a_warning() -> None:
    kept = Kept(kind="table", name="settings", existing=("id integer", "at date"), wanted=("id integer",))
    (finding,) = already_exists_skipped(keeping(kept))

    assert finding.severity is Severity.WARNING
    assert finding.message.endswith("which is more than what is described here")
    assert finding.evidence == ("there, not described: at date",)


@pytest.mark.parametrize(
    "kept",
    [
        Kept(kind="table", name="t", existing=("id integer",), wanted=("id integer",)),
        Kept(kind="table", name="t", existing=("a",), wanted=("b",), not_compared="it takes a moment"),
    ],
    ids=["equal", "not compared"],
)
def test_an_object_that_is_the_same_or_unknown_is_no_finding(kept: Kept) -> None:
    assert list(already_exists_skipped(keeping(kept))) == []


# -- judging -------------------------------------------------------------------------------------------------


def leaky(*lines: int) -> Evidence:
    return evidence(
        "SELECT 1",
        leaks=(Leak(kind="role", name="app"),),
        transaction_control=control(*["COMMIT"] * len(lines)),
    )


def test_a_severity_from_the_settings_replaces_the_rule_s() -> None:
    assert [one.severity for one in judged(leaky())] == [Severity.WARNING]
    assert [one.fails for one in judged(leaky(), session_state_leaked=Severity.ERROR)] == [True]


def test_a_rule_that_is_off_is_not_asked() -> None:
    @rule(id="x", family="x", severity=Severity.ERROR, title="T.")
    def never(given: Evidence) -> Iterator[Finding]:
        raise AssertionError(given)

    assert judge(leaky(), [never], {"x": Severity.OFF}) == ()
    assert judged(leaky(), session_state_leaked=Severity.OFF) == ()


def test_a_rule_that_is_off_by_default_can_be_switched_on() -> None:
    @rule(id="x", family="x", severity=Severity.OFF, title="T.")
    def policy(given: Evidence) -> Iterator[Finding]:
        yield policy.finding(given, message="m", line=2)

    assert judge(leaky(), [policy], {}) == ()
    assert [one.severity for one in judge(leaky(), [policy], {"x": Severity.WARNING})] == [Severity.WARNING]


def test_findings_stand_in_the_order_of_the_file() -> None:
    @rule(id="a", family="a", severity=Severity.ERROR, title="T.")
    def backwards(given: Evidence) -> Iterator[Finding]:
        for line in (2, 1):
            yield backwards.finding(given, message=str(line), line=line, column=3)

    assert [one.rule for one in judge(leaky(1), [*RULES, backwards], {})] == [
        "session-state-leaked",
        "transaction-control-in-file",
        "a",
        "a",
    ]


def test_every_rule_says_what_people_need_to_know() -> None:
    assert len({one.id for one in RULES}) == len(RULES)
    for one in RULES:
        # Waivers, rules and branches are nobody's but ours.
        is_ours = one.family in ("waivers", "rules") or one.id.startswith("branches-")
        has_source = one.manual or one.peers or is_ours
        assert all((one.family, one.title.endswith("."), one.why, one.remedy, has_source)), one.id


def test_what_many_rules_ask_of_the_evidence_is_made_once_for_each() -> None:
    made = []

    @once
    def statements(given: Evidence) -> int:
        made.append(given)
        return given.statement_count

    short, long = evidence("SELECT 1"), evidence("SELECT 1", "SELECT 2")

    assert [statements(short), statements(long), statements(short)] == [1, 2, 1]
    assert made == [short, long]
    assert statements(replace(short, statement_count=7)) == 7
