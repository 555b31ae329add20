"""The lock file by itself: what is written into it, what is read from it, and what a history is beside it."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from pytest_migsafe.gate.lock import Entry, Lock, past_by_lock, read_lock, update
from pytest_migsafe.migrations.discovery import find_histories
from pytest_migsafe.migrations.model import History

ODD = ["1_a b.sql", "2_*.sql", "3_ünï.sql", "4_back\\slash.sql", "5_line\u2028break.sql"]


def history(project: Path) -> History:
    (found,) = find_histories(project, [project / "migrations"])
    return found


def write(project: Path, **files: str | None) -> None:
    (project / "migrations").mkdir(exist_ok=True)
    for name, text in files.items():
        path = project / "migrations" / f"{name}.sql"
        if text is None:
            path.unlink()
        else:
            path.write_text(text, encoding="utf-8")


def record(project: Path) -> Lock:
    path = project / "migsafe.lock"
    lock = read_lock(path) or Lock(path)
    past = past_by_lock(history(project), lock)
    update(lock, [(history(project), past.origins, past.gone)], lambda _migration, _rule: False)
    found = read_lock(path)
    assert found is not None
    return found


def seen(project: Path, lock: Lock) -> dict[str, str]:
    found = history(project)
    past = past_by_lock(found, lock)
    changed = {
        found.migrations[at].relative_path: one.change.value
        for at, one in past.origins.items()
        if one.change.value != "unchanged"
    }
    return changed | {one.path: "gone" for one in past.gone}


def test_names_of_all_kinds_are_read_as_they_were_written(tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()
    for name in ODD:
        (tmp_path / "migrations" / name).write_text("select 1;")

    lock = record(tmp_path)

    assert list(lock.entries) == [f"migrations/{name}" for name in ODD]
    assert seen(tmp_path, lock) == {}
    checked = subprocess.run(["sha256sum", "--check", "--strict", "migsafe.lock"], cwd=tmp_path, check=False)  # noqa: S607
    assert checked.returncode == 0


def test_a_line_break_in_a_name(tmp_path: Path) -> None:
    entries = {name: Entry(name, "0" * 64, ("1" * 32, "2" * 32)) for name in ("a\nb", "a\\nb", "a\rb")}
    (tmp_path / "x.lock").write_bytes(Lock(tmp_path / "x.lock", entries).text().encode())
    found = read_lock(tmp_path / "x.lock")
    assert found is not None
    assert found.entries == entries


def test_files_are_recorded_in_their_order_and_what_is_there_stays(tmp_path: Path) -> None:
    write(tmp_path, **{"1_a": "select 1;", "9_b": "select 9;"})
    first = record(tmp_path)
    write(tmp_path, **{"10_c": "select 10;"})
    second = record(tmp_path)
    assert list(second.entries) == ["migrations/1_a.sql", "migrations/9_b.sql", "migrations/10_c.sql"]
    assert {name: second.entries[name] for name in first.entries} == first.entries
    assert second.path.read_text().startswith(first.path.read_text()[:500])
    checksum = hashlib.sha256(b"select 10;").hexdigest()
    assert second.path.read_text().endswith(f"\n{checksum}  migrations/10_c.sql\n")
    assert [path.name for path in tmp_path.iterdir() if "unfinished" in path.name] == []


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"2_b": "select 2;\r\n"}, {}),
        ({"2_b": "-- two\nselect 2;\n"}, {"migrations/2_b.sql": "comments"}),
        ({"2_b": "select 3;\n"}, {"migrations/2_b.sql": "edited"}),
        ({"2_b": None}, {"migrations/2_b.sql": "gone"}),
        ({"2_b": None, "2_better": "select 3;\n"}, {"migrations/2_better.sql": "renamed"}),
        ({"2_b": None, "4_b": "select 2; -- two\n"}, {"migrations/4_b.sql": "renamed"}),
        ({"2_b": None, "4_d": "select 4;\n"}, {"migrations/2_b.sql": "gone", "migrations/4_d.sql": "new"}),
    ],
    ids=["line endings", "comment", "edited", "gone", "renamed", "renumbered", "gone, and another"],
)
def test_what_has_become_of_recorded_files(
    tmp_path: Path, files: dict[str, str | None], expected: dict[str, str]
) -> None:
    write(tmp_path, **{"1_a": "select 1;\n", "2_b": "select 2;\n", "3_c": "select 3.0;\n"})
    lock = record(tmp_path)
    write(tmp_path, **files)
    assert seen(tmp_path, lock) == expected


def test_a_new_file_before_recorded_ones(tmp_path: Path) -> None:
    write(tmp_path, **{"1_a": "select 1;\n", "3_c": "select 3;\n"})
    lock = record(tmp_path)
    write(tmp_path, **{"2_b": "select 2;\n", "4_d": "select 4;\n"})
    origins = past_by_lock(history(tmp_path), lock).origins
    assert [origins[at].later for at in (1, 3)] == [("migrations/3_c.sql",), ()]
    # It is not recorded as if nothing were wrong; what is right is.
    assert list(record(tmp_path).entries) == [f"migrations/{name}.sql" for name in ("1_a", "3_c", "4_d")]


def test_files_that_are_run_whenever_they_change_are_not_recorded(tmp_path: Path) -> None:
    write(tmp_path, V1__a="select 1;", R__b="select 2;")
    assert list(record(tmp_path).entries) == ["migrations/V1__a.sql"]


def test_changesets_may_be_added_to_a_recorded_file(tmp_path: Path) -> None:
    text = "--liquibase formatted sql\n--changeset ann:1\nselect 1;\n"
    write(tmp_path, changes=text)
    lock = record(tmp_path)
    write(tmp_path, changes=f"{text}--changeset bob:2\nselect 2;\n")
    assert seen(tmp_path, lock) == {"migrations/changes.sql": "allowed"}
    lock = record(tmp_path)
    assert seen(tmp_path, lock) == {}
    write(tmp_path, changes=text)
    assert seen(tmp_path, lock) == {"migrations/changes.sql": "edited"}


def test_sqitch_may_rework_a_recorded_change(tmp_path: Path) -> None:
    by = "2024-01-01T00:00:00Z Ann <ann@example.org>"
    plan = f"%syntax-version=1.0.0\n%project=app\n\nusers {by}\n@v1 {by}\n"
    (tmp_path / "migrations/deploy").mkdir(parents=True)
    (tmp_path / "migrations/sqitch.plan").write_text(plan)
    write(tmp_path, **{"deploy/users": "select 1;\n"})
    lock = record(tmp_path)
    (tmp_path / "migrations/sqitch.plan").write_text(f"{plan}users [users@v1] {by}\n")
    write(tmp_path, **{"deploy/users@v1": "select 1;\n", "deploy/users": "select 2;\n"})
    assert seen(tmp_path, lock) == {"migrations/deploy/users.sql": "new"}
    assert seen(tmp_path, record(tmp_path)) == {}
