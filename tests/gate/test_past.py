"""What has become of a history since a commit: of each file, in real repositories."""

import pytest

from pytest_migsafe.gate.base import base_of
from pytest_migsafe.gate.git import Repository
from pytest_migsafe.gate.past import Past, past_of
from pytest_migsafe.migrations.discovery import find_histories
from pytest_migsafe.migrations.model import History
from tests.gate.repository import Scratch

FLAT = {f"migrations/000{n}_t{n}.sql": f"create table t{n} (id int primary key);\n" for n in (1, 2, 3)}


def history(scratch: Scratch, folder: str = "migrations", layout: str | None = None) -> History:
    (found,) = find_histories(scratch.path, [scratch.path / folder], layout=layout)
    return found


def past(scratch: Scratch, ref: str = "main", folder: str = "migrations", layout: str | None = None) -> Past:
    found = history(scratch, folder, layout)
    return past_of(found, base_of(Repository.containing(found.root), ref))


def seen(
    scratch: Scratch, ref: str = "main", folder: str = "migrations", layout: str | None = None
) -> dict[str, str]:
    """Return what has become of each file that is not as it was, by its name, and of those that are gone."""
    found = past(scratch, ref, folder, layout)
    names = [one.relative_path for one in history(scratch, folder, layout).migrations]
    changed = {
        names[at]: one.change.value for at, one in found.origins.items() if one.change.value != "unchanged"
    }
    return changed | {one.path: "gone" for one in found.gone}


@pytest.fixture
def flat(scratch: Scratch) -> Scratch:
    """Three numbered files on main, and a branch."""
    scratch.commit(FLAT)
    scratch.branch("feature")
    return scratch


def test_nothing_has_changed(flat: Scratch) -> None:
    assert seen(flat) == {}


def test_each_kind_of_change(flat: Scratch) -> None:
    flat.commit({"migrations/0001_t1.sql": "-- a comment\n" + FLAT["migrations/0001_t1.sql"]})
    flat.write(
        {
            "migrations/0002_t2.sql": "create table t2 (id bigint primary key);\n",
            "migrations/0004_t4.sql": "create table t4 (id int primary key);\n",
            "migrations/0003_t3.down.sql": "drop table t3;\n",
            "migrations/readme.txt": "none\n",
        }
    )
    assert seen(flat) == {
        "migrations/0001_t1.sql": "comments",
        "migrations/0002_t2.sql": "edited",
        "migrations/0003_t3.sql": "allowed",
        "migrations/0004_t4.sql": "new",
    }
    origin = past(flat).origins[1]
    assert origin.differences == (
        "-create table t2 (id int primary key);",
        "+create table t2 (id bigint primary key);",
    )
    assert origin.commit == flat.git("rev-parse", "main")[:10]


def test_a_file_that_is_gone(flat: Scratch) -> None:
    flat.write({"migrations/0003_t3.sql": None})
    assert seen(flat) == {"migrations/0003_t3.sql": "gone"}
    flat.commit()
    assert seen(flat) == {"migrations/0003_t3.sql": "gone"}


def test_a_file_that_was_renamed(flat: Scratch) -> None:
    flat.git("mv", "migrations/0003_t3.sql", "migrations/0003_better.sql")
    (origin,) = [one for one in past(flat).origins.values() if one.was]
    assert (origin.change.value, origin.was, origin.has_new_version) == (
        "renamed",
        "migrations/0003_t3.sql",
        False,
    )
    flat.git("mv", "migrations/0003_better.sql", "migrations/0007_t3.sql")
    (origin,) = [one for one in past(flat).origins.values() if one.was]
    assert (origin.was, origin.has_new_version, origin.is_edited) == ("migrations/0003_t3.sql", True, False)


def test_one_is_gone_and_quite_another_is_new(flat: Scratch) -> None:
    flat.write({"migrations/0003_t3.sql": None, "migrations/0009_x.sql": "drop view v;\n-- nothing\n"})
    assert seen(flat) == {"migrations/0003_t3.sql": "gone", "migrations/0009_x.sql": "new"}


def test_a_new_file_before_one_that_is_known(flat: Scratch) -> None:
    flat.write({"migrations/0002_b.sql": "select 1;\n"})
    assert past(flat).origins[1].later == ("migrations/0003_t3.sql",) or past(flat).origins[1].later == (
        "migrations/0002_t2.sql",
        "migrations/0003_t3.sql",
    )


