"""`--migsafe-rules` and `--migsafe-explain`: what there is to know of the rules, without a server or a migration."""

import pytest

from pytest_migsafe.findings import Severity
from pytest_migsafe.reports.rules import explain_lines, rule_lines
from pytest_migsafe.rules.builtin import RULES
from tests.plugin.conftest import Project


def test_all_rules_are_listed_by_family_with_the_severity_that_they_have_here(project: Project) -> None:
    project.write(
        {
            "pyproject.toml": '[tool.migsafe]\nbindir = "/nope"\npreset = "strict"\n'
            'rules = {"session-state-leaked" = "off", "apply-error" = "error"}\n'
        }
    )
    result = project.pytest("--migsafe-rules")

    assert result.ret == 0
    lines = [line for line in result.outlines if line]
    assert {line.split()[0] for line in lines} >= {rule.id for rule in RULES}
    assert {f"{rule.family}:" for rule in RULES} <= set(lines)
    said = {line.split()[0]: line.split()[1] for line in lines if line.startswith("  ") and line[2] != " "}
    assert said["session-state-leaked"] == "off*"
    assert said["apply-error"] == "error"
    assert said["undeclared-object"] == "warning*"
    assert any(line.startswith(f"{len(RULES)} rules: ") for line in lines)
    assert not any("session starts" in line for line in lines)


def test_a_rules_page_is_shown_and_one_that_there_is_not_is_a_usage_error(project: Project) -> None:
    result = project.pytest("--migsafe-explain=index-not-concurrent")

    assert result.ret == 0
    assert result.outlines[0] == "index-not-concurrent"
    assert "  -- migsafe: allow index-not-concurrent because ..." in result.outlines

    wrong = project.pytest("--migsafe-explain", "index-not-concurent")
    assert wrong.ret == pytest.ExitCode.USAGE_ERROR
    assert [line for line in wrong.errlines if line] == [
        "ERROR: --migsafe-explain: there is no rule 'index-not-concurent'; did you mean 'index-not-concurrent'?"
    ]


def test_a_wrong_setting_is_told_before_anything_is_listed(project: Project) -> None:
    project.write({"pyproject.toml": '[tool.migsafe]\npreset = "strikt"\n'})
    result = project.pytest("--migsafe-rules")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.outlines == []
    assert "preset: 'strikt' is none of its values; did you mean 'strict'?" in result.stderr.str()


@pytest.mark.parametrize("width", [70, 80, 120, 300])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    listed = list(rule_lines(RULES, {}, width))
    pages = [line for rule in RULES for line in explain_lines(rule, {}, width)]
    # A word alone, such as an id with its severity, is not broken.
    assert [line for line in (*listed, *pages) if len(line) > width and len(line.split()) > 2] == []


def test_a_page_says_which_severity_the_project_gives() -> None:
    rule = next(rule for rule in RULES if rule.id == "session-state-leaked")
    page = list(explain_lines(rule, {rule.id: Severity.ERROR}, 80))
    assert "Family session. Severity: warning; error in this project." in page
