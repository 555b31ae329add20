"""Which functions and triggers no longer work: what validators say of bodies, and the server of each query in them.

Nothing is called. Asked again are functions that were changed, those whose body mentions something that was, trigger
functions for the tables that were, and all that were broken: they may have been healed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import namedtuple_row, tuple_row

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.composition import Fragment, Value, fetch_all, fragment, oid_array, text_array
from pytest_migsafe.catalog.objects import CatalogObject, Home
from pytest_migsafe.catalog.rarer import EventTrigger, SecurityLabel, Statistics
from pytest_migsafe.catalog.schema import (
    Column,
    Constraint,
    Function,
    Grant,
    Index,
    Policy,
    Table,
    Trigger,
    Type,
)
from pytest_migsafe.migrations.lexemes import tokens
from pytest_migsafe.migrations.plpgsql import Function as Body
from pytest_migsafe.migrations.plpgsql import UnreadableBodyError, parse_function
from pytest_migsafe.rehearsal.facts import BrokenCode, Facts
from pytest_migsafe.rehearsal.probes.asking import Asking
from pytest_migsafe.rehearsal.probes.notices import Report, reports_of
from pytest_migsafe.rehearsal.probes.plpgsql import Analysis, Frame, analysing_block
from pytest_migsafe.rehearsal.probes.scripts import script

#: The session's own search_path, and the function of plpgsql_check, if the database has it.
_CIRCUMSTANCES = Fragment(
    "SELECT pg_catalog.current_setting('search_path'), ("
    "SELECT p.oid::pg_catalog.regproc::pg_catalog.text FROM pg_catalog.pg_proc p "
    "WHERE p.proname = 'plpgsql_check_function_tb' AND pg_catalog.has_schema_privilege(p.pronamespace, 'USAGE') "
    "ORDER BY p.oid LIMIT 1)"
)
_PREPARATION = "SET LOCAL search_path = ''; SET LOCAL check_function_bodies = on; SET LOCAL plan_cache_mode = force_generic_plan"

Broken = Mapping[str, tuple[BrokenCode, ...]]


def probe(asking: Asking, known: Facts) -> Facts:
    """Return what is known after a file of the functions that are broken."""
    return replace(known, broken_functions=_broken_after(asking, known.broken_functions))


def _broken_after(asking: Asking, known: Broken) -> Broken:
    names = _to_ask(asking, known)
    kept = {
        name: found for name, found in known.items() if name not in names and name in _functions(asking.after)
    }
    if not names:
        return kept if len(kept) != len(known) else known
    found = _Looking(asking).at(names)
    return kept | {name: tuple(some) for name, some in found.items() if some}


# What is asked again.


def _to_ask(asking: Asking, known: Broken) -> frozenset[str]:
    functions = _functions(asking.after)
    if any(home.catalog in _OF_ALL for home in asking.changed):
        return frozenset(functions)
    names = {home.name for home in asking.changed if home.catalog == "function"} | known.keys()
    words = frozenset(_words_changed(asking))
    if words:
        names |= {name for name, one in functions.items() if not words.isdisjoint(_words_of(one))}
    names |= {
        trigger.function
        for home in asking.changed
        if _is_felt_in_bodies(asking, home)
        for trigger in asking.after.homes.get(home, {}).values()
        if isinstance(trigger, Trigger)
    }
    return frozenset(names & functions.keys())


#: What of a relation the analysis of a query does not look at.
_NOT_FELT = (Grant, Policy, SecurityLabel, Statistics)


def _is_felt_in_bodies(asking: Asking, home: Home) -> bool:
    """Return whether a query that was sound may not be so any more, or the other way round, for what changed in a home."""
    before, after = asking.before.homes.get(home, {}), asking.after.homes.get(home, {})
    changed = [(before.get(key), after.get(key)) for key in {**before, **after}]
    return any(was != now and not _is_not_felt(was, now) for was, now in changed)


def _is_not_felt(was: CatalogObject | None, now: CatalogObject | None) -> bool:
    one = was or now
    if isinstance(was, Table) and isinstance(now, Table):
        # Its storage, its owner, row-level security: our role is above that.
        return (was.kind, was.of_type) == (now.kind, now.of_type)
    if isinstance(one, Constraint):
        # ON CONFLICT ON CONSTRAINT names one; the other kinds it can name have a unique index.
        return one.type != "exclude"
    # ON CONFLICT needs a unique index.
    return isinstance(one, _NOT_FELT) or (isinstance(one, Index) and not one.unique)


#: How long the analysis of one body may take, in milliseconds: of 5,000 queries it is less than one second, but for
#: the columns that a record takes a query is planned.
_LONGEST_MS = 10_000

#: What a body may need without naming it.
_OF_ALL = frozenset({"extension", "cast", "operator"})


def _functions(schema: Schema) -> Mapping[str, Function]:
    return {
        name: one
        for name, one in schema.functions.items()
        if one.kind in ("function", "procedure") and one.language not in ("c", "internal")
    }


_WORD = re.compile(r"\w+")


@lru_cache(maxsize=20_000)
def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower()))


def _words_of(function: Function) -> frozenset[str]:
    return _words(function.body) | _words(function.arguments) | _words(function.returns or "")


def _words_changed(asking: Asking) -> Iterator[str]:
    """Yield the words, in small letters, that name what a file made, changed or removed."""
    for home in asking.changed:
        if not home.name or (home.catalog == "relation" and not _is_felt_in_bodies(asking, home)):
            continue
        before, after = asking.before.homes.get(home, {}), asking.after.homes.get(home, {})
        if before and after and home.catalog == "schema":
            # Its grants or its comment; what is in it has a home of its own.
            continue
        yield from _words(_last_part(home))
        if not before or not after:
            # Who uses what is new or gone, names it; a column may also be used without its table's name.
            continue
        for key in {**before, **after}:
            was, now = before.get(key), after.get(key)
            if was == now:
                continue
            for one in (was, now):
                if isinstance(one, Column):
                    yield from _words(one.name)
                elif isinstance(one, Type):
                    yield from _words(" ".join((*one.labels, *one.attributes)))


def _last_part(home: Home) -> str:
    """Return the part of a qualified name that a body must say; more words than it take do no harm."""
    name = home.name.partition("(")[0]
    if home.catalog == "schema":
        return name
    return name if '"' in name else name.rpartition(".")[2]


# How it is asked.


@dataclass(frozen=True, slots=True)
class _On:
    """A trigger function, and the table on which its triggers call it."""

    relation: str
    triggers: Sequence[Any]


class _Looking:
    """Looks at functions in one transaction."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._connection = asking.connection
        self._temporary = _temporary_tables(asking.after)
        #: plpgsql_check's function, if the database has it.
        self._check: str | None = None
        self._others_schemas = _schemas_of_extensions(asking.after)
        #: The procedures that have OUT arguments, by their last names.
        self._with_out_arguments: dict[str, list[Function]] = {}
        for one in asking.after.of_kind(Function).values():
            if one.kind == "procedure" and _OUT.search(one.arguments):
                self._with_out_arguments.setdefault(_bare(one.name), []).append(one)

    def at(self, names: Iterable[str]) -> dict[str, list[BrokenCode]]:
        """Return what is broken of some functions."""
        search_path, self._check = self._row(_CIRCUMSTANCES)
        self._send(_PREPARATION)
        functions = self._prepared_rows("functions", names=text_array(sorted(names)))
        found: dict[str, list[BrokenCode]] = {one.name: [] for one in functions}
        for number, one in self._refused(functions, search_path):
            found[functions[number].name].append(one)
        sound = [one for one in functions if one.language == "plpgsql" and not found[one.name]]
        triggers = self._prepared_rows("triggers", functions=oid_array(one.oid for one in sound))
        for one in sound:
            path = one.search_path if one.search_path is not None else search_path
            for on in _places(one, triggers):
                found[one.name] += self._looked_into(one, on, path)
        self._set_search_path(search_path)
        return found

    def _set_search_path(self, search_path: str) -> None:
        self._connection.execute(
            "SELECT pg_catalog.set_config('search_path', %s, true)", [search_path], prepare=False
        )

    def _refused(self, functions: Sequence[Any], search_path: str) -> Iterator[tuple[int, BrokenCode]]:
        """Yield what validators refuse, each with the function's place."""
        if not functions:
            return
        place = {one.oid: number for number, one in enumerate(functions)}
        asked = [
            [str(one.oid), one.validator, one.search_path if one.search_path is not None else search_path]
            for one in functions
        ]
        for notice in reports_of(
            self._connection,
            sql.SQL(script("validate")).format(asked=sql.Literal(asked)).as_bytes(self._connection),
        ):
            if notice.number is None:
                continue
            one = functions[place[notice.number]]
            if self._is_true(notice, one.body):
                yield (
                    place[notice.number],
                    _broken(notice, line=_line_in(notice.context.partition(_OUR_BLOCK)[0])),
                )

    def _looked_into(self, function: Any, on: _On, search_path: str) -> list[BrokenCode]:
        """Return what is broken of a body: what we find, and what plpgsql_check finds elsewhere in it, if it is there."""
        body = _parsed(function.body)
        analysis = analysing_block(body, _frame(function, on)) if body is not None else None
        found = list(self._analysed(function, on, search_path, analysis)) if analysis is not None else []
        if self._check is None:
            return found
        known = {one.line for one in found}
        dealt_with = {
            one.piece.line: one.handled | (_MISSING if one.for_some_tables else frozenset())
            for one in (analysis.asked if analysis is not None else ())
        }
        more = self._checked_by_extension(function, on, search_path)
        return found + [
            one
            for one in more
            if one.line not in known and one.sqlstate not in dealt_with.get(one.line, frozenset())
        ]

    def _checked_by_extension(self, function: Any, on: _On, search_path: str) -> Iterator[BrokenCode]:
        given = {
            "function": function.oid,
            "relation": on.triggers[0].relation_oid if on.triggers else 0,
            "old_table": next((one.old_table for one in on.triggers if one.old_table), None),
            "new_table": next((one.new_table for one in on.triggers if one.new_table), None),
        }
        looks_around = _LOOKS_AROUND.search(function.body) is not None
        transition = {name for one in on.triggers for name in one.transition_tables}
        query = (
            sql.SQL(script("plpgsql_check"))
            .format(check=sql.SQL(self._check or ""))
            .as_bytes(self._connection)
        )
        self._send("SAVEPOINT migsafe_check")
        try:
            self._set_search_path(search_path)
            rows = self._rows(query, **given)
        except psycopg.OperationalError:
            raise
        except psycopg.Error:
            # Another version, with other arguments.
            rows = ()
        self._send("ROLLBACK TO SAVEPOINT migsafe_check; RELEASE SAVEPOINT migsafe_check")
        for row in rows:
            report = Report(
                sqlstate=row.sqlstate,
                message=row.message,
                detail=row.detail,
                hint=row.hint,
                number=None,
                context="",
            )
            if self._is_true(report, function.body, transition) and not (
                looks_around and row.sqlstate in _MISSING
            ):
                yield replace(_broken(report, line=row.line), statement=row.statement, **_of_trigger(on))

    def _analysed(self, function: Any, on: _On, search_path: str, analysis: Analysis) -> Iterator[BrokenCode]:
        handles_catalog = _LOOKS_AROUND.search(function.body) is not None
        transition = {name for one in on.triggers for name in one.transition_tables}
        # What follows from a statement's first error is no news.
        said: set[tuple[int, str]] = set()
        block = self._within(analysis, on, transition, search_path)
        for notice in reports_of(self._connection, block, longest_ms=_LONGEST_MS):
            if notice.number is None:
                yield from _not_compiled(notice, analysis, on)
                continue
            asked = analysis.asked[notice.number]
            if (
                notice.sqlstate in asked.handled
                or (asked.for_some_tables and _NO_FIELD_OF_ROW.match(notice.message))
                or (handles_catalog and notice.sqlstate in _MISSING)
                or (asked.piece.line, asked.piece.statement) in said
                or not self._is_true(notice, function.body, transition)
                or (asked.piece.is_call and not self._is_true_of_call(notice, asked.piece.sql))
                or (_is_polymorphic(function) and notice.sqlstate not in _MISSING - {"42883"})
            ):
                continue
            said.add((asked.piece.line, asked.piece.statement))
            yield replace(
                _broken(notice, line=asked.piece.line),
                statement=" ".join(asked.piece.statement.split()),
                caught=asked.caught,
                **_of_trigger(on),
            )

    def _within(self, analysis: Analysis, on: _On, transition: set[str], search_path: str) -> bytes:
        """Return the block with what has to stand around it: the function's path, and transition tables to look at."""
        tables = b"".join(
            f"CREATE TEMPORARY TABLE {name} (LIKE {on.relation});".encode() for name in sorted(transition)
        )
        if self._asking.after.of_kind(EventTrigger):
            # It would be called.
            tables = b""
        path = sql.SQL("SET LOCAL search_path = {};").format(sql.SQL(search_path or "''"))
        return tables + path.as_bytes(self._connection) + analysis.sql.encode()

    def _is_true(self, notice: Report, body: str, transition: Iterable[str] = ()) -> bool:
        """Return whether an error is one that the function's callers will meet."""
        if notice.sqlstate not in _TELLING or "record data type" in notice.message:
            return False
        if (schema := _QUALIFIED.search(notice.message)) and (schema[1] or schema[2]) in self._others_schemas:
            # The session's own, or an extension's, of which there may be a stub.
            return False
        if notice.sqlstate != "42P01":
            return True
        missing = _MISSING_RELATION.search(notice.message)
        if missing is None:
            return True
        name = missing[1].rpartition(".")[2].lower()
        made = {*_made_in(body), *(one.strip('"').lower() for one in transition)}
        return name not in self._temporary and name not in made

    def _is_true_of_call(self, notice: Report, call: str) -> bool:
        """Return whether what was said of a CALL, asked for as a function is called, holds for a procedure."""
        if notice.sqlstate == "42809":
            return False
        called = _bare(call.removeprefix("SELECT "))
        if notice.sqlstate != "42883" or not _bare(notice.message).endswith(called):
            return True
        # A function's call leaves OUT arguments out, CALL does not (manual: "CALL"); all else is resolved the same way.
        number = _number_listed(call[call.find("(") + 1 : call.rfind(")")])
        return not any(number in _numbers_taken(one) for one in self._with_out_arguments.get(called, ()))

    # The connection.

    def _send(self, text: str) -> None:
        self._connection.execute(text.encode(), prepare=False)

    def _row(self, query: Fragment) -> tuple[Any, ...]:
        cursor = psycopg.Cursor(self._connection, row_factory=tuple_row)
        return fetch_all(cursor, self._asking.source, query)[0]

    def _prepared_rows(self, name: str, **parts: Value) -> Sequence[Any]:
        with psycopg.Cursor(self._connection, row_factory=namedtuple_row) as cursor:
            return fetch_all(cursor, self._asking.source, fragment(script(name), **parts))

    def _rows(self, query: bytes, **given: Any) -> Sequence[Any]:
        with psycopg.Cursor(self._connection, row_factory=namedtuple_row) as cursor:
            return cursor.execute(query, given, prepare=False).fetchall()


