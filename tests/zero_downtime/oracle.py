"""What a migration does to others, measured by others: a second session on populated tables, and no word of our evidence.

A migration is run twice on tables with rows, few and many. After each statement, while its transaction is open, another
session tries to read, insert, update and delete, and what waits is written down. What a statement has to do is counted in
blocks that it fetched, in bytes of log and in bytes of new files: if that is clearly more where there are more rows, its
work grows with the tables. A *stall* is a statement whose work grows while somebody waits for a lock on a relation that
was there before the migration.

Nothing here looks at the clock, so a slow machine measures the same. Nothing of the package is used but the server.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from threading import Thread
from time import sleep

import psycopg

from pytest_migsafe.postgres.database import Database

#: Rows for each table, few and many. A statement that reads all of the many fetches some dozens of blocks more.
FEW, MANY = 50, 1000
#: What many rows must cost more than few for a statement's work to be growing; descents of an index cost one or two.
_MORE_BLOCKS = 12
#: ... for each of some rows, where a statement writes as many.
_TIMES = 1.5
_MORE_BYTES = 60_000
#: Nobody but the migration holds locks, and it holds them until it is told to go on: who waits at all waits forever.
_LOCK_TIMEOUT = "3ms"

#: The words with which a statement begins that cannot run in a transaction block.
_BARE = re.compile(
    r"\s*(VACUUM|CLUSTER\s*;?\s*$|REINDEX|CALL|DO\b.*\bCOMMIT\b"
    r"|(?!REFRESH).*\bCONCURRENTLY\b)",
    re.IGNORECASE | re.DOTALL,
)
_BEGIN = re.compile(r"\s*(BEGIN|START\s+TRANSACTION)\b", re.IGNORECASE)
_END = re.compile(r"\s*(COMMIT|END|ROLLBACK(?!\s+(WORK\s+)?TO)|ABORT)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A migration, and what was there before it."""

    name: str
    #: Its statements, in order.
    migration: tuple[str, ...]
    #: What earlier migrations made beside the world that all cases share (`cases.WORLD`).
    before: str = ""
    #: Rows for these; ``:n`` stands for how many.
    rows: str = ""
    #: "transaction" (the runner wraps the file) or "autocommit" (each statement its own).
    mode: str = "transaction"
    #: The major versions on which it can be run.
    since: int = 14
    until: int = 99
    #: Whether it was thought of as dangerous; only for the reader, the oracle is what counts.
    tags: tuple[str, ...] = ()

    def runs_on(self, major: int) -> bool:
        """Whether the case is about a major version."""
        return self.since <= major <= self.until

    @property
    def text(self) -> str:
        """The migration as a file."""
        return "".join(f"{one.rstrip().rstrip(';')};\n" for one in self.migration)


