"""A small project with Drizzle, as drizzle-kit writes it, on a real server."""

import json

from tests.plugin.conftest import Project

BREAK = "--> statement-breakpoint\n"
TAGS = ("0000_whole_orders", "0001_odd_touch", "0002_late_index")
FILES = {
    "drizzle/0000_whole_orders.sql": (
        f"CREATE TYPE \"public\".\"status\" AS ENUM('new', 'paid');{BREAK}"
        f'CREATE TABLE "orders" (\n\t"id" serial PRIMARY KEY NOT NULL,\n\t"status" "status" NOT NULL\n);\n{BREAK}'
        'CREATE INDEX "status_idx" ON "orders" USING btree ("status");'
    ),
    "drizzle/0001_odd_touch.sql": (
        "-- Custom SQL migration file, put your code below! --\nCREATE FUNCTION touch() RETURNS trigger AS $$\nBEGIN\n"
        "  RETURN NEW;\nEND;\n$$ LANGUAGE plpgsql;\nCREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW "
        "EXECUTE FUNCTION touch();\n"
    ),
    "drizzle/0002_late_index.sql": f'CREATE TABLE "refunds" ("order_id" int);{BREAK}CREATE INDEX ON refunds (order_id);',
}


def journal(*tags: str) -> dict[str, str]:
    entries = [
        {"idx": at, "version": "7", "when": 1700000000000 + at, "tag": tag, "breakpoints": True}
        for at, tag in enumerate(tags)
    ]
    written = json.dumps({"version": "7", "dialect": "postgresql", "entries": entries}, indent=2)
    return {"drizzle/meta/_journal.json": written}


def test_a_project_passes_in_the_journals_order(project: Project) -> None:
    project.write(FILES, journal(*TAGS), {"drizzle/9999_never.sql": "SELECT nonsense;\n"})
    run = project.run()

    assert list(run.verdicts) == list(FILES)
    assert run.counts == {"passed": 3}
    assert "3 migrations in drizzle (drizzle layout)" in run.text
    assert "9999_never.sql" in run.text


def test_a_file_that_is_missing_fails_at_the_journal(project: Project) -> None:
    project.write(FILES, journal(*TAGS, "0003_gone"))
    run = project.run()

    assert run.counts == {"passed": 3, "failed": 1}
    assert run.verdicts["drizzle/meta/_journal.json"] == "failed"
    assert "_journal.json names 0003_gone, but there is no 0003_gone.sql; restore the file" in run.text


def test_a_concurrent_index_has_no_way_with_drizzle(project: Project) -> None:
    project.write(
        FILES,
        journal(*TAGS),
        {"drizzle/0002_late_index.sql": "CREATE INDEX CONCURRENTLY ON orders (status);"},
    )

    assert "apply it by hand, for Drizzle has no way" in project.run().text
