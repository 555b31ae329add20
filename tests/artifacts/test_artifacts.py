"""``--migsafe-artifacts DIR``: what is written for each judged migration, and what is not."""

import json
from pathlib import Path

import pytest

from tests.plugin.conftest import BROKEN_IN_THE_MIDDLE, Project, settings

_SHOP = {
    "migrations/0001_orders.sql": (
        "create table orders (id bigint primary key, total numeric not null);\n"
        "create view totals as select total from orders;\n"
    ),
    "migrations/0002_paid.sql": "alter table orders add column paid boolean;\nupdate orders set paid = true;\n",
}


def _folder(project: Project, name: str) -> Path:
    return project.path / "out" / "migrations" / name


def _text(project: Project, name: str, file: str) -> str:
    return (_folder(project, name) / file).read_text(encoding="utf-8")


def test_schemas_and_impact_are_kept_of_each_migration(project: Project) -> None:
    project.write(_SHOP)
    assert project.run("--migsafe-artifacts=out").counts == {"failed": 1, "passed": 1}
    assert _text(project, "0002_paid", "schema.diff") == "+ column public.orders.paid boolean\n"
    before, after = (
        json.loads(_text(project, "0002_paid", f"schema-{when}.json")) for when in ("before", "after")
    )
    assert "public.orders.paid" not in before["objects"]["column"]
    assert after["objects"]["column"]["public.orders.paid"] == {"type": "boolean"}
    impact = _text(project, "0002_paid", "impact.md")
    assert "**window**: others wait for work that grows with the tables." in impact
    assert (
        "- line 2: reads and writes of public.orders wait while rows of public.orders are written" in impact
    )
    assert "| `public.orders` | reads and writes | 1 added | not said |" in impact
    assert "| `public.orders` | 0 | 0 | 0 | updated: all |" in impact
    assert "| `public.orders` | view public.totals |" in impact


def test_the_impact_names_who_waits_for_what_and_what_is_gone(project: Project) -> None:
    project.write(
        {
            "migrations/01_orders.sql": (
                "create table customers (id bigint primary key);\n"
                "create table orders (id bigint primary key, total int, customer bigint references customers);\n"
                "create view totals as select total from orders;\ncreate view sums as select * from totals;\n"
                "create function count_orders() returns bigint language sql as 'select count(*) from orders';\n"
            ),
            "migrations/02_total.sql": (
                "drop view sums;\ndrop view totals;\nalter table orders alter column total type bigint;\n"
                "alter table orders drop column customer;\n"
            ),
        },
        settings("tables = {'public.orders' = 20_000_000}"),
    )
    project.run("--migsafe-artifacts=out")
    impact = _text(project, "02_total", "impact.md")
    assert "(about 40 s at 20 million rows)" in impact
    assert "| `public.orders` | reads and writes | 1 changed, 2 removed | 20,000,000 |" in impact
    assert (
        "| `public.orders` | view public.totals; view public.sums; function public.count_orders() |" in impact
    )
    assert (
        "Search it for these names, which are gone or mean something else: `customer`, `sums`, `total`, `totals`."
        in impact
    )
    assert "- `column-removed`: " in impact


def test_a_schema_can_be_declared_by_the_file_that_is_kept(project: Project) -> None:
    project.write(_SHOP)
    project.run("--migsafe-artifacts=out")
    declared = _folder(project, "0002_paid") / "schema-after.json"
    run = project.run(f"--migsafe-schema={declared}", "migrations/0001_orders.sql", "migrations")
    assert run.report["histories"][0]["ends"][0]["outcome"] == "passed"


def test_nothing_is_kept_of_what_is_blocked_and_the_status_says_what_is_so(project: Project) -> None:
    project.write(BROKEN_IN_THE_MIDDLE)
    project.run("--migsafe-artifacts=out")
    names = sorted(path.name for path in (project.path / "out" / "migrations").iterdir())
    assert names == ["0001_users", "0002_email", "0003_broken"]
    assert not (_folder(project, "0003_broken") / "impact.md").exists()
    status = json.loads((project.path / "out" / "status.json").read_text())
    assert status["verdict"] == "unsafe"
    assert status["boxes"]["ci_green"]["checked"] is False
    assert status["boxes"]["additive_only"]["checked"] is True
    assert status["boxes"]["schema_as_declared"] == {"checked": None, "why": "no schema file is declared"}
    assert [one["outcome"] for one in status["migrations"]] == [
        *["passed"] * 2,
        "failed",
        *["blocked"] * 2,
    ]
    text = (project.path / "out" / "status.md").read_text()
    assert text.startswith("# Do not merge: 1 of 5 migrations fails, 2 blocked\n")
    assert "- [ ] CI is green: Do not merge: " in text


def test_workers_write_to_the_folder_and_every_run_writes_the_same(project: Project) -> None:
    project.write(_SHOP)
    project.run("--migsafe-artifacts=out")
    alone = _contents(project.path / "out")
    (_folder(project, "0001_orders") / "notes.txt").write_text("mine")
    project.run("--migsafe-artifacts=out", "-n2", subprocess=True)
    assert (_folder(project, "0001_orders") / "notes.txt").read_text() == "mine"
    together = _contents(project.path / "out")
    del together["migrations/0001_orders/notes.txt"]
    assert together == alone


def _contents(folder: Path) -> dict[str, list[str]]:
    """Return the files' lines, but for the one with the time."""
    return {
        path.relative_to(folder).as_posix(): [
            line
            for line in path.read_text(encoding="utf-8").splitlines()
            if not line.startswith(("Written ", ' "written"'))
        ]
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_each_of_several_places_has_a_folder(project: Project, majors: tuple[str, str]) -> None:
    project.write(_SHOP)
    project.run("--migsafe-artifacts=out", f"--migsafe-postgres={','.join(majors)}")
    for major in majors:
        assert (project.path / "out" / major / "migrations" / "0001_orders" / "impact.md").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("migrations/0001_orders.sql", "that is a file; name a folder, which is made if it is missing"),
        ("migrations/0001_orders.sql/out", "the folder cannot be made: Not a directory"),
    ],
)
def test_a_folder_that_cannot_be_is_a_usage_error(project: Project, given: str, said: str) -> None:
    project.write(_SHOP)
    run = project.run(f"--migsafe-artifacts={given}")
    assert run.exit_code == pytest.ExitCode.USAGE_ERROR
    assert f"--migsafe-artifacts {given}: {said}" in run.errors


def test_what_cannot_be_written_is_said_and_ends_the_run_with_an_error(project: Project) -> None:
    project.write({"migrations/0001_users.sql": "create table users (id int primary key);\n"})
    (project.path / "out").mkdir()
    (project.path / "out" / "migrations").write_text("in the way")
    run = project.run("--migsafe-artifacts=out")
    assert run.exit_code == pytest.ExitCode.USAGE_ERROR
    assert f"cannot write {project.path / 'out/migrations/0001_users'}: " in run.text