@dataclass(frozen=True, slots=True)
class Step:
    """What one statement was measured to do."""

    statement: str
    #: Relations whose users wait when it has run, and who: "reads and writes", "writes", "reads" or "nextval".
    waiting: Mapping[str, str] = field(default_factory=dict)
    #: Partitions among them that may only wait because who writes one looks into its parent for the bounds.
    by_parent: frozenset[str] = frozenset()
    #: Tables of which an existing row could not be updated, for somebody has locked the row.
    rows_held: frozenset[str] = frozenset()
    blocks: int = 0
    log_bytes: int = 0
    file_bytes: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of a migration."""

    #: Who waited while work was done that grows.
    waiting: Mapping[str, str]
    #: Partitions among them that may only wait because who writes one looks into its parent for the bounds.
    by_parent: frozenset[str]
    #: Tables whose rows were held by work that grows.
    rows_held: frozenset[str]
    #: The statements whose work grows.
    growing: tuple[str, ...]
    #: The SQLSTATE with which it ended where there are rows.
    error: str

    @property
    def stalls(self) -> bool:
        """Whether others wait for a lock on a relation while work is done that grows with a table."""
        return bool(self.waiting)


def measured(few: Sequence[Step], many: Sequence[Step]) -> Measured:
    """Compare a run on few rows with one on many."""
    waiting: dict[str, str] = {}
    held: set[str] = set()
    held_before: frozenset[str] = frozenset()
    by_parent: set[str] = set()
    growing = []
    for small, large in zip(few, many, strict=False):
        if _grows(small, large):
            growing.append(large.statement)
            by_parent |= large.by_parent
            held |= large.rows_held - held_before
            for relation, who in large.waiting.items():
                if waiting.get(relation) != "reads and writes":
                    waiting[relation] = who
        held_before = large.rows_held
    error = next((one.error for one in many if one.error), "")
    return Measured(waiting, frozenset(by_parent), frozenset(held), tuple(growing), error)


def _grows(few: Step, many: Step) -> bool:
    if many.error or few.error:
        return False
    return (
        many.blocks > max(few.blocks + _MORE_BLOCKS, few.blocks * _TIMES)
        or many.log_bytes - few.log_bytes > _MORE_BYTES
        or many.file_bytes - few.file_bytes > _MORE_BYTES
    )


class Oracle:
    """A database with rows, in which one migration after the other is tried and taken back."""

    def __init__(
        self, database: Database, rows: int, world: str, world_rows: str, *, tries: bool = True
    ) -> None:
        """The world is what all cases share, and its rows, with ``:n`` for how many.

        Without ``tries`` nobody else tries to use the tables: then only work is measured.
        """
        self._tries = tries
        self._database = database
        self._rows = rows
        self._world = world, world_rows
        self._state: tuple[str, str] | None = None
        self._resources = ExitStack()
        self._runner = self._connect()
        self._other = self._connect()
        self._watcher = self._connect()
        self._runner.prepare_threshold = None
        self._other.execute(f"SET lock_timeout = '{_LOCK_TIMEOUT}'")
        # Each table is asked for itself, without the foreign keys and triggers that lead to others.
        self._other.execute("SET session_replication_role = replica")

    def close(self) -> None:
        """End the sessions."""
        self._resources.close()

    def _connect(self) -> psycopg.Connection:
        options = {"lock_timeout": "0", "statement_timeout": "60s"}
        return self._resources.enter_context(self._database.connect(options=options))

    def run(self, case: Case) -> list[Step]:
        """Run a migration, take it back, and return what was measured of its statements."""
        self._bring_to(case)
        relations = self._relations() if self._tries else []
        steps: list[Step] = []
        bare = case.mode == "autocommit"
        try:
            with _rolled_back(self._runner):
                if not bare:
                    self._runner.execute("BEGIN")
                for statement in case.migration:
                    step = self._step(statement, relations, in_transaction=not bare)
                    if step is not None:
                        steps.append(step)
                        if step.error:
                            break
        finally:
            if bare or any(_END.match(one) for one in case.migration):
                self._state = None
            self._runner.execute("RESET ALL")
            self._runner.execute("DISCARD TEMP")
        return steps

    # What a migration finds

    def _bring_to(self, case: Case) -> None:
        state = case.before, case.rows
        if self._state == state:
            return
        self._state = None
        _empty(self._runner)
        # Rows are there, whoever checked them.
        self._runner.execute("SET session_replication_role = replica")
        for text in (self._world[0], case.before, self._world[1], case.rows):
            if text:
                _send(self._runner, text.replace(":n", str(self._rows)))
        _send(self._runner, "ANALYZE")
        self._runner.execute("RESET session_replication_role")
        self._state = state

    def _relations(self) -> list["_Relation"]:
        rows = self._runner.execute(_RELATIONS).fetchall()
        return [
            _Relation(name, kind, tuple(columns), tuple(used), parent)
            for name, kind, columns, used, parent in rows
        ]

    # What a migration does

    def _step(self, statement: str, relations: list["_Relation"], *, in_transaction: bool) -> Step | None:
        """Run one statement; None for those that only begin or end a transaction."""
        if _BEGIN.match(statement) or _END.match(statement):
            _send(self._runner, statement)
            return None
        status = self._runner.info.transaction_status
        if in_transaction or status == psycopg.pq.TransactionStatus.INTRANS:
            return self._in_transaction(statement, relations)
        if _BARE.match(statement):
            return self._bare(statement, relations)
        self._runner.execute("BEGIN")
        step = self._in_transaction(statement, relations)
        self._runner.execute("ROLLBACK" if step.error else "COMMIT")
        return step

    def _in_transaction(self, statement: str, relations: list["_Relation"]) -> Step:
        before = self._reading()
        try:
            _send(self._runner, statement)
        except psycopg.Error as error:
            return Step(statement, error=error.sqlstate or "?")
        after = self._reading()
        waiting, held = self._tried(relations)
        by_parent = frozenset(
            one.name
            for one in relations
            if waiting.get(one.name) == "writes" and waiting.get(one.parent) == "reads and writes"
        )
        return replace(_difference(statement, before, after, waiting, held), by_parent=by_parent)

    def _bare(self, statement: str, relations: list["_Relation"]) -> Step:
        """Run a statement outside a transaction while others read and write each table, and see for whom it waits."""
        before = self._reading()
        failed: list[psycopg.Error] = []

        def run() -> None:
            try:
                _send(self._runner, statement)
            except psycopg.Error as error:
                failed.append(error)

        with ExitStack() as resources:
            users = {}
            for one in relations:
                for hold in one.holds:
                    user = resources.enter_context(self._database.connect())
                    user.execute("BEGIN")
                    _send(user, hold)
                    users[user.info.backend_pid] = user
            running = Thread(target=run, daemon=True)
            running.start()
            waiting = self._awaited(statement, running, users)
            running.join(timeout=60)
        if failed:
            return Step(statement, error=failed[0].sqlstate or "?")
        return _difference(statement, before, self._reading(), waiting, frozenset())

    def _awaited(
        self, statement: str, running: Thread, users: Mapping[int, psycopg.Connection]
    ) -> dict[str, str]:
        """Let go those for whom the statement waits, one after another; return the relations that it wanted to lock."""
        waiting: dict[str, str] = {}
        # REINDEX CONCURRENTLY of a partitioned table locks the partitions in SHARE mode to list them, and lets go
        # before the work (ReindexPartitions in the source: indexcmds.c).
        concurrently = "CONCURRENTLY" in statement.upper()
        pid = self._runner.info.backend_pid
        while running.is_alive():
            for relation, mode, kind, blockers in self._watcher.execute(_AWAITED, {"pid": pid}).fetchall():
                if relation is not None and not (concurrently and mode == "ShareLock"):
                    reads = mode == "AccessExclusiveLock"
                    waiting[relation] = _WHO.get(kind) or ("reads and writes" if reads else "writes")
                for blocker in blockers:
                    if blocker in users:
                        users[blocker].rollback()
            sleep(0.001)
        return waiting

    def _reading(self) -> "_Reading":
        relations = {
            oid: (blocks, node, size) for oid, blocks, node, size in self._runner.execute(_READING).fetchall()
        }
        row = self._runner.execute("SELECT pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchone()
        assert row is not None
        return _Reading(relations, int(row[0]))

    # What others can do meanwhile

    def _tried(self, relations: list["_Relation"]) -> tuple[dict[str, str], frozenset[str]]:
        """Return who waits for a lock on a relation, and the tables with a row that somebody has locked."""
        tried = {one: self._used(one) for one in relations if not one.is_view}
        waiting = {one.name: use.waiting for one, use in tried.items() if use.waiting}
        for one in relations:
            # Through a view one waits for its tables as well; their own lines say so.
            seen_through = any(used in waiting for used in one.used)
            if one.is_view and not seen_through and self._waits(one.select) == "lock":
                waiting[one.name] = "reads"
        return waiting, frozenset(one.name for one, use in tried.items() if use.row_held)

    def _used(self, relation: "_Relation") -> "_Use":
        """Try to use a relation in every way, and take it back."""
        if relation.is_sequence:
            waits = self._waits(f"SELECT pg_catalog.nextval({relation.literal})") == "lock"
            return _Use("nextval" if waits else "")
        if self._waits(relation.select) == "lock":
            return _Use("reads and writes")
        writes = [self._waits(write) for write in relation.writes]
        return _Use("writes" if "lock" in writes else "", row_held="row" in writes)

    def _waits(self, statement: str) -> str:
        """Return what a statement of somebody else waits for: "lock", "row" or nothing."""
        try:
            _send(self._other, f"BEGIN; {statement}; ROLLBACK")
        except psycopg.errors.LockNotAvailable as error:
            _send(self._other, "ROLLBACK")
            return "row" if _OF_A_ROW.search(error.diag.context or "") else "lock"
        except psycopg.Error:
            _send(self._other, "ROLLBACK")
        return ""


#: The context that PostgreSQL gives who waits for a row's lock (XactLockTableWait in the source: lmgr.c).
_OF_A_ROW = re.compile(
    r"while (updating|deleting|locking|inserting index) tuple|while rechecking updated tuple"
)
_WHO = {"v": "reads", "m": "reads", "S": "nextval"}


@dataclass(frozen=True, slots=True)
class _Use:
    """What became of trying to use a relation."""

    waiting: str
    row_held: bool = False


@dataclass(frozen=True, slots=True)
class _Relation:
    """A relation that was there before the migration."""

    name: str
    kind: str
    #: The columns that can be given a value, as SQL.
    columns: tuple[str, ...]
    #: The relations that a view reads.
    used: tuple[str, ...]
    #: The table that it is a partition of.
    parent: str

    @property
    def is_sequence(self) -> bool:
        return self.kind == "S"

    @property
    def is_view(self) -> bool:
        return self.kind in "vm"

    @property
    def literal(self) -> str:
        return "'" + self.name.replace("'", "''") + "'"

    @property
    def select(self) -> str:
        only = "" if self.is_view else "ONLY "
        return f"SELECT 1 FROM {only}{self.name} LIMIT 1"

    @property
    def writes(self) -> tuple[str, ...]:
        """An INSERT, an UPDATE and a DELETE; ONLY, so that each table is asked for itself."""
        if not self.columns:
            return ()
        columns = ", ".join(self.columns)
        first = self.columns[0]
        row = f"WHERE ctid = (SELECT ctid FROM ONLY {self.name} LIMIT 1)" if self.kind == "r" else ""
        return (
            f"INSERT INTO {self.name} ({columns}) SELECT {columns} FROM ONLY {self.name} WHERE false",
            f"UPDATE ONLY {self.name} SET {first} = {first} {row}",
            f"DELETE FROM ONLY {self.name} {row}",
        )

    @property
    def holds(self) -> tuple[str, ...]:
        """What those do who use it: one writes it, another reads it, who has also locked its indexes to plan that."""
        if self.is_sequence:
            return ()
        write = (f"LOCK TABLE ONLY {self.name} IN ROW EXCLUSIVE MODE",) if self.kind in "rp" else ()
        return (*write, self.select)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the runner's transaction has done so far."""

    #: By OID: blocks fetched, file, bytes of the file.
    relations: Mapping[int, tuple[int, int | None, int]]
    log_position: int


