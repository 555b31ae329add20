"""Sequences do not roll back: what a rehearsal drew from them is put back.

nextval is never undone (manual: "Sequence Manipulation Functions"), so a file that inserts rows would number
them differently after its rehearsal than in production.
"""

from collections.abc import Collection
from typing import Any

import psycopg
from psycopg.rows import tuple_row

#: A sequence's last value by its OID; None when nothing has been drawn from it.
SequenceValues = dict[int, int | None]

#: Two readings, each by the index: of all sequences, only those in question are looked at. What a role that is no
#: superuser may not read or set back (manual: "Sequence Manipulation Functions") is passed over: asking is an error.
_READ = b"""
    SELECT sequence.seqrelid::bigint, pg_catalog.pg_sequence_last_value(sequence.seqrelid)
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
        sequence.seqrelid, coalesce(%(value)s::bigint, sequence.seqstart), %(value)s::bigint IS NOT NULL
    )
    FROM pg_catalog.pg_sequence AS sequence
    WHERE sequence.seqrelid = %(oid)s::pg_catalog.oid
        AND pg_catalog.has_sequence_privilege(sequence.seqrelid, 'UPDATE')
"""


def read_sequences(
    connection: psycopg.Connection[Any], *, above: int = 0, of: Collection[int] = ()
) -> SequenceValues:
    """Return the last values of the sequences with the given OIDs and of those with higher ones than ``above``."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(_READ, {"oids": list(of), "above": above}, prepare=False).fetchall()
    return dict(rows)


def restore_sequences(connection: psycopg.Connection[Any], values: SequenceValues) -> None:
    """Set sequences back to what they were; one that a file dropped meanwhile is passed over."""
    for oid, value in values.items():
        connection.execute(_RESTORE, {"oid": oid, "value": value}, prepare=False)
