"""A small runner of composite GitHub actions: expressions, inputs, outputs, and the scripts, which are really run.

Steps with ``uses`` are other people's actions: what they were given is kept. Facts: GitHub's documentation, "Metadata
syntax for GitHub Actions", "Evaluate expressions in workflows and actions", "Workflow commands for GitHub Actions", and
"Workflow syntax", `jobs.<job_id>.steps[*].shell`: bash is ``bash --noprofile --norc -eo pipefail {0}``.
"""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

Outcome = Literal["success", "failure", "skipped"]

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_TOKEN = re.compile(r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<mark>&&|\|\||==|!=|!|\(|\))|(?P<name>[\w.-]+))")


@dataclass(frozen=True)
class Done:
    """A step that was reached."""

    name: str
    outcome: Outcome
    #: Of a step with ``uses``: what is used, and what it was given.
    uses: str = ""
    given: Mapping[str, str] = field(default_factory=dict)
    #: Of a script: what it said.
    text: str = ""


@dataclass(frozen=True)
class ActionRun:
    """What came of an action."""

    steps: tuple[Done, ...]
    outputs: Mapping[str, str]
    #: The step summary, as Markdown.
    summary: str

    def __getitem__(self, name: str) -> Done:
        (found,) = (one for one in self.steps if one.name == name)
        return found

    @property
    def outcome(self) -> Outcome:
        """What the caller's step ends with."""
        return "failure" if any(one.outcome == "failure" for one in self.steps) else "success"


@dataclass(frozen=True, kw_only=True)
class Runner:
    """A machine on which actions run."""

    #: The checkout: GITHUB_WORKSPACE.
    workspace: Path
    #: Where the runner keeps its own files: RUNNER_TEMP.
    temporary: Path
    environment: Mapping[str, str]
    #: The context ``github``, as far as actions ask for it: ``event.pull_request.number`` and the like.
    github: Mapping[str, str] = field(default_factory=dict)

    def run(self, action: Path, **inputs: str) -> ActionRun:
        """Run a composite action; names of inputs have underscores for their hyphens."""
        said = yaml.safe_load(action.read_text(encoding="utf-8"))
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        unknown = given.keys() - said["inputs"].keys()
        assert not unknown, f"{action.name} has no such inputs: {unknown}"
        context = {
            **{f"github.{name}": value for name, value in self.github.items()},
            "github.action_path": str(action.parent),
        }
        for name, one in said["inputs"].items():
            context[f"inputs.{name}"] = given.get(name, evaluated(one.get("default", ""), context))
        self.temporary.mkdir(parents=True, exist_ok=True)
        summary = self.temporary / "summary.md"
        summary.touch()
        steps: list[Done] = []
        for number, step in enumerate(said["runs"]["steps"]):
            has_failed = any(one.outcome == "failure" for one in steps)
            done, outputs = self._step(step, context, number=number, has_failed=has_failed)
            steps.append(done)
            if "id" in step:
                context |= {f"steps.{step['id']}.outputs.{name}": value for name, value in outputs.items()}
        outputs = {name: evaluated(one["value"], context) for name, one in said["outputs"].items()}
        return ActionRun(tuple(steps), outputs, summary.read_text(encoding="utf-8"))

    def _step(
        self, step: Mapping[str, Any], context: Mapping[str, str], *, number: int, has_failed: bool
    ) -> tuple[Done, Mapping[str, str]]:
        if not _is_to_run(str(step.get("if", "")), context, has_failed=has_failed):
            return Done(step["name"], "skipped"), {}
        if "uses" in step:
            given = {name: evaluated(str(value), context) for name, value in step.get("with", {}).items()}
            return Done(step["name"], "success", uses=step["uses"], given=given), {}
        assert step["shell"] == "bash"
        script = self.temporary / f"{number}.sh"
        # The runner puts expressions in before bash sees the script, which is the danger of them.
        script.write_text(evaluated(step["run"], context), encoding="utf-8")
        output = self.temporary / f"{number}.output"
        output.touch()
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],  # noqa: S607 - as the runner does
            cwd=self.workspace / evaluated(step.get("working-directory", "."), context),
            env={
                **self.environment,
                **{name: evaluated(str(value), context) for name, value in step.get("env", {}).items()},
                "GITHUB_ACTIONS": "true",
                "CI": "true",
                "GITHUB_WORKSPACE": str(self.workspace),
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(self.temporary / "summary.md"),
                "RUNNER_TEMP": str(self.temporary),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
            timeout=120,
        )
        outcome: Outcome = "failure" if done.returncode else "success"
        return Done(step["name"], outcome, text=done.stdout), _outputs(output)


def _outputs(file: Path) -> dict[str, str]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def _is_to_run(condition: str, context: Mapping[str, str], *, has_failed: bool) -> bool:
    asked = _EXPRESSION.sub(r"\1", condition)
    # Without a function of that kind in it, a condition means "and nothing has failed".
    if has_failed and not re.search(r"\b(?:always|cancelled|failure)\(\)", asked):
        return False
    return not asked or _is_true(_Expression(asked, context).value())


def evaluated(text: str, context: Mapping[str, str]) -> str:
    """Return a text with the values of its expressions; what is not known is empty, as at GitHub."""
    return _EXPRESSION.sub(lambda found: _as_text(_Expression(found[1], context).value()), text)


def _as_text(value: str | bool) -> str:
    return value if isinstance(value, str) else str(value).lower()


def _is_true(value: str | bool) -> bool:
    return value not in ("", False)


class _Expression:
    """Names, strings, ``==``, ``!=``, ``!``, ``&&``, ``||``, and functions of the job's state; nothing was cancelled."""

    def __init__(self, text: str, context: Mapping[str, str]) -> None:
        self._tokens = [found for found in _TOKEN.finditer(text) if found.group().strip()]
        self._context = context
        self._at = 0

    def value(self) -> str | bool:
        value = self._or()
        assert self._at == len(self._tokens), [one.group() for one in self._tokens[self._at :]]
        return value

    def _take(self, *marks: str) -> str:
        if self._at < len(self._tokens) and (mark := self._tokens[self._at]["mark"]) in marks:
            self._at += 1
            return str(mark)
        return ""

    def _or(self) -> str | bool:
        value = self._and()
        while self._take("||"):
            other = self._and()
            value = value if _is_true(value) else other
        return value

    def _and(self) -> str | bool:
        value = self._compared()
        while self._take("&&"):
            other = self._compared()
            value = other if _is_true(value) else value
        return value

    def _compared(self) -> str | bool:
        value = self._single()
        while mark := self._take("==", "!="):
            value = (value == self._single()) is (mark == "==")
        return value

    def _single(self) -> str | bool:
        if self._take("!"):
            return not _is_true(self._single())
        token = self._tokens[self._at]
        self._at += 1
        if (string := token["string"]) is not None:
            return str(string)[1:-1].replace("''", "'")
        name = str(token["name"])
        if self._take("("):
            assert self._take(")")
            return {"always": True, "cancelled": False}[name]
        return self._context.get(name, "")