def _difference(
    statement: str, before: _Reading, after: _Reading, waiting: Mapping[str, str], held: frozenset[str]
) -> Step:
    nothing = (0, None, 0)
    # The file of an index may go on under another OID.
    files = {node for _, node, _ in before.relations.values()}
    return Step(
        statement,
        waiting=waiting,
        rows_held=held,
        blocks=sum(
            max(0, blocks - before.relations.get(oid, nothing)[0])
            for oid, (blocks, _, _) in after.relations.items()
        ),
        log_bytes=after.log_position - before.log_position,
        file_bytes=sum(size for _, node, size in after.relations.values() if node not in files),
    )


def _send(connection: psycopg.Connection, text: str) -> None:
    connection.execute(text)


@contextmanager
def _rolled_back(connection: psycopg.Connection) -> Iterator[None]:
    try:
        yield
    finally:
        connection.execute("ROLLBACK" if connection.info.transaction_status else "SELECT")


def _empty(connection: psycopg.Connection) -> None:
    """Drop whatever is in the database that a case may have made."""
    for (drop,) in connection.execute(_MADE).fetchall():
        _send(connection, drop)


_MADE = """
SELECT 'DROP PUBLICATION ' || pg_catalog.quote_ident(pubname) FROM pg_catalog.pg_publication
UNION ALL
SELECT 'DROP EVENT TRIGGER ' || pg_catalog.quote_ident(evtname) FROM pg_catalog.pg_event_trigger
UNION ALL
SELECT 'DROP SCHEMA ' || pg_catalog.quote_ident(nspname) || ' CASCADE' FROM pg_catalog.pg_namespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
UNION ALL
SELECT 'CREATE SCHEMA public'
"""

