"""`rehearse_sql` tests a rule with a few lines of SQL, in any run of pytest."""

import pytest

from tests.plugin.conftest import Project

RULES = {
    "conftest.py": (
        "from pytest_migsafe.rules import rule\n"
        "@rule\n"
        "def no_floats(evidence):\n"
        "    '''Money is numeric.'''\n"
        "    for change in evidence.changes:\n"
        "        if change.value('type') == 'double precision':\n"
        "            yield no_floats.finding(evidence, about=change.name, message=f'{change.name} is a float')\n"
        "@rule(title='It breaks.')\n"
        "def breaks(evidence):\n"
        "    yield evidence.statments\n"
        "def pytest_migsafe_prelude(config):\n"
        "    return 'create table legacy (id int primary key)'\n"
    ),
    # Neither counts where a rule is tested.
    "pyproject.toml": '[tool.migsafe]\nrules = {no-floats = "off"}\ntables = {"public.t" = 1}\n',
}
TESTS = """
import pytest
from conftest import breaks, no_floats
from pytest_migsafe.rules import judge
from pytest_migsafe.testing import assert_no_findings

def test_found(rehearse_sql):
    rehearsal = rehearse_sql("select 1;\\nalter table t add x float;", given="create table t (id int)", rules=[no_floats])
    (finding,) = rehearsal.findings
    assert (finding.message, finding.line) == ("public.t.x is a float", 2)
    assert finding.path == "migrations/0002_rehearsed.sql"
    assert judge(rehearsal.evidence, [no_floats]) == (finding,)

def test_not_found(rehearse_sql):
    assert_no_findings(rehearse_sql("create table t (x numeric)", rules=[no_floats]))

def test_severity_and_waiver(rehearse_sql):
    (finding,) = rehearse_sql(
        "-- migsafe: allow no-floats because it is measured\\ncreate table t (x float)",
        rules=[no_floats], settings={"rules": {"no-floats": "warning"}}, name="0007_measured.sql",
    ).findings
    assert (finding.severity, finding.waived, finding.path) == ("warning", "it is measured", "migrations/0007_measured.sql")

def test_all_rules_of_the_project(rehearse_sql):
    with pytest.raises(AttributeError, match="statments"):
        rehearse_sql("create table t (x float)")

@pytest.mark.parametrize("time", ["first", "second"])
def test_nothing_stays(rehearse_sql, time):
    rehearsal = rehearse_sql("create table t (id int references legacy); create role clerk", rules=[])
    assert [one.name for one in rehearsal.evidence.cluster_changes] == ["clerk"]

def test_the_project_s_own_rows_and_roles_are_there(rehearse_sql):
    rehearsal = rehearse_sql("update t set id = id + 1", given="create table t (id int); insert into t values (1), (2)", rules=[])
    assert rehearsal.statements[0].rows_written == 2
    assert rehearsal.review.postgres

def test_what_cannot_be_applied(rehearse_sql):
    assert rehearse_sql("create table t (id intt)", rules=[], may_fail=True).error.sqlstate == "42704"
"""
WRONG = """
from conftest import no_floats

def test_sql(rehearse_sql):
    rehearse_sql("create table t (id intt)", rules=[no_floats])

def test_given(rehearse_sql):
    rehearse_sql("select 1", given="create tabel t (id int)")

def test_settings(rehearse_sql):
    rehearse_sql("select 1", settings={"layout": "flat"})

def test_name(rehearse_sql):
    rehearse_sql("select 1", name="orders.txt")
"""


@pytest.mark.parametrize("args", [(), ("--migsafe",)], ids=["plain pytest", "--migsafe"])
def test_rules_are_tested_in_any_run(project: Project, args: tuple[str, ...]) -> None:
    project.write(RULES, {"tests/test_rules.py": TESTS})

    result = project.pytest("-p", "no:cacheprovider", "tests", *args, subprocess=True)

    assert result.parseoutcomes() == {"passed": 8}


def test_a_slip_in_a_rule_s_test_is_told_as_such(project: Project) -> None:
    project.write(RULES, {"tests/test_rules.py": WRONG})

    result = project.pytest("tests", "--tb=short", subprocess=True)

    assert result.parseoutcomes() == {"failed": 4}
    text = result.stdout.str()
    assert 'cannot be applied: type "intt" does not exist (42704)' in text
    assert "A test of what cannot be applied says so: rehearse_sql(..., may_fail=True)." in text
    assert (
        'the SQL before the migration cannot be run: syntax error at or near "tabel" (42601) (given=...)'
        in text
    )
    assert "rehearse_sql(settings=...): 'layout' cannot differ from file to file" in text
    assert (
        "'orders.txt' is no migration in any layout; name it like one of yours: name='0002_orders.sql'"
        in text
    )
    assert "kit.py" not in text


def test_without_a_server_it_is_said_once_for_each_test(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(RULES, {"tests/test_rules.py": WRONG})
    monkeypatch.setenv("MIGSAFE_BINDIR", "/nope")

    result = project.pytest("tests", subprocess=True)

    assert result.parseoutcomes() == {"errors": 4}
    assert "/nope" in result.stdout.str()
    assert "Traceback" not in result.stdout.str()
