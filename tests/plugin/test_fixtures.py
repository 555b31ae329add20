"""A team's own tests ask for migrations, for what their rehearsals found out, and for live databases."""

import re

import pytest

from pytest_migsafe import fixtures, team
from tests.plugin.conftest import BROKEN_IN_THE_MIDDLE, SOUND, Project, settings

#: Three files, with a way back for each.
HISTORY = {
    "migrations/0001_users.up.sql": "create table users (id int primary key, name text);\n",
    "migrations/0001_users.down.sql": "drop table users;\n",
    "migrations/0002_email.up.sql": "alter table users add column email text;\n",
    "migrations/0002_email.down.sql": "alter table users drop column email;\n",
    "migrations/0003_email_filled.up.sql": "update users set email = name || '@example.com' where email is null;\n",
    "migrations/0003_email_filled.down.sql": "update users set email = null;\n",
}


def _tests(text: str) -> dict[str, str]:
    return {"tests/test_migrations.py": f"import psycopg\nimport pytest\n{text}"}


def _ran(text: str) -> list[str]:
    """Return the tests that a verbose run shows, with their outcomes."""
    return re.findall(r"^tests/test_migrations\.py::(\S+ [A-Z]+)", text, re.MULTILINE)


def test_the_names_that_two_modules_have_are_the_same() -> None:
    assert (fixtures.TEAM, fixtures.SUBJECT, fixtures.PLACE) == (team.NAME, team.SUBJECT, team.PLACE)
    assert {team.SUBJECT, team.PLACE, team.REHEARSAL} <= vars(fixtures).keys()


ASKING = """
def test_app():
    pass

def test_migration(migration):
    assert migration.id in ("0001", "0002")

@pytest.mark.migsafe(at="0002")
def test_rehearsal(rehearsal, migration, schema_before, schema_after, schema_diff):
    assert rehearsal.migration is migration
    assert rehearsal.applied and rehearsal.error is None
    assert rehearsal.strongest_lock_on("users") == "AccessExclusiveLock"
    assert "public.users.email" in schema_after.columns and "public.users.email" not in schema_before.columns
    assert [(one.action, one.name) for one in schema_diff] == [("added", "public.users.email")]
    assert schema_diff == rehearsal.changes

def test_database(database_at):
    assert database_at().value("select count(*) from users") == 0

def test_by_hand(request):
    request.getfixturevalue("database_at")
"""


def test_without_the_flag_such_tests_are_skipped_with_the_way_out(project: Project) -> None:
    project.write(SOUND, _tests(ASKING))
    result = project.pytest("-v", "-rs")
    assert _ran(result.stdout.str()) == [
        "test_app PASSED",
        "test_migration SKIPPED",
        "test_rehearsal SKIPPED",
        "test_database SKIPPED",
        "test_by_hand SKIPPED",
    ]
    assert result.stdout.str().count("needs rehearsed migrations: run with --migsafe") >= 2


def test_with_it_they_run_beside_the_migrations_own_items(project: Project) -> None:
    project.write(SOUND, _tests(ASKING))
    run = project.run("-v")
    assert _ran(run.text) == [
        "test_app PASSED",
        "test_migration[0001] PASSED",
        "test_migration[0002] PASSED",
        "test_rehearsal[0002] PASSED",
        "test_database PASSED",
        "test_by_hand PASSED",
    ]
    assert run.counts == {"passed": 8}
    assert run.verdicts == {"migrations/0001_users.sql": "passed", "migrations/0002_email.sql": "passed"}


def test_the_marker_selects_them_with_the_migrations(project: Project) -> None:
    """As CI does: what asks for our fixtures is of the migrations' job, whether somebody marked it or not."""
    narrowed = (
        "@pytest.mark.migsafe(at='0002')\nclass TestOne:\n    def test_narrowed(self, migration): pass\n"
    )
    project.write(SOUND, _tests(f"{ASKING}\n{narrowed}"))
    run = project.run("-v", "-m", "migsafe")
    assert run.verdicts == dict.fromkeys(SOUND, "passed")
    assert _ran(run.text) == [
        "test_migration[0001] PASSED",
        "test_migration[0002] PASSED",
        "test_rehearsal[0002] PASSED",
        "test_database PASSED",
        "TestOne::test_narrowed[0002] PASSED",
    ]
    others = project.pytest("-v", "-m", "not migsafe", "--deselect", "tests/test_migrations.py::test_by_hand")
    assert _ran(others.stdout.str()) == ["test_app PASSED"]