_RELATIONS = """
SELECT pg_catalog.format('%I.%I', space.nspname, class.relname),
       class.relkind::text,
       coalesce((
           SELECT pg_catalog.array_agg(pg_catalog.quote_ident(attname) ORDER BY attnum)
           FROM pg_catalog.pg_attribute
           WHERE attrelid = class.oid AND attnum > 0 AND NOT attisdropped
             AND attgenerated = '' AND attidentity <> 'a'
       ), '{}'),
       coalesce((
           SELECT pg_catalog.array_agg(DISTINCT pg_catalog.format('%I.%I', used_space.nspname, used.relname))
           FROM pg_catalog.pg_rewrite
           JOIN pg_catalog.pg_depend ON classid = 'pg_catalog.pg_rewrite'::regclass AND objid = pg_rewrite.oid
           JOIN pg_catalog.pg_class AS used ON refclassid = 'pg_catalog.pg_class'::regclass AND refobjid = used.oid
           JOIN pg_catalog.pg_namespace AS used_space ON used_space.oid = used.relnamespace
           WHERE ev_class = class.oid AND used.oid <> class.oid AND class.relkind = 'v'
       ), '{}'),
       coalesce((
           SELECT pg_catalog.format('%I.%I', parent_space.nspname, parent.relname)
           FROM pg_catalog.pg_inherits
           JOIN pg_catalog.pg_class AS parent ON parent.oid = inhparent
           JOIN pg_catalog.pg_namespace AS parent_space ON parent_space.oid = parent.relnamespace
           WHERE inhrelid = class.oid AND class.relispartition
       ), '')
FROM pg_catalog.pg_class AS class
JOIN pg_catalog.pg_namespace AS space ON space.oid = class.relnamespace
WHERE class.relkind IN ('r', 'p', 'm', 'v', 'S') AND class.oid >= 16384
  AND space.nspname !~ '^pg_' AND space.nspname <> 'information_schema'
  AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_depend
      WHERE classid = 'pg_catalog.pg_class'::regclass AND objid = class.oid AND deptype = 'e'
  )
ORDER BY 1
"""

