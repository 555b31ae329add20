"""The rollback guide: whose SQL it has, whether it was seen to work, and what it costs."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.plugin.conftest import Project

_EXAMPLE = Path(__file__).parents[2] / "example_project"
_ORDERS = "create table orders (id bigint primary key, total integer not null, note text);\n"


def _rollbacks(project: Project, *args: str) -> Mapping[str, Any]:
    """Return what the JSON report says of the way back from each migration, by the file's stem."""
    run = project.run("--migsafe-artifacts=out", *args)
    return {
        Path(one["path"]).stem: one["artifacts"]["rollback"]
        for one in run.report["migrations"]
        if one["artifacts"]
    }


def _text(project: Project, name: str, file: str = "rollback.md") -> str:
    return (project.path / "out" / "migrations" / name / file).read_text(encoding="utf-8")


def test_a_way_back_is_made_of_the_schemas_and_run(project: Project) -> None:
    project.write(
        {
            "migrations/01_orders.sql": _ORDERS,
            "migrations/02_index.sql": "create index orders_total on orders (total);\n",
            "migrations/03_paid.sql": "alter table orders add column paid boolean;\n",
            "migrations/04_note.sql": "alter table orders drop column note;\n",
            "migrations/05_names.sql": "alter table orders rename to sales;\n"
            "alter table sales rename column total to amount;\n",
            "migrations/06_mood.sql": "create type mood as enum ('sad');\ncreate type moods as (mood mood);\n",
            "migrations/07_moods.sql": "alter type mood add value 'happy';\n",
            "migrations/08_rows.sql": "update sales set amount = amount + 1;\n",
            "migrations/09_nothing.sql": "select 1;\n",
        }
    )
    found = _rollbacks(project)
    assert {name: (one["source"], one["verdict"]) for name, one in found.items()} == {
        "01_orders": ("generated", "lossy"),
        "02_index": ("generated", "proven"),
        "03_paid": ("generated", "lossy"),
        "04_note": ("generated", "lossy"),
        "05_names": ("generated", "proven"),
        "06_mood": ("generated", "proven"),
        "07_moods": ("generated", "impossible"),
        "08_rows": ("none", "lossy"),
        "09_nothing": ("none", "proven"),
    }
    assert found["01_orders"]["lost_since"] == ["all rows of public.orders"]
    assert found["03_paid"]["lost_since"] == ["all values of public.orders.paid"]
    assert found["04_note"]["only_in_a_backup"] == ["the values that public.orders.note had"]
    (why,) = found["07_moods"]["why"]
    assert why == (
        "type public.mood: labels (sad, happy) -> (sad) (no value is taken from an enum of which other types, "
        "casts or operators are made (happy))"
    )
    assert found["08_rows"]["only_in_a_backup"] == ["what the file wrote over or deleted in public.sales"]
    # Others do not wait for an index to be dropped, but for the lock that this takes.
    assert found["02_index"]["downtime"] == "short"
    sql = _text(project, "05_names", "rollback.sql")
    assert sql.splitlines()[2:] == [
        "",
        "BEGIN;",
        "SET LOCAL lock_timeout = '2s';",
        "",
        "ALTER TABLE public.sales RENAME TO orders;",
        "ALTER TABLE public.orders RENAME COLUMN amount TO total;",
        "",
        "COMMIT;",
    ]
    assert "CREATE TABLE public.orders_kept AS SELECT id, paid FROM public.orders;" in _text(
        project, "03_paid"
    )
    assert "There is nothing to roll back." in _text(project, "09_nothing")
    assert not (project.path / "out/migrations/09_nothing/rollback.sql").exists()
    status = json.loads((project.path / "out/status.json").read_text())
    assert status["boxes"]["rollback_guide"] == {
        "checked": False,
        "why": "not for migrations/07_moods.sql (impossible)",
    }


_PAIR = "-- migrate:up\n{up}\n\n-- migrate:down\n{down}\n"


