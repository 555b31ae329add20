"""What a PL/pgSQL function is made of: its blocks, and each piece of SQL that stands in them, with its place.

libpg_query has a parser for PL/pgSQL, too, but it drops what is asked for here: which block declares which variable,
and types that are not PostgreSQL's own (a variable of a table's type is none for it, and ``x.field := 1`` an error).
PL/pgSQL's own grammar only cuts a text at its keywords and leaves the pieces to the SQL parser, so that is what is done
here. The server has compiled a body before it comes here; of one that it has not, the pieces may be wrong, no more.
Manual: "PL/pgSQL"; source: ``src/pl/plpgsql/src/pl_gram.y``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from pytest_migsafe.migrations.lexemes import Lexeme, lexemes


class UnreadableBodyError(Exception):
    """A body does not read as PL/pgSQL, or is nested too deeply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A query or expression that a body hands to the SQL parser."""

    #: As it is to be sent: a whole statement, without PL/pgSQL's INTO.
    sql: str
    #: The PL/pgSQL statement that it stands in, as written.
    statement: str
    #: The line of the body, from 1, in which that statement begins.
    line: int
    #: Only the name of what is called can be looked for.
    is_call: bool = False


#: A variable's name in its parts, as written: ``("new", "total")``.
Target: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """A query that a cursor variable is bound to."""

    #: The declarations of its arguments: "name type".
    arguments: tuple[str, ...]
    query: Piece


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A variable, cursor or alias."""

    name: str
    #: "type", with a collation; of a cursor or alias, all that follows the name.
    type: str
    #: The line of the body, from 1.
    line: int
    default: Piece | None = None
    cursor: Cursor | None = None

    @property
    def is_record(self) -> bool:
        """Whether it takes the structure of what is assigned to it."""
        return self.type.lower() in ("record", "pg_catalog.record")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """A statement without others in it."""

    pieces: tuple[Piece, ...] = ()
    #: What is assigned to.
    targets: tuple[Target, ...] = ()
    #: The query whose columns a single target takes its structure from; None: not known.
    structure: Piece | None = None
    #: The bound cursor that it takes its structure from.
    cursor: str = ""
    #: Nothing after it is reached.
    ends: bool = False
    #: It returns the rows of a query, which then must have the function's columns.
    returned: Piece | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """A branch with the condition under which it is taken."""

    condition: str
    pieces: tuple[Piece, ...]
    body: "Body"


@dataclass(frozen=True, slots=True, kw_only=True)
class Branches:
    """IF and CASE."""

    pieces: tuple[Piece, ...]
    arms: tuple[Arm, ...]
    otherwise: "Body"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """LOOP, WHILE, FOR and FOREACH."""

    label: str
    pieces: tuple[Piece, ...]
    #: The variables that each round sets.
    targets: tuple[Target, ...]
    #: The variable that the loop declares itself: "name type".
    declares: str = ""
    structure: Piece | None = None
    cursor: str = ""
    body: "Body"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """What an EXCEPTION clause does about some conditions."""

    #: In small letters: "others", "undefined_table" or "sqlstate '42p01'".
    conditions: frozenset[str]
    body: "Body"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """BEGIN ... END with what it declares."""

    label: str
    declarations: tuple[Declaration, ...]
    body: "Body"
    handlers: tuple[Handler, ...]