_READING = """
SELECT class.oid,
       -- Of an index one fetches more, the more levels it has: that is no work.
       CASE WHEN class.relkind IN ('r', 'm', 't') THEN pg_catalog.pg_stat_get_xact_blocks_fetched(class.oid) ELSE 0 END,
       pg_catalog.pg_relation_filenode(class.oid),
       coalesce(pg_catalog.pg_relation_size(class.oid), 0)
FROM pg_catalog.pg_class AS class
WHERE class.oid >= 16384 AND class.relkind IN ('r', 'm', 't', 'i', 'S')
"""

_AWAITED = """
SELECT pg_catalog.quote_ident(space.nspname) || '.' || pg_catalog.quote_ident(class.relname), lock.mode, class.relkind::text,
       pg_catalog.pg_blocking_pids(lock.pid)
FROM pg_catalog.pg_locks AS lock
LEFT JOIN pg_catalog.pg_index AS index ON index.indexrelid = lock.relation
LEFT JOIN pg_catalog.pg_class AS class ON class.oid = coalesce(index.indrelid, lock.relation)
LEFT JOIN pg_catalog.pg_namespace AS space ON space.oid = class.relnamespace
WHERE lock.pid = %(pid)s AND NOT lock.granted AND (class.oid IS NULL OR class.oid >= 16384)
"""