@pytest.mark.parametrize(
    ("up", "down", "expected"),
    [
        (
            "alter table orders add column paid boolean;",
            "alter table orders drop column paid;",
            ("lossy", "all values of public.orders.paid", ""),
        ),
        ("create index i on orders (total);", "drop index i;", ("proven", "", "")),
        (
            "alter table orders add column paid boolean; create view v as select id from orders;",
            "alter table orders drop column paid;",
            ("incomplete", "view public.v is still there", "DROP VIEW public.v;"),
        ),
        (
            "create view v as select id from orders;",
            "drop view w;",
            ("impossible", 'view "w" does not exist', "DROP VIEW public.v;"),
        ),
        (
            "alter table orders drop constraint orders_pkey;",
            "alter table orders add primary key (id); create table kept.log (id int);",
            ("impossible", 'schema "kept" does not exist', "ADD CONSTRAINT orders_pkey PRIMARY KEY (id);"),
        ),
    ],
    ids=["column", "index", "view forgotten", "wrong name", "key"],
)
def test_the_projects_own_is_run_and_applied_again(
    project: Project, up: str, down: str, expected: tuple[str, str, str]
) -> None:
    verdict, why, lacking = expected
    project.write(
        {
            "db/migrations/20260101000000_orders.sql": _PAIR.format(up=_ORDERS, down="drop table orders;"),
            "db/migrations/20260102000000_change.sql": _PAIR.format(up=up, down=down),
        }
    )
    run = project.run("--migsafe-artifacts=out")
    rollback = run.report["migrations"][1]["artifacts"]["rollback"]
    assert (rollback["source"], rollback["verdict"]) == ("own", verdict)
    assert why in " ".join(rollback["why"])
    folder = project.path / "out/db/migrations/20260102000000_change"
    text = (folder / "rollback.md").read_text()
    assert lacking in text
    assert ("applied again after it, and made the same" in text) == (verdict in {"proven", "lossy"})
    assert (folder / "rollback.sql").read_text().splitlines()[-1] == down


def test_a_file_that_failed_in_the_middle_says_what_stayed(project: Project) -> None:
    project.write(
        {
            "migrations/01_orders.sql": _ORDERS,
            "migrations/02_half.sql": "create table halves (id int);\ncommit;\ncreate table orders (id int);\n",
            "migrations/03_whole.sql": "create table wholes (id int);\n",
        }
    )
    assert _rollbacks(project)["02_half"] is None
    text = _text(project, "02_half")
    assert 'The file was not applied: relation "orders" already exists (line 3).' in text
    assert "+ table public.halves" in text
    assert "DROP TABLE public.halves;" in _text(project, "02_half", "rollback.sql")


def test_a_column_that_must_have_values_is_told_of(project: Project) -> None:
    project.write(
        {
            "migrations/01_orders.sql": _ORDERS,
            "migrations/02_total.sql": "alter table orders drop column total;\n",
            "migrations/03_big.sql": "alter table orders alter column id type numeric;\n",
        }
    )
    _rollbacks(project)
    assert (
        "column public.orders.total comes back without values, and NOT NULL: fill it before, where there are rows"
        in _text(project, "02_total")
    )
    assert "public.orders.id becomes bigint again, from numeric: values may not fit, or be cut" in _text(
        project, "03_big"
    )
    text = _text(project, "03_big")
    assert "others wait for work that grows with the tables" in text
    assert "## Without a stall" in text


def test_a_half_without_a_statement_is_no_way_back(project: Project) -> None:
    project.write(
        {"db/migrations/20260101000000_orders.sql": _PAIR.format(up=_ORDERS, down="-- nobody goes back")}
    )
    run = project.run("--migsafe-artifacts=out")
    rollback = run.report["migrations"][0]["artifacts"]["rollback"]
    assert (rollback["source"], rollback["verdict"]) == ("generated", "lossy")


#: Files of crates.io with what was seen of their downs by hand.
_CRATES = {
    "2024-10-25-112826_make-unique-version-unique": ("impossible", "does not exist"),
    "2025-02-11-163554_fix-num-versions-trigger": ("incomplete", "is missing"),
    "2025-04-25-090000_trusted-publishing": ("lossy", "all rows of public.trustpub_"),
}


def test_downs_of_a_real_project(project: Project, corpora: Path) -> None:
    shutil.copytree(corpora / "crates_io" / "migrations", project.path / "migrations")
    run = project.run("--migsafe-artifacts=out", "-k", " or ".join(_CRATES))
    found = {
        Path(one["path"]).parent.name: one["artifacts"]["rollback"]
        for one in run.report["migrations"]
        if one["artifacts"]
    }
    assert {name: one["verdict"] for name, one in found.items()} == {
        name: verdict for name, (verdict, _) in _CRATES.items()
    }
    for name, (_, why) in _CRATES.items():
        assert why in " ".join(found[name]["why"])


def test_the_example_project_can_go_back(project: Project) -> None:
    shutil.copytree(_EXAMPLE, project.path, dirs_exist_ok=True)
    # A table, a trigger, a value of an enum, rows in batches, an index, a view.
    some = ("0003", "0007", "0010", "0012", "0016", "0019")
    found = _rollbacks(project, "-k", " or ".join(some))
    assert {one["source"] for one in found.values()} == {"own"}
    assert {name[:4]: one["verdict"] for name, one in found.items()} == {
        "0003": "lossy",
        "0007": "proven",
        "0010": "proven",
        "0012": "lossy",
        "0016": "proven",
        "0019": "proven",
    }
