"""Which migrations run, and in which order: pytest's own ways of choosing work, and choose no verdict."""

from itertools import permutations
from pathlib import Path

import pytest

from tests.plugin.conftest import A_TEST, BROKEN_IN_THE_MIDDLE, SOUND, VERDICTS, Project

REVERSING = {
    "conftest.py": "def pytest_collection_modifyitems(items):\n    items.reverse()\n",
}
ITEMS = [f"{path}::migsafe" for path in VERDICTS]


def test_each_file_is_an_item_named_by_its_path(project: Project) -> None:
    project.write(SOUND)
    assert project.selected() == ["migrations/0001_users.sql::migsafe", "migrations/0002_email.sql::migsafe"]


def test_the_order_is_that_of_the_runner_not_of_the_alphabet(project: Project) -> None:
    project.write(
        {
            f"migrations/{name}/up.sql": "select 1;"
            for name in ("2017-08-31-230457_b", "20170101000000_a", "2018-01-01-000000_c")
        }
    )
    assert project.selected() == [
        "migrations/20170101000000_a/up.sql::migsafe",
        "migrations/2017-08-31-230457_b/up.sql::migsafe",
        "migrations/2018-01-01-000000_c/up.sql::migsafe",
    ]


def test_ten_comes_after_nine(project: Project) -> None:
    project.write({f"migrations/{number}_x.sql": "select 1;" for number in (10, 9, 1)})
    assert [Path(item).name for item in project.selected()] == [
        "1_x.sql::migsafe",
        "9_x.sql::migsafe",
        "10_x.sql::migsafe",
    ]


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["-k", "0002"], ["0002_email"]),
        (["-k", "email or plans"], ["0002_email", "0004_plans"]),
        (["-k", "not migsafe and not app"], []),
        (["-m", "migsafe", "-k", "not 000"], []),
        (["-m", "migsafe"], ["0001_users", "0002_email", "0003_broken", "0004_plans", "0005_prices"]),
        (["migrations/0002_email.sql"], ["0002_email"]),
        (["migrations/0004_plans.sql::migsafe", "migrations/0002_email.sql::migsafe"], ["0002_email", "0004_plans"]),
        (["migrations", "--deselect", "migrations/0003_broken.sql::migsafe", "-k", "3 or 4"], ["0004_plans"]),
        (["--ignore", "migrations/0001_users.sql", "-k", "users or email"], ["0002_email"]),
        (["--ignore-glob", "*000[1-4]*", "-m", "migsafe"], ["0005_prices"]),
        (["migrations", "migrations", "-k", "users"], ["0001_users"]),
    ],
    ids=" ".join,
)  # fmt: skip
def test_pytests_own_ways_of_choosing(project: Project, args: list[str], expected: list[str]) -> None:
    project.write(BROKEN_IN_THE_MIDDLE, A_TEST)
    assert project.selected(*args) == [f"migrations/{name}.sql::migsafe" for name in expected]


def test_a_diesel_migration_is_chosen_by_its_folders_name(project: Project) -> None:
    project.write(
        {
            f"migrations/{name}/up.sql": "select 1;"
            for name in ("2020-01-01-000000_users", "2021-01-01-000000_plans")
        }
    )
    assert project.selected("-k", "2021-01-01") == ["migrations/2021-01-01-000000_plans/up.sql::migsafe"]
    assert project.selected("-k", "users") == ["migrations/2020-01-01-000000_users/up.sql::migsafe"]


def test_other_tests_run_beside_the_migrations(project: Project) -> None:
    project.write(SOUND, A_TEST)
    run = project.run()
    assert run.counts == {"passed": 3}
    assert run.exit_code == 0
    assert project.run("-m", "not migsafe").counts == {"passed": 1, "deselected": 2}


def test_collecting_starts_no_server(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(SOUND)
    monkeypatch.setenv("MIGSAFE_CACHE_DIR", str(tmp_path / "cache"))
    assert len(project.selected()) == 2
    # Every server is a copy of a cluster in the cache, and there is none.
    assert not (tmp_path / "cache").exists()


def test_stopping_at_the_first_failure(project: Project) -> None:
    project.write(BROKEN_IN_THE_MIDDLE)
    assert project.run("-x").counts == {"passed": 2, "failed": 1}
    assert project.run("--maxfail=1").counts == {"passed": 2, "failed": 1}


def test_last_failed_takes_the_failed_file_and_not_the_blocked_ones(project: Project) -> None:
    project.write(BROKEN_IN_THE_MIDDLE, A_TEST)
    project.run()
    again = project.run("--lf")
    assert again.verdicts == {"migrations/0003_broken.sql": "failed"}
    assert again.counts == {"failed": 1}
    first = project.run("--ff", "-v")
    assert first.verdicts == VERDICTS
    items = [line.split()[0] for line in first.lines if "::migsafe " in line and "%]" in line]
    assert items[0] == "migrations/0003_broken.sql::migsafe"


def test_last_failed_after_mending_runs_the_file_and_then_everything(project: Project) -> None:
    project.write(BROKEN_IN_THE_MIDDLE)
    project.run()
    project.write({"migrations/0003_broken.sql": "alter table users add column plan text;"})
    assert project.run("--lf").verdicts == {"migrations/0003_broken.sql": "passed"}
    assert project.run("--lf").verdicts == dict.fromkeys(VERDICTS, "passed")


def test_durations_setups_and_quiet_runs(project: Project) -> None:
    project.write(BROKEN_IN_THE_MIDDLE)
    run = project.run("--durations=0", "-vv", "--setup-show")
    assert "call     migrations/0001_users.sql::migsafe" in run.text
    assert "        migrations/0001_users.sql::migsafe" in run.text
    assert run.verdicts == VERDICTS
    quiet = project.run("-q")
    assert quiet.lines[0].startswith("..FBB ")
    assert quiet.lines[-1].startswith("1 failed, 2 passed, 2 blocked in ")


def test_without_a_terminal(project: Project) -> None:
    project.write(BROKEN_IN_THE_MIDDLE)
    run = project.run("-p", "no:terminal")
    assert run.verdicts == VERDICTS
    assert run.exit_code == 1
    assert run.text == ""


def test_a_plugin_that_reverses_items_changes_no_verdict(project: Project) -> None:
    project.write(BROKEN_IN_THE_MIDDLE, REVERSING)
    assert project.selected() == ITEMS[::-1]
    assert project.run().verdicts == VERDICTS


@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_random_order_changes_no_verdict(project: Project, seed: str) -> None:
    pytest.importorskip("pytest_randomly")
    project.write(BROKEN_IN_THE_MIDDLE)
    run = project.run(f"--randomly-seed={seed}", beside=["randomly"])
    assert run.verdicts == VERDICTS


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_any_subset_in_any_order_has_the_verdicts_of_the_full_run(
    project: Project, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Selections of one to all files, in several orders, each with a server of its own."""
    project.write(
        BROKEN_IN_THE_MIDDLE,
        {
            "conftest.py": (
                "import os\n"
                "def pytest_collection_modifyitems(items):\n"
                "    wanted = os.environ['ORDER'].split()\n"
                "    found = {item.nodeid: item for item in items}\n"
                "    items[:] = [found[nodeid] for nodeid in wanted]\n"
            )
        },
    )
    orders = list(permutations(ITEMS, size))
    for order in orders[:: max(1, len(orders) // 5)]:
        monkeypatch.setenv("ORDER", " ".join(order))
        verdicts = project.run("-q").verdicts
        expected = {path: VERDICTS[path] for path in VERDICTS if f"{path}::migsafe" in order}
        assert verdicts == expected, order
