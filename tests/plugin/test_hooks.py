"""The hooks of a team's conftest.py: what they give is used, what they are shown is true, and an error says whose it is."""

import json

import pytest

from tests.plugin.conftest import A_TEST, Project

HISTORY = {
    "migrations/0001_orders.sql": (
        "create table orders (id int generated always as identity primary key, total int);\n"
        "grant select on legacy to app;\n"
    ),
    "migrations/0002_note.sql": "set lock_timeout = '2s';\nalter table orders add column note text;\n",
    "migrations/0003_total.sql": "alter table orders alter column total set not null;\n",
}
PRELUDE = {
    "conftest.py": (
        "from pathlib import Path\ndef pytest_migsafe_prelude(config):\n    return Path('sql/before.sql')\n"
    ),
    "sql/before.sql": "create role app;\ncreate table legacy (id int);\n",
}


def _conftest(text: str) -> dict[str, str]:
    return {"conftest.py": PRELUDE["conftest.py"] + text}


SEED = (
    "def pytest_migsafe_seed(migration):\n"
    "    if migration.id == '0002':\n"
    "        return 'insert into orders (total) values (1), (null)'\n"
)


@pytest.mark.parametrize("args", [(), ("migrations/0003_total.sql",), ("-n2",)], ids=["all", "last", "xdist"])
def test_a_prelude_and_rows_are_there_however_a_file_is_reached(
    project: Project, args: tuple[str, ...]
) -> None:
    project.write(HISTORY, PRELUDE, _conftest(SEED))

    run = project.run(*args, subprocess=True)

    assert run.verdicts["migrations/0003_total.sql"] == "failed"
    assert 'column "total" of relation "orders" contains null values' in run.text
    # The rows are the seed's doing: no file wrote them, and no statement of the seed is in a file's evidence.
    for one in run.report["migrations"]:
        assert "insert" not in json.dumps(one["statements"])


def test_a_file_that_meets_rows_is_judged_as_without_them(project: Project) -> None:
    project.write(HISTORY, PRELUDE)
    without = project.run("--migsafe-end-state", "--migsafe-prove-snapshot")
    project.write(_conftest(SEED.replace("null", "2")))
    seeded = project.run("--migsafe-end-state", "--migsafe-prove-snapshot")

    assert seeded.counts == without.counts
    for one, other in zip(seeded.report["migrations"], without.report["migrations"], strict=True):
        for name in ("outcome", "findings", "diff", "smoke_tests"):
            assert one[name] == other[name]


def test_a_seed_that_is_refused_is_told_as_such_and_blocks_the_files_behind_it(project: Project) -> None:
    project.write(
        HISTORY, PRELUDE, _conftest(SEED.replace("(total)", "(totals)").replace("into", "into\\n  "))
    )

    run = project.run()

    assert run.verdicts == {
        "migrations/0001_orders.sql": "passed",
        "migrations/0002_note.sql": "failed",
        "migrations/0003_total.sql": "blocked",
    }
    first = (
        'the seed before migrations/0002_note.sql cannot be run: column "totals" of relation "orders" does not exist '
        "(42703) (pytest_migsafe_seed of conftest.py)"
    )
    at = run.lines.index(first)
    assert run.lines[at + 1 : at + 4] == [
        "    1 | insert into",
        ">   2 |    orders (totals) values (1), (null)",
        "The migration itself has not been run.",
    ]
    failed, blocked = run.report["migrations"][1:]
    assert failed["problem"].partition("\n")[0] == first
    assert (failed["findings"], failed["applied"]) == ([], None)
    assert (blocked["blocked_by"], blocked["blocked_because"]) == ("migrations/0002_note.sql", first)
    # Asked for alone, the file behind it is blocked as well.
    assert project.run("migrations/0003_total.sql").counts == {"blocked": 1}


