"""One page for people, with everything that it needs in itself."""

from pytest_migsafe.reports.html.page import as_html

__all__ = ["as_html"]
