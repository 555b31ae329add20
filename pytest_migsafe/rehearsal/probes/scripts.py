"""The SQL files beside the probes."""

from functools import cache
from importlib.resources import files


@cache
def script(name: str) -> str:
    """Return the text of one of them."""
    return files(__package__).joinpath(f"{name}.sql").read_text(encoding="utf-8")
