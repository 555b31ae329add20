"""The queries of the catalog: a `.sql` file a kind, in full or restricted to some objects, and their sending.

A file has one place, `{restriction}`, which is `true` when everything is read. All of a reading goes to the
server as one simple query (manual: "Multiple Statements in a Simple Query"), in a transaction or savepoint of
its own that is rolled back: so nothing of it, and none of the settings that it needs, remains in the session.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from pytest_migsafe.catalog import rarer, schema
from pytest_migsafe.catalog.composition import (
    Fragment,
    Source,
    command,
    composed,
    connection_of,
    fragment,
    has_rows,
    oid_array,
)
from pytest_migsafe.catalog.majors import made_alike
from pytest_migsafe.catalog.masking import UNREADABLE, masked, masked_connection
from pytest_migsafe.catalog.objects import CatalogObject, Listed
from pytest_migsafe.errors import SnapshotError

Rows = list[tuple[Any, ...]]


#: Tables, partitioned and foreign tables, views and materialized views, sequences.
RELKINDS = "rpfvmS"

_IS_PRIVILEGED = fragment(
    "select pg_catalog.has_column_privilege('pg_catalog.pg_subscription', 'subconninfo', 'SELECT') as may"
)

#: No condition.
EVERYTHING = "true"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """How the objects of a kind are read."""

    #: The file's name, without its suffix.
    name: str
    cls: type[CatalogObject]
    #: The catalog of the homes, as `Home.catalog` says it.
    catalog: str
    #: The file with the query for the oids of all homes; empty where the query itself finds all.
    homes: str = ""
    #: Which of the relations can have what the query finds (manual: "pg_class", relkind).
    relkinds: str = RELKINDS
    #: Places in the query of what only superusers may mention: what they say, and what others say instead.
    for_privileged: tuple[tuple[str, str, str], ...] = ()

    def in_full(self, *, is_privileged: bool) -> Fragment:
        """Return the query for all objects, for who may read connection strings or may not."""
        if not self.homes:
            return composed(
                self.name,
                **{place: some if is_privileged else none for place, some, none in self.for_privileged},
            )
        return composed(
            self.name,
            restriction=fragment("in ({homes})", homes=user_homes(self.homes, relkinds=self.relkinds)),
        )

    def restricted(self, oids: Iterable[int]) -> Fragment:
        """Return the query for what belongs to these objects, which must be the user's."""
        return composed(self.name, restriction=fragment("= any({oids})", oids=oid_array(oids)))

    def build(self, rows: Rows, major: int) -> Iterator[CatalogObject]:
        """Return the objects that the rows of a server of this major version describe."""
        names, lists = _FIELDS[self.cls.KIND], _LISTS[self.cls.KIND]
        for row in rows:
            values = dict(zip(names, row, strict=True))
            for name in lists:
                values[name] = _list(name, values[name])
            yield self.cls(**made_alike(self.cls.KIND, values, major))


#: Lists in which the order means nothing.
_UNORDERED = frozenset(
    {
        "calls",
        "config",
        "configuration_tables",
        "foreign_options",
        "mappings",
        "members",
        "needed_by",
        "options",
        "privileges",
        "publications",
        "reads",
        "roles",
        "schemas",
        "tables",
        "tags",
        "transforms",
        "triggers",
    }
)


def _list(name: str, given: Iterable[str]) -> tuple[str, ...]:
    if name == "foreign_options":
        given = map(masked, given)
    elif name == "connection":
        given = masked_connection(given)
    return tuple(sorted(given)) if name in _UNORDERED else tuple(given)


def _listed(name: str, cls: type[Listed]) -> Query:
    return Query(name=name, cls=cls, catalog=cls.GROUP)


