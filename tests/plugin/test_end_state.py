"""`--migsafe-end-state`: an item that judges the whole schema at the end of a history."""

from tests.plugin.conftest import Project, settings

BROKEN = {
    "migrations/0001_orders.sql": "create table orders (id int primary key, note text);\n"
    "create index orders_note_idx on orders (note);\n",
    "migrations/0002_broken.sql": "update pg_index set indisvalid = false "
    "where indexrelid = 'orders_note_idx'::regclass;\n",
    "migrations/0003_total.sql": "alter table orders add total int;\n",
}


def test_the_end_state_is_judged_whichever_file_caused_what_is_wrong(project: Project) -> None:
    project.write(BROKEN)
    run = project.run("--migsafe-end-state")

    assert run.verdicts == {
        "migrations/0001_orders.sql": "passed",
        "migrations/0002_broken.sql": "failed",
        "migrations/0003_total.sql": "passed",
    }
    (end,) = run.report["histories"][0]["ends"]
    assert (end["item"], end["outcome"]) == ("migrations/0003_total.sql::end-state", "failed")
    assert [(one["rule"], one["details"]["since"]) for one in end["findings"]] == [
        ("invalid-index", "migrations/0002_broken.sql:1")
    ]
    assert {
        "name": "indexes",
        "checked": 2,
        "errors": 1,
        "warnings": 0,
        "not_valid": [],
        "verdict": "failed",
    } in end["smoke_tests"]
    # The item alone: nobody knows which file it was, and the state is the same.
    alone = project.run("--migsafe-end-state", "-k", "end-state")
    assert alone.counts == {"failed": 1, "deselected": 3}
    assert "invalid-index: the index public.orders_note_idx" in alone.text
    assert "since" not in alone.text


def test_severities_count_and_a_sound_end_state_passes(project: Project) -> None:
    project.write(BROKEN, settings('rules = {"invalid-index" = "warning"}'))
    run = project.run("--migsafe-end-state", "-n", "2", subprocess=True)

    assert run.counts == {"passed": 4}
    assert "end state of migrations: 0 errors, 1 warning" in run.text

    project.write({"migrations/0004_mended.sql": "reindex table orders;\n"})
    assert "end state of migrations: 0 errors, 0 warnings" in project.run("--migsafe-end-state").text


def test_what_a_file_allows_is_allowed_at_the_end_also_when_the_file_is_not_asked_for(
    project: Project,
) -> None:
    allowed = f"-- migsafe: allow invalid-index because it is dropped by hand\n{BROKEN['migrations/0002_broken.sql']}"
    project.write(BROKEN, {"migrations/0002_broken.sql": allowed})
    for args in ([], ["-k", "end-state"]):
        run = project.run("--migsafe-end-state", *args)
        assert run.exit_code == 0
        assert "end state of migrations: 0 errors, 0 warnings, 1 waived" in run.text
        (end,) = run.report["histories"][0]["ends"]
        assert [(one["rule"], one["waived_because"]) for one in end["findings"]] == [
            ("invalid-index", "it is dropped by hand")
        ]


def test_what_is_looked_at_only_at_the_end_is_allowed_where_a_statement_names_it(project: Project) -> None:
    allow = "-- migsafe: allow constraint-not-valid because the old rows are known"
    project.write(
        {
            "migrations/0001_a.sql": "create table a (id bigint primary key, n int);\n",
            "migrations/0002_b.sql": f"{allow}\nalter table a add constraint n_positive check (n > 0) not valid;\n",
            "migrations/0003_c.sql": "alter table a add constraint n_small check (n < 9) not valid;\n",
        }
    )
    run = project.run("--migsafe-end-state", "-k", "end-state or 0002")

    assert run.exit_code == 0
    (end,) = run.report["histories"][0]["ends"]
    found = [
        (one["objects"][0], one["waived_because"]) for one in end["findings"] if "not-valid" in one["rule"]
    ]
    assert found == [("public.a.n_positive", "the old rows are known"), ("public.a.n_small", None)]
