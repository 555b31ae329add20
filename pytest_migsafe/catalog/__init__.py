"""What a database holds: read in full or as a file changed it, compared, and shown."""

from pytest_migsafe.catalog.composition import PreparedConnection
from pytest_migsafe.catalog.diff import Change, diff
from pytest_migsafe.catalog.environment import Environment, environment, environment_diff
from pytest_migsafe.catalog.incremental import Changes, Mark, apply_changes, mark, read_changes
from pytest_migsafe.catalog.names import without_automatic_names
from pytest_migsafe.catalog.physical import physical_diff
from pytest_migsafe.catalog.render import Line, coloured, render, render_by_object
from pytest_migsafe.catalog.schema import FORMAT_VERSION, Schema
from pytest_migsafe.catalog.snapshot import snapshot
from pytest_migsafe.catalog.surroundings import Surroundings

__all__ = [
    "FORMAT_VERSION",
    "Change",
    "Changes",
    "Environment",
    "Line",
    "Mark",
    "PreparedConnection",
    "Schema",
    "Surroundings",
    "apply_changes",
    "coloured",
    "diff",
    "environment",
    "environment_diff",
    "mark",
    "physical_diff",
    "read_changes",
    "render",
    "render_by_object",
    "snapshot",
    "without_automatic_names",
]
