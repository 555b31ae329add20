"""The rows of a table are given values in batches, each a transaction of its own, so that nobody waits for long."""

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.lexical import constant
from pytest_migsafe.catalog.schema import Table, Trigger
from pytest_migsafe.findings import RemedyFile

#: Pages that a batch goes through: 800 kB of rows.
_BATCH = 100

_OF_ONE = """\
DO $fill$
DECLARE
    _page bigint;
    _pages bigint;
    _filled bigint;
BEGIN
    LOOP
        _page := 0;
        _pages := pg_relation_size({name}) / current_setting('block_size')::bigint;
        _filled := 0;
        WHILE _page < _pages LOOP
            WITH filled AS (
                UPDATE ONLY {table} SET {column} = {value}
                WHERE ctid >= format('(%s,0)', _page)::tid AND ctid < format('(%s,0)', _page + {batch})::tid
                    AND {missing}
                RETURNING {column}
            )
            SELECT _filled + count({column}) INTO _filled FROM filled;
            COMMIT;
            _page := _page + {batch};
        END LOOP;
        -- Rows that others moved meanwhile are found the next time.
        EXIT WHEN _filled = 0;
    END LOOP;
END
$fill$;"""

_OF_FAMILY = """\
DO $fill$
DECLARE
    _part regclass;
    _page bigint;
    _pages bigint;
    _changed bigint;
    _filled bigint;
BEGIN
    LOOP
        _filled := 0;
        FOR _part IN
            WITH RECURSIVE parts (part) AS (
                VALUES ({name}::regclass::oid)
                UNION SELECT inhrelid FROM pg_inherits JOIN parts ON inhparent = part
            )
            SELECT part FROM parts JOIN pg_class ON oid = part WHERE relkind = 'r'
        LOOP
            _page := 0;
            _pages := pg_relation_size(_part) / current_setting('block_size')::bigint;
            WHILE _page < _pages LOOP
                EXECUTE format($update$
                    WITH filled AS (
                        UPDATE ONLY %s SET {column} = {value}
                        WHERE ctid >= '(%s,0)' AND ctid < '(%s,0)' AND {missing}
                        RETURNING {column}
                    )
                    SELECT count({column}) FROM filled
                $update$, _part, _page, _page + {batch}) INTO _changed;
                _filled := _filled + _changed;
                COMMIT;
                _page := _page + {batch};
            END LOOP;
        END LOOP;
        -- Rows that others moved meanwhile are found the next time.
        EXIT WHEN _filled = 0;
    END LOOP;
END
$fill$;"""


def in_batches(
    schema: Schema, table: str, column: str, *, value: str = "DEFAULT", missing: str = ""
) -> RemedyFile:
    """Return the file that gives a column's rows their values, those of a table's partitions and children, too.

    Rows are found by where they lie, page by page (manual: "System Columns", ctid), so that none is looked for twice. A pass
    ends where the table ended when it began, for an UPDATE puts rows there; the last pass is one in which no row got a value,
    so it ends also where values turn out to be null. ``missing`` says which
    rows are without a value, by default those in which the column is null.
    """
    given = {
        "name": constant(table),
        "table": table,
        "column": column,
        "value": value,
        "missing": missing or f"{column} IS NULL",
        "batch": _BATCH,
    }
    when = _conditions(schema, table)
    if not has_parts(schema, table):
        return RemedyFile(sql=_OF_ONE.format(**given), in_transaction=False, when=when)
    # What stands in the text for format() has its percent signs doubled.
    doubled = {key: one.replace("%", "%%") if isinstance(one, str) else one for key, one in given.items()}
    text = _OF_FAMILY.format(**(doubled | {"name": given["name"]}))
    return RemedyFile(sql=text, in_transaction=False, when=when)


def _conditions(schema: Schema, table: str) -> str:
    """Return what has to be so before rows are written: who may write them all, and what triggers do; or nothing."""
    found = schema.get("table", table)
    is_hidden = isinstance(found, Table) and found.force_row_security
    triggers = [one.name for one in schema.belonging_to(table).values() if isinstance(one, Trigger)]
    noun = "trigger" if len(triggers) == 1 else "triggers"
    said = ["by a role that row-level security lets see every row"] if is_hidden else []
    if triggers:
        said.append(f"if it does no harm that {noun} {', '.join(triggers)} may fire for every row")
    return ", ".join(said)


def has_parts(schema: Schema, table: str) -> bool:
    """Whether a table is partitioned, or others inherit from it."""
    found = schema.get("table", table)
    is_divided = isinstance(found, Table) and found.kind == "partitioned table"
    return is_divided or any(table in one.parents for one in schema.tables.values())
