"""docs/assertions.md documents every fixture, every member and every helper, and nothing that there is not."""

import re
from pathlib import Path

import pytest

from pytest_migsafe import fixtures, testing

_PAGE = (Path(__file__).parents[2] / "docs" / "assertions.md").read_text(encoding="utf-8")


def _section(heading: str) -> str:
    """Return the text below a heading, up to the next one."""
    return _PAGE.partition(f"\n### {heading}\n")[2].partition("\n### ")[0]


def _first_cells(text: str) -> set[str]:
    """Return the names in the first column of a section's table."""
    cells = re.findall(r"^\| ([^|]*) \|", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)", cell)}


def _members(of: type) -> set[str]:
    own = {name for name in vars(of) if not name.startswith("_")}
    return own | {name for name in getattr(of, "__dataclass_fields__", {}) if not name.startswith("_")}


@pytest.mark.parametrize(
    "of", [testing.MigrationDatabase, testing.Rehearsal], ids=lambda one: str(one.__name__)
)
def test_every_member_is_documented(of: type) -> None:
    assert _first_cells(_section(f"`{of.__name__}`")) == _members(of)


def test_every_assertion_is_documented() -> None:
    helpers = {name for name in testing.__all__ if name.startswith("assert_")}
    assert _first_cells(_section("Assertions")) == helpers


def test_every_fixture_is_documented() -> None:
    offered = {
        name
        for name, one in vars(fixtures).items()
        if type(one).__name__ == "FixtureFunctionDefinition" and not name.startswith("_")
    }
    section = _section("Fixtures")
    assert _first_cells(section) | set(re.findall(r"^`(\w+)` is for", section, re.MULTILINE)) == offered


def test_every_type_of_a_fixture_can_be_imported() -> None:
    for name in re.findall(r"^\| `\w+` \| `(?:tuple\[)?(\w+)", _section("Fixtures"), re.MULTILINE):
        assert name in testing.__all__
