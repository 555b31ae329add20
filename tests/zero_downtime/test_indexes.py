"""Indexes that are built while others wait."""

from tests.zero_downtime.conftest import History

BUSY = "CREATE TABLE busy (id bigint PRIMARY KEY, k integer, v text);"


def test_an_index_on_a_table_that_was_there_stalls_its_writes(history: History) -> None:
    judged = history.judge(BUSY, "CREATE INDEX busy_k ON busy (k);")
    assert judged.rules == ["index-not-concurrent"]
    (finding,) = judged.of_rule("index-not-concurrent")
    assert finding.message == "writes of public.busy wait while index public.busy_k is built"


def test_an_index_on_a_new_table_stalls_nobody(history: History) -> None:
    assert history.judge(BUSY, "CREATE TABLE n (id bigint); CREATE INDEX ON n (id);").rules == []


def test_an_index_built_concurrently_stalls_nobody(history: History) -> None:
    judged = history.judge(BUSY, "-- no-transaction\nCREATE INDEX CONCURRENTLY busy_k ON busy (k);")
    assert judged.evidence.applied
    assert judged.rules == []
