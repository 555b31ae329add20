"""What a run ends with (docs/reports.md, "Exit codes"), what its reports say then, and when its output has colours.

SIGTERM and Ctrl-C are in ``tests/ends/test_interrupted.py``.
"""

from collections.abc import Mapping

import pytest

from tests.plugin.conftest import A_TEST, BROKEN_IN_THE_MIDDLE, SOUND, Project

Files = Mapping[str, str | bytes]

_FAILING_TEST: Files = {"tests/test_app.py": "def test_app():\n    assert 1 == 2\n"}
_UNIMPORTABLE: Files = {"tests/test_app.py": "import nowhere_to_be_found\n"}
_DEFECT: Files = {"conftest.py": "def pytest_collection_modifyitems():\n    raise RuntimeError('a defect')\n"}


@pytest.mark.parametrize(
    ("files", "arguments", "code", "verdict"),
    [
        (SOUND, (), 0, "✅ Safe to merge: 2 migrations judged, none fails, 1 warning"),
        (BROKEN_IN_THE_MIDDLE, (), 1, "❌ Do not merge: 1 of 5 migrations fails, 2 blocked"),
        (
            BROKEN_IN_THE_MIDDLE,
            ("--deselect=migrations/0003_broken.sql::migsafe",),
            1,
            "❌ Do not merge: 2 of 4 migrations cannot be judged",
        ),
        (
            {**SOUND, **_FAILING_TEST},
            (),
            1,
            "❌ The run failed, though none of 2 migrations does: other tests did",
        ),
        (
            {**SOUND, **_UNIMPORTABLE},
            (),
            2,
            "❌ Not judged: the run was interrupted, or something could not be collected (exit code 2)",
        ),
        ({**SOUND, **_DEFECT}, (), 3, "❌ Not judged: an internal error ended the run (exit code 3)"),
        (
            SOUND,
            ("--migsafe-postgres=99",),
            4,
            "❌ Not judged: a flag, a setting, a hook or the server was not as it should be (exit code 4)",
        ),
        # The flag is not understood, so nobody knows what else was asked for.
        (SOUND, ("--migsafe-layout=nonsense",), 4, ""),
        (A_TEST, (), 5, "⚪ Nothing to judge: no migration was asked for"),
    ],
    ids=["passes", "fails", "blocked", "another test", "import", "defect", "no server", "flag", "nothing"],
)
def test_a_run_ends_with_what_came_of_it_and_its_reports_say_the_same(
    project: Project, files: Files, arguments: tuple[str, ...], code: int, verdict: str
) -> None:
    project.write(files)
    run = project.run("--migsafe-markdown=x.md", *arguments)
    comment = project.path / "x.md"

    assert run.exit_code == code
    assert run.report.get("exit_code", code) == code
    assert (comment.read_text("utf-8").splitlines()[1] if comment.exists() else "") == (
        f"## {verdict}" if verdict else ""
    )


def test_what_else_failed_is_told(project: Project) -> None:
    project.write(SOUND, _FAILING_TEST)
    run = project.run()

    assert run.report["failures"] == [{"item": "tests/test_app.py::test_app", "message": "assert 1 == 2"}]


#: A file that fails, and would move the cursor.
_ESCAPING: Files = {"migrations/0001_x.sql": '-- x\ncreate table "\x1b[2J" (id nowhere);\n'}


def test_colours_are_as_the_environment_wants_them(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pytest decides, for our lines as for its own (documentation: "Environment Variables")."""
    for name in ("NO_COLOR", "FORCE_COLOR", "PY_COLORS"):
        monkeypatch.delenv(name, raising=False)
    project.write(BROKEN_IN_THE_MIDDLE)
    blocked = "blocked by migrations/0003_broken.sql: migrations/0004_plans.sql, migrations/0005_prices.sql"

    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = project.run("-v")
    assert f"\x1b[33m{blocked}\x1b[0m" in coloured.lines
    assert any(line.startswith("\x1b[32m  + table public.users") for line in coloured.lines)

    # It is there, whatever it says, and goes before the other.
    monkeypatch.setenv("NO_COLOR", "0")
    project.write(_ESCAPING)
    plain = project.run("-v")
    assert "\x1b" not in plain.text + plain.errors

    # The command line goes before both.
    assert "\x1b[33m" in project.run("--color=yes").text


@pytest.mark.parametrize("flags", [("--migsafe-rules",), ("--migsafe-explain=apply-error",)])
def test_lists_for_reading_have_no_colours(
    project: Project, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")

    assert "\x1b" not in project.pytest(*flags).stdout.str()


def test_in_ci_the_summary_s_lines_are_whole(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write(BROKEN_IN_THE_MIDDLE)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("CI", "true")

    assert (
        'FAILED migrations/0003_broken.sql::migsafe - cannot be applied: relation "accounts" does not exist (42P01)'
        in project.run().lines
    )
