"""Waivers in the SQL: where they may stand, what they cover, and what only looks like one."""

from pathlib import Path

import pytest

from pytest_migsafe.migrations.model import Manner, Script, TransactionMode
from pytest_migsafe.migrations.source import SourceText
from pytest_migsafe.migrations.waivers import Waiver, read_waivers
from tests.migrations.projects import project, the_history

#: What a file is called that is covered as a whole.
FILE = "the file"
ALLOW = "-- migsafe: allow a-rule because it is small"


def script(text: str) -> Script:
    return Script.whole(SourceText(text), Manner(TransactionMode.TRANSACTION, ""))


def covered(given: Script, waiver: Waiver) -> str:
    """Return what a waiver covers: a statement by its text, or the file; or what is wrong with it."""
    if waiver.problem:
        return waiver.problem
    if waiver.statement is None:
        return FILE
    first, last = waiver.statement
    (one,) = (statement for statement in given.statements if given.position(statement.start) == first)
    assert given.end_line(one) == last.line
    return " ".join(one.text.split())


def cover(text: str) -> list[str]:
    given = script(text)
    return [covered(given, one) for one in read_waivers(given)]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (f"{ALLOW}\nSELECT 1;\nSELECT 2;", "SELECT 1"),
        (f"SELECT 1;\n{ALLOW}\nSELECT 2;", "SELECT 2"),
        (f"SELECT 1;\n\n-- of old\n{ALLOW}\n-- rows\nSELECT 2;", "SELECT 2"),
        (f"SELECT 1;\n{ALLOW}\n/* rows */ SELECT 2;", "SELECT 2"),
        (f"SELECT 1;\n\t {ALLOW}\n   SELECT 2;", "SELECT 2"),
        (f"SELECT 1; {ALLOW}\nSELECT 2;", "SELECT 1"),
        (f"SELECT 1; SELECT 2; {ALLOW}", "SELECT 2"),
        (f"SELECT\n  1\n;\nSELECT {ALLOW}\n  2;\nSELECT 3;", f"SELECT {ALLOW} 2"),
        (f"SELECT\n  {ALLOW}\n  2;\nSELECT 3;", f"SELECT {ALLOW} 2"),
        (f"{ALLOW}\n\nSELECT 1;", FILE),
        (f"-- Orders.\n--\n{ALLOW}\n--\n\n-- all\nSELECT 1;", FILE),
        (f"-- Orders.\n\n{ALLOW}\nSELECT 1;", "SELECT 1"),
        (f"{ALLOW}\nBEGIN;\nSELECT 1;\nCOMMIT;", FILE),
        (f"BEGIN;\n{ALLOW}\nSELECT 1;\nCOMMIT;", "SELECT 1"),
        (f"\ufeff{ALLOW}\n\nSELECT 1;", FILE),
        (f"\ufeff{ALLOW}\r\nSELECT 1;\r\nSELECT 2;\r\n", "SELECT 1"),
        (f"{ALLOW}\r\n\r\nSELECT 1;\r\n", FILE),
        (ALLOW, FILE),
        (f"{ALLOW}\n", FILE),
        ("-- MIGSAFE: Allow a-rule BECAUSE it is small\nSELECT 1;", "SELECT 1"),
        ("--migsafe:allow a-rule because it is small\nSELECT 1;", "SELECT 1"),
    ],
)
def test_a_waiver_covers_its_statement_or_the_file(text: str, what: str) -> None:
    assert cover(text) == [what]
    (waiver,) = read_waivers(script(text))
    assert (waiver.rules, waiver.because) == (("a-rule",), "it is small")
    assert "igsafe" in waiver.text.lower()


def test_a_place_is_covered_from_the_statement_s_first_character_to_its_last() -> None:
    (waiver,) = read_waivers(script(f"SELECT 1; SELECT\n 2;  {ALLOW}\nSELECT 3;"))

    assert [waiver.covers(*place) for place in [(1, 1), (1, 11), (2, 1), (2, 2), (2, 3), (3, 1), (0, 0)]] == [
        *(False, True, True, True),
        *(False, False, False),
    ]
    (whole,) = read_waivers(script(f"{ALLOW}\n\nSELECT 1;"))
    assert whole.covers(3, 1)
    assert whole.covers(0, 0)


def test_several_rules_have_commas_between_them() -> None:
    (waiver,) = read_waivers(
        script("-- migsafe: allow lock-a , lock-b,lock-a because:  of the weekend; nobody works")
    )
    assert (waiver.rules, waiver.because) == (("lock-a", "lock-b"), "of the weekend; nobody works")
    assert (waiver.line, waiver.column) == (1, 1)