#: The load order on one screen.
QUERIES: tuple[Query, ...] = (
    Query(name="schema", cls=schema.Namespace, catalog="schema", homes="user_schemas"),
    Query(name="grant_schema", cls=schema.Grant, catalog="schema", homes="user_schemas"),
    Query(name="extension", cls=schema.Extension, catalog="extension"),
    Query(name="default_privileges", cls=schema.DefaultPrivileges, catalog="default privileges"),
    Query(name="type", cls=schema.Type, catalog="type", homes="user_types"),
    Query(name="domain_constraint", cls=schema.Constraint, catalog="type", homes="user_types"),
    Query(name="grant_type", cls=schema.Grant, catalog="type", homes="user_types"),
    Query(name="function", cls=schema.Function, catalog="function", homes="user_functions"),
    Query(name="grant_function", cls=schema.Grant, catalog="function", homes="user_functions"),
    Query(name="sequence", cls=schema.Sequence, catalog="relation", homes="user_relations"),
    Query(name="table", cls=schema.Table, catalog="relation", homes="user_relations"),
    Query(name="view", cls=schema.View, catalog="relation", homes="user_relations"),
    Query(name="column", cls=schema.Column, catalog="relation", homes="user_relations", relkinds="rpfvm"),
    Query(name="constraint", cls=schema.Constraint, catalog="relation", homes="user_relations"),
    Query(name="index", cls=schema.Index, catalog="relation", homes="user_relations"),
    Query(name="trigger", cls=schema.Trigger, catalog="relation", homes="user_relations"),
    Query(name="rule", cls=schema.Rule, catalog="relation", homes="user_relations"),
    Query(name="policy", cls=schema.Policy, catalog="relation", homes="user_relations"),
    Query(name="grant_relation", cls=schema.Grant, catalog="relation", homes="user_relations"),
    Query(name="grant_column", cls=schema.Grant, catalog="relation", homes="user_relations"),
    _listed("language", rarer.Language),
    Query(name="grant_language", cls=schema.Grant, catalog=rarer.Language.GROUP),
    _listed("transform", rarer.Transform),
    _listed("collation", rarer.Collation),
    _listed("cast", rarer.Cast),
    _listed("operator", rarer.Operator),
    _listed("operator_family", rarer.OperatorFamily),
    _listed("operator_class", rarer.OperatorClass),
    _listed("conversion", rarer.Conversion),
    _listed("access_method", rarer.AccessMethod),
    _listed("text_search_parser", rarer.TextSearchParser),
    _listed("text_search_template", rarer.TextSearchTemplate),
    _listed("text_search_dictionary", rarer.TextSearchDictionary),
    _listed("text_search_configuration", rarer.TextSearchConfiguration),
    _listed("foreign_data_wrapper", rarer.ForeignDataWrapper),
    Query(name="grant_foreign_data_wrapper", cls=schema.Grant, catalog=rarer.ForeignDataWrapper.GROUP),
    _listed("foreign_server", rarer.ForeignServer),
    Query(name="grant_foreign_server", cls=schema.Grant, catalog=rarer.ForeignServer.GROUP),
    _listed("user_mapping", rarer.UserMapping),
    _listed("statistics", rarer.Statistics),
    _listed("event_trigger", rarer.EventTrigger),
    _listed("publication", rarer.Publication),
    Query(
        name="subscription",
        cls=rarer.Subscription,
        catalog=rarer.Subscription.GROUP,
        for_privileged=(("connection", "array[s.subconninfo]", f"array['{UNREADABLE}']"),),
    ),
    _listed("security_label", rarer.SecurityLabel),
)


def user_homes(name: str, *, among: Fragment | str = EVERYTHING, relkinds: str = RELKINDS) -> Fragment:
    """Return the query for the oids of all homes of a catalog that are the user's, or of those among some."""
    return composed(name, among=among, relkinds=f"'{relkinds}'")


#: The fields that each kind's rows fill, in their order.
_FIELDS = {one.KIND: tuple(part.name for part in fields(one)) for one in schema.KINDS}
#: Those of them that are lists.
_LISTS = {
    one.KIND: tuple(part.name for part in fields(one) if part.type == tuple[str, ...]) for one in schema.KINDS
}


#: What the text of definitions depends on, and what could stop or slow our reading. A plan that is made once must
#: suit the schema of two thousand files later: it goes by the indexes, although they do not pay yet.
#: search_path: names are qualified; quote_all_identifiers: names are quoted; DateStyle, IntervalStyle, TimeZone,
#: bytea_output, extra_float_digits, standard_conforming_strings, lc_monetary, xmlbinary: constants in defaults, checks, predicates.
_SETTINGS = b"""select
    pg_catalog.set_config('search_path', '', true),
    pg_catalog.set_config('quote_all_identifiers', 'off', true),
    pg_catalog.set_config('DateStyle', 'ISO, YMD', true),
    pg_catalog.set_config('IntervalStyle', 'postgres', true),
    pg_catalog.set_config('TimeZone', 'UTC', true),
    pg_catalog.set_config('bytea_output', 'hex', true),
    pg_catalog.set_config('extra_float_digits', '1', true),
    pg_catalog.set_config('standard_conforming_strings', 'on', true),
    pg_catalog.set_config('lc_monetary', 'C', true),
    pg_catalog.set_config('xmlbinary', 'base64', true),
    pg_catalog.set_config('statement_timeout', '0', true),
    pg_catalog.set_config('jit', 'off', true),
    pg_catalog.set_config('plan_cache_mode', 'force_generic_plan', true),
    pg_catalog.set_config('enable_seqscan', 'off', true),
    pg_catalog.set_config('max_parallel_workers_per_gather', '0', true)"""

