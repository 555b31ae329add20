"""Where migrations lie, and what else a project's pytest configuration may say of that place."""

from pathlib import Path

import pytest

from tests.plugin.conftest import A_TEST, BROKEN_IN_THE_MIDDLE, SOUND, VERDICTS, Project

ITEMS = ["migrations/0001_users.sql::migsafe", "migrations/0002_email.sql::migsafe"]


def _moved(files: dict[str, str], folder: str) -> dict[str, str]:
    return {path.replace("migrations", folder): text for path, text in files.items()}


@pytest.mark.parametrize(
    "args",
    [["db/schema"], ["db/schema/"], ["./db/schema"], ["db"], ["."], ["db/schema/0001_users.sql", "db/schema/0002_email.sql"]],
    ids=" ".join,
)  # fmt: skip
def test_a_path_on_the_command_line_is_enough(project: Project, args: list[str]) -> None:
    folder = "db/migrations" if args in (["db"], ["."]) else "db/schema"
    args = [arg.replace("db/schema", folder) for arg in args]
    project.write(_moved(SOUND, folder), {"db/readme.txt": ""})
    run = project.run(*args)
    assert run.verdicts == {f"{folder}/0001_users.sql": "passed", f"{folder}/0002_email.sql": "passed"}
    assert f"2 migrations in {folder} (flat layout)" in run.text


def test_one_file_is_judged_on_top_of_those_before_it(project: Project) -> None:
    project.write(SOUND)
    run = project.run("migrations/0002_email.sql")
    assert run.verdicts == {"migrations/0002_email.sql": "passed"}


def test_a_conventional_folder_is_found_beside_testpaths(project: Project) -> None:
    project.write(
        _moved(SOUND, "services/db/migrations"), A_TEST, {"pytest.ini": "[pytest]\ntestpaths = tests\n"}
    )
    assert [Path(item).parts[0] for item in project.selected()] == ["tests", "services", "services"]
    assert project.run().counts == {"passed": 3}


def test_a_folder_below_testpaths_is_collected_once(project: Project) -> None:
    project.write(
        _moved(SOUND, "tests/db/migrations"), A_TEST, {"pytest.ini": "[pytest]\ntestpaths = tests\n"}
    )
    assert project.run().counts == {"passed": 3}


def test_the_setting_names_a_folder(project: Project) -> None:
    project.write(_moved(SOUND, "sql/changes"), A_TEST)
    project.write({"pyproject.toml": "[tool.migsafe]\nmigrations = 'sql/changes'\n"})
    run = project.run()
    assert run.counts == {"passed": 3}
    assert "2 migrations in sql/changes (flat layout)" in run.text


def test_two_histories_have_two_databases(project: Project) -> None:
    project.write(_moved(SOUND, "a/migrations"), _moved(BROKEN_IN_THE_MIDDLE, "b/migrations"))
    run = project.run()
    assert run.counts == {"passed": 4, "failed": 1, "blocked": 2}
    assert [one["root"] for one in run.report["histories"]] == ["a/migrations", "b/migrations"]
    assert project.run("b").verdicts == {f"b/{path}": verdict for path, verdict in VERDICTS.items()}


@pytest.mark.parametrize(
    "folder", ["my migrations", "миграции", "app[main]/migrations", "a+b/(c)/migrations"]
)
def test_odd_names(project: Project, folder: str) -> None:
    project.write(_moved(SOUND, folder))
    project.write({"pyproject.toml": f"[tool.migsafe]\nmigrations = '{folder}'\n"})
    run = project.run()
    assert run.verdicts == {f"{folder}/0001_users.sql": "passed", f"{folder}/0002_email.sql": "passed"}
    if "[" not in folder:  # pytest itself takes no argument with a bracket in a folder's name
        assert len(project.run(folder).verdicts) == 2
        assert len(project.run(f"{folder}/0002_email.sql::migsafe").verdicts) == 1


