"""Functions, procedures and aggregates, made of what the schema knows of them (manual: "CREATE FUNCTION")."""

import re
from collections.abc import Iterator

from pytest_migsafe.catalog.inverse.steps import dollar_quoted
from pytest_migsafe.catalog.lexical import constant, quoted, unquoted, without_arguments
from pytest_migsafe.catalog.schema import Function

#: Settings whose values are lists of names (guc_tables.c: GUC_LIST_QUOTE); each name is a string constant of its own.
_LISTS = frozenset(
    {"local_preload_libraries", "search_path", "session_preload_libraries", "temp_tablespaces"}
)
_ENTRY = re.compile(r'\s*("(?:[^"]|"")*"|[^,]+?)\s*(?:,|$)')
#: The costs and rows of which nothing needs to be said.
_COST = {"c": 1.0, "internal": 1.0}
_ROWS = 1000.0


def create(one: Function) -> str:
    """Return the statement that makes a function as it is, in the place of one of its name if need be."""
    if one.kind == "aggregate":
        return _create_aggregate(one)
    what = "PROCEDURE" if one.kind == "procedure" else "FUNCTION"
    return (
        f"CREATE OR REPLACE {what} {without_arguments(one.name)}({one.arguments})\n"
        + "\n".join(_clauses(one))
        + ";"
    )


def _clauses(one: Function) -> Iterator[str]:
    if one.returns is not None and one.kind != "procedure":
        yield f"RETURNS {one.returns}"
    yield " ".join([f"LANGUAGE {quoted(one.language)}", *_words(one)])
    yield from (f"SET {_setting(entry)}" for entry in one.config)
    yield _body(one)


def _words(one: Function) -> Iterator[str]:
    """Yield what is said of a function besides its body; of a procedure little can be."""
    usual = one.kind == "procedure"
    said = (
        (bool(one.transforms), f"TRANSFORM {', '.join(f'FOR TYPE {name}' for name in one.transforms)}"),
        (one.kind == "window", "WINDOW"),
        (one.security_definer, "SECURITY DEFINER"),
        (not usual and one.volatility != "volatile", one.volatility.upper()),
        (not usual and one.strict, "STRICT"),
        (not usual and one.leakproof, "LEAKPROOF"),
        (not usual and one.parallel != "unsafe", f"PARALLEL {one.parallel.upper()}"),
        (not usual and one.cost != _COST.get(one.language, 100.0), f"COST {one.cost:g}"),
        (not usual and one.rows not in {0.0, _ROWS}, f"ROWS {one.rows:g}"),
        (not usual and one.support is not None, f"SUPPORT {one.support}"),
    )
    yield from (words for is_said, words in said if is_said)


def _setting(entry: str) -> str:
    name, _, value = entry.partition("=")
    if name not in _LISTS:
        return f"{name} TO {constant(value)}"
    entries = [constant(unquoted(found[1])) for found in _ENTRY.finditer(value)]
    return f"{name} TO {', '.join(entries) or constant('')}"


def _body(one: Function) -> str:
    if one.language == "sql" and one.body.startswith(("BEGIN ATOMIC", "RETURN ")):
        return one.body
    if one.language == "c":
        return f"AS {constant(one.library or '')}, {constant(one.body)}"
    return f"AS {dollar_quoted(one.body)}"


#: As the query writes an aggregate's state.
_AGGREGATE = re.compile(
    r"kind (?P<kind>.), direct arguments \d+, transition (?P<sfunc>\S+) (?P<stype>.+) space (?P<sspace>\d+), "
    r"final (?P<finalfunc>\S+) (?P<extra>[tf]) (?P<modify>.), combine (?P<combinefunc>\S+), "
    r"serial (?P<serialfunc>\S+) (?P<deserialfunc>\S+), moving (?P<msfunc>\S+) (?P<minvfunc>\S+) (?P<mstype>.+) "
    r"space (?P<msspace>\d+) final (?P<mfinalfunc>\S+) (?P<mextra>[tf]) (?P<mmodify>.), sort operator (?P<sort>.+), "
    r"initial (?P<initcond>NULL|E?'.*') (?P<minitcond>NULL|E?'.*')",
    re.DOTALL,
)
_FUNCTIONS = ("finalfunc", "combinefunc", "serialfunc", "deserialfunc", "msfunc", "minvfunc", "mfinalfunc")
_MODIFY = {"r": "READ_ONLY", "s": "SHAREABLE", "w": "READ_WRITE"}


def _create_aggregate(one: Function) -> str:
    found = _AGGREGATE.fullmatch(one.aggregate or "")
    assert found is not None, one.aggregate  # noqa: S101 - our own query wrote it
    said = found.groupdict()
    clauses = [f"SFUNC = {said['sfunc']}", f"STYPE = {said['stype']}"]
    clauses += [f"{name.upper()} = {said[name]}" for name in ("sspace", "msspace") if said[name] != "0"]
    clauses += [f"{name.upper()} = {said[name]}" for name in _FUNCTIONS if said[name] != "-"]
    if said["msfunc"] != "-":
        clauses.append(f"MSTYPE = {said['mstype']}")
    clauses += [
        f"{name.upper()} = {said[name]}" for name in ("initcond", "minitcond") if said[name] != "NULL"
    ]
    clauses += _aggregate_words(one, said)
    return (
        f"CREATE OR REPLACE AGGREGATE {without_arguments(one.name)}({one.arguments}) ({', '.join(clauses)});"
    )


def _aggregate_words(one: Function, said: dict[str, str]) -> Iterator[str]:
    usual = "r" if said["kind"] == "n" else "w"
    for extra, modify, final in (("extra", "modify", "finalfunc"), ("mextra", "mmodify", "mfinalfunc")):
        if said[final] != "-" and said[extra] == "t":
            yield f"{final.upper()}_EXTRA"
        if said[final] != "-" and said[modify] != usual:
            yield f"{final.upper()}_MODIFY = {_MODIFY[said[modify]]}"
    if said["sort"] not in {"0", "-"}:
        yield f"SORTOP = OPERATOR({said['sort'].partition('(')[0]})"
    if said["kind"] == "h":
        yield "HYPOTHETICAL"
    if one.parallel != "unsafe":
        yield f"PARALLEL = {one.parallel.upper()}"


def can_be_replaced(now: Function, then: Function) -> bool:
    """Whether CREATE OR REPLACE makes one of the other: the same result, the same names, no default less.

    (Manual: "CREATE FUNCTION".)
    """
    return (
        (now.kind, now.returns) == (then.kind, then.returns)
        and _bare(now.arguments) == _bare(then.arguments)
        and now.arguments.count(" DEFAULT ") <= then.arguments.count(" DEFAULT ")
        and _AGGREGATE_TYPES.findall(now.aggregate or "") == _AGGREGATE_TYPES.findall(then.aggregate or "")
    )


_AGGREGATE_TYPES = re.compile(r"kind .,")


def _bare(arguments: str) -> list[str]:
    """Return arguments without their defaults."""
    found, depth, start = [], 0, 0
    quote = ""
    for at, character in enumerate(arguments):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif character == "," and not depth:
            found.append(arguments[start:at])
            start = at + 1
    return [one.strip().partition(" DEFAULT ")[0] for one in [*found, arguments[start:]]]
