"""A PL/pgSQL body as an anonymous block in which each piece of SQL is analysed, and none is run.

The block declares what the function declares, in the same blocks, with the same types, and without defaults. So it is
PL/pgSQL itself that tells variables from columns. Each query stands in ``OPEN ... FOR EXPLAIN``: the server analyses it,
with the variables in it, and would only plan it when something is fetched. No function of the user's is called.

Only where a record takes its structure from a query, that query is planned, with ``WHERE false`` around it, and so is
ON CONFLICT, which needs an index.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from pytest_migsafe.migrations.lexemes import tokens
from pytest_migsafe.migrations.plpgsql import (
    Arm,
    Block,
    Body,
    Branches,
    Cursor,
    Function,
    Loop,
    Piece,
    Plain,
    Statement,
    Target,
)
from pytest_migsafe.rehearsal.probes.notices import MARK


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What surrounds a body: the name that labels it, and the variables that it is given."""

    label: str
    #: Declarations: "name type".
    variables: tuple[str, ...]
    #: The bare names of those that are records without a structure.
    records: frozenset[str] = frozenset()
    #: Whether TG_TABLE_NAME and the like have their values.
    is_trigger: bool = False
    #: The columns that RETURN QUERY has to have: their types; empty: not known.
    returns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A piece that is analysed, and what is thought of its errors."""

    piece: Piece
    #: SQLSTATEs that the function deals with itself.
    handled: frozenset[str]
    #: Whether any error is caught by WHEN OTHERS.
    caught: bool
    #: Whether it may be reached for other tables only than the one that the trigger is on.
    for_some_tables: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """An anonymous block, and what its pieces are by their numbers."""

    sql: str
    asked: tuple[Asked, ...]
    #: By the line of the block: a declaration's line in the body, and its text.
    declared: Mapping[int, tuple[int, str]]


def analysing_block(function: Function, frame: Frame) -> Analysis:
    """Return the anonymous block that analyses a function's body."""
    writer = _Writer(frame=frame)
    for option in function.options:
        writer.line(option)
    writer.line(f"<<{frame.label}>>")
    writer.line("DECLARE")
    for variable in (*_OWN_VARIABLES, *frame.variables):
        writer.line(f"{variable};")
    names = (_bare(found[0]) for one in frame.variables if (found := _NAME.match(one)))
    writer.scopes.append({name: name in frame.records for name in names})
    writer.line("BEGIN")
    writer.block(function.block)
    writer.line("END")
    text = "\n".join(writer.lines)
    return Analysis(sql=f"DO {_quoted(text)}", asked=tuple(writer.asked), declared=writer.where)


_NAME = re.compile(r'"(?:[^"]|"")+"|\w+')
_OWN_VARIABLES = (
    '"migsafe cursor" refcursor',
    '"migsafe hint" text',
    '"migsafe record" record',
    '"migsafe found" text[]',
)

#: SQLSTATEs by the names of conditions that mean that something is not there.
_CONDITIONS: Mapping[str, frozenset[str]] = {
    "undefined_table": frozenset({"42P01"}),
    "undefined_column": frozenset({"42703"}),
    "undefined_function": frozenset({"42883"}),
    "undefined_object": frozenset({"42704"}),
    "invalid_schema_name": frozenset({"3F000"}),
    "datatype_mismatch": frozenset({"42804"}),
    "invalid_text_representation": frozenset({"22P02"}),
}
_MISSING = frozenset({"42P01", "42703", "42883", "42704", "3F000"})
_ON_CONFLICT = re.compile(r"\bon\s+conflict\b", re.IGNORECASE)
_CLASS_42 = "syntax_error_or_access_rule_violation"


