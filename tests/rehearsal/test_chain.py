"""A chain gives the same evidence whatever is asked for, in whatever order."""

from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_migsafe.rehearsal.chain import Blocked, Chain
from pytest_migsafe.rehearsal.evidence import Evidence

from .conftest import Rehearse, as_mapping

FILES = (
    "CREATE ROLE app; CREATE TABLE t (id serial PRIMARY KEY, name text); GRANT SELECT ON t TO app",
    "INSERT INTO t (name) VALUES ('a'), ('b')",
    "-- no-transaction\nCREATE INDEX CONCURRENTLY t_name ON t (name)",
    "ALTER TABLE t ALTER name SET NOT NULL; SET statement_timeout = 0",
    "ALTER TABLE missing ADD COLUMN x int",
    "CREATE TABLE never (a int)",
)


def seen(chain: Chain, position: int) -> object:
    result = chain.rehearse(position)
    return (result.by.id, result.error.sqlstate) if isinstance(result, Blocked) else as_mapping(result)


def test_any_order_gives_the_same_evidence(rehearse: Rehearse) -> None:
    straight = rehearse.chain(*FILES)
    expected = [seen(straight, position) for position in range(len(FILES))]
    assert expected[-1] == ("0005", "42P01")

    @settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.integers(0, len(FILES) - 1), min_size=1, max_size=4))
    def check(order: Sequence[int]) -> None:
        with rehearse.chain(*FILES) as chain:
            assert [seen(chain, position) for position in order] == [expected[position] for position in order]

    check()


def test_a_failed_file_can_be_asked_for_again(rehearse: Rehearse) -> None:
    chain = rehearse.chain(*FILES)
    first, again = chain.rehearse(4), chain.rehearse(4)
    assert isinstance(first, Evidence)
    assert isinstance(again, Evidence)
    assert first.error == again.error


def test_who_creates_what_is_gathered_when_there_is_an_error(rehearse: Rehearse) -> None:
    evidence = rehearse.chain("SELECT * FROM later", "CREATE TABLE later (a int)").rehearse(0)
    assert isinstance(evidence, Evidence)
    assert [(one.kind, one.name, one.when) for one in evidence.creations] == [
        ("table", "later", "later"),
        ("column", "later.a", "later"),
    ]
