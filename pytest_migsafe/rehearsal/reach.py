"""How far the queries of a statement reach: to few rows, by a key, or to as many as there are.

What PostgreSQL's planner chose on tables with a handful of rows does not tell it: it reads such a table as a whole where it
would go by the key in production (a table that was analyzed with one page), and by an index where it would read everything
that the index finds. So the queries' text is asked, with the keys that the catalog knows.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.lexical import last_part, quoted, unquoted, without_arguments
from pytest_migsafe.catalog.schema import Column, Constraint, Function, Index, Table, Trigger, View
from pytest_migsafe.migrations.plpgsql import (
    Block,
    Body,
    Branches,
    Loop,
    Piece,
    Plain,
    UnreadableBodyError,
    parse_function,
)
from pytest_migsafe.migrations.queries import (
    SMALL,
    ColumnName,
    Equality,
    Mention,
    Query,
    Range,
    Use,
    body_of_do,
    constant_text,
    key_columns,
    queries,
)
from pytest_migsafe.rehearsal.observed import StatementEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What a statement does with the rows of a table."""

    table: str
    use: Use
    #: Whether a key or a limit holds them down to few.
    is_few: bool
    #: Whether there is a condition on them at all.
    has_where: bool
    #: Whether it stands in a function's body or a DO block, so that it may not have run.
    in_body: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaches:
    """What a statement does with the rows of tables."""

    tables: tuple[Reach, ...] = ()
    #: Whether it also runs what its text does not show.
    is_open: bool = False

    def of(self, names: Iterable[str]) -> tuple[Reach, ...]:
        """Return what is done with some tables."""
        wanted = set(names)
        return tuple(one for one in self.tables if one.table in wanted)


#: Functions that call functions, and so on, are followed so far.
_DEEPEST = 4
_BY_ITS_QUERIES = frozenset(
    {
        "SelectStmt",
        "InsertStmt",
        "UpdateStmt",
        "DeleteStmt",
        "MergeStmt",
        "CreateTableAsStmt",
        "ExplainStmt",
        "DeclareCursorStmt",
        "CopyStmt",
        "CallStmt",
    }
)


