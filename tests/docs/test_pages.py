"""The documentation does what it shows: its examples are run, and their output is compared.

A comment before a code block says what the block is:

- ``<!-- file: PATH -->``: the block is this file of the page's folder;
- ``<!-- run -->``: lines that begin with ``$`` are commands, what follows each is its output;
  ``<!-- run in example_project -->`` runs them in a copy of that folder; ``, exit code 1`` is what the last one ends with;
- ``<!-- json: FILE PATH -->``: the block is a part of a JSON file that a command wrote, ``migrations.2.findings`` for
  example.

A page is one story: its blocks share a folder and come one after the other. Times, versions and places are not
compared. ``MIGSAFE_DOCS=update pytest tests/docs`` writes what is seen into the pages.

A shell runs the commands of the README, as a reader would. On the other pages ``pytest`` is run in this process: it
takes a third of the time.
"""

import difflib
import importlib.metadata
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# A run in this process forgets what it imported; what is imported here stays, and is not loaded for each again.
import hypothesis  # noqa: F401 - its plugin does so at the end of every run
import pytest

import pytest_migsafe.migrations.grammar
import pytest_migsafe.session  # noqa: F401
from pytest_migsafe.postgres.binaries import Binaries
from tests import other_plugins
from tests.gate.repository import ENVIRONMENT as GIT_ENVIRONMENT

_REPOSITORY = Path(__file__).parents[2]
_PAGES = [_REPOSITORY / "README.md", *sorted((_REPOSITORY / "docs").glob("*.md"))]
_IS_UPDATE = os.environ.get("MIGSAFE_DOCS") == "update"
#: The example project says that it needs this version.
_OLDEST_MAJOR = 15

_BLOCK = re.compile(
    r"^<!-- (?P<kind>file|run|json)\b:?[ ]*(?P<argument>[^\n]*?) -->\n```\w*\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_RUN = re.compile(r"(?:in (?P<folder>[\w-]+))?(?:, exit code (?P<code>\d+))?")


@dataclass(frozen=True)
class Block:
    """A marked code block of a page."""

    kind: str
    argument: str
    body: str
    #: Where the body stands in the page's text.
    start: int
    end: int


def blocks(text: str) -> Iterator[Block]:
    """Yield a page's marked blocks in their order."""
    for found in _BLOCK.finditer(text):
        yield Block(found["kind"], found["argument"], found["body"], found.start("body"), found.end("body"))


#: Lines that tell about the machine, not about migrations.
_MACHINE = re.compile(r"(?:platform|cachedir:|rootdir:|configfile:|plugins:|slowest:) .*")
#: Whatever differs from run to run, and what is written in its place to compare.
_VARYING = (
    (re.compile(r"PostgreSQL \d+(?:\.\d+)+ \([\w ]+\)"), "PostgreSQL 18 (bundled)"),
    (re.compile(r"\bpytest \d+(?:\.\d+)+"), "pytest 9"),
    (re.compile(r"\d+\.\d+s\b"), "0.00s"),
    (re.compile(r"={3,}"), "==="),
    (re.compile(r"(?i)\b(seen on PostgreSQL) [\d.]+"), r"\1 18"),
    (re.compile(r"\b(pg_toast_|relation )\d+"), r"\1 1"),
    (re.compile(r'"(duration_ms|wal_bytes|version|source)": (?:[\d.]+|"[^"]*")'), r'"\1": 0'),
)


def without_machine(text: str, folder: Path) -> str:
    """Return a command's output without what only tells about this machine."""
    lines = [
        line.rstrip() for line in text.replace(f"{folder}/", "").splitlines() if not _MACHINE.fullmatch(line)
    ]
    return "\n".join(lines).strip("\n")


def comparable(text: str) -> str:
    """Return a text with times and versions made equal."""
    for varying, instead in _VARYING:
        text = varying.sub(instead, text)
    return text.strip("\n")


#: Runs a command in a folder, and returns its output and its exit code.
Shell = Callable[[str, Path], tuple[str, int]]


class PageRun:
    """A page's examples, run in a folder."""

    def __init__(self, folder: Path, shell: Shell) -> None:
        self._folder = folder
        self._shell = shell

    def seen(self, block: Block) -> str:
        """Do what a block says, and return what it should have shown."""
        match block.kind:
            case "file":
                path = self._folder / block.argument
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.body, encoding="utf-8")
                return block.body
            case "json":
                file, _, place = block.argument.partition(" ")
                value = json.loads((self._folder / file).read_text(encoding="utf-8"))
                for step in place.split(".") if place else ():
                    value = value[int(step)] if step.isdigit() else value[step]
                return json.dumps(value, indent=2) + "\n"
        return self._console(block)

    def _console(self, block: Block) -> str:
        options = _RUN.fullmatch(block.argument)
        assert options is not None, f"not understood: <!-- run {block.argument} -->"
        folder = self._in(options["folder"])
        lines: list[str] = []
        code = 0
        for command in re.findall(r"^\$ (.*)$", block.body, re.MULTILINE):
            said, code = self._shell(command, folder)
            output = without_machine(said, folder)
            lines += [f"$ {command}", *([output] if output else [])]
        assert code == int(options["code"] or 0), (
            f"{block.body}\nexit code {code}, not the one expected:\n" + "\n".join(lines)
        )
        return "\n".join(lines) + "\n"

    def _in(self, name: str | None) -> Path:
        if name is None:
            return self._folder
        if not (copy := self._folder / name).exists():
            shutil.copytree(
                _REPOSITORY / name,
                copy,
                ignore=shutil.ignore_patterns(".pytest_cache", "__pycache__", ".git"),
            )
        return copy


