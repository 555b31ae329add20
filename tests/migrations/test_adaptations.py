"""What cannot be on a throwaway server as in production is run otherwise, and every place stays the file's."""

import pytest

from pytest_migsafe.migrations.adaptations import (
    with_collations_of_bytes,
    with_tablespaces_in_place,
    without_index_parameters,
)
from pytest_migsafe.migrations.model import Manner, Script, TransactionMode
from pytest_migsafe.migrations.source import SourceText

MANNER = Manner(TransactionMode.TRANSACTION, "")


def script(text: str) -> Script:
    return Script.whole(SourceText(text), MANNER)


@pytest.mark.parametrize(
    ("written", "run", "left_out"),
    [
        (
            "create index on t using ivfflat (v vector_l2_ops) with (lists = 100);",
            "create index on t using ivfflat (v vector_l2_ops)                   ;",
            ["with (lists = 100)"],
        ),
        (
            "create index on t using ivfflat (f((a)) /* with ( */) WITH (lists=1) where b in (1);\nselect 1;",
            "create index on t using ivfflat (f((a)) /* with ( */)                where b in (1);\nselect 1;",
            ["WITH (lists=1)"],
        ),
        # Parameters that a real library knows.
        ("create index on t using bloom (a) with (length = 80);", None, []),
        ("create index on t using btree (a) with (fillfactor = 80);", None, []),
        ("create index on t using ivfflat (v);", None, []),
        ("create table t (v int) with (lists = 1);", None, []),
    ],
)
def test_parameters_of_a_stubs_access_method_are_left_out(
    written: str, run: str | None, left_out: list[str]
) -> None:
    adapted, spans = without_index_parameters(script(written), {"ivfflat"})

    assert adapted.source.text == (run or written)
    assert [written[low:high] for low, high in spans] == left_out


@pytest.mark.parametrize(
    ("written", "run"),
    [
        (
            "create tablespace a location '/mnt/a';\nselect 1;",
            "create tablespace a location ''      ;\nselect 1;",
        ),
        (
            "create tablespace location location E'/mnt/\\'b' with (seq_page_cost = 1);",
            "create tablespace location location ''          with (seq_page_cost = 1);",
        ),
        (
            "create tablespace a owner \"location\" location '/x/ü' ; drop tablespace a;",
            "create tablespace a owner \"location\" location ''     ; drop tablespace a;",
        ),
        (
            "create table location (location text) tablespace a;",
            "create table location (location text) tablespace a;",
        ),
    ],
)
def test_tablespaces_are_made_in_place(written: str, run: str) -> None:
    adapted, _ = with_tablespaces_in_place(script(written))

    assert adapted.source.text == run
    assert [one.start for one in adapted.statements] == [one.start for one in script(written).statements]


@pytest.mark.parametrize(
    ("written", "run"),
    [
        (
            "create collation a (provider = icu, locale = 'de');\nselect 1;",
            "create collation a (locale = 'C')                 ;\nselect 1;",
        ),
        (
            "CREATE COLLATION IF NOT EXISTS s.\"(\" (LOCALE='de', \"provider\"='icu', deterministic=false) ;",
            "CREATE COLLATION IF NOT EXISTS s.\"(\" (locale = 'C')                                       ;",
        ),
        ("create collation a (provider = libc, locale = 'C');", None),
        ('create collation a from "de-x-icu";', None),
        ("create type icu as (provider int);", None),
    ],
)
def test_collations_of_icu_compare_bytes(written: str, run: str | None) -> None:
    adapted, spans = with_collations_of_bytes(script(written))

    assert adapted.source.text == (run or written)
    assert len(spans) == (run is not None)
