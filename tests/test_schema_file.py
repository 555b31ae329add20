"""The schema file as a file, and the checks of a history's end: what they say, and what is never overwritten."""

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_migsafe.catalog import Schema, Surroundings
from pytest_migsafe.catalog.schema import Column, Function, Table
from pytest_migsafe.ends.schema_file import SchemaFile, schema_check, snapshot_check
from pytest_migsafe.errors import SchemaFileError
from pytest_migsafe.rehearsal.end import End
from pytest_migsafe.rehearsal.state import State

_ORDERS = Table(name="public.orders", owner="me", access_method="heap")
_NOTE = Column(relation="public.orders", name="note", type="text")
_SCHEMA = Schema.of([_ORDERS, _NOTE])


def end(schema: Schema = _SCHEMA, carried: Schema | None = None) -> End:
    around = Surroundings(base=Schema(), role="me", extensions={})
    return End(
        schema=schema,
        carried=carried,
        carried_since=0,
        surroundings=around,
        state_before=State(),
        state_after=State(),
        server_version="18",
    )


@pytest.fixture
def file(tmp_path: Path) -> SchemaFile:
    return SchemaFile(tmp_path / "schema.json", "db/schema.json")


def compared(file: SchemaFile, seen: End) -> str:
    return schema_check(file).judge(seen, ()).problem


def updated(file: SchemaFile, seen: End) -> str:
    verdict = schema_check(file, update_in="").judge(seen, ())
    return verdict.problem or verdict.note


def test_a_file_is_written_when_there_is_something_to_change(file: SchemaFile) -> None:
    assert compared(file, end()) == "there is no db/schema.json; write it: run this with --migsafe-update"
    assert updated(file, end()) == "wrote db/schema.json"
    file.path.chmod(0o640)
    first = file.path.stat()
    assert updated(file, end()) == "db/schema.json is up to date"
    assert file.path.stat().st_mtime_ns == first.st_mtime_ns
    assert compared(file, end()) == ""

    assert updated(file, end(Schema.of([_ORDERS]))) == "wrote db/schema.json"
    assert file.path.stat().st_mode == first.st_mode
    assert [path.name for path in file.path.parent.iterdir()] == ["schema.json"]


def test_a_link_stays_one(file: SchemaFile) -> None:
    there = file.path.with_name("there.json")
    file.path.symlink_to(there)
    assert updated(file, end()) == "wrote db/schema.json"
    assert file.path.is_symlink()
    assert there.is_file()


def test_what_differs_is_named_and_shown(file: SchemaFile) -> None:
    updated(file, end(Schema.of([_ORDERS, replace(_NOTE, name="old"), replace(_NOTE, not_null=True)])))
    other = Table(name='"Odd".t', owner="somebody", access_method="heap", row_security=True)
    verdict = schema_check(file).judge(
        end(Schema.of([_ORDERS, _NOTE, other, replace(_NOTE, relation='"Odd".t')])), ()
    )
    assert verdict.problem.splitlines()[:-1] == [
        (
            "the migrations make another schema than db/schema.json declares: 3 objects differ: "
            'table "Odd".t, column public.orders.note, column public.orders.old'
        ),
        "  (+ made, and not declared in db/schema.json; - declared, and not made; ~ declared -> made)",
        '  + table "Odd".t (row_security true)',
        "      + column note text",
        "  ~ column public.orders.note: not_null true -> false",
        "  - column public.orders.old text",
    ]
    assert "--migsafe-update" in verdict.problem.splitlines()[-1]
    assert len(verdict.changes) == 4


