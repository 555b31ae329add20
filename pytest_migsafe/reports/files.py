"""The reports that are written to files: each is made of the JSON report, by a function from it to a text."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pytest_migsafe.reports.gitlab import as_gitlab
from pytest_migsafe.reports.json import as_json
from pytest_migsafe.reports.markdown import as_markdown
from pytest_migsafe.reports.sarif import as_sarif

#: Makes a report's text of the JSON report.
Render = Callable[[Mapping[str, Any]], str]


def _as_html(report: Mapping[str, Any]) -> str:
    # The page is a dozen modules, and pygments: a twentieth of the time that gating one file takes.
    from pytest_migsafe.reports.html import as_html  # noqa: PLC0415

    return as_html(report)


#: The formats, by the names of their flags: ``--migsafe-json FILE``.
FORMATS: Mapping[str, Render] = MappingProxyType(
    {"json": as_json, "sarif": as_sarif, "gitlab": as_gitlab, "markdown": as_markdown, "html": _as_html}
)


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A report that is asked for."""

    #: One of ``FORMATS``.
    format: str
    path: Path

    def write(self, report: Mapping[str, Any]) -> None:
        """Write the report, whole or not at all.

        Raises:
            OSError: it cannot be written.
        """
        unfinished = self.path.with_name(f".{self.path.name}.unfinished")
        try:
            text = FORMATS[self.format](report)
            unfinished.write_text(text, encoding="utf-8", errors="backslashreplace")
            unfinished.replace(self.path)
        finally:
            unfinished.unlink(missing_ok=True)
