"""A project to run pytest in."""

from tests.plugin.conftest import majors, project

__all__ = ["majors", "project"]