def test_a_project_in_a_folder_with_brackets(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write(_moved(SOUND, "app [1]/migrations"))
    monkeypatch.chdir(project.path / "app [1]")
    assert project.selected() == ITEMS


@pytest.mark.parametrize(
    "hiding",
    [
        {"conftest.py": "collect_ignore_glob = ['*.sql']\n"},
        {"conftest.py": "collect_ignore = ['db']\n"},
        {"conftest.py": "def pytest_ignore_collect(collection_path):\n    return 'db' in str(collection_path) or None\n"},
        {"pytest.ini": "[pytest]\nnorecursedirs = db\n"},
        {"pytest.ini": "[pytest]\nnorecursedirs = migrations db\n"},
        {"pytest.ini": "[pytest]\nnorecursedirs = db\ntestpaths = tests\n"},
    ],
    ids=lambda files: next(iter(files.values())).splitlines()[-1].strip(),
)  # fmt: skip
@pytest.mark.parametrize("args", [[], ["."]], ids=["by itself", "named"])
def test_what_hides_the_folder_from_pytest_does_not_hide_it_from_us(
    project: Project, hiding: dict[str, str], args: list[str]
) -> None:
    # The tests in the hidden folder stay hidden.
    project.write(_moved(SOUND, "db/migrations"), A_TEST, hiding)
    project.write(
        {
            "db/test_hidden.py": "def test_hidden(): assert False\n",
            "db/more/test_more.py": "assert 0\n",
            "db/migrations/test_hidden.py": "assert 0\n",
        }
    )
    shown = project.selected(*args)
    hidden = {item for item in shown if "hidden" in item or "more" in item}
    assert [item for item in shown if item.startswith("db/migrations")] == [f"db/{item}" for item in ITEMS]
    assert bool(hidden) == ("*.sql" in str(hiding))


def test_what_is_ignored_by_hand_stays_ignored(project: Project) -> None:
    project.write(SOUND, A_TEST)
    assert project.selected("--ignore=migrations/0001_users.sql") == [ITEMS[1], "tests/test_app.py::test_app"]
    assert project.selected("--ignore=migrations") == ["tests/test_app.py::test_app"]


def test_a_link_to_the_folder(project: Project) -> None:
    project.write(_moved(SOUND, "shared/sql"))
    project.write({"pyproject.toml": "[tool.migsafe]\nmigrations = 'app/migrations'\n"})
    (project.path / "app").mkdir()
    (project.path / "app/migrations").symlink_to("../shared/sql")
    expected = {"app/migrations/0001_users.sql": "passed", "app/migrations/0002_email.sql": "passed"}
    assert project.run().verdicts == expected
    assert project.run("app/migrations").verdicts == expected
    assert project.run("app/migrations/0002_email.sql::migsafe").counts == {"passed": 1}


def test_a_link_to_a_folder_of_another_name_is_found(project: Project) -> None:
    project.write(_moved(SOUND, "schema/sql"), {"db/migrations/.keep": ""})
    (project.path / "db/migrations/.keep").unlink()
    (project.path / "db/migrations").rmdir()
    (project.path / "db/migrations").symlink_to("../schema/sql")

    run = project.run("--collect-only", "-q")

    assert "db/migrations/0001_users.sql::migsafe" in run.text
    assert run.text.count("::migsafe") == 2


def test_a_project_behind_a_link(project: Project, tmp_path: Path) -> None:
    project.write(_moved(SOUND, "real/migrations"), {"real/pytest.ini": "[pytest]\n"})
    link = tmp_path / "link"
    link.symlink_to(project.path / "real")
    assert project.run(f"--rootdir={link}", str(link)).counts == {"passed": 2}
    assert project.run(str(link / "migrations")).verdicts == dict.fromkeys(
        ["migrations/0001_users.sql", "migrations/0002_email.sql"], "passed"
    )


@pytest.mark.parametrize("marker", ["pytest.ini", "pyproject.toml"])
def test_from_a_subfolder_the_project_is_found(
    project: Project, monkeypatch: pytest.MonkeyPatch, marker: str
) -> None:
    text = "[pytest]\n" if marker == "pytest.ini" else "[tool.migsafe]\nmigrations = ['migrations']\n"
    project.write(SOUND, A_TEST, {marker: text})
    monkeypatch.chdir(project.path / "tests")
    run = project.run()
    assert run.counts == {"passed": 3}
    assert list(run.verdicts) == ["migrations/0001_users.sql", "migrations/0002_email.sql"]
    assert project.run("../migrations/0002_email.sql").counts == {"passed": 1}


def test_a_folder_outside_the_root(project: Project) -> None:
    project.write(_moved(SOUND, "elsewhere/changes"), {"app/pytest.ini": "[pytest]\n"})
    run = project.run("--rootdir=app", "elsewhere/changes")
    assert run.counts == {"passed": 2}


def test_a_packages_code_is_not_imported(project: Project) -> None:
    """Migrations inside an application's package are rehearsed where the application is not installed."""
    project.write(
        _moved(BROKEN_IN_THE_MIDDLE, "app/db/migrations"),
        {"app/__init__.py": "import framework_that_is_not_here\n", "app/db/__init__.py": ""},
        {"app/db/migrations/__init__.py": "raise SystemExit\n"},
    )
    run = project.run("-v")
    assert run.verdicts == {f"app/db/{path}": verdict for path, verdict in VERDICTS.items()}
    assert project.selected("app/db/migrations/0002_email.sql") == [
        "app/db/migrations/0002_email.sql::migsafe"
    ]
    assert project.run("app/db/migrations/0002_email.sql::migsafe").counts == {"passed": 1}
    assert project.selected("-k", "db and email") == ["app/db/migrations/0002_email.sql::migsafe"]


def test_a_package_named_by_its_module(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write(
        _moved(SOUND, "app/migrations"), {"app/__init__.py": "", "app/test_app.py": "def test(): pass\n"}
    )
    monkeypatch.syspath_prepend(project.path)
    assert project.run("--pyargs", "app").counts == {"passed": 3}
    refused = project.pytest("--migsafe", "--pyargs", "ap")
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    assert "module or package not found: ap" in refused.stderr.str()


FIXTURES = """
import pytest

@pytest.fixture(autouse=True, scope="session")
def for_all(tmp_path_factory):
    yield

@pytest.fixture(autouse=True, scope="package")
def for_a_package():
    yield

@pytest.fixture(autouse=True, scope="module")
def for_a_module(request):
    assert request.module.__doc__
    request.path, request.node.name
    yield

@pytest.fixture(autouse=True, scope="class")
def for_a_class(request):
    assert request.cls is None
    yield

@pytest.fixture(autouse=True)
def for_each(request, monkeypatch):
    assert request.module.__name__ and request.cls is None and request.instance is None
    assert request.function.__name__ and request.node.get_closest_marker("migsafe")
    yield
"""


@pytest.mark.parametrize("mode", ["prepend", "append", "importlib"])
def test_a_projects_own_fixtures_work(project: Project, mode: str) -> None:
    project.write(BROKEN_IN_THE_MIDDLE, {"conftest.py": FIXTURES})
    run = project.run(f"--import-mode={mode}", "--setup-show")
    assert run.verdicts == VERDICTS
    assert "SETUP    M for_a_module" in run.text


def test_an_existing_report_outside_the_project_does_not_lose_the_project(
    project: Project, tmp_path: Path
) -> None:
    """The file after ``--migsafe-json`` is for pytest a path to find the rootdir from, once it exists."""
    folder = tmp_path.parent / f"{tmp_path.name}-out"
    folder.mkdir()
    report = folder / "report.json"
    project.write(
        _moved(SOUND, "sql/changes"), {"pyproject.toml": "[tool.migsafe]\nmigrations = 'sql/changes'\n"}
    )
    args = ("--migsafe", "--migsafe-json", str(report))
    assert project.pytest(*args, subprocess=True).parseoutcomes() == {"passed": 2}
    second = project.pytest(*args, subprocess=True)
    assert second.parseoutcomes() == {"passed": 2}
    assert f"migsafe: write --migsafe-json={report} with an equals sign" in second.stdout.str()
    third = project.pytest("--migsafe", f"--migsafe-json={report}", subprocess=True)
    assert "equals sign" not in third.stdout.str()


def test_programs_that_are_named_do_not_lose_the_project(project: Project, bindir: Path) -> None:
    """The folder after ``--migsafe-bindir`` is for pytest a path to find the rootdir from."""
    project.write(
        _moved(SOUND, "sql/changes"), {"pyproject.toml": "[tool.migsafe]\nmigrations = 'sql/changes'\n"}
    )

    run = project.pytest("--migsafe", "--migsafe-bindir", str(bindir), subprocess=True)

    assert run.parseoutcomes() == {"passed": 2}
    assert f"migsafe: write --migsafe-bindir={bindir} with an equals sign" in run.stdout.str()