@pytest.mark.parametrize(
    ("comment", "rules"),
    [
        ("-- migsafe: allow a-rule", ("a-rule",)),
        ("-- migsafe: allow a-rule, b-rule because", ("a-rule", "b-rule")),
        ("-- migsafe: allow a-rule because:  ", ("a-rule",)),
    ],
)
def test_a_waiver_without_a_reason_has_none(comment: str, rules: tuple[str, ...]) -> None:
    (waiver,) = read_waivers(script(f"{comment}\nSELECT 1;"))
    assert (waiver.rules, waiver.because, waiver.problem) == (rules, "", "")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("-- migsafe: allowed a-rule because x\nSELECT 1;", "'allowed' is nothing that migsafe understands"),
        ("-- migsafe: ignore a-rule because x\nSELECT 1;", "'ignore' is nothing that migsafe understands"),
        ("-- migsafe:\nSELECT 1;", "'' is nothing that migsafe understands"),
        ("-- migsafe: allow\nSELECT 1;", "the waiver names no rule"),
        ("-- migsafe: allow because of this\nSELECT 1;", "the waiver names no rule"),
        (
            "-- migsafe: allow a-rule for it is small\nSELECT 1;",
            "'a-rule for it is small' is no rule, nor several with commas between them",
        ),
        (
            "-- migsafe: allow a-rule b-rule because x\nSELECT 1;",
            "'a-rule b-rule' is no rule, nor several with commas between them",
        ),
        ("/* migsafe: allow a-rule because x */\nSELECT 1;", "a comment in /* */ is no waiver"),
        (f"SELECT 1;\n{ALLOW}\n\nSELECT 2;", "the waiver stands at no statement"),
        (f"SELECT 1;\n{ALLOW}\n", "the waiver stands at no statement"),
    ],
)
def test_what_only_looks_like_a_waiver_is_kept_with_what_is_wrong(text: str, problem: str) -> None:
    assert cover(text) == [problem]


def test_a_forgotten_colon_is_no_matter() -> None:
    assert cover("-- migsafe allow a-rule because x\nSELECT 1;") == ["SELECT 1"]


@pytest.mark.parametrize(
    "text",
    [
        f"DO $$\nBEGIN\n  {ALLOW}\n  PERFORM 1;\nEND $$;",
        f"SELECT '\n{ALLOW}\n';",
        f"/* once:\n{ALLOW}\nDROP TABLE t;\n*/\nSELECT 1;",
        "-- migsafe looks at this\nSELECT 1;",
        "-- see migsafe: how to\nSELECT 1;",
        "-- migsafe: no-transaction\nSELECT 1;",
    ],
)
def test_what_is_no_comment_to_us_says_nothing(text: str) -> None:
    assert cover(text) == []


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ({"1_a.sql": f"{ALLOW}\n\n-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;\n"}, [FILE]),
        ({"1_a.sql": f"-- +goose Up\n{ALLOW}\n\nSELECT 1;\n-- +goose Down\nSELECT 2;\n"}, [FILE]),
        ({"1_a.sql": f"{ALLOW}\n-- +goose Up\nSELECT 1;\nSELECT 3;\n"}, ["SELECT 1"]),
        (
            {
                "1_a.sql": f"-- +goose Up\n{ALLOW}\n-- +goose StatementBegin\nSELECT 1;\n-- +goose StatementEnd\n"
            },
            ["SELECT 1"],
        ),
        ({"1_a.sql": f"-- +goose Up\nSELECT 1;\n-- +goose Down\n{ALLOW}\nSELECT 2;\n"}, []),
        (
            {
                "1_a.sql": f"-- migrate:up\nSELECT 1;\n{ALLOW}\nSELECT 3;\n-- migrate:down\n{ALLOW}\nSELECT 2;\n"
            },
            ["SELECT 3"],
        ),
        ({"1_a.sql": f"{ALLOW}\n\n-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n"}, [FILE]),
        ({"1_a.sql": f"-- +migrate Down\n{ALLOW}\nSELECT 2;\n-- +migrate Up\nSELECT 1;\n"}, []),
        ({"V1__a.sql": f"{ALLOW}\nSELECT ${{flyway:timestamp}};\nSELECT 3;\n"}, ["SELECT"]),
        (
            {
                "a.sql": f"--liquibase formatted sql\n{ALLOW}\n\n--changeset ann:1\nSELECT 1;\n--rollback SELECT 2;\n"
            },
            [FILE],
        ),
        (
            {
                "a.sql": f"--liquibase formatted sql\n--changeset ann:1\nSELECT 1;\n--changeset ann:2\n{ALLOW}\nSELECT 3;\n"
            },
            ["SELECT 3"],
        ),
        (
            {"1_a.sql": f"\\set ON_ERROR_STOP on\n{ALLOW}\n\\set x 'a''b'\nSELECT :'x';\nSELECT 3;\n"},
            ["SELECT"],
        ),
        (
            {"1_a.sql": f"COPY t FROM stdin;\n{ALLOW}\n\\.\nSELECT 1; {ALLOW}\n"},
            ["SELECT 1"],
        ),
    ],
)
def test_waivers_are_read_in_every_layout(tmp_path: Path, files: dict[str, str], what: list[str]) -> None:
    (migration,) = the_history(
        project(tmp_path, **{f"migrations/{name}": text for name, text in files.items()})
    ).migrations
    given = migration.read()
    waivers = read_waivers(given)

    assert [covered(given, one)[: len(text)] for one, text in zip(waivers, what, strict=True)] == what
    lines = next(iter(files.values())).split("\n")
    assert all(lines[one.line - 1][one.column - 1 :].startswith(ALLOW) for one in waivers)
