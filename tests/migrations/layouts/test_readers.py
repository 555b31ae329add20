"""What holds for every layout's reader, whatever stands in a file."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_migsafe.errors import MigrationReadError
from pytest_migsafe.migrations.layouts import LAYOUTS, Layout
from pytest_migsafe.migrations.model import Direction, Runner
from pytest_migsafe.migrations.source import SourceText

#: Everything that some runner looks for, and some SQL.
FRAGMENTS = (
    *(
        "-- migrate:up",
        "-- migrate:up transaction:false",
        "-- migrate:down",
        "-- UP",
        "-- down",
        "-- no-transaction",
    ),
    *(
        "-- +goose Up",
        "-- +goose Down",
        "-- +goose StatementBegin",
        "-- +goose StatementEnd",
        "-- +goose ENVSUB ON",
    ),
    *(
        "-- +goose NO TRANSACTION",
        "-- +migrate Up notransaction",
        "-- +migrate Down",
        "-- +migrate StatementBegin",
    ),
    *(
        "-- +migrate StatementEnd",
        "-- +migrate ",
        "# --- !Ups",
        "-- !Downs",
        "---- create above / drop below ----",
    ),
    *(
        "---- tern: disable-tx ----",
        "{{.x}}",
        "-- //@UNDO",
        "-- Up Migration",
        "-- Down Migration",
        "${x}",
        "$X",
    ),
    *(
        "--> statement-breakpoint",
        "-- pg-delta: transaction=false",
        "BEGIN;",
        "COMMIT;",
        "VACUUM;",
        "SELECT 'é;\n';",
    ),
    *(
        "--liquibase formatted sql\n--changeset a:1",
        "--changeset b:2 runInTransaction:false endDelimiter://",
        "--rollback DROP TABLE a;",
        "/* liquibase rollback",
        "*/",
        "--ignoreLines:2",
    ),
    *(
        "COPY a FROM STDIN;",
        "1\n\\.",
        "$$ BEGIN; $$",
        "$$",
        "'",
        ";",
        ";;",
        "\\echo x",
        "\ufeff",
        "CREATE INDEX",
    ),
)
TEXTS = st.lists(st.sampled_from((*FRAGMENTS, "\n", "\r\n", " ")), max_size=12).map("\n".join)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
@given(text=TEXTS, direction=st.sampled_from(Direction))
def test_a_file_is_read_or_refused_and_what_is_sent_stands_in_it(
    layout: Layout, text: str, direction: Direction
) -> None:
    try:
        script = layout.reader(SourceText(text), Runner(usual=layout.manner), direction)
    except MigrationReadError:
        return
    for unit in script.units:
        assert all(before.end <= after.start for before, after in pairwise(unit.parts))
        assert all(0 <= part.start < part.end <= len(unit.source.text) for part in unit.parts)
        for statement in unit.statements:
            assert unit.source.text[statement.start : statement.end] == statement.text
            assert script.position(statement.start).line <= text.count("\n") + 1