def _of_trigger(on: _On) -> dict[str, Any]:
    return {
        "table": on.relation,
        "triggers": tuple(one.name for one in on.triggers),
        "events": tuple(_events(on.triggers)),
    }


def _broken(notice: Report, *, line: int) -> BrokenCode:
    return BrokenCode(
        line=line,
        sqlstate=notice.sqlstate,
        message=notice.message,
        detail=notice.detail,
        hint=notice.hint,
    )


def _not_compiled(notice: Report, analysis: Analysis, on: _On) -> Iterator[BrokenCode]:
    """Yield that the declarations of a body are no longer understood, if that is it."""
    if unknown := _INVALID_TYPE.search(notice.context):
        # Up to PostgreSQL 16, of name%TYPE the server says only that it is no syntax.
        notice = replace(notice, sqlstate="42704", message=f"type {unknown[1]} does not exist")
        declared = next((one for one in analysis.declared.values() if one[1].endswith(unknown[1])), (0, ""))
    else:
        declared = analysis.declared.get(_line_in(notice.context), (0, ""))
    if notice.sqlstate in _MISSING - {"42883"}:
        broken = _broken(notice, line=declared[0])
        yield replace(broken, statement=" ".join(declared[1].split()), **_of_trigger(on))


#: SQLSTATEs that say that a body does not fit the schema, or is none at all: not those of a server in trouble, nor
#: 55000, with which PL/pgSQL says that it does not know a record's structure yet.
_TELLING = frozenset(
    {
        "22P02", "3F000", "42601", "42602", "42611", "42622", "42701", "42702", "42703", "42704", "42712", "42725",
        "42803", "42804", "42809", "42846", "42883", "428C9", "42P01", "42P10", "42P13", "42P18", "42P20", "42P21",
        "42P22",
    }
)  # fmt: skip
_MISSING = frozenset({"42P01", "42703", "42883", "42704", "3F000"})
_MISSING_RELATION = re.compile(r'relation "(.+)" does not exist')
_NO_FIELD_OF_ROW = re.compile(r'record "(?:new|old)" has no field')
_INVALID_TYPE = re.compile(r'invalid type name "(.+%\w+)"')
#: Where the context of an error ends with what we asked: its lines are none of the body's.
_OUR_BLOCK = "PL/pgSQL function inline_code_block"
_LINE = re.compile(r"near line (\d+)|line (\d+)")
#: What a body says that looks for itself whether something is there.
_LOOKS_AROUND = re.compile(
    r"\b(?:to_reg\w+|information_schema|pg_class|pg_tables|pg_attribute|pg_proc|pg_extension|pg_namespace|pg_type"
    r"|pg_indexes|pg_views|pg_matviews|pg_trigger|pg_constraint)\b",
    re.IGNORECASE,
)
_TEMPORARY = re.compile(
    r'\bcreate\s+(?:(?:global|local)\s+)?temp(?:orary)?\s+(?:table|view|sequence)\s+(?:if\s+not\s+exists\s+)?"?(\w+)',
    re.IGNORECASE,
)
_MADE = re.compile(
    r"""\bcreate\s+(?:or\s+replace\s+)?(?:unlogged\s+)?(?:table|view|materialized\s+view|sequence)\s+
    (?:if\s+not\s+exists\s+)?(?:"?\w+"?\.)?"?(\w+)""",
    re.IGNORECASE | re.VERBOSE,
)
#: The schema of what is missing.
_QUALIFIED = re.compile(r'(?:relation|function|procedure|type|table) "?(\w+)\.|schema "(pg_temp)"')
_INTO_TEMPORARY = re.compile(r'\binto\s+temp(?:orary)?\s+(?:table\s+)?"?(\w+)', re.IGNORECASE)


