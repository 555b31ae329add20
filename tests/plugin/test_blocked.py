"""Files after one that cannot be applied: neither failed nor passed, and never overlooked."""

from xml.etree import ElementTree as ET

from tests.plugin.conftest import BROKEN_IN_THE_MIDDLE, VERDICTS, Project

BY = "blocked by migrations/0003_broken.sql"


def test_blocked_is_an_outcome_of_its_own(project: Project) -> None:
    project.write(BROKEN_IN_THE_MIDDLE)
    run = project.run()
    assert run.counts == {"passed": 2, "failed": 1, "blocked": 2}
    assert run.verdicts == VERDICTS
    assert run.exit_code == 1
    assert any(line.startswith("migrations/0004_plans.sql B") for line in run.lines)


def test_the_file_in_the_way_is_named_everywhere(project: Project) -> None:
    project.write(BROKEN_IN_THE_MIDDLE)
    run = project.run("-v", "-ra", "--junitxml=junit.xml")
    assert any("0004_plans.sql::migsafe BLOCKED (blocked by migr" in line for line in run.lines)
    assert f"BLOCKED migrations/0004_plans.sql::migsafe - {BY}" in run.lines
    assert f"{BY}: migrations/0004_plans.sql, migrations/0005_prices.sql" in run.lines
    blocked = [one for one in run.report["migrations"] if one["outcome"] == "blocked"]
    assert {one["blocked_by"] for one in blocked} == {"migrations/0003_broken.sql"}
    assert {one["applied"] for one in blocked} == {None}
    skipped = ET.parse(project.path / "junit.xml").findall(".//skipped")  # noqa: S314 - pytest's own file
    assert [one.get("message") for one in skipped] == [f'{BY}: relation "accounts" does not exist'] * 2
    assert all("items.py" not in (one.text or "") for one in skipped)


def test_a_run_of_blocked_files_alone_does_not_pass(project: Project) -> None:
    project.write(BROKEN_IN_THE_MIDDLE)
    run = project.run("-k", "plans or prices")
    assert run.counts == {"blocked": 2, "deselected": 3}
    assert run.verdicts == {"migrations/0004_plans.sql": "blocked", "migrations/0005_prices.sql": "blocked"}
    assert run.exit_code == 1


def test_blocked_files_are_listed_only_on_demand(project: Project) -> None:
    project.write(BROKEN_IN_THE_MIDDLE)
    assert "BLOCKED" not in project.run().text
    assert "BLOCKED" not in project.run("-rf").text
    assert "BLOCKED" in project.run("-rs").text
