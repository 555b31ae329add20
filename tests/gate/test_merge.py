"""Two branches of real repositories: their new files are applied in both orders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from pytest_migsafe.findings import Finding
from pytest_migsafe.gate.branches import meeting, read_branches
from pytest_migsafe.migrations.discovery import find_histories
from pytest_migsafe.places import place_of_our_own
from pytest_migsafe.postgres.binaries import Binaries
from pytest_migsafe.rehearsal.branches import Fork, Trial, try_both_orders
from pytest_migsafe.review import conditions
from pytest_migsafe.rules.branches import judge_branches
from pytest_migsafe.settings import Settings
from tests.gate.repository import Scratch

BASE = {
    "migrations/0001_base.sql": (
        "CREATE TABLE accounts (id bigint PRIMARY KEY, kind text);\n"
        "CREATE FUNCTION total() RETURNS int LANGUAGE sql AS 'SELECT 1';\n"
    )
}


@dataclass(frozen=True)
class Merged:
    """What came of two branches."""

    fork: Fork
    trial: Trial
    findings: Sequence[Finding]

    @property
    def said(self) -> list[tuple[str, str]]:
        return [(one.rule, one.message) for one in self.findings]


@dataclass(frozen=True)
class Merge:
    """Makes two branches of what a test writes down, and tries them."""

    scratch: Scratch
    binaries: Binaries

    def of(
        self,
        ours: Mapping[str, str | None],
        theirs: Mapping[str, str | None],
        *,
        base: Mapping[str, str] = BASE,
        root: str = "migrations",
        uncommitted: Mapping[str, str | None] | None = None,
    ) -> Merged:
        self.scratch.commit(base)
        self.scratch.branch("theirs")
        self.scratch.commit(theirs)
        self.scratch.switch("main")
        self.scratch.branch("ours")
        self.scratch.commit(ours)
        self.scratch.write(uncommitted or {})
        return self.tried("theirs", root)

    def tried(self, ref: str, root: str = "migrations") -> Merged:
        settings = Settings(root=self.scratch.path)
        (history,) = find_histories(self.scratch.path, [self.scratch.path / root])
        place = place_of_our_own(self.binaries, settings, history.layout)
        with read_branches(history, settings, meeting(history.root, ref)) as fork:
            trial = try_both_orders(
                fork, open_database=place.open, copy=place.copy, conditions=conditions(settings)
            )
            return Merged(fork, trial, judge_branches(trial, "last.sql", {}))


@pytest.fixture
def merge(scratch: Scratch, binaries: Binaries) -> Merge:
    return Merge(scratch, binaries)


def sql(number: int, text: str) -> dict[str, str]:
    """Return a migration file of a number."""
    return {f"migrations/{number:04}_{'abcdefghi'[number]}.sql": f"{text};\n"}


def test_branches_that_have_nothing_to_do_with_each_other_commute(merge: Merge) -> None:
    merged = merge.of(
        sql(2, "CREATE TABLE invoices (id bigint)"), sql(3, "ALTER TABLE accounts ADD COLUMN email text")
    )
    assert merged.said == []
    assert [one.relative_path for one in merged.fork.merged] == [
        "migrations/0002_c.sql",
        "migrations/0003_d.sql",
    ]
    assert merged.trial.column_orders == ()


def test_columns_of_both_stand_in_another_order_which_is_told_and_no_failure(merge: Merge) -> None:
    merged = merge.of(
        sql(2, "ALTER TABLE accounts ADD COLUMN email text"),
        sql(3, "ALTER TABLE accounts ADD COLUMN phone text"),
    )
    assert merged.said == []
    (change,) = merged.trial.column_orders
    assert (change.name, change.attributes) == (
        "public.accounts",
        (("column_order", ("id", "kind", "phone", "email"), ("id", "kind", "email", "phone")),),
    ) or change.attributes == (
        ("column_order", ("id", "kind", "email", "phone"), ("id", "kind", "phone", "email")),
    )


def test_both_add_a_column_of_one_name(merge: Merge) -> None:
    merged = merge.of(
        sql(2, "SELECT 1;\nALTER TABLE accounts ADD COLUMN email text"),
        sql(3, "ALTER TABLE accounts ADD COLUMN email varchar(90)"),
    )
    (finding,) = merged.findings
    assert (finding.rule, finding.path, finding.line, finding.objects) == (
        "branches-conflict",
        "migrations/0002_c.sql",
        2,
        ("public.accounts.email",),
    )
    assert finding.message == (
        "migrations/0002_c.sql cannot be applied after migrations/0003_d.sql of theirs: "
        'column "email" of relation "accounts" already exists (42701)'
    )
    assert finding.evidence[-1] == (
        "the other order fails, too: migrations/0003_d.sql of theirs cannot be applied after migrations/0002_c.sql: "
        'column "email" of relation "accounts" already exists (42701), line 1'
    )


def test_the_file_that_takes_away_what_another_uses_is_found_among_several(merge: Merge) -> None:
    merged = merge.of(
        {
            **sql(2, "CREATE TABLE one (id int)"),
            **sql(4, "DROP FUNCTION total()"),
            **sql(6, "CREATE TABLE two (id int)"),
        },
        {
            **sql(3, "CREATE TABLE three (id int)"),
            **sql(5, "CREATE TABLE uses (total int DEFAULT total())"),
        },
    )
    (finding,) = merged.findings
    # In the other order, ours is the one that fails.
    assert finding.message.startswith(
        "migrations/0004_e.sql cannot be applied after migrations/0005_f.sql of theirs: cannot drop function total()"
    )
    assert "after migrations/0004_e.sql: function total() does not exist (42883)" in finding.evidence[-1]


def test_a_rename_against_what_uses_the_old_name(merge: Merge) -> None:
    merged = merge.of(
        sql(2, "ALTER TABLE accounts RENAME COLUMN kind TO sort"),
        sql(3, "ALTER TABLE accounts ALTER COLUMN kind SET NOT NULL"),
    )
    (finding,) = merged.findings
    assert finding.message == (
        "migrations/0003_d.sql of theirs cannot be applied after migrations/0002_c.sql: "
        'column "kind" of relation "accounts" does not exist (42703)'
    )
    assert (finding.path, finding.line) == ("migrations/0002_c.sql", 0)
    assert "in the other order both can be applied" in finding.evidence
    assert finding.evidence[-1] == (
        "by their versions, this is the order in which they are applied after a merge"
    )
    assert finding.remedy.startswith("Merge theirs first, then rebase this branch on it")


@pytest.mark.parametrize(
    ("ours", "theirs", "shown"),
    [
        pytest.param(
            "ALTER TABLE accounts ALTER kind SET DEFAULT 'a'",
            "ALTER TABLE accounts ALTER kind SET DEFAULT 'b'",
            "~ column public.accounts.kind: default 'b'::text -> 'a'::text",
            id="default",
        ),
        pytest.param(
            "CREATE OR REPLACE FUNCTION total() RETURNS int LANGUAGE sql AS 'SELECT 2'",
            "CREATE OR REPLACE FUNCTION total() RETURNS int LANGUAGE sql AS 'SELECT 3'",
            "~ function public.total(): body SELECT 3 -> SELECT 2",
            id="function",
        ),
        pytest.param(
            "DROP FUNCTION total()",
            "CREATE OR REPLACE FUNCTION total() RETURNS int LANGUAGE sql AS 'SELECT 3'",
            "- function public.total() (returns integer, language sql)",
            id="drop",
        ),
    ],
)
def test_what_is_applied_last_wins(merge: Merge, ours: str, theirs: str, shown: str) -> None:
    merged = merge.of(sql(2, ours), sql(3, theirs))
    (finding,) = merged.findings
    assert (finding.rule, finding.severity, finding.path) == (
        "branches-differ",
        "error",
        "migrations/0002_c.sql",
    )
    assert finding.evidence == (
        "changed by migrations/0002_c.sql, migrations/0003_d.sql of theirs",
        f"with theirs applied last -> with this branch applied last:\n{shown}",
    )


def test_names_that_postgresql_chooses_are_a_warning(merge: Merge) -> None:
    merged = merge.of(
        sql(2, "ALTER TABLE accounts ADD CHECK (kind <> '' AND id > 0)"),
        sql(3, "ALTER TABLE accounts ADD CHECK (kind <> 'x' AND id > 1)"),
    )
    assert {(one.rule, one.severity) for one in merged.findings} == {("branches-differ", "warning")}
    assert merged.findings[0].remedy == "Give constraints and indexes names in the files."


def test_an_order_that_only_the_versions_give(merge: Merge) -> None:
    """In neither branch's turn is anything wrong: only interleaved, 3 comes between 2 and 4."""
    merged = merge.of(
        {
            **sql(2, "ALTER TABLE accounts RENAME COLUMN kind TO sort"),
            **sql(4, "ALTER TABLE accounts RENAME COLUMN sort TO kind"),
        },
        sql(3, "ALTER TABLE accounts ALTER COLUMN kind SET NOT NULL"),
    )
    (finding,) = merged.findings
    assert finding.message.startswith(
        "migrations/0003_d.sql of theirs cannot be applied after migrations/0002_c.sql"
    )
    assert finding.evidence[-1].startswith("by their versions")


