"""Waivers, sizes and presets as a user meets them: in the exit code, the terminal and the JSON report."""

from tests.plugin.conftest import Project

SHOP = {
    "pyproject.toml": '[tool.migsafe]\nlock_timeout = "5s"\n',
    "migrations/0001_shop.sql": "create table orders (id bigint primary key, state text);\n"
    "create table states (id bigint primary key, name text);\n",
    "migrations/0002_index.sql": "-- migsafe: allow index-not-concurrent because orders rest at night\n"
    "create index orders_state on orders (state);\n",
}


def test_a_waived_finding_passes_and_is_shown_as_waived(project: Project) -> None:
    project.write(SHOP)
    short, long = project.run(), project.run("-v")

    assert short.counts == {"passed": 2}
    assert "1 finding waived in the files, which -v lists" in short.lines
    assert "rest at night" not in short.text
    at = next(at for at, line in enumerate(long.lines) if "migsafe waivers" in line)
    assert long.lines[at + 1 : at + 3] == [
        (
            "migrations/0002_index.sql:2:1: index-not-concurrent: writes of public.orders wait while index "
            "public.orders_state is built"
        ),
        "  = because orders rest at night",
    ]
    (finding,) = short.report["migrations"][1]["findings"]
    assert (finding["waived"], finding["waived_because"], finding["severity"]) == (
        True,
        "orders rest at night",
        "error",
    )
    assert finding["files"][0]["in_transaction"] is False
    assert {"work", "waiting"} <= finding["details"].keys()


def test_a_failure_shows_the_waived_below_and_the_wrong_waiver_with_its_line(project: Project) -> None:
    project.write(
        SHOP,
        {
            "migrations/0003_more.sql": "create index states_name on states (name); "
            "create index orders_both on orders (state, id); -- migsafe: allow index-not-concurrent because I say so\n"
            "-- migsafe: alow index-not-concurrent\n"
            "select 1;\n"
        },
    )
    run = project.run("migrations/0003_more.sql")

    assert run.counts == {"failed": 1}
    assert run.lines[run.lines.index("  --> migrations/0003_more.sql:1:1") + 1 :][:2] == [
        "> 1 | create index states_name on states (name)",
        "    | ^",
    ]
    assert "> 2 | -- migsafe: alow index-not-concurrent" in run.lines
    assert (
        "waived: index-not-concurrent: writes of public.states and public.orders wait while index public.orders_both is "
        "built" in run.lines
    )
    assert "  = because I say so" in run.lines


def test_of_two_statements_on_a_line_the_right_one_is_shown(project: Project) -> None:
    project.write(
        SHOP,
        {"migrations/0003_more.sql": "select 1; create index states_name on states (name); select 2;\n"},
    )
    run = project.run("migrations/0003_more.sql")

    at = run.lines.index("  --> migrations/0003_more.sql:1:11")
    assert run.lines[at + 1 : at + 3] == [
        "> 1 |           create index states_name on states (name)",
        "    |           ^",
    ]


def test_small_tables_warn_big_ones_say_how_long_and_renames_are_followed(project: Project) -> None:
    project.write(
        SHOP,
        {
            "pyproject.toml": '[tool.migsafe]\nlock_timeout = "5s"\ntable_statistics = "sizes.csv"\n'
            '[tool.migsafe.tables]\n"public.orders" = 200_000_000\n',
            "sizes.csv": "schema,table,rows,bytes\npublic,states,60,8192\npublic,orders,-1,16384\n",
            "migrations/0003_small.sql": "create index states_name on states (name);\n",
            "migrations/0004_renamed.sql": "alter table orders rename to purchases;\n",
            "migrations/0005_big.sql": "create index purchases_both on purchases (state, id);\n",
        },
    )
    run = project.run()

    assert run.verdicts["migrations/0003_small.sql"] == "passed"
    assert (
        "warning migrations/0003_small.sql:1:1: index-not-concurrent: writes of public.states wait"
        in run.text
    )
    assert run.verdicts["migrations/0005_big.sql"] == "failed"
    assert "public.purchases_both is built (about 3 min at 200 million rows)" in run.text
    assert "  = public.purchases has 200 million rows (pyproject.toml)" in run.lines
    assert "at 200 million rows" in run.report["migrations"][1]["findings"][0]["message"]


def test_what_many_files_failed_by_is_counted(project: Project) -> None:
    project.write(
        SHOP,
        {
            f"migrations/001{at}_index.sql": f"create index states_{at} on states (name, (id + {at}));\n"
            for at in range(4)
        },
    )
    assert "errors by rule: index-not-concurrent 4" in project.run().lines


def test_strict_makes_warnings_errors_and_a_single_severity_beats_it(project: Project) -> None:
    kept = {
        "migrations/0001_a.sql": "create table a (id bigint, note text);\n",
        "migrations/0002_b.sql": "create table if not exists a (id bigint);\n",
    }
    for settings, outcome in (
        ("", "passed"),
        ('preset = "strict"', "failed"),
        ('preset = "strict"\nrules = {"already-exists-skipped" = "warning"}', "passed"),
    ):
        project.write(kept, {"pyproject.toml": f"[tool.migsafe]\n{settings}\n"})
        assert project.run().verdicts["migrations/0002_b.sql"] == outcome