@dataclass(frozen=True)
class Catalog:
    """The tables of a file's statements with their keys: as they were before it, and as they are after it."""

    before: Schema
    after: Schema
    #: Names that the file's statements are known to mean, by the last part.
    _spoken_of: dict[str, list[str]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def speak_of(self, statement: StatementEvidence) -> None:
        """Learn which relations a statement has touched: they are meant by names without a schema."""
        touched = [lock.relation for lock in statement.locks]
        touched += [scan.relation for scan in statement.scans]
        touched += [write.relation for write in statement.writes]
        for name in touched:
            known = self._spoken_of.setdefault(last_part(name), [])
            if name in known:
                known.remove(name)
            known.insert(0, name)

    def named(self, schema: str, name: str) -> str | None:
        """Return the qualified name of a relation as a statement names it; None for one that is not known."""
        spoken_of = self._spoken_of.get(name, [])
        if schema:
            return f"{quoted(schema)}.{quoted(name)}"
        if spoken_of:
            return spoken_of[0]
        known = self._by_last_part.get(name, ())
        return next((one for one in known if one == f"public.{quoted(name)}"), known[0] if known else None)

    @cached_property
    def _by_last_part(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for schema in (self.before, self.after):
            for home in schema.homes:
                if home.catalog == "relation":
                    names = found.setdefault(last_part(home.name), [])
                    if home.name not in names:
                        names.append(home.name)
        return found

    def _objects(self, relation: str) -> Iterator[object]:
        yield from self.before.belonging_to(relation).values()
        yield from self.after.belonging_to(relation).values()

    def table(self, name: str) -> Table | None:
        """Return a table, as it was before the file or is after it."""
        found = self.before.get("table", name) or self.after.get("table", name)
        return found if isinstance(found, Table) else None

    def view(self, name: str) -> View | None:
        """Return a view, as it was before the file or is after it."""
        found = self.before.get("view", name) or self.after.get("view", name)
        return found if isinstance(found, View) and found.kind == "view" else None

    def shown_by(self, name: str) -> str | None:
        """Return the one table or view whose rows and columns a view shows as they are; None for any other."""
        view = self.view(name)
        if view is None or _MADE_OTHERWISE.search(view.definition):
            return None
        query, *others = queries(view.definition) or (Query(),)
        if others or len(query.mentions) != 1 or query.subqueries or query.calls:
            return None
        (mention,) = query.mentions
        return next((one for one in view.reads if last_part(one) == mention.name), None)

    def family(self, name: str) -> frozenset[str]:
        """Return a table with those that it is a partition or a child of."""
        table = self.table(name)
        parents = table.parents if table is not None else ()
        return frozenset({name}).union(*(self.family(one) for one in parents))

    def columns(self, relation: str) -> frozenset[str]:
        """Return the names of a table's columns."""
        return frozenset(unquoted(one.name) for one in self._objects(relation) if isinstance(one, Column))

    def _indexes(self, relation: str) -> Iterator[tuple[Index, tuple[str, ...]]]:
        for one in self._objects(relation):
            if isinstance(one, Index) and one.valid:
                yield one, key_columns(one.definition)

    def is_few(self, relation: str, columns: frozenset[str]) -> bool:
        """Whether few rows have given values of some columns: a unique key, a part of one, or what refers to a row."""
        if "ctid" in columns:
            return True
        for index, key in self._indexes(relation):
            if index.unique and key and key[0] in columns:
                return True
            if key and key[0] in columns and self._refers(relation, columns):
                return True
        return False

    def _refers(self, relation: str, columns: frozenset[str]) -> bool:
        return any(
            isinstance(one, Constraint)
            and one.type == "foreign key"
            and columns.issuperset(map(unquoted, one.columns))
            for one in self._objects(relation)
        )

    def leads_index(self, relation: str, columns: Iterable[str]) -> bool:
        """Whether an index begins with one of some columns."""
        wanted = set(columns)
        return any(key and key[0] in wanted for _, key in self._indexes(relation))

    def unindexed_referrers(self, relation: str) -> tuple[str, ...]:
        """Return the tables with a foreign key to a table whose rows are not found by an index: each is read as a whole."""
        referring = {
            one.relation: one
            for schema in (self.before, self.after)
            for one in self._foreign_keys(schema).get(relation, ())
        }
        return tuple(
            name
            for name, one in sorted(referring.items())
            if not self.leads_index(name, map(unquoted, one.columns))
        )

    def _foreign_keys(self, schema: Schema) -> dict[str, list[Constraint]]:
        cache = self._referring
        if id(schema) not in cache:
            found: dict[str, list[Constraint]] = {}
            owners = {
                key.name: home.name
                for home, objects in schema.homes.items()
                if home.catalog == "relation"
                for key in objects
                if key.kind == "index"
            }
            for home, objects in schema.homes.items():
                if home.catalog != "relation":
                    continue
                for one in objects.values():
                    if isinstance(one, Constraint) and one.type == "foreign key" and one.index in owners:
                        found.setdefault(owners[one.index], []).append(one)
            cache[id(schema)] = found
        return cache[id(schema)]

    @cached_property
    def _referring(self) -> dict[int, dict[str, list[Constraint]]]:
        return {}

    def refers_to(self, relation: str) -> frozenset[str]:
        """Return the tables that a table's foreign keys refer to."""
        return frozenset(
            other
            for schema in (self.before, self.after)
            for other, keys in self._foreign_keys(schema).items()
            if any(one.relation == relation for one in keys)
        )

    def trigger_functions(self, relation: str) -> Iterator[str]:
        """Yield the functions of a table's triggers, whatever they fire for."""
        for one in self._objects(relation):
            if isinstance(one, Trigger) and one.enabled != "disabled":
                yield one.function

    def functions(self, name: str) -> tuple[Function, ...]:
        """Return the functions and procedures of a name without schema, those after the file first."""
        return tuple(self._functions.get(name, ()))

    @cached_property
    def _functions(self) -> dict[str, list[Function]]:
        found: dict[str, list[Function]] = {}
        for schema in (self.after, self.before):
            for signature, one in schema.of_kind(Function).items():
                known = found.setdefault(last_part(without_arguments(signature)), [])
                if one not in known:
                    known.append(one)
        return found

    def may_truncate(self, text: str) -> bool:
        """Whether TRUNCATE stands in a statement, or in a function that may be called by it."""
        bodies = [text.lower()]
        functions = {
            name.lower(): " ".join(one.body.lower() for one in some) for name, some in self._functions.items()
        }
        while bodies:
            body = bodies.pop()
            if "truncate" in body:
                return True
            bodies += [functions.pop(name) for name in list(functions) if name in body]
        return False

    def reaches(self, statement: StatementEvidence) -> Reaches | None:
        """Return what a statement does with the rows of tables; None where its text does not show it."""
        known = self._reached
        if id(statement) not in known:
            known[id(statement)] = self._reaches(statement)
        return known[id(statement)]

    @cached_property
    def _reached(self) -> dict[int, Reaches | None]:
        return {}

    def _reaches(self, statement: StatementEvidence) -> Reaches | None:
        if statement.node == "DoStmt":
            body = body_of_do(statement.text)
            return _Following(self).body(body) if body else None
        if statement.node not in _BY_ITS_QUERIES:
            return None
        # A seed may have thousands of these, and each thousands of values: too many to look at.
        if statement.node == "InsertStmt" and not statement.scans and _has_only_values(statement.text):
            return Reaches()
        found = queries(statement.text)
        return _Following(self).all(found) if found else None


#: Words of a view's definition, as PostgreSQL writes it, by which it has other rows or columns than its table.
_MADE_OTHERWISE = re.compile(r"\b(?:AS|DISTINCT|GROUP BY|HAVING|LIMIT|OFFSET|UNION|WITH)\b")
_OTHER_THAN_VALUES = re.compile(r"\b(?:select|table|update|delete|merge)\b", re.IGNORECASE)


_FIRES_TRIGGERS = frozenset({Use.INSERTED, Use.UPDATED, Use.DELETED})


def _has_only_values(text: str) -> bool:
    """Whether an INSERT has nothing but VALUES, as far as its beginning and its end tell."""
    return not _OTHER_THAN_VALUES.search(text[:_ENOUGH]) and not _OTHER_THAN_VALUES.search(text[-_ENOUGH:])


_ENOUGH = 2_000


@dataclass
class _Following:
    """Follows a statement's queries into views and functions."""

    catalog: Catalog
    in_body: bool = False
    depth: int = 0

    def all(self, some: Iterable[Query], *, repeated: bool = False) -> Reaches:
        return _together(self.one(query, repeated=repeated) for query in some)

    def one(self, query: Query, *, repeated: bool = False) -> Reaches:
        """Return what a query and those in it do; ``repeated`` says that it is run as often as there are rows."""
        found: list[Reach] = []
        called: list[Reaches] = []
        for one in query.every():
            mentioned = list(self._of_mentions(one, repeated=repeated))
            found += mentioned
            called += [self._of_function(*name) for name in one.calls]
            called += [self._of_triggers(reach.table) for reach in mentioned if reach.use in _FIRES_TRIGGERS]
        return _together([Reaches(tables=tuple(found)), *called])

    def _of_mentions(self, query: Query, *, repeated: bool) -> Iterator[Reach]:
        judged = _Judged(self.catalog, query)
        for place, mention in enumerate(query.mentions):
            name = judged.names[place]
            if name is None:
                continue
            use, is_few = mention.use, judged.is_few(place)
            if query.overwrites:
                use, is_few = (
                    Use.UPDATED,
                    query.source is None or _Judged(self.catalog, query.source).is_few_rows,
                )
            if repeated and use is not Use.READ:
                is_few = False
            for table in self._tables(name):
                yield Reach(
                    table=table,
                    use=use,
                    is_few=is_few and table == name,
                    has_where=query.has_where or query.overwrites or repeated,
                    in_body=self.in_body,
                )

    def _tables(self, name: str) -> Iterator[str]:
        view = self.catalog.view(name)
        if view is None:
            yield name
            return
        for one in view.reads:
            if one != name:
                yield from self._tables(one)

    def _of_function(self, schema: str, name: str) -> Reaches:
        if schema == "pg_catalog" or self.depth >= _DEEPEST:
            return Reaches()
        found = self.catalog.functions(name)
        return _together(self._of_body(one) for one in found)

    def _of_triggers(self, table: str) -> Reaches:
        called = {last_part(without_arguments(one)) for one in self.catalog.trigger_functions(table)}
        return _together(self._of_function("", name) for name in sorted(called))

    def _of_body(self, function: Function) -> Reaches:
        deeper = _Following(self.catalog, in_body=True, depth=self.depth + 1)
        if function.language == "plpgsql":
            return deeper.body(function.body)
        if function.language == "sql":
            return deeper.all(queries(function.body))
        return Reaches(is_open=function.language not in ("internal", "c"))

    def body(self, body: str) -> Reaches:
        """Return what a PL/pgSQL body does."""
        self.in_body = True
        try:
            block = parse_function(body).block
        except UnreadableBodyError:
            return Reaches(is_open=True)
        return self._block(block, repeated=False)

    def _block(self, block: Block, *, repeated: bool) -> Reaches:
        declared = [one.default for one in block.declarations if one.default is not None]
        bodies = [block.body, *(one.body for one in block.handlers)]
        return _together(
            [
                self._pieces(declared, repeated=repeated),
                *(self._body(one, repeated=repeated) for one in bodies),
            ]
        )

    def _body(self, body: Body, *, repeated: bool) -> Reaches:
        return _together(self._statement(one, repeated=repeated) for one in body)

    def _statement(self, one: Plain | Branches | Loop | Block, *, repeated: bool) -> Reaches:
        if isinstance(one, Plain):
            return self._pieces(one.pieces, repeated=repeated)
        if isinstance(one, Block):
            return self._block(one, repeated=repeated)
        if isinstance(one, Branches):
            parts = [self._pieces(one.pieces, repeated=repeated)]
            for arm in one.arms:
                parts += [
                    self._pieces(arm.pieces, repeated=repeated),
                    self._body(arm.body, repeated=repeated),
                ]
            return _together([*parts, self._body(one.otherwise, repeated=repeated)])
        inside = repeated or self._is_endless(one)
        return _together([self._pieces(one.pieces, repeated=repeated), self._body(one.body, repeated=inside)])

    def _is_endless(self, loop: Loop) -> bool:
        """Whether a loop has as many rounds as there are rows somewhere."""
        if loop.structure is not None:
            return any(not _Judged(self.catalog, query).is_few_rows for query in queries(loop.structure.sql))
        if loop.declares.endswith(" integer"):
            return any(
                any(not _Judged(self.catalog, found).is_few_rows or found.mentions for found in query.every())
                for piece in loop.pieces
                for query in queries(piece.sql)
            )
        return not loop.targets

    def _pieces(self, pieces: Sequence[Piece], *, repeated: bool) -> Reaches:
        return _together(self._piece(one, repeated=repeated) for one in pieces)

    def _piece(self, piece: Piece, *, repeated: bool) -> Reaches:
        if piece.statement.lstrip().lower().startswith("execute"):
            text = constant_text(piece.sql)
            found = queries(text) if text is not None else ()
            return self.all(found, repeated=repeated) if found else Reaches(is_open=True)
        return self.all(queries(piece.sql), repeated=repeated)


def _together(some: Iterable[Reaches]) -> Reaches:
    listed = list(some)
    return Reaches(
        tables=tuple(dict.fromkeys(reach for one in listed for reach in one.tables)),
        is_open=any(one.is_open for one in listed),
    )


#: So wide may a range of a key be that is written as one batch.
_WIDEST = 10 * SMALL


class _Judged:
    """Which of a query's tables are held down to few rows."""

    def __init__(self, catalog: Catalog, query: Query) -> None:
        self._catalog = catalog
        self._query = query
        self.names = [self._name(one) for one in query.mentions]
        self._few: set[int] = set()
        self._settle()

    def _name(self, mention: Mention) -> str | None:
        if mention.query is not None or mention.is_given:
            return None
        name = self._catalog.named(mention.schema, mention.name)
        while name is not None and (shown := self._catalog.shown_by(name)) is not None:
            name = shown
        return name

    @property
    def is_few_rows(self) -> bool:
        """Whether the query has few rows."""
        query = self._query
        if query.has_small_limit or query.is_empty or query.extremes:
            return True
        return len(self._few) == len(query.mentions)

    @property
    def _comes_in_order(self) -> bool:
        """Whether the first rows are found without reading, and sorting, them all."""
        by = self._query.ordered_by
        if by is None:
            return True
        owner = self._owner(by) if by.name else None
        name = self.names[owner] if owner is not None else None
        return name is not None and self._catalog.leads_index(name, (by.name,))

    def is_few(self, place: int) -> bool:
        """Whether few rows of a table are looked at, or written."""
        query, name = self._query, self.names[place]
        mention = query.mentions[place]
        if mention.use is Use.INSERTED:
            return True
        if place in self._few or query.is_empty or (query.has_small_limit and self._comes_in_order):
            return True
        if name is None:
            return False
        if query.extremes:
            return not query.conditions and self._catalog.leads_index(
                name, (one.name for one in query.extremes)
            )
        if query.is_existence and not query.has_where:
            return True
        # What an index finds is read one row after the other; how many those are, nobody knows.
        return mention.use is Use.READ and self._catalog.leads_index(name, self._bound(place))

    def _settle(self) -> None:
        mentions = self._query.mentions
        for place, mention in enumerate(mentions):
            if mention.is_given or (
                mention.query is not None and _Judged(self._catalog, mention.query).is_few_rows
            ):
                self._few.add(place)
        found = True
        while found:
            found = False
            for place, name in enumerate(self.names):
                if place in self._few or name is None:
                    continue
                if self._catalog.is_few(name, self._bound(place)):
                    self._few.add(place)
                    found = True

    def _bound(self, place: int) -> frozenset[str]:
        """Return the columns of a table that have one of few values."""
        equal = {
            one.column.name
            for one in self._query.conditions
            if isinstance(one, Equality)
            and self._owner(one.column) == place
            and all(map(self._is_known, one.made_of))
        }
        return frozenset(equal | self._in_batch(place))

    def _in_batch(self, place: int) -> set[str]:
        ends: dict[str, dict[bool, int | None]] = {}
        for one in self._query.conditions:
            if isinstance(one, Range) and self._owner(one.column) == place:
                ends.setdefault(one.column.name, {})[one.is_lower] = one.end
        return {name for name, both in ends.items() if _is_narrow(both)}

    def _is_known(self, part: ColumnName | Query) -> bool:
        if isinstance(part, Query):
            return _Judged(self._catalog, part).is_few_rows
        owner = self._owner(part)
        return owner is None or owner in self._few

    def _owner(self, column: ColumnName) -> int | None:
        """Return the place of the table that a column belongs to; None for a variable, or a query's around this one."""
        mentions = self._query.mentions
        if column.alias:
            return next((at for at, one in enumerate(mentions) if one.called == column.alias), None)
        for place, name in enumerate(self.names):
            if name is None:
                continue
            columns = self._catalog.columns(name)
            if not columns or column.of in columns or column.of == "ctid":
                return place
        return next((at for at, one in enumerate(mentions) if one.query is not None or one.is_given), None)


def _is_narrow(ends: dict[bool, int | None]) -> bool:
    """Whether a range has few values: by its lower (True) and upper ends, as far as there are any."""
    if False not in ends:
        return False
    # Keys begin at one.
    low, high = ends.get(True, 1), ends[False]
    if True not in ends and high is None:
        return False
    return low is None or high is None or high - low <= _WIDEST
