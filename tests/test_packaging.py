"""The package as it is installed: its files and its metadata."""

import importlib.util
import re
import subprocess
import sys
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).parent.parent
_PROJECT = tomllib.loads((_REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, made by its build backend, without network."""
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling, which builds the wheel, is not installed (it is in the extra `dev`)")
    target = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)],
        cwd=_REPOSITORY,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = target.glob("*.whl")
    return built


def _metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def test_the_wheel_has_every_file_of_the_package_and_no_other(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    package = _REPOSITORY / "pytest_migsafe"
    wanted = {
        path.relative_to(_REPOSITORY).as_posix()
        for pattern in ("*.py", "*.sql", "*.css", "*.js", "py.typed")
        for path in package.rglob(pattern)
    }
    assert packed == wanted
    assert "pytest_migsafe/py.typed" in packed
    assert any(name.endswith(".sql") for name in packed)


def test_pytest_finds_the_plugin(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert archive.read(name).decode().strip() == "[pytest11]\nmigsafe = pytest_migsafe.plugin"


def test_the_metadata_say_what_is_needed(wheel: Path) -> None:
    metadata = _metadata(wheel)
    assert (metadata["Name"], metadata["Version"]) == ("pytest-migsafe", _PROJECT["version"])
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"
    assert metadata.get_all("License-File") == ["LICENSE"]
    needed = [one for one in metadata.get_all("Requires-Dist") or [] if "extra ==" not in one]
    names = {match[0] for one in needed if (match := re.match(r"[\w-]+(?:\[\w+\])?", one))}
    assert names == {
        "pytest",
        "pytest-postgresql",
        "psycopg[binary]",
        "sqlparse",
        "sqlglot",
        "hypothesis",
        "postgast",
        "pygments",
    }
    assert set(metadata.get_all("Provides-Extra") or ()) == {"postgres", "xdist", "dev"}


def test_the_description_is_the_readme(wheel: Path) -> None:
    assert _metadata(wheel).get_payload() == (_REPOSITORY / "README.md").read_text(encoding="utf-8")


def test_the_changelog_knows_the_version() -> None:
    assert _PROJECT["version"] in (_REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
