"""The reference names everything that there is, and its generated parts are up to date."""

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_migsafe.migrations.layouts import LAYOUTS
from pytest_migsafe.rules.builtin import RULES
from pytest_migsafe.settings import Settings
from tests import other_plugins

_REPOSITORY = Path(__file__).parents[2]
_DOCS = _REPOSITORY / "docs"


def test_generated_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, str(_DOCS / "reference.py"), "--check"],
        cwd=_REPOSITORY,
        env={"PYTHONPATH": str(_REPOSITORY)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_setting_is_documented() -> None:
    text = (_DOCS / "settings.md").read_text(encoding="utf-8")
    headings = set(re.findall(r"^### `(\w+)`", text, re.MULTILINE))
    assert headings == {field.name for field in dataclasses.fields(Settings)} - {"root", "histories"} | {
        "history"
    }


def test_every_flag_is_documented(pytester: pytest.Pytester) -> None:
    helped = pytester.runpytest(*other_plugins.without(), "--help").stdout.str()
    flags = set(re.findall(r"--migsafe[\w-]*", helped))
    documented = set(
        re.findall(r"^\| `(--migsafe[\w-]*)", (_DOCS / "settings.md").read_text("utf-8"), re.MULTILINE)
    )
    assert flags
    assert documented == flags


def test_every_variable_is_documented() -> None:
    sources = "".join(path.read_text("utf-8") for path in (_REPOSITORY / "pytest_migsafe").rglob("*.py"))
    # The settings that a machine decides have a variable each; the others are named where they are read.
    variables = set(re.findall(r"\bMIGSAFE_[A-Z_]+\b", sources)) | {"MIGSAFE_POSTGRES", "MIGSAFE_BINDIR"}
    documented = set(
        re.findall(r"^\| `(MIGSAFE_\w+)`", (_DOCS / "settings.md").read_text("utf-8"), re.MULTILINE)
    )
    assert documented == variables


def test_every_case_of_bad_migrations_is_shown() -> None:
    text = (_DOCS / "failures.md").read_text(encoding="utf-8")
    cases = {path.name for path in (_REPOSITORY / "example_project" / "bad_migrations").iterdir()}
    assert set(re.findall(r"pytest --migsafe.* bad_migrations/(\w+)", text)) == cases


@pytest.mark.parametrize(
    "page", [*sorted(_DOCS.glob("*.md")), _REPOSITORY / "README.md"], ids=lambda page: page.stem
)
def test_links_lead_somewhere(page: Path) -> None:
    # What stands in a code block is shown, no link: an artifact's Markdown, for one.
    prose = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if target.startswith("http"):
            continue
        file, _, anchor = target.partition("#")
        path = page.parent / file if file else page
        assert path.exists(), f"{page.name}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.MULTILINE)
            slugs = {
                re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings
            }
            assert anchor in slugs, f"{page.name}: {target}"


def test_all_rules_and_layouts_have_a_line() -> None:
    rules, layouts = (_DOCS / "rules.md").read_text("utf-8"), (_DOCS / "layouts.md").read_text("utf-8")
    assert all(f"### {rule.id}\n" in rules for rule in RULES)
    assert all(f"| `{layout.name}` |" in layouts for layout in LAYOUTS)
