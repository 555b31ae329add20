"""A chain gives the same evidence whatever is asked for, in whatever order."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_migsafe.rehearsal.chain import Blocked, Chain
from pytest_migsafe.rehearsal.end import End
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


@pytest.mark.parametrize(
    "left",
    [
        pytest.param("SET search_path = other", id="setting"),
        pytest.param("SET statement_timeout = '1ms'", id="timeout"),
        pytest.param(
            "CREATE ROLE somebody; GRANT ALL ON SCHEMA public TO somebody; SET ROLE somebody", id="role"
        ),
        pytest.param("CREATE TEMPORARY TABLE notes (other int)", id="temporary table"),
        pytest.param("SELECT set_config('app.tenant', 'left', false)", id="custom setting"),
        pytest.param("PREPARE ready AS SELECT 1", id="prepared statement"),
        pytest.param("ALTER DATABASE postgres SET search_path = public, other", id="default"),
    ],
)
def test_what_a_file_leaves_that_is_only_applied_is_not_found_by_the_next(
    rehearse: Rehearse, left: str
) -> None:
    asked = """
        CREATE TABLE found AS SELECT
            current_setting('search_path') AS search_path, current_setting('statement_timeout') AS timeout,
            current_user AS role, current_setting('app.tenant', true) AS tenant,
            (SELECT count(*) FROM pg_prepared_statements WHERE name = 'ready') AS prepared,
            to_regclass('notes') AS notes
    """
    chain = rehearse.chain("CREATE SCHEMA other", left, asked, "SELECT 1")
    chain.rehearse(3)
    with chain.database.connect() as connection:
        (found,) = connection.execute("SELECT * FROM public.found").fetchall()
    path = "public, other" if left.startswith("ALTER DATABASE") else '"$user", public'
    assert found == (path, "5min", "postgres", None, 0, None)


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


#: Nothing in this text shows that it takes away what a rehearsal prepares; then it ends its session.
TREACHEROUS = "DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$;\nSELECT pg_terminate_backend(pg_backend_pid());"


def test_a_file_that_ends_its_session_when_it_is_run_for_real_fails(rehearse: Rehearse) -> None:
    evidence = rehearse.last("CREATE TABLE a (id int);", TREACHEROUS)

    assert evidence.error is not None
    assert (evidence.error.sqlstate, evidence.error.message) == ("57P01", "the file ends its own session")


#: So much is left in the session that it cannot be read in the time that the file has set.
SLOW_TO_READ = "SELECT pg_advisory_lock(i) FROM generate_series(1, 5000) AS i; SET statement_timeout = 1;"


def test_a_session_that_cannot_be_read_in_time_fails_the_same_on_the_way_to_another_file(
    rehearse: Rehearse,
) -> None:
    alone = rehearse.chain(SLOW_TO_READ, "SELECT 1;").rehearse(0)
    passed = rehearse.chain(SLOW_TO_READ, "SELECT 1;").rehearse(1)

    assert isinstance(alone, Evidence)
    assert isinstance(passed, Blocked)
    assert alone.error is not None
    assert passed.error.message == alone.error.message
    assert "too short for the rehearsal's own readings" in passed.error.message


def test_the_end_is_the_same_whether_its_files_were_looked_at_or_not(rehearse: Rehearse) -> None:
    files = FILES[:4]
    looked = rehearse.chain(*files)
    for position in range(len(files)):
        looked.rehearse(position)
    there, here = looked.end(), rehearse.chain(*files).end()

    assert isinstance(there, End)
    assert isinstance(here, End)
    assert there.schema == here.schema
    assert (there.carried, here.carried) == (there.schema, None)
    assert (there.carried_since, here.carried_since) == (0, 4)
    assert there.misread == here.misread == ()
    assert "public.t" not in there.surroundings.base.tables
    assert there.surroundings == here.surroundings


def test_the_end_of_a_history_that_breaks_is_blocked(rehearse: Rehearse) -> None:
    chain = rehearse.chain(*FILES[:5])
    before = chain.end()
    chain.rehearse(4)
    after = chain.end()

    assert isinstance(before, Blocked)
    assert before == after
    assert before.by.id == "0005"
