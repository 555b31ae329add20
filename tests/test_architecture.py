"""The house has floors (the design's table): a module imports from lower floors and from its own folder only."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import pytest_migsafe

PACKAGE = Path(pytest_migsafe.__file__).parent
NAME = PACKAGE.name

#: Each room's floor, and the third-party packages that may be imported there, and only there.
FLOORS: dict[str, tuple[int, frozenset[str]]] = {
    "plugin": (11, frozenset({"pytest"})),
    "session": (9, frozenset({"pytest"})),
    # The databases of a run's histories.
    "rehearsals": (8, frozenset({"pytest"})),
    # What came of a run, kept and told.
    "results": (8, frozenset({"pytest"})),
    "items": (7, frozenset({"pytest"})),
    # What is known of a project before anything is looked for in it.
    "project": (8, frozenset({"pytest"})),
    # A few lines of SQL rehearsed, to try a rule with.
    "kit": (9, frozenset({"pytest", "psycopg"})),
    # The hooks that a team can have, and what calls them.
    "hookspecs": (9, frozenset({"pytest"})),
    "hooks": (7, frozenset({"pytest"})),
    # What a team's own tests ask for, and the work behind it; what they import.
    "fixtures": (10, frozenset({"pytest"})),
    "team": (8, frozenset({"pytest"})),
    "testing": (7, frozenset({"psycopg"})),
    # The list of rules, and the page of one, for the command line.
    "listing": (9, frozenset({"pytest"})),
    # Which paths of pytest's command line are folders of migrations.
    "arguments": (7, frozenset({"pytest"})),
    # The server of a fixture that the project names.
    "server_fixture": (7, frozenset({"pytest"})),
    "reports": (6, frozenset({"pygments"})),
    # What is kept of each judged migration for people: schemas, the way back, what it means for others.
    "artifacts": (6, frozenset()),
    # What is checked at the ends of histories: the end state by the smoke tests, a schema file.
    "ends": (7, frozenset()),
    "review": (5, frozenset()),
    # Which files are judged, and what of the history's past has changed.
    "gate": (5, frozenset()),
    # Which servers a history is rehearsed on, and what is there before its first migration.
    "places": (4, frozenset()),
    "rules": (4, frozenset()),
    "rehearsal": (3, frozenset({"psycopg", "hypothesis"})),
    # protobuf comes with postgast, whose trees are protobuf messages.
    "migrations": (2, frozenset({"postgast", "sqlglot", "google"})),
    # mirakuru and packaging stand in the signatures of pytest-postgresql's executor.
    "postgres": (2, frozenset({"pytest_postgresql", "mirakuru", "packaging", "psycopg"})),
    "catalog": (2, frozenset({"psycopg"})),
    # Being another role for a while: for the probes, and for users' own tests.
    "impersonation": (2, frozenset({"psycopg"})),
    "settings": (1, frozenset()),
    # How big production's tables are, as the settings and a file of production's say it.
    "table_sizes": (0, frozenset()),
    "findings": (0, frozenset()),
    # Texts of others as reports and guides show them, and the wording of lists and numbers.
    "texts": (0, frozenset()),
    "errors": (0, frozenset()),
    "termination": (0, frozenset()),
    # The package itself is empty but for its docstring and version.
    "__init__": (0, frozenset()),
}

MODULES = sorted(PACKAGE.rglob("*.py"))


@dataclass(frozen=True)
class Import:
    """One imported module, and where the import stands."""

    line: int
    module: str
    in_function: bool


def room(path: Path) -> str:
    """Return the room of a module: its folder, or its own name at the top of the package."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[Import]:
    """Yield every import of a module, those in functions and under conditions too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    ]
    inside = {id(node) for function in functions for node in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(node.lineno, alias.name, id(node) in inside)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports name their module in full"
            module = node.module or ""
            if module == NAME:
                # `from pytest_migsafe import catalog` imports a room.
                for alias in node.names:
                    yield Import(node.lineno, f"{module}.{alias.name}", id(node) in inside)
            else:
                yield Import(node.lineno, module, id(node) in inside)


def broken(path: Path) -> Iterator[str]:
    """Yield a sentence for each import of a module that the table does not allow."""
    here = room(path)
    floor, third_party = FLOORS[here]
    for one in imports(path):
        top, _, rest = one.module.partition(".")
        if top == NAME:
            there = rest.split(".")[0]
            if there != here and FLOORS[there][0] >= floor:
                yield f"line {one.line}: {here} (floor {floor}) imports {one.module} (floor {FLOORS[there][0]})"
        elif top not in sys.stdlib_module_names and top not in third_party:
            yield f"line {one.line}: {here} imports {one.module}, which has no place there"


def shown(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def test_every_module_has_its_floor() -> None:
    assert {room(path) for path in MODULES} == FLOORS.keys()


@pytest.mark.parametrize("path", MODULES, ids=shown)
def test_imports_point_downwards_and_stay_with_their_packages(path: Path) -> None:
    assert list(broken(path)) == []


@pytest.mark.parametrize("path", MODULES, ids=shown)
def test_nothing_private_to_pytest_is_imported(path: Path) -> None:
    assert [one for one in imports(path) if one.module.split(".")[0] in ("_pytest", "pluggy")] == []


@pytest.mark.parametrize("path", MODULES, ids=shown)
def test_an_import_inside_a_function_says_what_it_saves(path: Path) -> None:
    lines = ["", *path.read_text(encoding="utf-8").splitlines()]

    for one in imports(path):
        if one.in_function:
            beside = lines[one.line].partition("#")[2].replace("noqa: PLC0415", "").strip(" #")
            above = lines[one.line - 1].strip()
            assert beside or above.startswith("#"), f"{path}:{one.line}"


def test_the_plugin_s_entry_point_imports_pytest_and_the_standard_library_only() -> None:
    """Every pytest run of the environment imports it, with or without --migsafe.

    Of our own modules it imports those that import no more than it does; tests/plugin/test_usage.py looks at what is loaded.
    """
    at_once = {one.module.split(".")[0] for one in imports(PACKAGE / "plugin.py") if not one.in_function}

    assert at_once - sys.stdlib_module_names == {"pytest", NAME}


@pytest.mark.parametrize(
    ("module", "text", "complaint"),
    [
        ("rules/x.py", "import psycopg", "line 1: rules imports psycopg, which has no place there"),
        (
            "migrations/x.py",
            "def f():\n    from pytest_migsafe.catalog import diff",
            "line 2: migrations (floor 2) imports pytest_migsafe.catalog (floor 2)",
        ),
        (
            "rehearsal/x.py",
            "from pytest_migsafe import errors, review",
            "line 1: rehearsal (floor 3) imports pytest_migsafe.review (floor 5)",
        ),
        ("review.py", "import os, pytest.x", "line 1: review imports pytest.x, which has no place there"),
    ],
)
def test_a_wrong_import_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, text: str, complaint: str
) -> None:
    path = tmp_path / module
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)

    assert list(broken(path)) == [complaint]
