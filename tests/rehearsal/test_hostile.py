"""Any bytes as a migration file end in a verdict, on a real server: applied, or an error with its place."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_migsafe.migrations.discovery import find_histories
from pytest_migsafe.migrations.model import TransactionMode
from pytest_migsafe.postgres.database import Database, create_database
from pytest_migsafe.postgres.server import Server
from pytest_migsafe.rehearsal.chain import Chain
from pytest_migsafe.rehearsal.evidence import Evidence
from pytest_migsafe.rules.explain import explain

EXAMPLES = Path(__file__).parents[2] / "example_project" / "migrations"
REAL = [path.read_bytes() for path in sorted(EXAMPLES.rglob("*.sql"))]
PIECES = [
    *(b";", b"'", b'"', b"$$", b"$a$", b"/*", b"*/", b"--", b"\n", b"\r", b"\f", b"\\", b"(", b")", b"\x00"),
    *(
        b"\xef\xbb\xbf",
        b"\xe9",
        b"\xff\xfe",
        "🦆".encode(),
        b"E'",
        b"\\i x\n",
        b"\\.\n",
        b"%s",
        b"%",
        b"{",
        b"}",
    ),
    *(
        b"BEGIN;",
        b"COMMIT;",
        b"ROLLBACK;",
        b"SAVEPOINT a;",
        b"SELECT 1;",
        b"COPY t FROM stdin;\n1\n\\.\n",
        b"COPY (SELECT 1) TO STDOUT;",
        b"LISTEN a;",
        b"PREPARE p AS SELECT 1;",
        b"DEALLOCATE ALL;",
        b"DISCARD ALL;",
        b"SET search_path = '';",
        b"SET client_encoding = latin1;",
        b"SET standard_conforming_strings = off;",
        b"DO $$ BEGIN COMMIT; END $$;",
        b"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;",
        b"CREATE TABLE IF NOT EXISTS t (a int);",
        b"VACUUM;",
        b"SET SESSION AUTHORIZATION DEFAULT;",
        b"SELECT pg_terminate_backend(pg_backend_pid());",
    ),
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Draw a real migration with pieces taken out of it and put into it."""
    data = draw(st.sampled_from(REAL))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        until = at + draw(st.integers(0, 20))
        data = data[:at] + draw(st.sampled_from([b"", *PIECES])) + data[until:]
    return data


any_file = mutated() | st.lists(st.sampled_from(PIECES), max_size=6).map(b"".join) | st.binary(max_size=30)


@dataclass(frozen=True)
class Verdicts:
    """Rehearses one file after the other, each in a database of its own on one server."""

    folder: Path
    server: Server

    def of(self, data: bytes, mode: TransactionMode = TransactionMode.TRANSACTION) -> Evidence:
        (self.folder / "0001_file.sql").write_bytes(data)
        (history,) = find_histories(self.folder.parent, [self.folder], mode=mode)
        with Chain(history, self._open) as chain:
            evidence = chain.rehearse(0)
        assert isinstance(evidence, Evidence)
        return evidence

    def _open(self, resources: ExitStack) -> Database:
        return resources.enter_context(create_database(self.server))


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Verdicts:
    folder = tmp_path_factory.mktemp("hostile") / "migrations"
    folder.mkdir()
    return Verdicts(folder, server)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(any_file, st.sampled_from(list(TransactionMode)))
def test_law_any_bytes_end_in_a_verdict(verdicts: Verdicts, data: bytes, mode: TransactionMode) -> None:
    evidence = verdicts.of(data, mode)

    lines = data.count(b"\n") + 1
    for statement in evidence.statements:
        assert 1 <= statement.line <= statement.end_line <= lines
    if evidence.error is not None:
        assert evidence.error.message
        assert 1 <= evidence.error.line <= lines
        assert evidence.error.column >= 1
    assert explain(evidence) is not None


