"""The items at the end of a history: the schema file, declared, reviewed and written; the snapshot, proven."""

import json
from pathlib import Path

import pytest

from pytest_migsafe import catalog
from tests.plugin.conftest import A_TEST, BROKEN_IN_THE_MIDDLE, SOUND, Project, settings
from tests.plugin.test_usage import _refused as refused
from tests.service import Service

DECLARED = settings('schema_file = "schema.json"')
SCHEMA = "migrations/0002_email.sql::schema"
NOTE = {"migrations/0003_note.sql": "alter table users add column note text;\ncreate table plans (id int);\n"}


def test_declared_written_compared(project: Project) -> None:
    project.write(SOUND, DECLARED, A_TEST)
    missing = project.run()
    assert missing.counts == {"passed": 3, "failed": 1}
    assert "there is no schema.json; write it: run this with --migsafe-update" in missing.lines

    written = project.run("--migsafe-update", "-v")
    assert written.counts == {"passed": 4}
    assert "wrote schema.json" in written.lines
    assert f"{SCHEMA} PASSED" in written.text
    assert json.loads((project.path / "schema.json").read_text())["objects"]["column"] == {
        "public.users.email": {"type": "text"},
        "public.users.id": {"type": "integer", "not_null": True},
    }
    assert project.run("-q").counts == {"passed": 4}
    assert "schema.json is up to date" in project.run("--migsafe-update").lines


def test_drift_fails_with_the_objects_named_and_can_be_repeated_alone(project: Project) -> None:
    project.write(SOUND, DECLARED)
    project.run("--migsafe-update")
    project.write(NOTE)
    run = project.run("--junitxml=junit.xml")
    said = (
        "the migrations make another schema than schema.json declares: 2 objects differ: table public.plans, "
        "column public.users.note"
    )
    assert run.counts == {"passed": 3, "failed": 1}
    assert run.exit_code == 1
    assert said in run.lines
    assert "  + column public.users.note text" in run.lines
    assert f'message="{said}"' in (project.path / "junit.xml").read_text()
    (entry,) = run.report["histories"][0]["ends"]
    assert entry["item"] == "migrations/0003_note.sql::schema"
    assert (entry["outcome"], entry["message"], entry["file"]) == ("failed", said, "schema.json")
    assert [(one["action"], one["name"]) for one in entry["diff"]] == [
        ("added", "public.plans"),
        ("added", "public.plans.id"),
        ("added", "public.users.note"),
    ]

    again = project.run("--lf", "--tb=line")
    assert again.counts == {"failed": 1}
    assert again.verdicts == {}
    assert any(line.endswith(f"0003_note.sql:1: {said}") for line in again.lines)


def test_the_items_stand_after_the_last_file_s_and_are_chosen_as_others_are(project: Project) -> None:
    project.write(SOUND, DECLARED, A_TEST)
    proven = SCHEMA.replace("schema", "snapshot")
    assert project.selected("--migsafe-prove-snapshot", "-m", "migsafe") == [
        "migrations/0001_users.sql::migsafe",
        "migrations/0002_email.sql::migsafe",
        SCHEMA,
        proven,
    ]
    assert project.selected("--migsafe-prove-snapshot", "-k", "schema or snapshot") == [SCHEMA, proven]
    assert SCHEMA not in project.selected("migrations/0001_users.sql")

    alone = project.run("--migsafe-prove-snapshot", "-k", "snapshot")
    assert alone.counts == {"passed": 1, "deselected": 4}
    assert [(one["check"], one["outcome"]) for one in alone.report["histories"][0]["ends"]] == [
        ("schema", "skipped"),
        ("snapshot", "passed"),
    ]

    part = project.run("--migsafe-update", "-k", "0001")
    assert part.exit_code == 0
    assert f"schema.json was not written: {SCHEMA} was not run" in part.lines
    assert not (project.path / "schema.json").exists()


@pytest.mark.parametrize("chosen", ["snapshot", "migsafe"])
def test_what_we_misread_is_our_defect(
    project: Project, monkeypatch: pytest.MonkeyPatch, chosen: str
) -> None:
    """Alone, the snapshot's item looks at all files: only then is there something to prove."""
    monkeypatch.setattr(catalog, "apply_changes", lambda _source, before, _changes: before)
    project.write(SOUND, DECLARED)
    run = project.run("--migsafe-prove-snapshot", "-k", chosen)
    assert run.counts["failed"] == (2 if chosen == "migsafe" else 1)
    assert (
        "pytest-migsafe has misread what the migrations changed: 1 object differs: table public.users"
        in run.lines
    )


def test_the_end_of_a_history_that_breaks_is_blocked(project: Project) -> None:
    project.write(BROKEN_IN_THE_MIDDLE, DECLARED)
    run = project.run("--migsafe-update", "-ra")
    item = "migrations/0005_prices.sql::schema"
    assert run.counts == {"passed": 2, "failed": 1, "blocked": 3}
    assert f"schema.json was not written: {item} is blocked" in run.lines
    assert f"BLOCKED {item} - blocked by migrations/0003_broken.sql" in run.lines
    alone = project.run("-k", "schema")
    assert (alone.counts, alone.exit_code) == ({"blocked": 1, "deselected": 5}, 1)
    assert not (project.path / "schema.json").exists()


