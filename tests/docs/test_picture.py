"""The picture in the documentation is the one that the page's renderer draws of the page's own example."""

import os
import re
from pathlib import Path

import pytest

from pytest_migsafe.reports.html.locks import scene_of
from pytest_migsafe.reports.html.picture import standalone
from tests.plugin.conftest import Project

_DOCS = Path(__file__).parents[2] / "docs"
_FILE = re.compile(r"^<!-- file: (\S+) -->\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_picture_of_the_page_s_example(pytester: pytest.Pytester) -> None:
    project = Project(pytester)
    project.write(dict(_FILE.findall((_DOCS / "html-report.md").read_text(encoding="utf-8"))))
    *_, review = project.run("migrations").report["migrations"]
    for statement in review["statements"]:
        # Times differ from run to run.
        statement["duration_ms"] = 0.0

    drawn = standalone(scene_of(review))

    path = _DOCS / "lock-timeline.svg"
    if os.environ.get("MIGSAFE_DOCS") == "update":
        path.write_text(drawn, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == drawn, "MIGSAFE_DOCS=update pytest tests/docs writes it"