def test_files_of_one_version(merge: Merge) -> None:
    merged = merge.of(
        {"migrations/0002_ours.sql": "CREATE TABLE a (id int);"},
        {"migrations/0002_theirs.sql": "CREATE TABLE b (id int);"},
    )
    assert merged.said == [
        (
            "duplicate-version",
            (
                "migrations/0002_theirs.sql of theirs has the same version: once both are merged, which of them comes first is "
                "left to their names"
            ),
        )
    ]


def test_edits_of_one_file_and_two_files_of_one_name(merge: Merge) -> None:
    merged = merge.of(
        {"migrations/0001_base.sql": "CREATE TABLE a (id int);", "migrations/0002_new.sql": "SELECT 1;"},
        {"migrations/0001_base.sql": "CREATE TABLE b (id int);", "migrations/0002_new.sql": "SELECT 2;"},
    )
    assert merged.said == [
        (
            "branches-conflict",
            "this branch and theirs both edit migrations/0001_base.sql, each in its own way",
        ),
        ("branches-conflict", "this branch and theirs both add migrations/0002_new.sql, each in its own way"),
    ]


def test_a_file_that_both_have_is_applied_once_and_a_renamed_one_not_at_all(merge: Merge) -> None:
    both = sql(2, "CREATE TABLE once (id int)")
    merged = merge.of(
        {**both, **sql(3, "CREATE TABLE ours (id int)")},
        {
            **both,
            "migrations/0001_base.sql": None,
            "migrations/0001_better.sql": BASE["migrations/0001_base.sql"],
        },
    )
    assert merged.said == []
    assert [[one.relative_path for one in order] for order in merged.fork.orders] == [
        ["migrations/0002_c.sql", "migrations/0003_d.sql"],
        ["migrations/0002_c.sql", "migrations/0003_d.sql"],
    ]