def test_a_seed_s_hook_that_raises_fails_the_file_that_it_was_asked_for(project: Project) -> None:
    project.write(
        HISTORY, PRELUDE, _conftest("def pytest_migsafe_seed(migration):\n    return {}[migration.id]\n")
    )

    run = project.run()

    assert list(run.verdicts.values()) == ["failed", "blocked", "blocked"]
    said = "pytest_migsafe_seed of conftest.py raised KeyError: '0001' (conftest.py:5)"
    assert run.report["migrations"][0]["problem"] == said
    assert said in run.lines
    assert "Traceback" not in run.text


def test_private_databases_of_tests_have_the_rows_too(project: Project) -> None:
    project.write(
        HISTORY,
        PRELUDE,
        _conftest(SEED),
        {
            "tests/test_rows.py": (
                "import psycopg, pytest\n"
                "COUNT = 'select count(*) from orders'\n"
                "def test_rows(database_at):\n"
                "    assert database_at('0001').value(COUNT) == 0\n"
                "    database = database_at('0002')\n"
                "    assert database.value(COUNT) == 2\n"
                "    with pytest.raises(psycopg.errors.NotNullViolation):\n"
                "        database.apply('0003')\n"
                "def test_rows_on_the_way(database_at):\n"
                "    database = database_at('0001')\n"
                "    database.migrate_to('0002')\n"
                "    assert database.value(COUNT) == 2\n"
            )
        },
    )
    assert project.run("tests", subprocess=True).counts == {"passed": 2}

    project.write(_conftest(SEED.replace("(total)", "(totals)")))
    run = project.run("tests", subprocess=True)
    assert run.counts == {"failed": 2}
    assert 'the seed before migrations/0002_note.sql cannot be run: column "totals"' in run.text
    assert "Traceback" not in run.text


def test_settings_of_one_file_are_its_own(project: Project) -> None:
    project.write(
        HISTORY,
        PRELUDE,
        {"pyproject.toml": '[tool.migsafe.rules]\n"lock-without-timeout" = "warning"\n'},
        _conftest(
            "def pytest_migsafe_settings(migration):\n"
            "    if migration.id == '0003':\n"
            "        return {'lock_timeout': '7s', 'rules': {'family:blocking-work': 'warning'}}\n"
        ),
    )
    run = project.run()

    assert set(run.verdicts.values()) == {"passed"}
    of_rules = {
        (one["path"][11:15], found["rule"]) for one in run.report["migrations"] for found in one["findings"]
    }
    # The session of 0003 has a lock_timeout, and its error is a warning there.
    assert ("0003", "lock-without-timeout") not in of_rules
    assert ("0003", "set-not-null-scans") in of_rules


@pytest.mark.parametrize(
    ("returned", "complaint"),
    [
        ("{'layout': 'flat'}", "'layout' cannot differ from file to file; known: rules, preset, tables"),
        ("{'presets': 'strict'}", "unknown setting 'presets'; did you mean 'preset'?"),
        ("{'rules': {'apply-eror': 'off'}}", "rules: unknown rule 'apply-eror'; did you mean 'apply-error'?"),
        ("'strict'", "expected a mapping of settings, got 'strict'"),
        ("1 / 0", "raised ZeroDivisionError: division by zero (conftest.py:5)"),
    ],
)
def test_a_wrong_setting_is_a_usage_error_that_names_the_hook(
    project: Project, returned: str, complaint: str
) -> None:
    project.write(
        HISTORY, PRELUDE, _conftest(f"def pytest_migsafe_settings(migration):\n    return {returned}\n")
    )

    run = project.run("--collect-only")

    assert run.exit_code == pytest.ExitCode.USAGE_ERROR
    assert run.errors.startswith("ERROR: pytest_migsafe_settings of conftest.py")
    assert complaint in run.errors


@pytest.mark.parametrize(
    ("returned", "complaint"),
    [
        ("'before.sql'", "returned 'before.sql', which is no SQL: for a file, return Path('before.sql')"),
        ("__import__('pathlib').Path('nope.sql')", "cannot read"),
        ("7", "returned 7: return SQL, or the Path of a file of SQL"),
    ],
)
def test_what_is_no_sql_is_refused(project: Project, returned: str, complaint: str) -> None:
    project.write(HISTORY, {"conftest.py": f"def pytest_migsafe_prelude(config):\n    return {returned}\n"})

    run = project.run()

    assert run.exit_code == pytest.ExitCode.USAGE_ERROR
    assert "pytest_migsafe_prelude of conftest.py" in run.errors
    assert complaint in run.errors


