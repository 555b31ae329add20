"""Under pytest-xdist the workers rehearse; what is shown and written is the same."""

import re

import pytest

from tests.plugin.conftest import A_TEST, BROKEN_IN_THE_MIDDLE, VERDICTS, Project
from tests.service import Service

pytest.importorskip("xdist")


def _timeless(value: object) -> object:
    """Return a report without what differs between any two runs."""
    if isinstance(value, dict):
        return {key: _timeless(one) for key, one in value.items() if not key.endswith(("_ms", "wal_bytes"))}
    if isinstance(value, list):
        return [_timeless(one) for one in value]
    if isinstance(value, str):
        # A TOAST table is called after its table's OID, which depends on what has been rehearsed before.
        return re.sub(r"pg_toast_\d+", "pg_toast_N", value)
    return value


def test_the_same_verdicts_summary_and_report(project: Project) -> None:
    project.write(BROKEN_IN_THE_MIDDLE, A_TEST)
    alone = project.run("-ra")
    shared = project.run("-n", "2", "-ra", "--junitxml=junit.xml", subprocess=True)
    assert shared.verdicts == alone.verdicts == VERDICTS
    assert shared.counts == alone.counts == {"passed": 3, "failed": 1, "blocked": 2}
    assert shared.exit_code == 1
    assert _timeless(shared.report) == _timeless(alone.report)
    for line in (
        "blocked by migrations/0003_broken.sql: migrations/0004_plans.sql, migrations/0005_prices.sql",
        "BLOCKED migrations/0004_plans.sql::migsafe - blocked by migrations/0003_broken.sql",
    ):
        assert line in alone.lines
        assert line in shared.lines
    assert (project.path / "junit.xml").read_text().count("blocked by migrations/0003_broken.sql") == 4


@pytest.mark.parametrize("distribution", ["load", "loadscope", "loadfile", "worksteal"])
def test_however_the_items_are_dealt_out(project: Project, distribution: str) -> None:
    """Two histories, one with a file that fails; xdist itself sees that all workers collected the same."""
    project.write(
        A_TEST,
        {f"a/{path}": text for path, text in BROKEN_IN_THE_MIDDLE.items()},
        {
            f"b/migrations/{number:04}_x.sql": (
                f"create table t{number} (id serial primary key);\ninsert into t{number} default values;\n"
            )
            for number in range(1, 9)
        },
    )
    alone = project.run()
    shared = project.run("-n", "2", "--dist", distribution, subprocess=True)
    assert shared.counts == alone.counts == {"passed": 11, "failed": 1, "blocked": 2}
    assert shared.exit_code == alone.exit_code == 1
    assert _timeless(shared.report) == _timeless(alone.report)


def test_what_is_left_out_travels_from_a_worker(project: Project, service: Service) -> None:
    """What crosses a process is plain: an enum would end the whole run."""
    project.write({"migrations/0001_roles.sql": "create role shop_reader;\ncreate table shops (id int);\n"})
    run = project.run(f"--migsafe-dsn={service.uri()}", "-n", "1", subprocess=True)
    assert run.counts == {"passed": 1}
    assert [one["reason"] for one in run.report["migrations"][0]["left_out"]] == ["cluster"]


def test_each_worker_does_everything(project: Project) -> None:
    project.write(BROKEN_IN_THE_MIDDLE)
    alone = project.run()
    shared = project.run("-n", "2", "--dist", "each", subprocess=True)
    assert shared.counts == {"passed": 4, "failed": 2, "blocked": 4}
    assert _timeless(shared.report) == _timeless(alone.report)


def test_blocked_files_alone_do_not_pass(project: Project) -> None:
    project.write(BROKEN_IN_THE_MIDDLE)
    run = project.run("-n", "1", "-k", "plans or prices", subprocess=True)
    assert run.counts == {"blocked": 2}
    assert run.exit_code == 1


def test_workers_find_what_the_controller_found(project: Project) -> None:
    """From a subfolder, with a folder that only the settings know, beside testpaths."""
    project.write(
        {path.replace("migrations", "sql/changes"): text for path, text in BROKEN_IN_THE_MIDDLE.items()},
        A_TEST,
        {
            "pyproject.toml": "[tool.migsafe]\nmigrations = 'sql/changes'\n[tool.pytest]\ntestpaths = ['tests']\n"
        },
    )
    run = project.run("-n", "1", subprocess=True)
    assert run.counts == {"passed": 3, "failed": 1, "blocked": 2}


def test_a_worker_that_is_sent_backwards_starts_one_server_more(project: Project) -> None:
    """In reversed order each item would otherwise need a fresh server and all files before it."""
    count = 8
    project.write(
        {f"migrations/{number:04}_x.sql": f"create table t{number} ();" for number in range(1, count + 1)},
        {
            "conftest.py": (
                "import pytest_migsafe.places as places\n"
                "def pytest_collection_modifyitems(items):\n"
                "    items.reverse()\n"
                "def started(*given, start=places.start_server, **more):\n"
                "    with open('starts', 'a') as file:\n"
                "        file.write('.')\n"
                "    return start(*given, **more)\n"
                "places.start_server = started\n"
            )
        },
    )
    run = project.run("-n", "1", subprocess=True)
    assert run.counts == {"passed": count}
    assert (project.path / "starts").read_text() == ".."
