"""A small project whose files go through psql, on a real server."""

from tests.plugin.conftest import Project

FILES = {
    "migrations/1_countries.sql": (
        "\\set ON_ERROR_STOP on\nCREATE TABLE countries (code text PRIMARY KEY, name text);\n"
        "COPY countries (code, name) FROM stdin;\nde\tGermany\nfr\t\\N\n\\.\nANALYZE countries;\n"
    ),
    "migrations/2_capital.SQL": "ALTER TABLE countries ADD COLUMN capital text;\n",
    "migrations/10_index.sql": (
        "-- no-transaction\nCREATE INDEX CONCURRENTLY by_name ON countries (name);\n"
        "COPY countries FROM STDIN;\nit\tItaly\tRome\n\\.\nVACUUM countries;\n"
    ),
}


def test_a_project_passes_with_its_rows_and_commands(project: Project) -> None:
    project.write(FILES)
    run = project.run()

    assert list(run.verdicts) == list(FILES)
    assert run.counts == {"passed": 3}


def test_a_row_that_does_not_fit_is_named(project: Project) -> None:
    project.write(FILES, {"migrations/11_more.sql": "COPY countries FROM STDIN;\nde\tx\ty\n\\.\n"})
    run = project.run()

    assert run.verdicts["migrations/11_more.sql"] == "failed"
    assert 'duplicate key value violates unique constraint "countries_pkey"' in run.text