@lru_cache(maxsize=20_000)
def _temporary_in(body: str) -> frozenset[str]:
    return frozenset(name.lower() for found in (_TEMPORARY, _INTO_TEMPORARY) for name in found.findall(body))


@lru_cache(maxsize=20_000)
def _made_in(body: str) -> frozenset[str]:
    """Return the names of the relations that a body creates itself."""
    return frozenset(name.lower() for name in _MADE.findall(body))


def _schemas_of_extensions(schema: Schema) -> frozenset[str]:
    return frozenset({"pg_temp", *(one.schema for one in schema.extensions.values())}) - {
        "public",
        "pg_catalog",
    }


def _temporary_tables(schema: Schema) -> frozenset[str]:
    """Return the names of the temporary tables that any function makes: others use them, in the same session."""
    return frozenset(name for one in _functions(schema).values() for name in _temporary_in(one.body))


@lru_cache(maxsize=20_000)
def _parsed(body: str) -> Body | None:
    try:
        return parse_function(body)
    except UnreadableBodyError:
        return None


def _line_in(context: str) -> int:
    found = _LINE.search(context)
    return int(found[1] or found[2]) if found else 0


def _bare(name: str) -> str:
    """Return the last part of a function's name, without arguments and quotes."""
    return name.partition("(")[0].rpartition(".")[2].strip().strip('"').lower()