def test_what_is_not_committed_counts_and_a_file_that_fails_by_itself_is_in_the_way(merge: Merge) -> None:
    merged = merge.of(
        {}, sql(3, "CREATE TABLE b (id int)"), uncommitted=sql(2, "ALTER TABLE nowhere ADD COLUMN a int")
    )
    assert merged.findings == ()
    assert merged.trial.in_the_way is not None
    assert merged.trial.in_the_way.file.relative_path == "migrations/0002_c.sql"
    assert merged.trial.in_the_way.error.sqlstate == "42P01"


@pytest.mark.parametrize(
    ("base", "name", "root"),
    [
        pytest.param(
            {
                "prisma/schema.prisma": "",
                "prisma/migrations/migration_lock.toml": 'provider = "postgresql"\n',
            },
            "prisma/migrations/{}_{}/migration.sql",
            "prisma/migrations",
            id="Prisma",
        ),
        pytest.param({"diesel.toml": ""}, "migrations/{}_{}/up.sql", "migrations", id="Diesel"),
        pytest.param({}, "db/{}_{}.up.sql", "db", id="golang-migrate"),
        pytest.param({}, "db/sql/V{}__{}.sql", "db/sql", id="Flyway"),
    ],
)
def test_layouts(merge: Merge, base: Mapping[str, str], name: str, root: str) -> None:
    def file(version: str, title: str, up: str) -> dict[str, str]:
        path = name.format(version, title)
        down = {path.replace("up.sql", "down.sql"): "SELECT 1;"} if "up.sql" in path else {}
        return {**down, path: up}

    merged = merge.of(
        file("20240102000000", "ours", "ALTER TABLE a DROP COLUMN x;"),
        file("20240103000000", "theirs", "CREATE VIEW v AS SELECT x FROM a;"),
        base={**base, **file("20240101000000", "base", "CREATE TABLE a (x int, y int);")},
        root=root,
    )
    (finding,) = merged.findings
    assert finding.path == name.format("20240102000000", "ours")
    assert f"after {name.format('20240103000000', 'theirs')} of theirs" in finding.message
    assert finding.objects == ("public.v",)