def test_many_differences_are_cut_short(file: SchemaFile) -> None:
    updated(file, end(Schema()))
    columns = [replace(_NOTE, relation="public.other", name=f"c{number:03}") for number in range(300)]
    first, *lines = compared(file, end(Schema.of(columns))).splitlines()
    assert first.endswith(
        "300 objects differ: column public.other.c000, column public.other.c001, column public.other.c002, "
        "column public.other.c003, column public.other.c004 and 295 more"
    )
    assert len(lines) == 203
    assert lines[-2] == "  ... and 100 lines more (--migsafe-json=FILE has them all)"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "db/schema.json is not valid JSON (line 1: Expecting value)"),
        (b'{"pytest-migsafe schema": 1\n<<<<<<< HEAD\n', "db/schema.json has merge conflict markers (line 2)"),
        (b'{"pytest-migsafe schema": 7}', "db/schema.json has format 7, and this version"),
        (b'{"pytest-migsafe schema": 1, "objects": {"\xff', "db/schema.json is not valid JSON (line 1: "),
        (b'["pytest-migsafe schema"]', "db/schema.json is no schema file: it does not begin with"),
    ],
)  # fmt: skip
def test_a_damaged_file_fails_in_one_line_and_is_written_anew(
    file: SchemaFile, content: bytes, problem: str
) -> None:
    file.path.write_bytes(content)
    said = compared(file, end())
    assert said.startswith(problem)
    assert said.endswith("; mend it, or write it anew: run this with --migsafe-update")
    assert "\n" not in said
    assert updated(file, end()) == "wrote db/schema.json"
    assert compared(file, end()) == ""


@pytest.mark.parametrize("content", [b'{"name": "package"}', b"CREATE TABLE t ();", b"\xff\xfe\x00"])
def test_somebody_else_s_file_is_not_overwritten(file: SchemaFile, content: bytes) -> None:
    file.path.write_bytes(content)
    refused = "db/schema.json is no schema file; name another, or delete it first"
    assert compared(file, end()) == refused
    assert updated(file, end()) == refused
    assert file.path.read_bytes() == content


def test_a_file_from_another_system_is_read(file: SchemaFile) -> None:
    updated(file, end())
    text = file.path.read_text()
    file.path.write_text(text.replace("\n", "\r\n"), encoding="utf-8-sig", newline="")
    assert compared(file, end()) == ""
    assert updated(file, end()) == "db/schema.json is up to date"


def test_what_can_be_neither_read_nor_written(file: SchemaFile) -> None:
    file.path.mkdir()
    assert compared(file, end()) == "db/schema.json cannot be read: Is a directory"
    assert updated(file, end()) == "db/schema.json cannot be written: Is a directory"
    gone = SchemaFile(file.path / "db" / "schema.json", "db/schema.json")
    assert updated(gone, end()) == "db/schema.json cannot be written: No such file or directory"
    with pytest.raises(SchemaFileError):
        gone.read(end().surroundings)


def test_a_schema_that_was_misread_is_our_defect_whatever_is_declared(file: SchemaFile) -> None:
    misread = end(carried=Schema.of([_ORDERS, replace(_NOTE, comment="x")]))
    for check in (schema_check(file), schema_check(file, update_in=""), snapshot_check("snapshot of db")):
        lines = check.judge(misread, ()).problem.splitlines()
        assert lines[0] == (
            "pytest-migsafe has misread what the migrations changed: 1 object differs: column public.orders.note"
        )
        assert lines[2] == "  ~ column public.orders.note: comment x -> none"
        assert "Please report it" in lines[3]
    assert not file.path.exists()
    for right in (end(carried=_SCHEMA), end(carried=None)):
        assert snapshot_check("snapshot of db").judge(right, ()).problem == ""


def test_a_body_is_compared_line_by_line(file: SchemaFile) -> None:
    function = Function(
        name="public.f()", kind="function", arguments="", language="sql", cost=100, rows=0, owner="me", body="a\nb\n"
    )  # fmt: skip
    updated(file, end(Schema.of([function])))
    shown = compared(file, end(Schema.of([replace(function, body="a\nc\n")]))).splitlines()
    assert shown[2:-1] == [
        "  ~ function public.f(): body",
        "      @@ -1,2 +1,2 @@",
        "       a",
        "      -b",
        "      +c",
    ]
