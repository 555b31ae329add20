"""Sequences do not roll back: what a rehearsal drew from them is put back.

nextval is never undone (manual: "Sequence Manipulation Functions"), so a file that inserts rows would number
them differently after its rehearsal than in production.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import tuple_row


@dataclass(frozen=True, slots=True)
class SequenceValue:
    """Where a sequence stands."""

    #: Its ``last_value``; None where it cannot be read, and nothing has been drawn.
    last: int | None
    #: Whether that number has been drawn, so that the next one follows it; ``setval(..., false)`` says it has not.
    is_called: bool


#: Where sequences stand, by their OIDs.
SequenceValues = dict[int, SequenceValue]

#: Two readings, each by the index: of all sequences, only those in question are looked at. What a role that is no
#: superuser may not read or set back (manual: "Sequence Manipulation Functions") is passed over: asking is an error.
#: Before PostgreSQL 18 the number that is to be drawn first is told by no function, only by the sequence itself.
_READ = b"""
    SELECT
        sequence.seqrelid::bigint,
        coalesce(
            pg_catalog.pg_sequence_last_value(sequence.seqrelid),
            CASE WHEN pg_catalog.has_sequence_privilege(sequence.seqrelid, 'SELECT') AND (
                SELECT pg_catalog.has_schema_privilege(class.relnamespace, 'USAGE')
                FROM pg_catalog.pg_class AS class WHERE class.oid = sequence.seqrelid
            ) THEN
                substring(
                    pg_catalog.query_to_xml(
                        pg_catalog.format(
                            'SELECT last_value FROM %%s', sequence.seqrelid::pg_catalog.regclass
                        ),
                        false, false, ''
                    )::text FROM '<last_value>(-?[0-9]+)</last_value>'
                )::bigint
            END
        ),
        pg_catalog.pg_sequence_last_value(sequence.seqrelid) IS NOT NULL
    FROM (
        SELECT listed.seqrelid FROM pg_catalog.pg_sequence AS listed
        WHERE listed.seqrelid = ANY (%(oids)s::pg_catalog.oid[])
        UNION
        SELECT made.seqrelid FROM pg_catalog.pg_sequence AS made
        WHERE made.seqrelid > %(above)s::pg_catalog.oid
    ) AS sequence
    WHERE (
        SELECT class.relpersistence FROM pg_catalog.pg_class AS class WHERE class.oid = sequence.seqrelid
    ) <> 't'
        AND pg_catalog.has_sequence_privilege(sequence.seqrelid, 'SELECT, USAGE')
        AND pg_catalog.has_sequence_privilege(sequence.seqrelid, 'UPDATE')
"""
_RESTORE = b"""
    SELECT pg_catalog.setval(
        sequence.seqrelid, coalesce(%(last)s::bigint, sequence.seqstart), %(is_called)s::boolean
    )
    FROM pg_catalog.pg_sequence AS sequence
    WHERE sequence.seqrelid = %(oid)s::pg_catalog.oid
        AND pg_catalog.has_sequence_privilege(sequence.seqrelid, 'UPDATE')
"""


def read_sequences(
    connection: psycopg.Connection[Any], *, above: int = 0, of: Collection[int] = ()
) -> SequenceValues:
    """Return where the sequences with the given OIDs stand, and those with higher ones than ``above``."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(_READ, {"oids": list(of), "above": above}, prepare=False).fetchall()
    return {oid: SequenceValue(last, is_called) for oid, last, is_called in rows}


def restore_sequences(connection: psycopg.Connection[Any], values: SequenceValues) -> None:
    """Set sequences back to what they were; one that a file dropped meanwhile is passed over."""
    for oid, value in values.items():
        connection.execute(
            _RESTORE, {"oid": oid, "last": value.last, "is_called": value.is_called}, prepare=False
        )
