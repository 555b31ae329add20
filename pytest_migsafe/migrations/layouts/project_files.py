"""Files in which a project configures its runner: one that cannot be read says nothing, and its runner will complain."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def text_of(path: Path) -> str:
    """Return a file's text; empty when there is none, or it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def toml_of(path: Path) -> Mapping[str, Any]:
    """Return what a TOML file says; nothing when it cannot be read."""
    try:
        return tomllib.loads(text_of(path))
    except tomllib.TOMLDecodeError:
        return {}