_OUT = re.compile(r"(?:^|, )OUT ")


def _number_listed(text: str) -> int:
    """Return how many arguments a list has: commas in brackets are no matter."""
    number = depth = 0
    for one in tokens(text):
        mark = text[one.start : one.end]
        depth += (mark in ("(", "[")) - (mark in (")", "]"))
        number += number == 0 or (mark == "," and depth == 0)
    return number


def _numbers_taken(procedure: Function) -> range:
    """Return with how many arguments a procedure may be called, at most as many as any can have."""
    number = _number_listed(procedure.arguments)
    is_variadic = "VARIADIC " in procedure.arguments
    fewest = number - procedure.arguments.count(" DEFAULT ") - is_variadic
    return range(fewest, _MOST_ARGUMENTS if is_variadic else number + 1)


#: FUNC_MAX_ARGS counts those of a VARIADIC list as well (manual: "Limits").
_MOST_ARGUMENTS = 101


def _places(function: Any, triggers: Sequence[Any]) -> Iterator[_On]:
    """Yield the tables for which a function is looked at: of one that is no trigger's, none in particular."""
    mine: dict[str, list[Any]] = {}
    for one in triggers:
        if one.function == function.oid:
            mine.setdefault(one.relation, []).append(one)
    if not mine:
        yield _On("", ())
    for relation, some in mine.items():
        yield _On(relation, some)


