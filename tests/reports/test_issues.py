"""What all reports tell of: findings, and what failed without one."""

from pathlib import Path
from typing import Any

import pytest

from pytest_migsafe.reports.issues import RUN_RULES, Issue, fingerprints, issues, strongest_lock
from pytest_migsafe.reports.repository import folder_in_repository
from pytest_migsafe.reports.verdict import verdict
from tests.reports.report import RED, Json, end, finding, migration, report, skipped, statement


def only(one: Json) -> Issue:
    (found,) = issues(one)
    return found


@pytest.mark.parametrize("name", RED)
def test_a_red_run_has_something_that_fails(name: str) -> None:
    found = issues(RED[name])

    assert [one for one in found if one.fails]
    assert not verdict(RED[name], found).is_green


def test_what_fails_comes_first_then_warnings_then_what_is_waived() -> None:
    found = issues(
        report(
            migration(
                "m/1.sql", finding("waived", waived_because="it is empty"), finding("w", severity="warning")
            ),
            migration("m/2.sql", finding("e"), finding("apply-error")),
        )
    )

    assert [one.rule for one in found] == ["apply-error", "e", "w", "waived"]


def test_the_same_on_several_servers_is_one_with_all_of_them() -> None:
    seen = ("15", "18")
    both = [migration("m/1.sql", finding(evidence=[place]), place=place) for place in seen]
    other = migration("m/1.sql", finding(message="another"), place="17")
    found = issues(report(*both, other))

    assert [one.places for one in found] == [seen, ("17",)]
    assert found[0].told.endswith(" is built (on 15, 18)")


def test_one_issue_stands_for_all_that_a_file_blocks_and_none_where_that_file_has_its_own() -> None:
    def blocked(path: str) -> Json:
        return skipped(path) | {
            "outcome": "blocked",
            "blocked_by": "m/1.sql",
            "blocked_because": "no such table",
        }

    unasked = report(skipped("m/1.sql"), blocked("m/2.sql"), blocked("m/3.sql"))
    asked = report(migration("m/1.sql", finding("apply-error")), blocked("m/2.sql"))

    assert only(unasked).message == "blocked by m/1.sql, which cannot be applied: no such table (and 1 more)"
    assert only(asked).rule == "apply-error"
    assert verdict(asked, issues(asked)).sentence == "Do not merge: 1 of 2 migrations fails, 1 blocked"
    assert verdict(unasked, issues(unasked)).sentence == "Do not merge: 2 of 2 migrations cannot be judged"


def test_what_a_file_was_told_of_is_not_told_again_at_the_end() -> None:
    at_end = end("end-state", findings=[finding(path="m", line=0, details={"since": "m/1.sql:4"})])
    told = report(migration("m/1.sql", finding()), ends=(at_end,))
    untold = report(skipped("m/1.sql"), ends=(at_end,))

    assert only(told).line == 4
    assert only(untold).path == "m"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (report(migration()), "Safe to merge: 1 migration judged, none fails"),
        (
            report(migration("m/1.sql", finding(severity="warning")), migration("m/2.sql")),
            "Safe to merge: 2 migrations judged, none fails, 1 warning",
        ),
        (
            report(migration("m/1.sql", finding()), migration("m/2.sql")),
            "Do not merge: 1 of 2 migrations fails",
        ),
        (
            report(migration(), exit_code=1),
            "The run failed, though none of 1 migration does: other tests did",
        ),
        (
            report(migration(), ends=(end(),)),
            "Do not merge: schema.json does not say what the migrations make",
        ),
        (
            report(migration(), exit_code=2),
            "Not judged: the run was interrupted, or something could not be collected (exit code 2)",
        ),
        (report(skipped()), "Nothing to judge: no migration was asked for"),
        (report(exit_code=5), "Nothing to judge: no migration was asked for"),
    ],
)
def test_the_verdict_is_one_sentence(given: Json, sentence: str) -> None:
    assert verdict(given, issues(given)).sentence == sentence


def test_what_an_end_finds_in_a_file_stands_at_its_statement() -> None:
    merged = end("merge", findings=[finding("branches-conflict", path="m/1.sql")])
    found = only(report(migration("m/1.sql"), ends=(merged,)))

    assert found.statement is not None
    assert found.statement.text.startswith("CREATE INDEX")


def test_a_missing_version_is_a_warning() -> None:
    given = report(migration(), missing=("14",))
    found = only(given)

    assert (found.rule, found.fails, found.waived) == ("postgres-missing", False, None)
    assert verdict(given, [found]).sentence.endswith("none fails, 1 warning")