@dataclass
class _Writer:
    frame: Frame
    lines: list[str] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    #: The variables in sight, from the outermost block: whether each is a record.
    scopes: list[dict[str, bool]] = field(default_factory=list)
    cursors: dict[str, Cursor] = field(default_factory=dict)
    handled: frozenset[str] = frozenset()
    caught: bool = False
    for_some_tables: bool = False
    #: The variables that were given something of what the trigger is on.
    telling: set[str] = field(default_factory=set)
    where: dict[int, tuple[int, str]] = field(default_factory=dict)
    written: int = 0

    def line(self, text: str) -> None:
        self.lines.append(text)
        self.written += text.count("\n") + 1

    # Pieces.

    def ask(self, piece: Piece) -> None:
        number = self._number(piece)
        # The line break ends a comment with which a piece may end.
        self.line(f'BEGIN OPEN "migsafe cursor" FOR EXPLAIN {piece.sql}\n;')
        if _ON_CONFLICT.search(piece.sql):
            # Which index serves it is the planner's question.
            self.line('FETCH "migsafe cursor" INTO "migsafe record";')
        self.line('CLOSE "migsafe cursor";')
        self.line(_report(number))

    def _number(self, piece: Piece) -> int:
        self.asked.append(
            Asked(
                piece=piece,
                handled=self.handled,
                caught=self.caught,
                for_some_tables=self.for_some_tables,
            )
        )
        return len(self.asked) - 1

    def pieces(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            self.ask(piece)

    def target(self, target: Target, near: Piece | None) -> None:
        """Ask for a record's field that is assigned to."""
        if len(target) >= 2 and near is not None:
            name = ".".join(target[:2])
            if _bare(target[0]) in self.known_variables:
                self.ask(Piece(sql=f"SELECT {name}", statement=near.statement, line=near.line))

    @property
    def known_variables(self) -> set[str]:
        return {name for scope in self.scopes for name in scope}

    # Records.

    def is_record(self, target: Target) -> bool:
        if len(target) != 1:
            return False
        name = _bare(target[0])
        return next((scope[name] for scope in reversed(self.scopes) if name in scope), False)

    def take(self, targets: Sequence[Target], structure: Piece | None, cursor: str) -> None:
        """Give a record the structure of a query, or none when there is none to be known."""
        if len(targets) != 1 or not self.is_record(targets[0]):
            return
        name = targets[0][0]
        bound = self.cursors.get(_bare(cursor)) if cursor else None
        query = bound.query if bound is not None else structure
        if query is None:
            self.line(f"{name} := NULL;")
            return
        if bound is not None and bound.arguments:
            self.line(f"DECLARE {'; '.join(bound.arguments)}; BEGIN")
        self.line(
            f'BEGIN SELECT * INTO {name} FROM ({query.sql}\n) "migsafe query" WHERE false; '  # noqa: S608 - the body's own
            f"EXCEPTION WHEN OTHERS THEN {name} := NULL; END;"
        )
        if bound is not None and bound.arguments:
            self.line("END;")

    def forget(self, names: Iterable[str]) -> None:
        """Let records have no structure: what they have depends on the way that was taken."""
        for name in sorted(names):
            if self.is_record((name,)):
                self.line(f"{name} := NULL;")

    # Statements.

    def body(self, body: Body) -> None:
        for statement in body:
            self.statement(statement)

    def statement(self, statement: Statement) -> None:
        match statement:
            case Plain():
                self.plain(statement)
            case Branches():
                self.branches(statement)
            case Loop():
                self.loop(statement)
            case Block():
                self.block(statement)

    def plain(self, statement: Plain) -> None:
        self.pieces(statement.pieces)
        near = statement.pieces[0] if statement.pieces else None
        for target in statement.targets:
            self.target(target, near)
        if any(self.depends_on_table(one.sql, None) for one in statement.pieces):
            self.telling.update(_bare(target[0]) for target in statement.targets if len(target) == 1)
        self.take(statement.targets, statement.structure, statement.cursor)
        if statement.returned is not None:
            self.returned(statement.returned)

    def returned(self, query: Piece) -> None:
        """Compare the columns of a returned query with those that the function promises."""
        wanted = self.frame.returns
        if not wanted:
            return
        number = self._number(query)
        names = [f'"migsafe {place}"' for place in range(len(wanted) + 1)]
        # A row of NULLs with the query's types, for which nothing of the query is run.
        one = f'(SELECT 1) "migsafe one" LEFT JOIN ({query.sql}\n) "migsafe query"'
        types = ", ".join(f"pg_catalog.pg_typeof({name})::pg_catalog.text" for name in names[:-1])
        promised = ", ".join(f"{_literal(type_)}::pg_catalog.regtype::pg_catalog.text" for type_ in wanted)
        returned = """'It returns (' || pg_catalog.array_to_string("migsafe found", ', ') || ')'"""
        not_wanted = f", not ({', '.join(wanted)})"
        other, more, fewer = (
            _raise_notice(number, "'structure of query does not match function result type'", "'42804'", hint)
            for hint in (
                f"{returned} || {_literal(not_wanted)}",
                f"'It returns more than {len(wanted)} columns'",
                f"'It returns fewer than {len(wanted)} columns'",
            )
        )
        self.line(
            f"""BEGIN
            SELECT ARRAY[{types}] INTO "migsafe found" FROM {one} ({", ".join(names[:-1])}) ON false;
            IF "migsafe found" OPERATOR(pg_catalog.<>) ARRAY[{promised}] THEN {other} END IF;
            BEGIN
                SELECT * INTO "migsafe record" FROM {one} ({", ".join(names)}) ON false;
                {more}
            EXCEPTION WHEN invalid_column_reference THEN NULL;
            END;
            EXCEPTION
                WHEN invalid_column_reference THEN {fewer}
                WHEN OTHERS THEN NULL;
            END;"""  # noqa: S608 - the body's own
        )

    def branches(self, statement: Branches) -> None:
        self.pieces(statement.pieces)
        assigned: set[str] = set()
        opened, before = 0, self.for_some_tables
        for arm in statement.arms:
            self.pieces(arm.pieces)
            self.forget(assigned)
            guard = _guard(arm.condition) if self.frame.is_trigger else None
            if guard is None or not guard.is_whole:
                # What this says of the table cannot be told apart from what else it says.
                self.for_some_tables = self.for_some_tables or self.depends_on_table(arm.condition, guard)
            if guard is None:
                self.body(arm.body)
            else:
                opened += self.guarded(arm, guard)
            assigned |= _assigned(arm.body)
        self.forget(assigned)
        self.body(statement.otherwise)
        for _ in range(opened):
            self.line("END IF;")
        self.for_some_tables = before
        self.forget(assigned | _assigned(statement.otherwise))

    def depends_on_table(self, expression: str, guard: "_Guard | None") -> bool:
        """Whether it says something of the trigger's table that is not known, as whether it has a column."""
        if guard is None and _OF_TABLE.search(expression):
            return True
        words = {one.lower() for one in _WORD.findall(expression)}
        return _OF_ROW.search(expression) is not None or not words.isdisjoint(self.telling)

    def guarded(self, arm: Arm, guard: "_Guard") -> int:
        """Write a branch that is for some tables only; return how many END IF are to follow."""
        self.line(f"IF ({guard.necessary}) IS NOT FALSE THEN")
        self.body(arm.body)
        if guard.is_whole and any(isinstance(one, Plain) and one.ends for one in arm.body):
            self.line(f"IF ({guard.necessary}) IS TRUE THEN RETURN; END IF;")
        self.line("END IF;")
        if not guard.is_whole:
            return 0
        # What follows is reached only where the condition does not hold.
        self.line(f"IF ({guard.necessary}) IS NOT TRUE THEN")
        return 1

    def loop(self, statement: Loop) -> None:
        assigned = _assigned(statement.body)
        self.pieces(statement.pieces)
        near = statement.pieces[0] if statement.pieces else None
        for target in statement.targets:
            self.target(target, near)
        self.forget(assigned)
        if statement.label:
            self.line(f"<<{statement.label}>>")
        if statement.declares:
            self.line(f"DECLARE {statement.declares};")
            name, _, type_ = statement.declares.rpartition(" ")
            self.scopes.append({_bare(name): type_ == "record"})
        self.line("BEGIN")
        self.take(statement.targets, statement.structure, statement.cursor)
        self.body(statement.body)
        self.line("END;")
        if statement.declares:
            self.scopes.pop()
        self.forget(assigned)

    def block(self, statement: Block) -> None:
        if statement.label:
            self.line(f"<<{statement.label}>>")
        with self.declared(statement):
            self.line("BEGIN")
            for declaration in statement.declarations:
                if declaration.default is not None:
                    self.ask(declaration.default)
                    if self.depends_on_table(declaration.default.sql, None):
                        self.telling.add(_bare(declaration.name))
                if declaration.cursor is not None:
                    self.cursor(declaration.cursor)
            with self.under(statement):
                self.body(statement.body)
            assigned = _assigned(statement.body)
            for handler in statement.handlers:
                self.forget(assigned)
                self.line('DECLARE "sqlstate" text; "sqlerrm" text; BEGIN')
                self.body(handler.body)
                self.line("END;")
                assigned |= _assigned(handler.body)
            self.line("END;")
        if statement.handlers:
            self.forget(assigned)

    def cursor(self, cursor: Cursor) -> None:
        self.line(f"DECLARE {'; '.join(cursor.arguments)}; BEGIN" if cursor.arguments else "BEGIN")
        self.ask(cursor.query)
        self.line("END;")

    @contextmanager
    def declared(self, block: Block) -> Iterator[None]:
        """Declare a block's variables."""
        if block.declarations:
            self.line("DECLARE")
        scope: dict[str, bool] = {}
        for one in block.declarations:
            self.line(f"{one.name} {one.type};")
            self.where[self.written] = one.line, f"{one.name} {one.type}"
            scope[_bare(one.name)] = one.is_record
            if one.cursor is not None:
                self.cursors[_bare(one.name)] = one.cursor
        self.scopes.append(scope)
        yield
        self.scopes.pop()

    @contextmanager
    def under(self, block: Block) -> Iterator[None]:
        """Know what the block's handlers deal with."""
        before = self.handled, self.caught
        for handler in block.handlers:
            for condition in handler.conditions:
                self.handled |= _CONDITIONS.get(condition, frozenset())
                if condition.startswith("sqlstate"):
                    self.handled |= {condition.removeprefix("sqlstate").strip(" '").upper()}
                self.handled |= _MISSING if condition == _CLASS_42 else frozenset()
                self.caught = self.caught or condition == "others"
        yield
        self.handled, self.caught = before


def _report(number: int) -> str:
    notice = _raise_notice(number, "SQLERRM", "SQLSTATE", '"migsafe hint"')
    return f'EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS "migsafe hint" = PG_EXCEPTION_HINT; {notice} END;'


def _raise_notice(number: int, message: str, sqlstate: str, hint: str) -> str:
    return (
        f"RAISE NOTICE USING MESSAGE = {message}, ERRCODE = {sqlstate}, HINT = {hint}, "
        f"COLUMN = '{number}', DATATYPE = '{MARK}';"
    )


def _assigned(body: Body) -> set[str]:
    """Return the names of the variables that are assigned to as a whole, at any depth."""
    found: set[str] = set()
    for statement in body:
        match statement:
            case Plain():
                found |= {target[0] for target in statement.targets if len(target) == 1}
            case Branches():
                for some in (*(arm.body for arm in statement.arms), statement.otherwise):
                    found |= _assigned(some)
            case Loop():
                found |= {target[0] for target in statement.targets if len(target) == 1}
                found |= _assigned(statement.body)
            case Block():
                for some in (statement.body, *(handler.body for handler in statement.handlers)):
                    found |= _assigned(some)
    return found


@dataclass(frozen=True, slots=True)
class _Guard:
    """What a condition says of the trigger and its table alone."""

    necessary: str
    #: Whether that is all that it says.
    is_whole: bool


#: What the block knows the value of, or leaves NULL, so that what depends on it is neither true nor false.
_KNOWN = frozenset(
    {"tg_table_name", "tg_relname", "tg_table_schema", "tg_relid", "tg_name", "tg_argv", "tg_nargs"}
)
_UNKNOWN = frozenset({"tg_op", "tg_when", "tg_level"})
_HARMLESS = frozenset({"and", "or", "not", "in", "any", "array", "like", "text", "name", "true", "false"})


_WORD = re.compile(r"\w+")
_OF_TABLE = re.compile(rf"\b(?:{'|'.join(sorted(_KNOWN))})\b", re.IGNORECASE)
#: A row as JSON or hstore, which is asked for its keys.
_OF_ROW = re.compile(r"\b(?:to_jsonb?|row_to_json|hstore)\s*\(\s*(?:new|old)\b", re.IGNORECASE)


def _guard(condition: str) -> _Guard | None:
    conjuncts = list(_conjuncts(condition))
    telling = [one for one in conjuncts if _says_of_the_trigger(one)]
    if not telling:
        return None
    return _Guard(" AND ".join(f"({one})" for one in telling), is_whole=len(telling) == len(conjuncts))


def _says_of_the_trigger(condition: str) -> bool:
    words: set[str] = set()
    for one in tokens(condition):
        if one.kind in ("quoted", "dollar"):
            return False
        if one.kind == "word":
            words.add(condition[one.start : one.end].lower())
    return bool(words & _KNOWN) and words <= _KNOWN | _UNKNOWN | _HARMLESS


def _conjuncts(condition: str) -> Iterator[str]:
    """Yield what a condition joins with AND; the condition itself where that is not plain to see."""
    depth, start, ands = 0, 0, []
    for one in tokens(condition):
        said = condition[one.start : one.end].lower()
        depth += (said in ("(", "[")) - (said in (")", "]"))
        if depth == 0 and said in ("or", "between", "case"):
            yield condition
            return
        if depth == 0 and said == "and":
            ands.append(one)
    for one in ands:
        yield condition[start : one.start]
        start = one.end
    yield condition[start:]


def _bare(name: str) -> str:
    """Return a variable's name as the server compares it."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()


def _literal(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'" if "\\" not in text else f"E'{doubled}'".replace("\\", "\\\\")


_TAG = re.compile(r"\$migsafe(\d*)\$")


def _quoted(text: str) -> str:
    """Return a text in dollar quotes that it does not hold."""
    used = {found[1] for found in _TAG.finditer(text)}
    tag = next(f"$migsafe{number}$" for number in range(len(used) + 1) if str(number) not in used)
    return f"{tag}{text}{tag}"