@pytest.mark.parametrize(
    "data",
    [b"", b"\n", b"-- a", b"/* a */", b"\xef\xbb\xbf", b"\xef\xbb\xbf-- a\n", b";", b";;;;", b"\f\f;\r"],
)
@pytest.mark.parametrize("mode", list(TransactionMode))
def test_a_file_that_does_nothing_is_applied(verdicts: Verdicts, data: bytes, mode: TransactionMode) -> None:
    evidence = verdicts.of(data, mode)

    assert (evidence.error, evidence.statements) == (None, ())
    assert evidence.after == evidence.before


@pytest.mark.parametrize(
    ("data", "line", "column", "message"),
    [
        ("SELECT 1;\n-- é\nSELECT '🦆🦆', no;".encode(), 3, 14, 'column "no" does not exist'),
        ("\ufeffSELECT '🦆', no;".encode(), 1, 13, 'column "no" does not exist'),
        ("-- 🦆\r\nSELECT '🦆' AS é, FORM;".encode(), 2, 18, 'column "form" does not exist'),
        ("SELECT '🦆🦆'; SELEC '🦆';".encode(), 1, 14, 'syntax error at or near "SELEC"'),
        (b"SELECT 1;\rSELECT no;\r", 1, 18, 'column "no" does not exist'),
        (b"\f\fSELECT no", 1, 10, 'column "no" does not exist'),
        (
            b"SELECT 1;\nSELECT '\xe9';",
            2,
            1,
            "the file is not UTF-8: line 2 holds the byte 0xe9; save it as UTF-8",
        ),
        ("SELECT 1".encode("utf-16"), 1, 1, "the file is UTF-16; save it as UTF-8"),
        (b"SELECT 1;\n\0", 2, 1, "line 2 holds a NUL byte, which PostgreSQL cannot take; remove it"),
    ],
)
def test_an_error_is_where_the_characters_say(
    verdicts: Verdicts, data: bytes, line: int, column: int, message: str
) -> None:
    for mode in TransactionMode:
        error = verdicts.of(data, mode).error
        assert error is not None
        assert (error.line, error.column, error.message) == (line, column, message)


def test_a_statement_that_is_too_deep_for_the_server_is_an_error_of_the_file(verdicts: Verdicts) -> None:
    error = verdicts.of(b"SELECT 1;\nSELECT 1" + b"+1" * 60_000 + b";").error

    assert error is not None
    assert (error.line, error.sqlstate) == (2, "54001")


def test_a_seed_of_one_big_statement_is_applied(verdicts: Verdicts) -> None:
    rows = ",".join(f"({number})" for number in range(100_000))
    evidence = verdicts.of(f"CREATE TABLE t (a int);\nINSERT INTO t VALUES {rows};".encode())

    assert evidence.error is None
    assert [one.rows_written for one in evidence.statements] == [0, 100_000]


def test_an_error_in_one_of_many_inserts_is_in_its_line(verdicts: Verdicts) -> None:
    rows = "".join(f"INSERT INTO t VALUES ({number}, '{'é' * 30}');\n" for number in range(20_000))
    seed = f"CREATE TABLE t (a int, b text);\n{rows}INSERT INTO t VALUES ('x');\n{rows}".encode()

    for mode in TransactionMode:
        error = verdicts.of(seed, mode).error
        assert error is not None
        assert (error.line, error.column) == (20_002, 23)


def test_many_inserts_are_all_run(verdicts: Verdicts) -> None:
    rows = "".join(f"INSERT INTO t VALUES ({number}, '{'x' * 40}');\n" for number in range(20_000))

    for mode in TransactionMode:
        evidence = verdicts.of(f"CREATE TABLE t (a int, b text);\n{rows}".encode(), mode)
        assert evidence.error is None
        assert sum(one.rows_written for one in evidence.statements) == 20_000
        assert [(one.line, one.end_line) for one in evidence.statements][-1] == (19_002, 20_001)