def test_what_the_other_branch_has_got_meanwhile(flat: Scratch) -> None:
    flat.switch("main")
    flat.commit(
        {"migrations/0004_theirs.sql": "select 4;\n", "migrations/0005_theirs.sql": "select 5;\n"}, "theirs"
    )
    flat.switch("feature")
    assert seen(flat) == {}

    flat.write({"migrations/0004_ours.sql": "select 1;\n"})

    origin = past(flat).origins[3]
    assert (origin.later, origin.rivals, origin.tip) == (
        ("migrations/0005_theirs.sql",),
        ("migrations/0004_theirs.sql",),
        "main",
    )
    flat.commit(message="ours")
    flat.git("merge", "-q", "main")
    # Now it is in the tree itself, where the rule on versions sees it; and it is still before the other's.
    assert past(flat).origins[3].rivals == ()
    assert past(flat).origins[3].later[-1] == "migrations/0005_theirs.sql"


def test_a_branch_that_begins_later_comes_later(flat: Scratch) -> None:
    flat.switch("main")
    flat.commit({"migrations/0004_theirs.sql": "select 4;\n"})
    flat.switch("feature")
    flat.write({"migrations/0005_ours.sql": "select 1;\n"})
    assert past(flat).origins[3].later == past(flat).origins[3].rivals == ()


def test_a_project_in_a_folder_of_its_repository_and_a_history_reached_by_a_link(scratch: Scratch) -> None:
    scratch.commit({f"services/app/{name}": text for name, text in FLAT.items()})
    (scratch.path / "services/app/link").symlink_to("migrations")
    project = Scratch(scratch.path / "services/app")
    project.write({"migrations/0002_t2.sql": None, "migrations/0003_t3.sql": "select 3;"})

    expected = {"/0002_t2.sql": "gone", "/0003_t3.sql": "edited"}
    assert seen(project, "HEAD") == {f"migrations{name}": change for name, change in expected.items()}
    assert seen(project, "HEAD", "link") == {f"link{name}": change for name, change in expected.items()}


def test_a_linked_file_is_what_it_leads_to(scratch: Scratch) -> None:
    scratch.write({"shared/x.sql": "select 1;\n", **FLAT})
    (scratch.path / "migrations/0004_x.sql").symlink_to("../shared/x.sql")
    scratch.commit()
    assert seen(scratch, "HEAD") == {}
    scratch.write({"shared/x.sql": "select 2;\n"})
    assert seen(scratch, "HEAD") == {"migrations/0004_x.sql": "edited"}


def test_migrations_that_are_left_out_of_a_sparse_checkout_are_not_gone(flat: Scratch) -> None:
    flat.commit({f"{folder}/{name}": text for folder in ("a", "b") for name, text in FLAT.items()})
    flat.git("update-index", "--skip-worktree", "a/migrations/0001_t1.sql")
    (flat.path / "a/migrations/0001_t1.sql").unlink()
    assert seen(flat, "HEAD", "a/migrations") == {}


def test_an_ignored_file_is_new(flat: Scratch) -> None:
    flat.write({".gitignore": "000*\n", "migrations/0004_t4.sql": "select 4;\n"})
    assert seen(flat) == {"migrations/0004_t4.sql": "new"}


def test_folders_of_migrations(scratch: Scratch) -> None:
    files = {f"migrations/2024010{n}000000_t{n}/migration.sql": f"create table t{n} ();\n" for n in (1, 2)}
    scratch.commit(files | {"migrations/migration_lock.toml": 'provider = "postgresql"\n'})
    scratch.git("mv", "migrations/20240102000000_t2", "migrations/20240102000000_better")
    scratch.write({"migrations/20240101000000_t1/down.sql": "drop table t1;\n"})

    assert seen(scratch, "HEAD") == {
        "migrations/20240101000000_t1/migration.sql": "allowed",
        "migrations/20240102000000_better/migration.sql": "renamed",
    }


def test_repeatable_files_may_be_edited_deleted_and_come_before_others(scratch: Scratch) -> None:
    scratch.commit(
        {
            "db/migration/V1__a.sql": "select 1;\n",
            "db/migration/R__b.sql": "select 2;\n",
            "db/migration/R__z.sql": "select 3;\n",
        }
    )
    scratch.write(
        {
            "db/migration/R__b.sql": "select 20;\n",
            "db/migration/R__a.sql": "select 3;\n",
            "db/migration/V2__c.sql": "select 4;\n",
            "db/migration/R__z.sql": None,
        }
    )
    found = past(scratch, "HEAD", "db/migration")
    assert seen(scratch, "HEAD", "db/migration") == {
        "db/migration/R__b.sql": "allowed",
        "db/migration/R__a.sql": "new",
        "db/migration/V2__c.sql": "new",
    }
    assert not any(one.later for one in found.origins.values())


