"""dbmate: two halves in a file, and what it refuses."""

from pathlib import Path

import pytest

from pytest_migsafe.migrations.model import Direction, Manner, TransactionMode
from pytest_migsafe.migrations.source import CharOffset
from tests.migrations.projects import downs, ignored, order, project, refusal, script_of, sent, the_history

USERS = "-- migrate:up\ncreate table users (id int);\n\n-- migrate:down\ndrop table users;\n"


def test_the_order_is_that_of_the_names(tmp_path: Path) -> None:
    names = ["20240102_b.sql", "10_c.sql", "9_a.sql"]
    root = project(tmp_path, "db/migrations/seed.sql", **{f"db/migrations/{name}": USERS for name in names})
    history = the_history(root)

    assert (history.layout, history.relative_root) == ("dbmate", "db/migrations")
    assert order(history) == ["10_c.sql", "20240102_b.sql", "9_a.sql"]
    assert downs(history) == {"10": "10_c.sql", "20240102": "20240102_b.sql", "9": "9_a.sql"}
    assert ignored(history) == ("seed.sql",)


def test_each_direction_is_one_query_with_its_places_in_the_file(tmp_path: Path) -> None:
    history = the_history(project(tmp_path, **{"migrations/1_users.sql": USERS}))

    assert sent(history) == {"1": ["-- migrate:up\ncreate table users (id int);"]}
    assert sent(history, Direction.DOWN) == {"1": ["-- migrate:down\ndrop table users;"]}
    script = script_of(history.migrations[0], Direction.DOWN)
    (statement,) = script.statements
    assert script.position(statement.start).line == 5
    assert script.manner == Manner(TransactionMode.TRANSACTION, "dbmate wraps each file in a transaction")


@pytest.mark.parametrize(
    "text",
    [
        "-- migrate:up transaction:false\nVACUUM;\n-- migrate:down\n",
        "--migrate:up  transaction:false\r\nVACUUM;\r\n-- migrate:down\r\n",
        "-- what it does\n\n-- migrate:up other:x transaction:false\nVACUUM;\n-- migrate:down transaction:true\n",
    ],
)
def test_transaction_false_sends_the_half_as_one_query_all_the_same(tmp_path: Path, text: str) -> None:
    history = the_history(project(tmp_path, **{"migrations/1_a.sql": text}))
    script = history.migrations[0].read()
    line = text[: text.index("migrate:up")].count("\n") + 1

    assert script.manner == Manner(
        TransactionMode.SINGLE_QUERY,
        f"transaction:false in line {line}; dbmate sends what follows as one query",
    )
    assert [statement.text for statement in script.statements] == ["VACUUM"]
    assert script_of(history.migrations[0], Direction.DOWN).manner.mode is TransactionMode.TRANSACTION


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("create table users (id int);\n", "dbmate refuses a file without `-- migrate:up`; "),
        ("-- migrate:up\nselect 1;\n", "dbmate refuses a file without `-- migrate:down`; "),
        (
            "-- migrate:down\n-- migrate:up\n",
            "`-- migrate:down` in line 1 stands above `-- migrate:up`, which dbmate refuses; ",
        ),
        (
            "-- x\nset a.b = 1;\n-- migrate:up\n-- migrate:down\n",
            "line 2 stands above `-- migrate:up`, where dbmate allows comments with -- only; ",
        ),
        (f"{USERS}\n{USERS}", "line 7 begins a second `-- migrate:up`: dbmate runs the first, "),
        (f"\ufeff{USERS}", "the file begins with a byte order mark, behind which dbmate does not see "),
    ],
)
def test_what_dbmate_refuses_is_said_with_the_way_out(tmp_path: Path, text: str, said: str) -> None:
    root = project(tmp_path, **{"migrations/1_a.sql": USERS, "migrations/2_b.sql": text})

    assert refusal(the_history(root)).startswith(said)


def test_a_byte_order_mark_does_not_hide_the_layout(tmp_path: Path) -> None:
    root = project(tmp_path, **{"migrations/1_a.sql": f"\ufeff{USERS}"})

    assert the_history(root).layout == "dbmate"


def test_ftl_is_read_as_dbmate_reads_it(corpora: Path) -> None:
    history = the_history(corpora / "ftl")

    assert (history.layout, len(history.migrations)) == ("dbmate", 45)
    first = history.migrations[0].read()
    assert first.position(CharOffset(first.statements[0].start)).line > 1