_TO_UTF8 = b"select pg_catalog.set_config('client_encoding', 'UTF8', true)"


def send(source: Source, queries: Sequence[Fragment]) -> list[Rows]:
    """Return the rows of each query, in one round trip.

    Raises:
        SnapshotError: the connection is busy or its transaction has failed, or the server refuses a query.
    """
    with reading(source) as read:
        return read.last(queries)


@contextmanager
def reading(source: Source) -> Iterator["Reading"]:
    """Read under our own settings, in a transaction or savepoint of our own, of which nothing remains.

    Raises:
        SnapshotError: the connection is busy or its transaction has failed, or the server refuses a query.
    """
    read = Reading(source)
    try:
        yield read
    except psycopg.Error as error:
        raise SnapshotError(f"the catalog could not be read: {error}") from error
    finally:
        read.close()


class Reading:
    """Queries that share the settings, and are sent several at a time."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._connection = connection_of(source)
        self._opening, self._closing = _frame(self._connection)
        self._is_utf8 = self._connection.info.encoding == "utf-8"
        self._is_open = False

    def rows(self, queries: Sequence[Fragment]) -> list[Rows]:
        """Return the rows of each query."""
        return self._run(queries, b"")

    def is_privileged(self) -> bool:
        """Say whether the role may read connection strings, as it is now: a migration can take that away."""
        (((may,),),) = self.rows([_IS_PRIVILEGED])
        return bool(may)

    def last(self, queries: Sequence[Fragment]) -> list[Rows]:
        """Return the rows of each query; nothing can be read after them."""
        return self._run(queries, self._closing)

    def _run(self, queries: Sequence[Fragment], closing: bytes) -> list[Rows]:
        body = [command(self.source, one).encode() for one in queries]
        is_first, self._is_open = not self._is_open, True
        if self._is_utf8:
            opening = [self._opening, _SETTINGS] if is_first else []
            found = self._execute([*opening, *body, closing])
            # The settings answer with what they were set to.
            found = found[1:] if is_first else found
        else:
            # The client learns of another encoding only when the server waits for the next query.
            if is_first:
                self._execute([self._opening, _TO_UTF8, _SETTINGS])
            found = self._execute(body)
            self._execute([closing])
        self._is_open = not closing
        return found

    def _execute(self, parts: Sequence[bytes]) -> list[Rows]:
        # A new cursor each time: it keeps the encoding that it first saw.
        cursor = psycopg.Cursor(self._connection, row_factory=tuple_row)
        cursor.execute(b";\n".join(filter(None, parts)), prepare=False)
        return list(_results(cursor))

    def close(self) -> None:
        """Take the settings back."""
        if self._is_open and not self._connection.closed:
            self._execute([self._closing])
        self._is_open = False


def _frame(connection: psycopg.Connection[Any]) -> tuple[bytes, bytes]:
    """Return what opens and what closes a reading: nothing of it stays."""
    status = connection.info.transaction_status
    if status == TransactionStatus.IDLE:
        return b"begin transaction isolation level repeatable read read only", b"rollback"
    if status == TransactionStatus.INTRANS:
        return (
            b"savepoint migsafe_catalog",
            b"rollback to savepoint migsafe_catalog; release savepoint migsafe_catalog",
        )
    raise SnapshotError(
        f"the catalog cannot be read now: the connection's transaction is {status.name}.\n"
        "Roll a failed transaction back first."
    )


def _results(cursor: psycopg.Cursor[tuple[Any, ...]]) -> Iterator[Rows]:
    while True:
        if has_rows(cursor):
            yield cursor.fetchall()
        if not cursor.nextset():
            return