CHANGELOG = """--liquibase formatted sql
--changeset ann:1
CREATE TABLE a (x int, y int);
"""
PLAN = "%syntax-version=1.0.0\n%project=p\n\nbase 2024-01-01T00:00:00Z Ann <a@b> # base\n"


def test_changesets_that_both_add_to_one_file(merge: Merge) -> None:
    name = "db/changelog/all.sql"
    merged = merge.of(
        {name: CHANGELOG + "--changeset ann:2\nALTER TABLE a DROP COLUMN x;\n"},
        {name: CHANGELOG + "--changeset bob:1\nCREATE VIEW v AS SELECT x FROM a;\n"},
        base={name: CHANGELOG},
        root="db/changelog",
    )
    (finding,) = merged.findings
    assert finding.message.startswith(
        "db/changelog/all.sql cannot be applied after db/changelog/all.sql of theirs"
    )
    assert finding.line == len(CHANGELOG.splitlines()) + 2
    assert "cannot drop column x of table a because other objects depend on it" in finding.message
    assert (
        'of theirs cannot be applied after db/changelog/all.sql: column "x" does not exist'
        in finding.evidence[-1]
    )


def test_a_plan_that_both_continue(merge: Merge) -> None:
    def change(name: str, text: str) -> dict[str, str]:
        return {
            "sqitch.plan": f"{PLAN}{name} 2024-01-02T00:00:00Z Ann <a@b> # {name}\n",
            f"deploy/{name}.sql": f"BEGIN;\n{text};\nCOMMIT;\n",
        }

    merged = merge.of(
        change("mine", "ALTER TABLE a RENAME COLUMN x TO z"),
        change("yours", "ALTER TABLE a ALTER COLUMN x SET DEFAULT 1"),
        base={
            "sqitch.plan": PLAN,
            "sqitch.conf": "[core]\n\tengine = pg\n",
            "deploy/base.sql": "CREATE TABLE a (x int);\n",
        },
        root=".",
    )
    (finding,) = merged.findings
    assert (finding.rule, finding.path) == ("branches-conflict", "deploy/mine.sql")
    assert merged.fork.merged == ()


def test_what_is_run_whenever_it_has_changed_comes_last(merge: Merge) -> None:
    view = "CREATE OR REPLACE VIEW v AS SELECT x FROM a;"
    merged = merge.of(
        {
            "db/R__view.sql": "CREATE OR REPLACE VIEW v AS SELECT x, y FROM a;",
            "db/V2__y.sql": "ALTER TABLE a ADD y int;",
        },
        {"db/V3__z.sql": "ALTER TABLE a ADD z int;"},
        base={"db/V1__a.sql": "CREATE TABLE a (x int);", "db/R__view.sql": view},
        root="db",
    )
    assert merged.said == []
    assert [one.relative_path for one in merged.fork.ours.files] == ["db/V2__y.sql", "db/R__view.sql"]


def test_both_edit_what_is_run_whenever_it_has_changed(merge: Merge) -> None:
    def view(columns: str) -> dict[str, str]:
        return {"db/R__view.sql": f"CREATE OR REPLACE VIEW v AS SELECT {columns} FROM a;"}

    merged = merge.of(
        view("x, 1 AS one"),
        view("x, 2 AS two"),
        base={"db/V1__a.sql": "CREATE TABLE a (x int);", **view("x")},
        root="db",
    )
    assert (
        "branches-conflict",
        "this branch and theirs both edit db/R__view.sql, each in its own way",
    ) in merged.said