def test_what_a_pull_request_changes_may_be_unknown_or_nothing() -> None:
    shallow, unchanged = report(migration()), report(skipped())
    shallow["histories"][0]["gate"] = {"because": None, "problem": "the clone is shallow; fetch more"}
    unchanged["histories"][0]["gate"] = {"because": "new or changed since main", "problem": None}

    assert (only(shallow).rule, only(shallow).fails) == ("base-unknown", False)
    assert only(shallow).message.endswith("cannot be told: the clone is shallow; fetch more")
    assert verdict(unchanged, []).sentence == "Nothing to judge: no migration is new or changed since main"


def test_a_new_file_that_is_no_migration_is_told() -> None:
    misspelt = report(migration())
    misspelt["histories"][0]["gate"] = {
        "because": "new or changed since main",
        "problem": None,
        "unread": [{"path": "m/2a.sql", "text": "not migrations in this layout"}],
    }

    assert (only(misspelt).rule, only(misspelt).path, only(misspelt).fails) == (
        "file-not-read",
        "m/2a.sql",
        False,
    )
    assert only(misspelt).message == "new, and not judged: m/2a.sql (not migrations in this layout)"


def test_files_are_named_from_the_repository_s_root() -> None:
    found = issues(
        report(
            migration("db/1.sql", finding()), migration("../shared/2.sql", finding()), folder="services/api"
        )
    )

    assert [one.repository_path for one in found] == ["services/api/db/1.sql", "services/shared/2.sql"]


def test_the_statement_is_the_last_that_begins_before_the_place() -> None:
    two = [statement("SELECT 1", line=1), statement("SELECT 2", line=1, column=11)]
    found = only(report(migration("m/1.sql", finding(line=1, column=18), statements=two)))

    assert found.statement is not None
    assert found.statement.text == "SELECT 2"


def prints(*lines: int, text: str = "CREATE INDEX a\n  ON b", **given: Any) -> list[str]:
    found = [finding(line=line, **given) for line in lines]
    texts = [statement(text, line=line) for line in lines]
    return fingerprints(issues(report(migration("m/1.sql", *found, statements=texts))))


def test_a_fingerprint_stays_when_lines_and_spaces_move_and_changes_with_what_it_is_about() -> None:
    assert prints(4) == prints(40) == prints(4, text="CREATE  INDEX a ON b")
    assert prints(4) == prints(4, message="told otherwise")
    assert prints(4) != prints(4, text="CREATE INDEX c ON b")
    assert prints(4) != prints(4, objects=["public.b"])
    assert len(set(prints(4, 14))) == 2


def test_the_strongest_lock_is_of_what_was_there_before() -> None:
    locks = [
        {
            "relation": "public.new",
            "kind": "table",
            "mode": "AccessExclusiveLock",
            "preexisting": False,
            "table": "",
        },
        {
            "relation": "public.idx",
            "kind": "index",
            "mode": "ShareLock",
            "preexisting": True,
            "table": "public.t",
        },
        {
            "relation": "public.u",
            "kind": "table",
            "mode": "RowExclusiveLock",
            "preexisting": True,
            "table": "",
        },
    ]
    assert strongest_lock(migration(statements=[statement(locks=locks)])) == ("ShareLock", "public.t")
    assert strongest_lock(skipped()) == ("", "")


def test_everything_that_no_rule_finds_says_why_and_the_way_out() -> None:
    without_rule = {one.rule for given in RED.values() for one in issues(given)} - {"index-not-concurrent"}

    assert without_rule <= RUN_RULES.keys()
    assert all({"title", "why", "remedy"} == one.keys() for one in RUN_RULES.values())


def test_a_repository_is_where_git_lies_else_what_ci_checked_out(tmp_path: Path) -> None:
    project = tmp_path / "repo" / "services" / "api"
    project.mkdir(parents=True)

    assert folder_in_repository(project, {}) == ""
    assert folder_in_repository(project, {"CI_PROJECT_DIR": str(tmp_path / "repo")}) == "services/api"
    assert folder_in_repository(project, {"GITHUB_WORKSPACE": "/elsewhere"}) == ""

    (tmp_path / "repo" / ".git").write_text("gitdir: /elsewhere/worktrees/x\n")
    assert folder_in_repository(project, {"GITHUB_WORKSPACE": str(tmp_path)}) == "services/api"

    (project / ".git").mkdir()
    assert folder_in_repository(project, {}) == ""
