"""The reports that are written to files: each soon, whole or not at all, whatever is in it."""

import json
import time
from pathlib import Path

import pytest

from pytest_migsafe.reports.files import FORMATS, ReportFile
from tests.reports.report import Json, finding, migration, report


def long_history() -> Json:
    """Return the report of five hundred migrations, each with an error and a warning."""
    return report(
        *(
            migration(f"migrations/{at:04}.sql", finding(), finding("w", severity="warning"))
            for at in range(500)
        )
    )


@pytest.mark.parametrize("name", sorted(FORMATS.keys() - {"html"}))
def test_a_long_history_is_told_in_less_than_a_second(name: str) -> None:
    given = long_history()
    began = time.perf_counter()
    FORMATS[name](given)

    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("name", sorted(FORMATS.keys() - {"html"}))
def test_what_is_no_unicode_is_written(tmp_path: Path, name: str) -> None:
    file = ReportFile(name, tmp_path / "report")
    file.write(report(migration("caf\udce9.sql", finding(message="\ud800"))))

    text = file.path.read_text("utf-8")
    assert "caf" in text
    if name != "markdown":
        json.loads(text)
    assert [path.name for path in tmp_path.iterdir()] == ["report"]