@pytest.mark.parametrize(
    ("table", "args", "error"),
    [
        ("", ["--migsafe-schema=x.json"], "x.json cannot be the schema file of 2 histories (a/migrations, b/migrations); give each its own (`schema_file` in its [[tool.migsafe.history]] table), or name one folder beside --migsafe-schema"),
        ('schema_file = "x.json"', [], "x.json cannot be the schema file of 2 histories"),
        ("", ["--migsafe-update"], "--migsafe-update: there is no schema file to write; name it: --migsafe-schema=schema.json, or schema_file = "),
        ("", ["--migsafe-schema=a", "a"], "--migsafe-schema: 'a' is a folder; name a file in it, 'a/schema.json'"),
        ('schema_file = "db/x.json"', [], "[tool.migsafe] schema_file: there is no folder 'db'; make it first; it is looked for in "),
    ],
)  # fmt: skip
def test_an_unclear_schema_file_is_a_usage_error(
    project: Project, table: str, args: list[str], error: str
) -> None:
    for folder in "ab":
        project.write({f"{folder}/{path}": text for path, text in SOUND.items()})
    project.write(settings(table))
    assert error in refused(project, *args)


def test_nothing_can_be_written_when_nothing_is_rehearsed(project: Project) -> None:
    project.write(A_TEST)
    result = project.pytest("--migsafe-update")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--migsafe-update: nothing is rehearsed without --migsafe; give both" in result.stderr.str()


def test_each_history_has_its_own_file_also_with_several_workers(project: Project) -> None:
    pytest.importorskip("xdist")
    for folder in "ab":
        project.write({f"{folder}/{path}": text for path, text in SOUND.items()})
    project.write({"a/migrations/0003_more.sql": "create table more (id int);"})
    tables = "".join(
        f'[[tool.migsafe.history]]\npath = "{folder}/migrations"\nschema_file = "{folder}.json"\n'
        for folder in "ab"
    )
    project.write({"pyproject.toml": tables})
    workers = ("-n", "2", "--dist")
    written = project.run(*workers, "loadscope", "--migsafe-update", subprocess=True)
    assert written.counts == {"passed": 7}
    assert [line for line in written.lines if line.startswith("wrote")] == ["wrote a.json", "wrote b.json"]
    assert [one["ends"][0]["outcome"] for one in written.report["histories"]] == ["passed", "passed"]
    assert "more" in (project.path / "a.json").read_text()
    assert "more" not in (project.path / "b.json").read_text()

    (project.path / "b.json").write_text((project.path / "a.json").read_text())
    compared = project.run(*workers, "load", "--migsafe-prove-snapshot", subprocess=True)
    assert compared.counts == {"passed": 8, "failed": 1}
    assert "  - table public.more" in compared.lines


#: What is called, or written, otherwise on another version of PostgreSQL or by another role, and is the same.
EVERYWHERE = {
    "migrations/0001_all.sql": """
        create extension pgcrypto;
        revoke create on schema public from public;
        create table "Odd Names" (id bigint generated always as identity primary key, "To" text not null);
        create view "Simple" as select "To" from "Odd Names" where id > 1;
        create function app() returns setof "Odd Names" language sql as 'select * from "Odd Names"';
        grant all on "Odd Names" to public;
        grant select on "Odd Names" to current_user with grant option;
        alter default privileges grant all on tables to public;
        alter default privileges revoke execute on functions from public;
        alter table "Odd Names" enable row level security;
        create policy "Mine" on "Odd Names" to current_user using (true);
        comment on schema public is 'Ours';
        """
}


def test_one_file_declares_it_for_several_servers_and_roles(
    project: Project, majors: tuple[str, str]
) -> None:
    older, newer = majors
    project.write(EVERYWHERE, DECLARED)
    both = f"--migsafe-postgres={older},{newer}"
    written = project.run(both, "--migsafe-update", "-rs")
    assert written.counts == {"passed": 3, "skipped": 1}
    assert f"schema.json is written by schema[{older}]" in written.text
    assert "wrote schema.json" in written.lines
    document = (project.path / "schema.json").read_text()
    assert "postgres" not in document
    assert "MAINTAIN" not in document

    compared = project.run(both)
    assert compared.counts == {"passed": 4}
    assert [one["item"] for one in compared.report["histories"][0]["ends"]] == [
        f"migrations/0001_all.sql::schema[{major}]" for major in majors
    ]


def test_whoever_runs_the_migrations_it_is_the_same_schema(project: Project, service: Service) -> None:
    project.write(EVERYWHERE, DECLARED)
    assert project.run("--migsafe-update").counts == {"passed": 2}
    assert project.run(f"--migsafe-dsn={service.uri('boss')}").counts == {"passed": 2}
    project.write(settings('schema_file = "schema.json"\nrole = "shop_owner"'))
    assert project.run().counts == {"passed": 2}


def test_a_file_outside_the_project_does_not_lose_the_project(project: Project, tmp_path: Path) -> None:
    folder = tmp_path.parent / f"{tmp_path.name}-out"
    folder.mkdir()
    file = folder / "schema.json"
    file.write_text("")
    project.write(SOUND, settings('migrations = "migrations"'))
    run = project.pytest("--migsafe", "--migsafe-schema", str(file), "--migsafe-update", subprocess=True)
    assert run.parseoutcomes() == {"passed": 3}
    assert f"wrote {file}" in run.outlines
    assert f"migsafe: write --migsafe-schema={file} with an equals sign" in run.stdout.str()