_PLAN = "%syntax-version=1.0.0\n%project=app\n\n"
_BY = "2024-01-01T00:00:00Z Ann <ann@example.org>"


def test_sqitch_may_rework_a_change(scratch: Scratch) -> None:
    plan = f"{_PLAN}users {_BY}\nplans {_BY}\n@v1 {_BY}\n"
    files = {f"db/deploy/{name}.sql": f"create table {name} ();\n" for name in ("users", "plans")}
    scratch.commit({"db/sqitch.plan": plan, **files})
    scratch.write(
        {
            "db/sqitch.plan": f"{plan}users [users@v1] {_BY}\n",
            "db/deploy/users@v1.sql": files["db/deploy/users.sql"],
            "db/deploy/users.sql": "create table if not exists users ();\n",
        }
    )
    assert seen(scratch, "HEAD", "db") == {"db/deploy/users.sql": "new"}
    scratch.commit(message="reworked")
    scratch.write(
        {"db/sqitch.plan": f"{_PLAN}new {_BY}\n" + plan.removeprefix(_PLAN), "db/deploy/new.sql": "select 1;"}
    )
    (scratch.path / "db/deploy/users@v1.sql").unlink()
    new = next(one for one in past(scratch, "HEAD", "db").origins.values() if one.change.value == "new")
    assert "db/deploy/plans.sql" in new.later


def test_two_journals_with_one_place(scratch: Scratch) -> None:
    def journal(*tags: str) -> str:
        entries = ", ".join(
            f'{{"idx": {at}, "when": {at + 1}, "tag": "{tag}"}}' for at, tag in enumerate(tags)
        )
        return f'{{"dialect": "postgresql", "entries": [{entries}]}}'

    scratch.commit({"drizzle/meta/_journal.json": journal("0000_a"), "drizzle/0000_a.sql": "select 1;"})
    scratch.branch("feature")
    scratch.commit(
        {"drizzle/meta/_journal.json": journal("0000_a", "0001_ours"), "drizzle/0001_ours.sql": "select 1;"}
    )
    scratch.switch("main")
    scratch.commit(
        {"drizzle/meta/_journal.json": journal("0000_a", "0001_b"), "drizzle/0001_b.sql": "select 1;"}
    )
    scratch.switch("feature")

    assert past(scratch, "main", "drizzle").origins[1].rivals == ("drizzle/0001_b.sql",)


def test_a_plan_that_cannot_be_read_at_the_base(scratch: Scratch) -> None:
    scratch.commit({"drizzle/meta/_journal.json": "{", "drizzle/0000_a.sql": "select 1;"})
    scratch.write(
        {
            "drizzle/meta/_journal.json": '{"entries": [{"idx": 0, "when": 1, "tag": "0000_a"}]}',
            "drizzle/x.sql": "x",
        }
    )
    assert set(seen(scratch, "HEAD", "drizzle").values()) <= {"new"}


def test_a_folder_that_was_moved(flat: Scratch) -> None:
    flat.commit({"db/readme.txt": "none"})
    flat.git("mv", "migrations", "db/migrations")
    flat.write(
        {
            "db/migrations/0002_t2.sql": "create table t2 (id bigint primary key);\n",
            "db/migrations/0003_t3.sql": None,
            "db/migrations/0004_t4.sql": "select 4;\n",
        }
    )
    assert seen(flat, "main", "db/migrations") == {
        "db/migrations/0002_t2.sql": "edited",
        "db/migrations/0003_t3.sql": "gone",
        "db/migrations/0004_t4.sql": "new",
    }


def test_a_folder_that_was_copied_is_new(flat: Scratch) -> None:
    flat.write({name.replace("migrations", "other/migrations"): text for name, text in FLAT.items()})
    assert set(seen(flat, "main", "other/migrations").values()) == {"new"}


def test_a_plan_in_another_order(scratch: Scratch) -> None:
    changes = [f"{name} {_BY}\n" for name in ("a", "b", "c")]
    files = {f"db/deploy/{name}.sql": f"create table {name} ();\n" for name in ("a", "b", "c")}
    scratch.commit({"db/sqitch.plan": _PLAN + "".join(changes), **files})
    scratch.write({"db/sqitch.plan": _PLAN + changes[2] + changes[0] + changes[1]})
    found = past(scratch, "HEAD", "db").origins
    assert [found[at].later for at in range(3)] == [("db/deploy/a.sql", "db/deploy/b.sql"), (), ()]
    assert [found[at].has_changed for at in range(3)] == [True, False, False]