_EVENTS = {4: "INSERT", 8: "DELETE", 16: "UPDATE", 32: "TRUNCATE"}


def _events(triggers: Iterable[Any]) -> Iterator[str]:
    bits = 0
    for one in triggers:
        bits |= one.type
    yield from (event for bit, event in _EVENTS.items() if bits & bit)


_POLYMORPHIC = {
    "anyelement": "integer",
    "anynonarray": "integer",
    "anyenum": "integer",
    "anycompatible": "integer",
    "anycompatiblenonarray": "integer",
    "anyarray": "integer[]",
    "anycompatiblearray": "integer[]",
    "anyrange": "int4range",
    "anycompatiblerange": "int4range",
    "anymultirange": "int4multirange",
    "anycompatiblemultirange": "int4multirange",
}


def _is_polymorphic(function: Any) -> bool:
    return any(one in _POLYMORPHIC for one in function.argument_types)


def _frame(function: Any, on: _On) -> Frame:
    if function.returns == "trigger":
        return _trigger_frame(function, on)
    if function.returns == "event_trigger":
        return Frame(label=function.bare_name, variables=("tg_event text", "tg_tag text"))
    variables: list[str] = []
    records: set[str] = set()
    for place, type_ in enumerate(function.argument_types):
        number = f'"${place + 1}"'
        variables.append(f"{number} {_POLYMORPHIC.get(type_, type_)}")
        name = function.argument_names[place] if place < len(function.argument_names) else ""
        if name:
            variables.append(f"{_identifier(name)} ALIAS FOR {number}")
        if type_ == "record":
            records |= {name, f"${place + 1}"}
    returns = () if _is_polymorphic(function) else tuple(function.columns)
    return Frame(
        label=function.bare_name, variables=tuple(variables), records=frozenset(records), returns=returns
    )