def test_only_the_tests_are_named(project: Project) -> None:
    """The history is found where it would be without names, and has no items."""
    project.write(SOUND, _tests(ASKING), {"other/test_other.py": "def test_other():\n    pass\n"})
    assert project.run("tests").counts == {"passed": 6}
    assert project.run("tests", "migrations/0002_email.sql").counts == {"passed": 7}
    idle = project.run("other")
    assert idle.exit_code == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "no migrations found in other" in idle.text


#: Writes down what is rehearsed.
COUNTING = """
from pytest_migsafe.rehearsal.rehearsal_database import RehearsalDatabase

real = RehearsalDatabase.rehearse

def rehearse(self, task, **more):
    with open("rehearsed.txt", "a") as log:
        log.write(task.migration.id + " ")
    return real(self, task, **more)

RehearsalDatabase.rehearse = rehearse
"""

ONE_BEFORE_ALL = """
@pytest.mark.migsafe(at="0003")
def test_a_later_one_first(rehearsal):
    assert rehearsal.applied

def test_each(rehearsal):
    pass
"""


@pytest.mark.parametrize("order", [["tests", "migrations"], ["migrations", "tests"], ["tests"]], ids=" ".join)
def test_nothing_is_rehearsed_twice_whoever_asks_first(project: Project, order: list[str]) -> None:
    project.write(HISTORY, _tests(ONE_BEFORE_ALL), {"conftest.py": COUNTING})
    assert project.run(*order, subprocess=True).counts == {"passed": 4 + 3 * order.count("migrations")}
    assert (project.path / "rehearsed.txt").read_text() == "0001 0002 0003 "


def test_a_marker_narrows(project: Project) -> None:
    project.write(
        HISTORY,
        _tests(
            """
@pytest.mark.migsafe(at="2")
def test_version(migration): pass
@pytest.mark.migsafe(at="*_email*")
def test_glob(migration): pass
@pytest.mark.migsafe(at=["0003_email_filled.up", "migrations/0001_users.up.sql"])
def test_list(migration): pass
@pytest.mark.migsafe(since="0002")
def test_since(rehearsal): pass
@pytest.mark.migsafe(until="0002")
class TestClass:
    def test_until(self, schema_diff): pass
    @pytest.mark.migsafe(at="0001")
    @pytest.mark.parametrize("letter", "ab")
    def test_closest(self, letter, schema_after): pass
"""
        ),
    )
    items = project.selected("tests")
    assert [item.removeprefix("tests/test_migrations.py::") for item in items] == [
        "test_version[0002]",
        "test_glob[0002]",
        "test_glob[0003]",
        "test_list[0001]",
        "test_list[0003]",
        "test_since[0002]",
        "test_since[0003]",
        "TestClass::test_until[0001]",
        "TestClass::test_until[0002]",
        "TestClass::test_closest[0001-a]",
        "TestClass::test_closest[0001-b]",
    ]
    assert project.selected("tests", "-k", "since and 0003") == ["tests/test_migrations.py::test_since[0003]"]


@pytest.mark.parametrize(
    ("marker", "error"),
    [
        ('at="0009"', "there is no migration '0009' in migrations; did you mean '000"),
        ('since="0002_emial.up.sql"', "did you mean '0002_email.up.sql'?"),
        ('at="*_phone*"', "there is no migration '*_phone*' in migrations; there are 0001, 0002, 0003"),
        ('form="0001"', "there is no 'form'; there are at, since, until, history"),
        ('unitl="0001"', "there is no 'unitl'; did you mean 'until'?"),
        ('since="0003", until="0001"', "since='0003' comes after until='0001'"),
        ("at=7", "at is a text such as '0007', not 7"),
        ('"0001"', "it takes no bare value; write at='0001'"),
        ('history="migration"', "there is no history in 'migration'; did you mean 'migrations'?"),
    ],
)
def test_a_wrong_marker_is_said_at_collection(project: Project, marker: str, error: str) -> None:
    project.write(HISTORY, _tests(f"@pytest.mark.migsafe({marker})\ndef test_it(migration):\n    pass\n"))
    result = project.pytest("--migsafe", "tests")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    text = result.stdout.str()
    assert f"{project.path}/tests/test_migrations.py:3: test_it: @pytest.mark.migsafe: " in text
    assert error in text
    assert "Traceback" not in text
    assert "no migrations found" not in text


