"""Which files are judged, and what is said of it; without pytest around."""

from pathlib import Path
from typing import Any

import pytest

from pytest_migsafe.errors import SettingsError
from pytest_migsafe.gate.gate import Asked, Gate
from pytest_migsafe.migrations.discovery import find_histories
from pytest_migsafe.settings import Settings
from tests.gate.repository import Scratch


def gate(project: Path, *folders: str, baseline: str | None = None, **asked: Any) -> Gate:
    histories = [
        one for folder in folders or ("migrations",) for one in find_histories(project, [project / folder])
    ]
    given = {"directory": project, "environment": {}, **asked}
    settings = [Settings(root=project, baseline=baseline)] * len(histories)
    made = Gate(histories=histories, settings=settings, asked=Asked(**given))
    made.check()
    return made


def files(*numbers: int, folder: str = "migrations") -> dict[str, str]:
    return {f"{folder}/{n:04}_t.sql": f"create table t{n} ();\n" for n in numbers}


def test_in_a_submodule_the_base_is_what_the_project_around_it_has_at_its_own(scratch: Scratch) -> None:
    inner = Scratch.at(scratch.path.parent / "inner")
    inner.commit(files(1))
    scratch.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner.path), "db")
    scratch.commit(message="submodule")
    scratch.branch("feature")
    Scratch(scratch.path / "db").commit(files(2))
    scratch.commit(message="newer")

    found = gate(scratch.path, "db/migrations", since="main")

    assert found.judged == (frozenset({1}),)
    (line,) = found.lines()
    assert line.startswith("judged: 1 file new or changed since ")
    assert "(db at " in line
    # From within, the submodule is a repository like any other.
    within = gate(scratch.path / "db", since="HEAD~1")
    assert within.judged == (frozenset({1}),)


def test_each_working_tree_has_its_own_changes(scratch: Scratch) -> None:
    scratch.commit(files(1))
    other = scratch.path.parent / "other"
    scratch.git("worktree", "add", "-q", str(other))
    Scratch(other).write(files(2))
    assert gate(scratch.path, since="main").is_empty
    assert gate(other, since="main").judged == (frozenset({1}),)


def test_histories_of_two_repositories(scratch: Scratch) -> None:
    scratch.commit(files(1))
    other = Scratch.at(scratch.path / "vendor" / "other")
    other.commit(files(3))
    other.write(files(4))
    found = gate(scratch.path, "migrations", "vendor/other/migrations", since="main")
    assert found.judged == (frozenset(), frozenset({1}))
    assert [line.partition(" since ")[0] for line in found.lines()] == [
        "judged: nothing, for no file is new or changed",
        "judged: 1 file new or changed",
    ]


@pytest.mark.parametrize("baseline", ["0002", "2", "0002_t.sql", "0002_t", "migrations/0002_t.sql"])
def test_a_baseline_is_named_as_people_name_a_file(tmp_path: Path, baseline: str) -> None:
    Scratch(tmp_path).write(files(1, 2, 3))
    assert gate(tmp_path, baseline=baseline).judged == (frozenset({2}),)


def test_a_baseline_is_that_of_the_histories_that_have_it(tmp_path: Path) -> None:
    Scratch(tmp_path).write(files(1, 2, 3, folder="a/migrations") | files(7, folder="b/migrations"))
    assert gate(tmp_path, "a", "b", baseline="0002").judged == (frozenset({2}), frozenset({0}))
    with pytest.raises(SettingsError, match="no migration '0005' in a/migrations, b/migrations"):
        gate(tmp_path, "a", "b", baseline="0005")


def test_files_are_named_from_the_current_folder_and_by_links(tmp_path: Path) -> None:
    Scratch(tmp_path).write(files(1, 2, 3))
    (tmp_path / "link").symlink_to("migrations")
    only = ["0001_t.sql", str(tmp_path / "link/0003_t.sql")]
    assert gate(tmp_path, directory=tmp_path / "migrations", only=only).judged == (frozenset({0, 2}),)
    # What a commit deletes is listed, too.
    assert gate(tmp_path, only=["migrations/0009_gone.sql"]).is_empty
    with pytest.raises(SettingsError, match=r"there is no file migration/0001_t\.sql; did you mean"):
        gate(tmp_path, only=["migration/0001_t.sql"])


def test_a_folder_of_its_own_stands_for_its_migration(tmp_path: Path) -> None:
    folder = "migrations/2024-01-01-000000_users"
    Scratch(tmp_path).write({f"{folder}/{name}": "" for name in ("up.sql", "down.sql", "metadata.toml")})
    for name in ("down.sql", "metadata.toml"):
        assert gate(tmp_path, only=[f"{folder}/{name}"]).judged == (frozenset({0}),)


def test_a_clone_without_what_stood_in_files(scratch: Scratch) -> None:
    scratch.git("config", "uploadpack.allowFilter", "true")
    scratch.commit(files(1))
    scratch.branch("feature")
    scratch.commit({"migrations/0001_t.sql": "select 1;\n"})
    path = scratch.path.parent / "clone"
    scratch.git("clone", "-q", "--filter=blob:none", "-b", "feature", f"file://{scratch.path}", str(path))

    with pytest.raises(
        SettingsError, match="--migsafe-since: what stood in files is not in this clone of clone"
    ):
        gate(path, since="origin/main")
    # Where CI says what a pull request goes into, it is no error.
    found = gate(path, environment={"GITHUB_BASE_REF": "main"})
    assert found.judged == (frozenset({0}),)
    assert [line.rpartition(";")[2] for line in found.warnings()] == [
        " fetch it: `git fetch --refetch --no-filter`"
    ]