def _trigger_frame(function: Any, on: _On) -> Frame:
    rows = any(one.for_each_row for one in on.triggers)
    row = f"{on.relation}%ROWTYPE" if rows else "record"
    only = on.triggers[0] if len(on.triggers) == 1 else None
    some = on.triggers[0] if on.triggers else None
    arguments = only.arguments.split(b"\0")[:-1] if only is not None else []
    values = {
        "tg_relid oid": some and str(some.relation_oid),
        "tg_relname name": some and some.table_name,
        "tg_table_name name": some and some.table_name,
        "tg_table_schema name": some and some.table_schema,
        "tg_name name": only and only.plain_name,
        "tg_nargs integer": only and str(len(arguments)),
        "tg_argv text[]": _array(arguments) if only is not None else None,
        "tg_op text": None,
        "tg_when text": None,
        "tg_level text": None,
    }
    variables = [f"new {row}", f"old {row}"]
    variables += [name if value is None else f"{name} := {_literal(value)}" for name, value in values.items()]
    return Frame(
        label=function.bare_name,
        variables=tuple(variables),
        records=frozenset() if rows else frozenset({"new", "old"}),
        is_trigger=bool(on.triggers),
    )


def _array(arguments: Sequence[bytes]) -> str:
    """Return a trigger's arguments as the array that it sees: counted from 0."""
    written = ",".join(
        '"' + one.decode(errors="replace").replace("\\", "\\\\").replace('"', '\\"') + '"'
        for one in arguments
    )
    return f"[0:{len(arguments) - 1}]={{{written}}}" if arguments else "{}"


def _literal(text: str) -> str:
    return sql.Literal(text).as_string(None)


def _identifier(name: str) -> str:
    return sql.Identifier(name).as_string(None)
