"""Settings come from pyproject.toml, the environment and flags; what is wrong is said in one line."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_migsafe.errors import SettingsError
from pytest_migsafe.findings import Severity
from pytest_migsafe.settings import Settings, load_settings
from pytest_migsafe.table_sizes import TableSize

LAYOUTS = ("diesel", "flat", "prisma")
RULES = {"apply-error": "apply", "session-state-leaked": "session", "left": "session"}


def load(
    root: Path,
    table: str = "",
    *,
    flags: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Return the settings of a project whose ``[tool.migsafe]`` holds some lines."""
    (root / "pyproject.toml").write_text(f"[tool.migsafe]\n{table}\n", encoding="utf-8")
    return load_settings(root, flags=flags, environment=environment or {}, layouts=LAYOUTS, rules=RULES)


def problem(
    root: Path,
    table: str = "",
    *,
    flags: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Return what is said of wrong settings."""
    with pytest.raises(SettingsError) as raised:
        load(root, table, flags=flags, environment=environment)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_project_that_says_nothing_has_the_defaults(tmp_path: Path) -> None:
    defaults = Settings(root=tmp_path)

    assert load_settings(tmp_path, environment={}) == defaults
    assert load(tmp_path) == defaults
    assert (defaults.lock_timeout, defaults.statement_timeout) == ("0", "1min")


def test_every_key_of_the_table_is_read(tmp_path: Path) -> None:
    for folder in ("db/migrations", "tenant"):
        (tmp_path / folder).mkdir(parents=True)

    assert load(
        tmp_path,
        """
        migrations = ["db/migrations", "./tenant/"]
        layout = "diesel"
        transaction_mode = "single-query"
        postgres = 16
        bindir = "pg/bin"
        lock_timeout = "5s"
        statement_timeout = "2min"
        rules = { "session-state-leaked" = "error", "apply-error" = "off" }
        """,
    ) == Settings(
        root=tmp_path,
        migrations=(tmp_path / "db" / "migrations", tmp_path / "tenant"),
        layout="diesel",
        transaction_mode="single-query",
        postgres=(16,),
        bindir=tmp_path / "pg" / "bin",
        lock_timeout="5s",
        statement_timeout="2min",
        rules={"session-state-leaked": Severity.ERROR, "apply-error": Severity.OFF},
    )


def test_one_folder_needs_no_list_and_an_absolute_one_stays(tmp_path: Path) -> None:
    (tmp_path / "sql").mkdir()

    assert load(tmp_path, 'migrations = "sql"').migrations == (tmp_path / "sql",)
    assert load(tmp_path, f'migrations = "{tmp_path}/sql"').migrations == (tmp_path / "sql",)


def test_a_flag_beats_the_environment_and_the_environment_the_file(tmp_path: Path) -> None:
    table = 'postgres = 14\nbindir = "file"\nlayout = "flat"'
    environment = {"MIGSAFE_POSTGRES": "15", "MIGSAFE_BINDIR": "/env", "MIGSAFE_LAYOUT": "prisma"}
    flags = {"postgres": "16", "layout": "diesel"}

    file_only = load(tmp_path, table)
    with_environment = load(tmp_path, table, environment=environment)
    with_flags = load(tmp_path, table, environment=environment, flags=flags)

    assert (file_only.postgres, file_only.bindir, file_only.layout) == ((14,), tmp_path / "file", "flat")
    # The environment tells where the machine keeps PostgreSQL, not what the project's layout is.
    assert (with_environment.postgres, with_environment.bindir, with_environment.layout) == (
        (15,),
        Path("/env"),
        "flat",
    )
    assert (with_flags.postgres, with_flags.bindir, with_flags.layout) == ((16,), Path("/env"), "diesel")


def test_a_relative_bindir_is_meant_from_where_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")

    assert load(tmp_path, 'bindir = "pg"').bindir == tmp_path / "pg"
    assert load(tmp_path, environment={"MIGSAFE_BINDIR": "pg"}).bindir == tmp_path / "sub" / "pg"
    assert load(tmp_path, flags={"bindir": "../pg"}).bindir == tmp_path / "sub" / ".." / "pg"


def test_an_empty_variable_is_no_setting(tmp_path: Path) -> None:
    assert load(tmp_path, "postgres = 14", environment={"MIGSAFE_POSTGRES": ""}).postgres == (14,)


def test_the_process_s_environment_is_the_usual_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIGSAFE_POSTGRES", "17")

    assert load_settings(tmp_path).postgres == (17,)


@pytest.mark.parametrize("value", ['"0"', "0", '"500ms"', '"1.5 s"', '"5s"', '"1min"', '"100"', "100"])
def test_a_duration_is_written_as_postgresql_writes_it(tmp_path: Path, value: str) -> None:
    assert load(tmp_path, f"lock_timeout = {value}").lock_timeout == value.strip('"')


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            'migration = "db"',
            (
                "pyproject.toml, [tool.migsafe]: unknown setting 'migration'; did you mean 'migrations'? Known: baseline, bindir, "
                "cluster_wide, dsn, exposed_roles, exposed_schemas, extensions, file_timeout, history, layout, lock_file, lock_timeout, migrations, owner, placeholders, postgres, prelude, preset, role, rules, schema_file, schemas, server_fixture, small_table, statement_timeout, "
                "table_statistics, tables, transaction_mode"
            ),
        ),
        (
            'xyz = "db"',
            (
                "pyproject.toml, [tool.migsafe]: unknown setting 'xyz'; known: baseline, bindir, "
                "cluster_wide, dsn, exposed_roles, exposed_schemas, extensions, file_timeout, history, layout, lock_file, lock_timeout, migrations, owner, placeholders, postgres, prelude, preset, role, rules, schema_file, schemas, server_fixture, small_table, statement_timeout, "
                "table_statistics, tables, transaction_mode"
            ),
        ),
        (
            'layout = "diesle"',
            (
                "pyproject.toml, [tool.migsafe] layout: 'diesle' is none of its values; did you mean 'diesel'? Known: "
                "diesel, flat, prisma"
            ),
        ),
        (
            "layout = 5",
            "pyproject.toml, [tool.migsafe] layout: 5 is none of its values; known: diesel, flat, prisma",
        ),
        (
            'layout = ["diesel"]',
            (
                "pyproject.toml, [tool.migsafe] layout: ['diesel'] is none of its values; did you mean 'diesel'? Known: "
                "diesel, flat, prisma"
            ),
        ),
        (
            'transaction_mode = "none"',
            (
                "pyproject.toml, [tool.migsafe] transaction_mode: 'none' is none of its values; known: transaction, "
                "single-query, autocommit"
            ),
        ),
        (
            "postgres = 9",
            "pyproject.toml, [tool.migsafe] postgres: '9' is no supported major version; 14 or later, for example 18",
        ),
        (
            "postgres = true",
            "pyproject.toml, [tool.migsafe] postgres: 'true' is no supported major version; 14 or later, for example 18",
        ),
        (
            'postgres = "16.3"',
            "pyproject.toml, [tool.migsafe] postgres: '16.3' is no supported major version; 14 or later, for example 18",
        ),
        (
            'postgres = "²"',
            "pyproject.toml, [tool.migsafe] postgres: '²' is no supported major version; 14 or later, for example 18",
        ),
        ("bindir = 5", "pyproject.toml, [tool.migsafe] bindir: expected text, got 5"),
        ('bindir = ""', "pyproject.toml, [tool.migsafe] bindir: expected text, got ''"),
        ("migrations = 5", "pyproject.toml, [tool.migsafe] migrations: expected text, got 5"),
        ("migrations = [1]", "pyproject.toml, [tool.migsafe] migrations: expected text, got 1"),
        (
            'lock_timeout = "5 seconds"',
            (
                "pyproject.toml, [tool.migsafe] lock_timeout: '5 seconds' is no duration; write it as PostgreSQL does, for "
                "example '5s' or '500ms'"
            ),
        ),
        (
            "statement_timeout = -1",
            (
                "pyproject.toml, [tool.migsafe] statement_timeout: '-1' is no duration; write it as PostgreSQL does, for "
                "example '5s' or '500ms'"
            ),
        ),
        (
            "lock_timeout = false",
            (
                "pyproject.toml, [tool.migsafe] lock_timeout: 'false' is no duration; write it as PostgreSQL does, for "
                "example '5s' or '500ms'"
            ),
        ),
        (
            'rules = "off"',
            (
                "pyproject.toml, [tool.migsafe] rules: expected a table of rule = severity; for example "
                'rules = {"apply-error" = "error"}'
            ),
        ),
        (
            'rules = { "aply-error" = "off" }',
            ("pyproject.toml, [tool.migsafe] rules: unknown rule 'aply-error'; did you mean 'apply-error'?"),
        ),
        (
            'rules = { "family:sesion" = "off" }',
            "pyproject.toml, [tool.migsafe] rules: unknown rule 'family:sesion'; did you mean 'family:session'?",
        ),
        (
            'rules = { "xyz" = "off" }',
            "pyproject.toml, [tool.migsafe] rules: unknown rule 'xyz'; `pytest --migsafe-rules` lists them",
        ),
        (
            'rules = { "apply-error" = "warn" }',
            (
                "pyproject.toml, [tool.migsafe] rules.apply-error: 'warn' is none of its values; did you mean 'warning'? "
                "Known: error, warning, off"
            ),
        ),
        (
            'rules = { "apply-error" = false }',
            "pyproject.toml, [tool.migsafe] rules.apply-error: false is none of its values; known: error, warning, off",
        ),
        (
            'prelude = ["supabase", "roles.sql", "supabase"]',
            (
                "pyproject.toml, [tool.migsafe] prelude: 'supabase' is named twice; it is applied once, in the order of "
                "the list"
            ),
        ),
        (
            'file_timeout = "25d"',
            (
                "pyproject.toml, [tool.migsafe] file_timeout: '25d' is longer than PostgreSQL counts; 24d is possible, "
                "and '0' is no limit"
            ),
        ),
        (
            "statement_timeout = 30",
            (
                "pyproject.toml, [tool.migsafe] statement_timeout: '30' is too short for anything to be rehearsed; a "
                "number without a unit is in milliseconds; write for example '30s'"
            ),
        ),
        (
            'extensions = { vector = "vectr.sql" }',
            "pyproject.toml, [tool.migsafe] extensions.vector: there is no 'vectr.sql'; it is looked for in {root}",
        ),
        (
            'extensions = { vector = "." }',
            "pyproject.toml, [tool.migsafe] extensions.vector: '.' is a folder; name a file of SQL",
        ),
        (
            "placeholders = { schema = 3 }",
            "pyproject.toml, [tool.migsafe] placeholders.schema: expected text, got 3",
        ),
        (
            'migrations = "pyproject.toml"',
            "pyproject.toml, [tool.migsafe] migrations: 'pyproject.toml' is a file; name its folder, '.'",
        ),
        (
            'dsn = "host=db"\nserver_fixture = "postgresql_proc"\npostgres = 16',
            (
                "pyproject.toml, [tool.migsafe]: 'dsn' and 'server_fixture' and 'postgres' name different servers; leave "
                "all but one out"
            ),
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_what_was_probably_meant(
    tmp_path: Path, table: str, message: str
) -> None:
    assert problem(tmp_path, table) == message.replace("{root}", str(tmp_path))


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (
            ['pth = "db"'],
            "number 1: unknown setting 'pth'; did you mean 'path'? Known: baseline, bindir, cluster_wide,",
        ),
        (['path = "db"\nmigrations = "db"'], "number 1: unknown setting 'migrations'"),
        (['path = "db"\nhistory = "db"'], "number 1: unknown setting 'history'"),
        (['layout = "flat"'], "number 1: has no `path`; name its folder"),
        (['path = "db"', 'path = "./db/"'], "number 2 path: the folder of number 1; leave one of them out"),
        (
            ['path = "db"\ndsn = "host=db"\npostgres = 16'],
            "number 1: 'dsn' and 'postgres' name different servers; leave all but one out",
        ),
    ],
)
def test_what_is_wrong_in_a_history_is_said_with_its_number(
    tmp_path: Path, tables: list[str], message: str
) -> None:
    (tmp_path / "db").mkdir()

    said = problem(tmp_path, "\n".join(f"[[tool.migsafe.history]]\n{table}" for table in tables))

    assert said.startswith(f"pyproject.toml, [[tool.migsafe.history]] {message}")


def test_who_names_a_server_does_not_mean_the_one_that_is_named_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "db").mkdir()
    table = 'server_fixture = "postgresql_proc"\n[[tool.migsafe.history]]\npath = "db"\npostgres = 15'

    def servers(
        environment: Mapping[str, str], flags: Mapping[str, str]
    ) -> list[tuple[str | None, str | None, tuple[int, ...]]]:
        settings = load(tmp_path, table, environment=environment, flags=flags)
        return [(one.server_fixture, one.dsn, one.postgres) for one in (settings, *settings.histories)]

    assert servers({}, {}) == [("postgresql_proc", None, ()), (None, None, (15,))]
    assert servers({"MIGSAFE_DSN": "host=ci"}, {}) == [(None, "host=ci", ())] * 2
    assert servers({"MIGSAFE_DSN": "host=ci"}, {"postgres": "18"}) == [(None, None, (18,))] * 2
    assert servers({"MIGSAFE_POSTGRES": "17"}, {"dsn": "host=by_hand"}) == [(None, "host=by_hand", ())] * 2
    assert problem(tmp_path, flags={"dsn": "host=ci", "postgres": "18"}) == (
        "the flags (--migsafe-...): 'dsn' and 'postgres' name different servers; leave all but one out"
    )


def test_a_placeholder_may_stand_for_nothing(tmp_path: Path) -> None:
    assert load(tmp_path, 'placeholders = { suffix = "" }').placeholders == {"suffix": ""}


def test_a_wrong_flag_or_variable_is_named(tmp_path: Path) -> None:
    expected = "'x' is no supported major version; 14 or later, for example 18"

    assert problem(tmp_path, flags={"postgres": "x"}) == f"--migsafe-postgres: {expected}"
    assert problem(tmp_path, environment={"MIGSAFE_POSTGRES": "x"}) == f"MIGSAFE_POSTGRES: {expected}"


def test_a_missing_folder_is_named_with_the_one_beside_it(tmp_path: Path) -> None:
    (tmp_path / "db" / "migrations").mkdir(parents=True)
    place = "pyproject.toml, [tool.migsafe] migrations"

    assert problem(tmp_path, 'migrations = "db/migration"') == (
        f"{place}: there is no 'db/migration'; did you mean 'db/migrations'?"
    )
    assert problem(tmp_path, 'migrations = ["db/migrations", "changes"]') == (
        f"{place}: there is no 'changes'; it is looked for in {tmp_path}"
    )
    assert problem(tmp_path, 'migrations = "gone/migrations"') == (
        f"{place}: there is no 'gone/migrations'; it is looked for in {tmp_path}"
    )


def test_an_empty_list_of_folders_is_a_mistake(tmp_path: Path) -> None:
    assert problem(tmp_path, "migrations = []") == (
        "pyproject.toml, [tool.migsafe] migrations: the list is empty; leave the setting out to have them looked for"
    )


@pytest.mark.parametrize(
    "document", ["[tool]\nmigsafe = 5\n", "tool = 5\n", "[[tool.migsafe]]\nlayout = 'flat'\n"]
)
def test_a_table_that_is_none_is_said_to_be_none(tmp_path: Path, document: str) -> None:
    (tmp_path / "pyproject.toml").write_text(document, encoding="utf-8")

    if document.startswith("tool = "):
        # Not ours to judge: no tool has a table in such a file.
        assert load_settings(tmp_path, environment={}) == Settings(root=tmp_path)
        return
    with pytest.raises(SettingsError) as raised:
        load_settings(tmp_path, environment={})
    assert str(raised.value) == "pyproject.toml: tool.migsafe must be a table; write [tool.migsafe]"


def test_a_file_that_is_no_toml_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"

    path.write_text("[tool.migsafe\n", encoding="utf-8")
    with pytest.raises(SettingsError) as raised:
        load_settings(tmp_path, environment={})
    assert str(raised.value).startswith(f"{path} is not valid TOML: ")
    assert "line 1" in str(raised.value)

    path.write_bytes(b"\xff")
    with pytest.raises(SettingsError, match=r"pyproject.toml is not valid TOML: .*utf-8"):
        load_settings(tmp_path, environment={})


def test_a_file_that_cannot_be_read_is_said_to_be_unreadable(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").mkdir()

    with pytest.raises(SettingsError) as raised:
        load_settings(tmp_path, environment={})
    assert str(raised.value) == f"cannot read {tmp_path / 'pyproject.toml'}: Is a directory"


def test_sizes_of_tables_are_read_in_every_way_of_writing_them(tmp_path: Path) -> None:
    (tmp_path / "sizes.csv").write_bytes(
        b"\xef\xbb\xbfschema,table,rows,bytes\r\npublic,orders,5,8192\r\npublic,new,-1,16384\r\napp,gone,-1,\r\n\r\n"
        b'"my, app","Big ""one""",7,1\r\n'
    )
    settings = load(
        tmp_path,
        """
        table_statistics = "sizes.csv"
        small_table = 500
        preset = "strict"
        [tool.migsafe.tables]
        public.items = 40
        "public.orders" = 200_000_000
        "\\"my, app\\".\\"Big \\"\\"one\\"\\"\\"" = { rows = 1_000, bytes = "1.5 GB" }
        app.logs = { bytes = 4096 }
        """,
    )

    assert settings.small_table == 500
    assert settings.preset == "strict"
    assert settings.tables == {
        ("public", "items"): TableSize(rows=40, source="pyproject.toml"),
        ("public", "orders"): TableSize(rows=200_000_000, source="pyproject.toml"),
        ("my, app", 'Big "one"'): TableSize(rows=1000, bytes=3 * 2**29, source="pyproject.toml"),
        ("app", "logs"): TableSize(bytes=4096, source="pyproject.toml"),
    }
    assert settings.table_statistics == {
        ("public", "orders"): TableSize(rows=5, bytes=8192, source="sizes.csv"),
        ("public", "new"): TableSize(bytes=16384, source="sizes.csv"),
        ("my, app", 'Big "one"'): TableSize(rows=7, bytes=1, source="sizes.csv"),
    }


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("preset = 'strikt'", "preset: 'strikt' is none of its values; did you mean 'strict'?"),
        ("small_table = '10k'", "small_table: expected a number of rows, got '10k'; for example 200_000_000"),
        ("small_table = true", "small_table: expected a number of rows, got true"),
        ("tables = 5", "tables: expected a table; write [tool.migsafe.tables] and a line for each"),
        (
            "tables.orders = 5",
            "tables.orders: a table is named with its schema; for example 'public.orders' = 200_000_000",
        ),
        ("tables.'public.orders' = -1", "tables.public.orders: expected a number of rows, got -1"),
        ("tables.'public.orders' = '5 GB'", "tables.public.orders: expected a number of rows, got '5 GB'"),
        ("tables.public.orders = {}", "tables.public.orders: nothing is said of it; for example { rows"),
        (
            "tables.public.orders = { row = 5 }",
            "tables.public.orders: unknown setting 'row'; did you mean 'rows'?",
        ),
        (
            "tables.public.orders = { bytes = '5 apples' }",
            "tables.public.orders.bytes: '5 apples' is no size; write it as PostgreSQL does, for example '120 GB'",
        ),
        (
            "table_statistics = 'size.csv'",
            "table_statistics: there is no 'size.csv'; did you mean 'sizes.csv'?",
        ),
        (
            "table_statistics = 'bare.csv'",
            (
                "table_statistics: bare.csv has no column schema, table, rows; its first line is to be "
                "schema,table,rows,bytes; export it as docs/settings.md says"
            ),
        ),
        (
            "table_statistics = 'sizes.csv'",
            "table_statistics: sizes.csv, line 3: 'many' is no number of rows",
        ),
        ("table_statistics = 'binary.csv'", "table_statistics: binary.csv cannot be read: "),
    ],
)
def test_what_is_wrong_with_sizes_is_said_in_one_line(tmp_path: Path, table: str, message: str) -> None:
    (tmp_path / "sizes.csv").write_text("schema,table,rows,bytes\npublic,a,1,1\npublic,b,many,1\n", "utf-8")
    (tmp_path / "bare.csv").write_text("public,a,1,1\n", "utf-8")
    (tmp_path / "binary.csv").write_bytes(b"schema,table,rows\n\xff\xfe,\x00,1\n")
    assert message in problem(tmp_path, table)


def test_a_whole_family_has_a_severity_and_a_rule_of_it_another(tmp_path: Path) -> None:
    table = 'rules = { left = "error", "family:session" = "off", "apply-error" = "warning" }'
    assert load(tmp_path, table).rules == {
        "session-state-leaked": Severity.OFF,
        "left": Severity.ERROR,
        "apply-error": Severity.WARNING,
    }