REPORTING = (
    "seen = []\n"
    "def pytest_migsafe_review(review, config):\n"
    "    assert config.getoption('migsafe')\n"
    "    seen.append(review['path'][-9:-4])\n"
    "    review['findings'] = 'nobody else sees this'\n"
    "def pytest_migsafe_report_section(report):\n"
    "    return {'Owners': ['- orders: *shop*', f\"- {len(report['migrations'])} files\"], 'Seen': ' '.join(seen)}\n"
)


@pytest.mark.parametrize("args", [(), ("-n2",)], ids=["one process", "xdist"])
def test_each_review_is_seen_once_and_sections_stand_in_the_summary_and_the_report(
    project: Project, args: tuple[str, ...]
) -> None:
    project.write(HISTORY, PRELUDE, _conftest(REPORTING))

    run = project.run(*args, subprocess=True)

    assert run.report["sections"] == [
        {"title": "Owners", "text": "- orders: *shop*\n- 3 files"},
        {"title": "Seen", "text": "rders _note total"},
    ]
    assert all(isinstance(one["findings"], list) for one in run.report["migrations"])
    at = next(at for at, line in enumerate(run.lines) if " migsafe: Owners " in line)
    assert run.lines[at + 1 : at + 3] == ["- orders: *shop*", "- 3 files"]


@pytest.mark.parametrize(
    ("hook", "complaint"),
    [
        (
            "review(review):\n    raise KeyError('x')",
            "pytest_migsafe_review of conftest.py raised KeyError: 'x'",
        ),
        (
            "report_section(report):\n    return ['x']",
            "pytest_migsafe_report_section of conftest.py returned ['x']",
        ),
        (
            "report_section(report):\n    return {'A': 1}",
            "the section 'A' is 1: a title has a text, or lines of text",
        ),
    ],
)
def test_no_run_passes_in_which_a_hook_failed(project: Project, hook: str, complaint: str) -> None:
    project.write(
        {"migrations/0001_a.sql": "create table a (id int primary key);\n"},
        {"conftest.py": f"def pytest_migsafe_{hook}\n"},
    )
    run = project.run()

    assert run.exit_code == run.report["exit_code"] == pytest.ExitCode.USAGE_ERROR
    assert complaint in run.text
    assert run.verdicts == {"migrations/0001_a.sql": "passed"}


def test_hooks_of_several_plugins_add_up_and_the_one_called_first_goes_before_the_others(
    project: Project,
) -> None:
    project.write(
        {"migrations/0001_a.sql": "create table a (id int);\n"},
        {
            "acme.py": (
                "def pytest_migsafe_settings(migration):\n"
                "    return {'rules': {'no-primary-key': 'error', 'lock-without-timeout': 'off'}}\n"
                "def pytest_migsafe_report_section(report):\n    return {'Acme': 'a'}\n"
            ),
            "conftest.py": (
                "import pytest\n"
                "def pytest_migsafe_settings(migration):\n    return {'rules': {'no-primary-key': 'warning'}}\n"
                "def pytest_migsafe_report_section(report):\n    return {'Team': 't'}\n"
            ),
        },
    )
    run = project.run("-p", "acme", subprocess=True)

    assert {one["title"] for one in run.report["sections"]} == {"Acme", "Team"}
    assert run.verdicts == {"migrations/0001_a.sql": "passed"}


def test_hooks_do_no_harm_where_nothing_is_rehearsed(project: Project) -> None:
    project.write(HISTORY, PRELUDE, A_TEST, _conftest(SEED + REPORTING))

    result = project.pytest(subprocess=True)

    assert result.parseoutcomes() == {"passed": 1}