def test_what_is_blocked_is_not_passed_over(project: Project) -> None:
    """A file that cannot be applied has a rehearsal; those after it have none, and their tests are blocked."""
    project.write(
        BROKEN_IN_THE_MIDDLE,
        _tests(
            """
@pytest.mark.migsafe(since="0002")
def test_rehearsal(rehearsal):
    assert rehearsal.migration.id in ("0002", "0003")
    if rehearsal.migration.id == "0003":
        assert not rehearsal.applied
        assert rehearsal.error.sqlstate == "42P01"
        assert rehearsal.evidence.error is rehearsal.error

def test_before(database_at):
    database = database_at(before="0003")
    with pytest.raises(psycopg.errors.UndefinedTable) as raised:
        database.apply()
    assert raised.value.__notes__ == ["migrations/0003_broken.sql, line 2"]
    assert [one.id for one in database.applied] == ["0001", "0002"]

def test_after(database_at):
    database_at("0003")

def test_the_end(database_at):
    database_at()
"""
        ),
    )
    run = project.run("tests", "-v", "-ra")
    assert _ran(run.text) == [
        "test_rehearsal[0002] PASSED",
        "test_rehearsal[0003] PASSED",
        "test_rehearsal[0004] BLOCKED",
        "test_rehearsal[0005] BLOCKED",
        "test_before PASSED",
        "test_after BLOCKED",
        "test_the_end BLOCKED",
    ]
    assert run.exit_code == pytest.ExitCode.TESTS_FAILED
    assert "BLOCKED tests/test_migrations.py::test_after - blocked by migrations/0003_broken.sql" in run.lines


def test_where_there_are_no_migrations_they_are_skipped(project: Project) -> None:
    project.write(_tests(ASKING))
    run = project.run("-rs")
    assert run.counts == {"passed": 1, "skipped": 4}
    assert run.exit_code == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "there are no migrations" in run.text


TWO = {
    **{f"a/{path}": text for path, text in SOUND.items()},
    **{f"b/{path}": text.replace("users", "people") for path, text in SOUND.items()},
    "b/migrations/0003_more.sql": "create table more (id int primary key);\n",
}


def test_several_histories(project: Project) -> None:
    project.write(
        TWO,
        _tests(
            """
@pytest.mark.migsafe(at="0002")
def test_both(migration): pass

@pytest.mark.migsafe(history="b/migrations", since="0002")
def test_one(rehearsal):
    assert rehearsal.migration.relative_path.startswith("b/")

def test_database(database_at):
    assert database_at("0003").value("select count(*) from more") == 0
    assert database_at("0002", history="a/migrations").value("select count(*) from users") == 0
    with pytest.raises(Exception, match=r"there are 2 histories \\(a/migrations, b/migrations\\); say which"):
        database_at("0002")

@pytest.mark.migsafe(at="0002")
def test_database_beside_a_migration(migration, database_at):
    assert [one.id for one in database_at("0001").applied] == ["0001"]
    assert database_at("0001").history.relative_root in migration.relative_path
    assert database_at(before=migration).next == migration
"""
        ),
    )
    run = project.run("tests", "-v")
    assert _ran(run.text) == [
        "test_both[a/migrations/0002_email.sql] PASSED",
        "test_both[b/migrations/0002_email.sql] PASSED",
        "test_one[b/migrations/0002_email.sql] PASSED",
        "test_one[b/migrations/0003_more.sql] PASSED",
        "test_database PASSED",
        "test_database_beside_a_migration[a/migrations/0002_email.sql] PASSED",
        "test_database_beside_a_migration[b/migrations/0002_email.sql] PASSED",
    ]


def test_several_places(project: Project, majors: tuple[str, str]) -> None:
    older, newer = majors
    project.write(
        SOUND,
        settings(f"postgres = [{older}, {newer}]"),
        _tests(
            """
@pytest.mark.migsafe(at="0002")
def test_rehearsal(rehearsal):
    assert rehearsal.postgres.startswith(rehearsal.review.place)

def test_database(database_at, request):
    major = database_at("0001").value("show server_version").split(".")[0]
    assert major in request.node.name

@pytest.mark.migsafe(at="0001")
def test_both(migration, database_at, request):
    assert database_at(migration).postgres.split(".")[0] in request.node.name
"""
        ),
    )
    run = project.run("tests", "-v")
    assert _ran(run.text) == [
        f"{name} PASSED"
        for name in (
            f"test_rehearsal[0002-{older}]",
            f"test_rehearsal[0002-{newer}]",
            f"test_database[{older}]",
            f"test_database[{newer}]",
            f"test_both[0001-{older}]",
            f"test_both[0001-{newer}]",
        )
    ]