Statement: TypeAlias = Plain | Branches | Loop | Block
Body: TypeAlias = tuple[Statement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A whole body."""

    #: The lines that begin with ``#``: settings for the compiler.
    options: tuple[str, ...]
    block: Block


def parse_function(body: str) -> Function:
    """Return what a function's body is made of.

    Raises:
        UnreadableBodyError: it does not read as PL/pgSQL.
    """
    if len(body) > _LONGEST:
        raise UnreadableBodyError
    reader = _Reader(body)
    options = tuple(reader.options())
    label = reader.label()
    block = reader.block(label)
    if not reader.is_over:
        raise UnreadableBodyError
    return Function(options=options, block=block)


#: Longer bodies are data in disguise.
_LONGEST = 200_000
#: Deeper than anybody writes, and shallow enough for Python's stack.
_DEEPEST = 60

_ENDS_BODY = frozenset({"end", "else", "elsif", "elseif", "when", "exception"})
_EXPLAINABLE = frozenset({"select", "with", "values", "table", "insert", "update", "delete", "merge", "("})
_PLAIN_QUERIES = frozenset({"select", "values", "table", "("})
_ONLY_KEYWORDS = frozenset({"null", "commit", "rollback", "close", "move", "do"})


@dataclass
class _Reader:
    """Reads a body token by token."""

    text: str
    tokens: list[Lexeme] = field(init=False)
    at: int = 0
    depth: int = 0
    cursors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.tokens = list(_tokens(self.text))

    # What is under the eye.

    @property
    def is_over(self) -> bool:
        return self.at >= len(self.tokens)

    def said(self, ahead: int = 0) -> str:
        """Return a token: a word in small letters, all else as written; empty after the last."""
        place = self.at + ahead
        if place >= len(self.tokens):
            return ""
        one = self.tokens[place]
        written = self.text[one.start : one.end]
        return written.lower() if one.kind == "word" else written

    def kind(self, ahead: int = 0) -> str:
        place = self.at + ahead
        return self.tokens[place].kind if place < len(self.tokens) else ""

    def start(self) -> int:
        return self.tokens[self.at].start if not self.is_over else len(self.text)

    def accept(self, *words: str) -> bool:
        """Pass some tokens if they are the next."""
        if all(self.said(ahead) == word for ahead, word in enumerate(words)):
            self.at += len(words)
            return True
        return False

    def expect(self, *words: str) -> None:
        if not self.accept(*words):
            raise UnreadableBodyError

    def until(self, *stops: str) -> str:
        """Pass the tokens up to one of some that stands in no parentheses; return them as written."""
        first, depth = self.at, 0
        while not self.is_over:
            said = self.said()
            if depth == 0 and said in stops:
                return self.written(first)
            if said in ("(", "["):
                depth += 1
            elif said in (")", "]"):
                depth -= 1
            self.at += 1
        raise UnreadableBodyError

    def written(self, first: int) -> str:
        """Return the text from a token to the one before the eye."""
        if first >= self.at:
            return ""
        return self.text[self.tokens[first].start : self.tokens[self.at - 1].end]

    def piece(self, sql: str, first: int, **more: bool) -> Piece:
        """Return a piece of the statement that begins with a token, and ends before the eye."""
        return Piece(sql=sql, statement=self.written(first), line=self.line(first), **more)

    def line(self, place: int) -> int:
        """Return the line of the body in which a token begins."""
        return self.text.count("\n", 0, self.tokens[place].start) + 1

    def expressions(self, texts: "list[str] | tuple[str, ...]", first: int) -> tuple[Piece, ...]:
        return tuple(self.piece(f"SELECT {one}", first) for one in texts if one)

    def listed(self, *stops: str) -> list[str]:
        """Pass expressions with commas between them."""
        found = [self.until(",", *stops)]
        while self.accept(","):
            found.append(self.until(",", *stops))
        return found

    # What a body begins with.

    def options(self) -> Iterator[str]:
        while self.said() == "#":
            first = self.at
            line_end = self.text.find("\n", self.start())
            end = line_end if line_end >= 0 else len(self.text)
            while not self.is_over and self.tokens[self.at].start < end:
                if self.said() in ("declare", "begin", "<"):
                    break
                self.at += 1
            yield self.written(first)

    def label(self) -> str:
        if not (self.said() == "<" and self.said(1) == "<"):
            return ""
        self.at += 2
        name = self.written_token()
        self.expect(">", ">")
        return name

    def written_token(self) -> str:
        if self.is_over:
            raise UnreadableBodyError
        self.at += 1
        return self.written(self.at - 1)

    # Blocks and declarations.

    def block(self, label: str) -> Block:
        declarations: list[Declaration] = []
        while self.accept("declare"):
            while self.said() not in ("begin", "declare"):
                declarations.append(self.declaration())
        self.expect("begin")
        body = self.body()
        handlers: list[Handler] = []
        if self.accept("exception"):
            while self.accept("when"):
                conditions = " ".join(self.until("then").lower().split()).split(" or ")
                self.expect("then")
                handlers.append(Handler(conditions=frozenset(conditions), body=self.body()))
        self.expect("end")
        if not self.is_over and self.said() != ";":
            self.written_token()
        if not self.is_over:
            self.expect(";")
        return Block(label=label, declarations=tuple(declarations), body=body, handlers=tuple(handlers))

    def declaration(self) -> Declaration:
        first = self.at
        name = self.written_token()
        if self.said() == "alias":
            rest = self.until(";")
            self.expect(";")
            return Declaration(name=name, type=rest, line=self.line(first))
        if self.said() == "cursor" or (
            self.said() in ("no", "scroll") and "cursor" in (self.said(1), self.said(2))
        ):
            return self.cursor(name, first)
        self.accept("constant")
        type_ = self.until("not", "default", ":", "=", ";")
        if self.accept("not"):
            self.expect("null")
        default: list[str] = []
        if self.accept("default") or self.accept(":", "=") or self.accept("="):
            default = [self.until(";")]
        pieces = self.expressions(default, first)
        self.expect(";")
        default_piece = pieces[0] if pieces else None
        return Declaration(name=name, type=type_, line=self.line(first), default=default_piece)

    def cursor(self, name: str, first: int) -> Declaration:
        declared = self.at
        self.until("cursor")
        self.at += 1
        arguments: tuple[str, ...] = ()
        if self.accept("("):
            arguments = tuple(self.listed(")"))
            self.expect(")")
        if not (self.accept("for") or self.accept("is")):
            raise UnreadableBodyError
        sql = self.until(";")
        cursor = Cursor(arguments=arguments, query=self.piece(sql, first))
        rest = self.written(declared)
        self.expect(";")
        self.cursors.add(name.lower())
        return Declaration(name=name, type=rest, line=self.line(first), cursor=cursor)

    # Statements.

    def body(self) -> Body:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise UnreadableBodyError
        found: list[Statement] = []
        while self.assigns or self.said() not in _ENDS_BODY:
            if self.is_over:
                raise UnreadableBodyError
            found.append(self.statement())
        self.depth -= 1
        return tuple(found)

    @property
    def assigns(self) -> bool:
        """Whether a variable stands here that is assigned to: an unreserved keyword may be its name."""
        following = self.said(1)
        if self.kind() not in ("word", "quoted"):
            return False
        if following == ":":
            return self.said(2) == "="
        return following in ("=", "[", ".")

    def statement(self) -> Statement:
        if self.assigns:
            return self.assignment()
        label = self.label()
        word = self.said()
        if word in ("declare", "begin"):
            return self.block(label)
        if word in ("loop", "while", "for", "foreach"):
            return self.loop(label)
        reader = getattr(self, f"read_{word}", None) if word in _OWN else None
        if reader is not None:
            statement: Statement = reader()
            return statement
        if word in _ONLY_KEYWORDS:
            self.until(";")
            self.expect(";")
            return Plain()
        return self.sql()

    def assignment(self) -> Plain:
        first = self.at
        target = self.until(":", "=")
        if not (self.accept(":", "=") or self.accept("=")):
            raise UnreadableBodyError
        value = self.until(";")
        pieces = self.expressions([value], first)
        self.expect(";")
        return Plain(pieces=pieces, targets=(_parts(target),))

    def read_if(self) -> Branches:
        arms: list[Arm] = []
        otherwise: Body = ()
        while self.said() in ("if", "elsif", "elseif"):
            first = self.at
            self.at += 1
            condition = self.until("then")
            pieces = self.expressions([condition], first)
            self.expect("then")
            arms.append(Arm(condition=condition, pieces=pieces, body=self.body()))
        if self.accept("else"):
            otherwise = self.body()
        self.expect("end", "if", ";")
        return Branches(pieces=(), arms=tuple(arms), otherwise=otherwise)

    def read_case(self) -> Branches:
        first = self.at
        self.at += 1
        search = self.until("when")
        pieces = self.expressions([search], first)
        arms: list[Arm] = []
        while self.said() == "when":
            at = self.at
            self.at += 1
            values = self.until("then")
            condition = f"({search}) IN ({values})" if search else values
            tested = self.expressions([condition], at)
            self.expect("then")
            arms.append(Arm(condition=condition, pieces=tested, body=self.body()))
        otherwise = self.body() if self.accept("else") else ()
        self.expect("end", "case", ";")
        return Branches(pieces=pieces, arms=tuple(arms), otherwise=otherwise)

    def loop(self, label: str) -> Loop:
        first = self.at
        word = self.said()
        self.at += 1
        head = _Head()
        if word == "while":
            head = _Head(pieces=self.expressions([self.until("loop")], first))
        elif word == "foreach":
            targets = self.targets("slice", "in")
            if self.accept("slice"):
                self.at += 1
            self.expect("in", "array")
            head = _Head(pieces=self.expressions([self.until("loop")], first), targets=targets)
        elif word == "for":
            head = self.for_head(first)
        if word != "loop":
            self.expect("loop")
        body = self.body()
        self.expect("end", "loop")
        if self.said() != ";":
            self.written_token()
        self.expect(";")
        return Loop(
            label=label,
            pieces=head.pieces,
            targets=head.targets,
            declares=head.declares,
            structure=head.structure,
            cursor=head.cursor,
            body=body,
        )

    def for_head(self, first: int) -> "_Head":
        targets = self.targets("in")
        self.expect("in")
        name = ".".join(targets[0])
        if self.accept("execute"):
            sql = self.until("using", "loop")
            using = self.listed("loop") if self.accept("using") else []
            return _Head(pieces=self.expressions([sql, *using], first), targets=targets)
        if self.said().lower() in self.cursors and self.said(1) in ("(", "loop"):
            cursor = self.written_token()
            given = self.until("loop")
            arguments = self.expressions(_arguments(given), first)
            return _Head(pieces=arguments, cursor=cursor, declares=f"{name} record", targets=targets)
        beginning = self.at
        text = self.until("loop")
        bounds = self.bounds(beginning)
        if bounds:
            return _Head(pieces=self.expressions(bounds, first), declares=f"{name} integer")
        query = self.piece(text, first)
        return _Head(pieces=(query,), targets=targets, structure=_structure(query))

    def bounds(self, first: int) -> list[str]:
        """Return the bounds and the step of a loop over integers; nothing for one over rows."""
        end, depth, dots, by = self.at, 0, -1, -1
        for place in range(first, end):
            one = self.tokens[place]
            said = self.text[one.start : one.end].lower()
            depth += (said in ("(", "[")) - (said in (")", "]"))
            if depth == 0 and said == "..":
                dots = place
            elif depth == 0 and said == "by" and dots >= 0:
                by = place
        if dots < 0:
            return []
        low = first + (self.text[self.tokens[first].start : self.tokens[first].end].lower() == "reverse")
        cuts = [(low, dots), (dots + 1, by if by >= 0 else end)] + ([(by + 1, end)] if by >= 0 else [])
        return [self.text[self.tokens[a].start : self.tokens[b - 1].end] for a, b in cuts if a < b]

    def targets(self, *stops: str) -> tuple[Target, ...]:
        """Pass the variables that stand before one of some words."""
        first = self.at
        self.until(*stops)
        return tuple(_parts(one) for one in self.written(first).split(","))

    def into(self) -> tuple[Target, ...]:
        """Pass INTO and its variables."""
        self.expect("into")
        self.accept("strict")
        found = [self.variable()]
        while self.accept(","):
            found.append(self.variable())
        return tuple(found)

    def variable(self) -> Target:
        parts = [self.written_token()]
        while self.accept("."):
            parts.append(self.written_token())
        return tuple(parts)

    def read_exit(self) -> Plain:
        first = self.at
        self.until("when", ";")
        pieces = self.expressions([self.until(";")], first) if self.accept("when") else ()
        self.expect(";")
        return Plain(pieces=pieces)

    read_continue = read_exit

    def read_return(self) -> Plain:
        first = self.at
        self.at += 1
        if self.accept("query", "execute"):
            sql = self.until("using", ";")
            using = self.listed(";") if self.accept("using") else []
            return self.plain(first, sql, *using)
        if self.accept("query"):
            sql = self.until(";")
            query = self.piece(sql, first)
            self.expect(";")
            return Plain(pieces=(query,), returned=_structure(query))
        goes_on = self.accept("next")
        pieces = self.expressions([self.until(";")], first)
        self.expect(";")
        return Plain(pieces=pieces, ends=not goes_on)

    def read_raise(self) -> Plain:
        first = self.at
        self.at += 1
        ends = self.said() not in ("debug", "log", "info", "notice", "warning")
        given: list[str] = []
        self.until(",", "using", ";")
        if self.accept(","):
            given += self.listed("using", ";")
        if self.accept("using"):
            for option in self.listed(";"):
                _, _, value = option.partition("=")
                given.append(value.strip())
        pieces = self.expressions(given, first)
        self.expect(";")
        return Plain(pieces=pieces, ends=ends)

    def read_assert(self) -> Plain:
        first = self.at
        self.at += 1
        return self.plain(first, *self.listed(";"))

    def plain(self, first: int, *given: str, targets: tuple[Target, ...] = ()) -> Plain:
        """Return a statement that ends here, with its expressions."""
        pieces = self.expressions(given, first)
        self.expect(";")
        return Plain(pieces=pieces, targets=targets)

    def read_execute(self) -> Plain:
        first = self.at
        self.at += 1
        given = [self.until("into", "using", ";")]
        targets: tuple[Target, ...] = ()
        while self.said() in ("into", "using"):
            if self.said() == "into":
                targets = self.into()
            else:
                self.at += 1
                given += self.listed("into", ";")
        return self.plain(first, *given, targets=targets)

    def read_perform(self) -> Plain:
        first = self.at
        self.at += 1
        return self.plain(first, self.until(";"))

    def read_call(self) -> Plain:
        first = self.at
        self.at += 1
        call = self.until(";")
        pieces = (self.piece(f"SELECT {call}", first, is_call=True),)
        self.expect(";")
        return Plain(pieces=pieces)

    def read_get(self) -> Plain:
        self.at += 1
        if self.said() != "diagnostics":
            # CURRENT or STACKED.
            self.at += 1
        self.expect("diagnostics")
        targets: list[Target] = []
        while not targets or self.accept(","):
            targets.append(_parts(self.until(":", "=")))
            self.until(",", ";")
        self.expect(";")
        return Plain(targets=tuple(targets))

    def read_open(self) -> Plain:
        first = self.at
        self.at += 1
        self.variable()
        if self.accept("("):
            given = self.listed(")")
            self.expect(")")
            return self.plain(first, *_arguments(f"({','.join(given)})"))
        self.until("for", ";")
        if not self.accept("for"):
            self.expect(";")
            return Plain()
        if self.accept("execute"):
            sql = self.until("using", ";")
            using = self.listed(";") if self.accept("using") else []
            return self.plain(first, sql, *using)
        query = self.piece(self.until(";"), first)
        self.expect(";")
        return Plain(pieces=(query,))

    def read_fetch(self) -> Plain:
        self.until("into", ";")
        cursor = self.text[self.tokens[self.at - 1].start : self.tokens[self.at - 1].end]
        targets = self.into() if self.said() == "into" else ()
        self.expect(";")
        return Plain(targets=targets, cursor=cursor if cursor.lower() in self.cursors else "")

    def sql(self) -> Plain:
        """Read an SQL statement: all up to its semicolon, but for an INTO that is PL/pgSQL's."""
        first, start, depth = self.at, self.said(), 0
        targets: tuple[Target, ...] = ()
        cut: tuple[int, int] | None = None
        while depth > 0 or self.said() != ";":
            if self.is_over:
                raise UnreadableBodyError
            said = self.said()
            before = self.said(-1) if self.at > first else ""
            if said == "into" and before not in ("insert", "merge") and start != "import" and cut is None:
                begins = self.start()
                targets = self.into()
                cut = begins, self.tokens[self.at - 1].end
                continue
            depth += (said == "(") - (said == ")")
            self.at += 1
        text = self.written(first)
        if cut is not None:
            offset = self.tokens[first].start
            text = f"{text[: cut[0] - offset]} {text[cut[1] - offset :]}"
        sql = text if start in _EXPLAINABLE else _created_as(text)
        pieces = (self.piece(sql, first),) if sql else ()
        self.expect(";")
        structure = _structure(pieces[0]) if pieces else None
        return Plain(pieces=pieces, targets=targets, structure=structure)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """What stands between FOR and LOOP."""

    pieces: tuple[Piece, ...] = ()
    targets: tuple[Target, ...] = ()
    declares: str = ""
    structure: Piece | None = None
    cursor: str = ""


_OWN = frozenset(
    {
        "if", "case", "exit", "continue", "return", "raise", "assert", "execute", "perform", "call", "get", "open",
        "fetch",
    }
)  # fmt: skip


def _tokens(text: str) -> Iterator[Lexeme]:
    """Yield the tokens; two dots, as between the bounds of a loop, are one, whatever stands beside them."""
    dot: Lexeme | None = None
    for one in lexemes(text):
        if one.kind == "unfinished":
            raise UnreadableBodyError
        written = text[one.start : one.end]
        if dot is not None and written.startswith("."):
            yield Lexeme("mark", dot.start, one.start + 1)
            if len(written) > 1:
                yield Lexeme("number", one.start + 1, one.end)
            dot = None
            continue
        if dot is not None:
            yield dot
        dot = one if written == "." else None
        if dot is None and one.kind not in ("blank", "comment"):
            yield from _split_at_dots(one, written)
    if dot is not None:
        yield dot


def _split_at_dots(one: Lexeme, written: str) -> Iterator[Lexeme]:
    if one.kind != "number":
        yield one
    elif written.startswith("$"):
        # An argument by its number stands for a name.
        yield Lexeme("quoted", one.start, one.end)
    elif ".." in written:
        middle = one.start + written.index("..")
        yield Lexeme("number", one.start, middle)
        yield Lexeme("mark", middle, middle + 2)
        if middle + 2 < one.end:
            yield Lexeme("number", middle + 2, one.end)
    else:
        yield one


def _parts(target: str) -> Target:
    """Return the parts of a variable's name; what is in brackets after it is left out."""
    parts: list[str] = []
    dot = True
    for one in lexemes(target.strip()):
        if one.kind in ("blank", "comment"):
            continue
        written = target.strip()[one.start : one.end]
        if dot and one.kind in ("word", "quoted", "number"):
            parts.append(written)
            dot = False
        elif written == ".":
            dot = True
        else:
            break
    return tuple(parts)


def _arguments(given: str) -> list[str]:
    """Return a cursor's arguments, ``(1, name := 2)``, without their names."""
    inner = given.strip().removeprefix("(").removesuffix(")")
    if not inner.strip():
        return []
    reader = _Reader(f"{inner};")
    found: list[str] = []
    for one in reader.listed(";"):
        _, named, value = one.partition(":=")
        found.append(value.strip() if named else one)
    return found


def _structure(query: Piece) -> Piece | None:
    """Return a query if it does nothing but read, so that its columns can be had without running it."""
    first = next((query.sql[one.start : one.end].lower() for one in _tokens(query.sql)), "")
    return query if first in _PLAIN_QUERIES or (first == "with" and not _writes(query.sql)) else None


def _writes(sql: str) -> bool:
    return any(
        one.kind == "word" and sql[one.start : one.end].lower() in ("insert", "update", "delete", "merge")
        for one in _tokens(sql)
    )


def _created_as(sql: str) -> str:
    """Return CREATE TABLE ... AS, which can be explained; of other statements nothing."""
    words = [sql[one.start : one.end].lower() for one in _tokens(sql)]
    is_table = words[:1] == ["create"] and "table" in words[:4]
    return sql if is_table and any(pair in _AS_QUERY for pair in pairwise(words)) else ""


_AS_QUERY = frozenset(("as", query) for query in ("select", "with", "values", "table", "("))