@pytest.fixture
def environment(binaries: Binaries) -> dict[str, str]:
    """The environment of a reader who has installed the package, on the server that the tests use."""
    # With CI set, pytest does not shorten its summary.
    foreign = re.compile(r"PYTEST_.*|COV_.*|CI|BUILD_NUMBER|.*COLOR.*|GIT_.*|GITHUB_.*|CI_.*|CHANGE_TARGET")
    kept = {name: value for name, value in os.environ.items() if not foreign.fullmatch(name)}
    plugins = [*other_plugins.without()]
    if not importlib.metadata.entry_points(group="pytest11", name="migsafe"):
        # Run from the source tree, without being installed.
        plugins += ["-p", "pytest_migsafe.plugin"]
        kept["PYTHONPATH"] = str(_REPOSITORY)
    if os.environ.get("MIGSAFE_TEST_BINDIR"):
        kept["MIGSAFE_BINDIR"] = str(binaries.bindir)
    elif os.environ.get("MIGSAFE_TEST_POSTGRES"):
        kept["MIGSAFE_POSTGRES"] = str(binaries.major)
    return kept | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "PYTEST_ADDOPTS": " ".join(plugins),
        "COLUMNS": "100",
        "NO_COLOR": "1",
        # Commits have the same ids on every machine.
        **GIT_ENVIRONMENT,
    }


def in_a_shell(environment: dict[str, str]) -> Shell:
    """Return what runs a command as a reader would."""

    def run(command: str, folder: Path) -> tuple[str, int]:
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
            timeout=120,
        )
        return done.stdout, done.returncode

    return run


@pytest.fixture
def in_this_process(
    pytester: pytest.Pytester, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Shell:
    """What runs ``pytest`` here, and everything else in a shell."""
    shell = in_a_shell(environment)

    def run(command: str, folder: Path) -> tuple[str, int]:
        program, *arguments = shlex.split(command)
        if program != "pytest":
            return shell(command, folder)
        with monkeypatch.context() as patch:
            patch.chdir(folder)
            for name in os.environ.keys() - environment.keys():
                patch.delenv(name)
            for name, value in environment.items():
                patch.setenv(name, value)
            return _run_pytest(pytester, arguments)

    return run


def _run_pytest(pytester: pytest.Pytester, arguments: Sequence[str]) -> tuple[str, int]:
    result = pytester.runpytest_inprocess(*arguments)
    return str(result.stdout) + str(result.stderr), int(result.ret)


def _example_pages() -> list[Path]:
    return [page for page in _PAGES if page.exists() and any(blocks(page.read_text(encoding="utf-8")))]


@pytest.mark.parametrize("page", _example_pages(), ids=lambda page: page.stem)
def test_a_pages_examples_show_what_happens(
    page: Path,
    tmp_path: Path,
    environment: dict[str, str],
    binaries: Binaries,
    in_this_process: Shell,
) -> None:
    if binaries.major < _OLDEST_MAJOR:
        pytest.skip(
            f"the documentation's examples need PostgreSQL {_OLDEST_MAJOR}, this is {binaries.version}"
        )
    folder = tmp_path / "project"
    folder.mkdir()
    text = page.read_text(encoding="utf-8")
    is_readme = page.parent == _REPOSITORY
    run = PageRun(folder, in_a_shell(environment) if is_readme else in_this_process)
    written: list[str] = []
    at = 0
    problems: list[str] = []
    for block in blocks(text):
        seen = run.seen(block)
        is_same = comparable(seen) == comparable(block.body)
        written += [text[at : block.start], block.body if is_same else seen]
        at = block.end
        if not is_same:
            line = text.count("\n", 0, block.start) + 1
            diff = difflib.unified_diff(
                comparable(block.body).splitlines(),
                comparable(seen).splitlines(),
                "the page",
                "seen",
                lineterm="",
            )
            problems.append(f"{page.name}, line {line}:\n" + "\n".join(diff))
    if _IS_UPDATE:
        page.write_text("".join([*written, text[at:]]), encoding="utf-8")
    else:
        assert not problems, "\n\n".join(
            [*problems, "MIGSAFE_DOCS=update pytest tests/docs writes what is seen."]
        )
    if _FIELDS.search(text):
        _check_fields(text, json.loads((folder / "report.json").read_text(encoding="utf-8")))


_FIELDS = re.compile(r"<!-- fields: (?P<place>\S*) -->\n(?P<table>(?:\|.*\n)+)")


def _check_fields(text: str, report: dict[str, Any]) -> None:
    """Compare the tables of fields with the fields of the report that the page itself has made."""
    documented = {found["place"]: found["table"] for found in _FIELDS.finditer(text)}
    assert documented
    for place, table in documented.items():
        names = set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE))
        there = {name for value in _at(report, place) for name in value}
        assert names == there, (
            f"{place or 'the report'}: the page has {names - there} too much, lacks {there - names}"
        )


def _at(report: Any, place: str) -> list[Any]:
    values = [report]
    for step in place.split(".") if place else ():
        name = step.removesuffix("[]")
        values = [value[name] for value in values if value.get(name)]
        if step.endswith("[]"):
            values = [one for value in values for one in value]
    return values