def test_two_schemas_that_should_be_equal_show_what_is_different(project: Project) -> None:
    project.write(
        SOUND,
        _tests(
            """
@pytest.mark.migsafe(at="0002")
def test_it(schema_before, schema_after):
    assert schema_before == schema_after
"""
        ),
    )
    run = project.run("tests")
    run.result.stdout.fnmatch_lines(
        ["E       assert the schemas are the same", "E * + column public.users.email text"]
    )


def test_a_project_may_have_fixtures_of_these_names(project: Project) -> None:
    project.write(
        SOUND,
        _tests(
            """
@pytest.fixture
def migration():
    return "mine"

def test_it(migration):
    assert migration == "mine"

@pytest.mark.parametrize("rehearsal", [1, 2])
def test_other(rehearsal):
    assert rehearsal in (1, 2)
"""
        ),
    )
    assert project.run("tests/test_migrations.py").counts == {"passed": 3}
    assert project.pytest().parseoutcomes() == {"passed": 3}


def test_workers(project: Project) -> None:
    pytest.importorskip("xdist")
    asking = ASKING.replace('in ("0001", "0002")', "")
    project.write(BROKEN_IN_THE_MIDDLE, _tests(asking))
    alone, shared = project.run("tests"), project.run("tests", "-n", "2", subprocess=True)
    assert alone.counts == shared.counts == {"passed": 8, "blocked": 1}
    assert alone.exit_code == shared.exit_code == pytest.ExitCode.TESTS_FAILED
    project.write({"migrations/0003_broken.sql": "select 1;\n"})
    assert project.run("tests", "-n", "2", subprocess=True).exit_code == pytest.ExitCode.OK


def test_only_what_is_judged_is_asked_about_unless_it_is_named(project: Project) -> None:
    """Under the gate a test runs for the files that are new; one that names its migration always runs."""
    project.write(
        HISTORY,
        _tests(
            """
def test_each(rehearsal): pass
@pytest.mark.migsafe(until="0002")
def test_early(rehearsal): pass
@pytest.mark.migsafe(at="0001")
def test_named(rehearsal): pass
def test_database(database_at):
    assert len(database_at().applied) == 3
"""
        ),
    )
    run = project.run("--migsafe-only", "migrations/0003_email_filled.up.sql", "--", "tests", "-v", "-rs")
    assert _ran(run.text) == [
        "test_each[0003] PASSED",
        "test_early SKIPPED",
        "test_named[0001] PASSED",
        "test_database PASSED",
    ]
    assert "none of its migrations is judged in this run" in run.text


def test_what_failed_last_is_run_again_and_a_list_starts_no_server(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(
        SOUND,
        _tests("def test_it(rehearsal):\n    assert rehearsal.migration.id == '0001'\n"),
        {"pytest.ini": "[pytest]\ntestpaths = tests\n"},
    )
    assert project.run().counts == {"passed": 3, "failed": 1}
    again = project.run("--lf", "-v")
    assert again.counts == {"failed": 1}
    assert _ran(again.text) == ["test_it[0002] FAILED"]
    monkeypatch.setattr("pytest_migsafe.places.start_server", None)
    assert project.selected() == [
        "tests/test_migrations.py::test_it[0001]",
        "tests/test_migrations.py::test_it[0002]",
        "migrations/0001_users.sql::migsafe",
        "migrations/0002_email.sql::migsafe",
    ]


def test_a_failure_is_shown_in_the_test_not_in_our_code(project: Project) -> None:
    project.write(
        HISTORY,
        _tests(
            """
from pytest_migsafe.testing import assert_no_lock_stronger_than

def test_refused(database_at):
    database = database_at("0001")
    database.execute("alter table users add column email int")
    database.migrate_to("0003")

@pytest.mark.migsafe(at="0002")
def test_lock(rehearsal):
    assert_no_lock_stronger_than(rehearsal, "SHARE", on="users")

def test_query(database_at):
    database_at("0001").value("select nothing")
"""
        ),
    )
    text = project.run("tests").text
    assert text.count("pytest_migsafe/") == 0
    assert "psycopg/" not in text
    assert (
        '>       database.migrate_to("0003")\n'
        'E       psycopg.errors.DuplicateColumn: column "email" of relation "users" already exists\n'
        "E       migrations/0002_email.up.sql, line 1\n"
    ) in text
    assert (
        '>       assert_no_lock_stronger_than(rehearsal, "SHARE", on="users")\n'
        "E       AssertionError: migrations/0002_email.up.sql takes a lock stronger than ShareLock: "
        "AccessExclusiveLock on public.users\n"
        "E         --> migrations/0002_email.up.sql:1:1\n"
        "E       > 1 | alter table users add column email text\n"
        "E           | ^\n"
        "E         = reads and writes of public.users wait while it is held\n"
    ) in text
