"""JSON reports made by hand, and any that there may be: what the other reports are made of."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]

#: Names that somebody may give to a table, and that mean something to somebody else.
ODD_TEXTS = (
    "",
    " ",
    "public.orders",
    'public."a""b"',
    "public.`x`",
    "a|b||c",
    "<script>alert(1)</script>",
    "</details></table>",
    "```",
    "````sql\n```",
    "a\nb\r\nc\rd",
    "]]>",
    "::error file=x::y",
    "100%0A,:",
    "@everyone #1 !2 ~x",
    "/close",
    "[x](javascript:alert(1))",
    "**bold** _it_ # head",
    "- item\n> quote\n<!-- c",
    "\udce9\ud800",
    "\x00\x1b[31m\u202e",
    "é😀\u2028\u2029",
    "x" * 3000,
)


def finding(rule: str = "index-not-concurrent", **given: Any) -> Json:
    """Return a finding; what is not given is as of an index that is built in line 4."""
    usual: Json = {
        "rule": rule,
        "family": "blocking-work",
        "severity": "error",
        "path": "migrations/0002_index.sql",
        "line": 4,
        "column": 1,
        "message": "writes of public.orders wait while index public.orders_idx is built",
        "evidence": ["ShareLock on public.orders, taken by this statement"],
        "remedy": "Build it CONCURRENTLY.\n-- runs outside a transaction\nCREATE INDEX CONCURRENTLY orders_idx ON orders (x);",
        "files": [],
        "objects": ["public.orders"],
        "waived": "waived_because" in given,
        "details": {},
        "waived_because": None,
    }
    return usual | given


def statement(text: str = "CREATE INDEX orders_idx\n    ON orders (x)", line: int = 4, **given: Any) -> Json:
    """Return a statement that locks a table which was there before."""
    lock = {
        "relation": "public.orders",
        "kind": "table",
        "mode": "ShareLock",
        "preexisting": True,
        "table": "",
    }
    usual: Json = {
        "line": line,
        "column": 1,
        "end_line": line + text.count("\n"),
        "text": text,
        "node": "IndexStmt",
        "tag": "CREATE INDEX",
        "duration_ms": 1.5,
        "transaction": 1,
        "locks": [lock],
        "writes": [],
        "notices": [],
        "kept": [],
        "error": None,
    }
    return usual | given


def timeline(**given: Any) -> Json:
    """Return the timeline of a file with one statement, which builds an index."""
    bar = {
        "relation": "public.orders",
        "kind": "table",
        "mode": "ShareLock",
        "first": 1,
        "last": 1,
        "waiting": "writes",
    }
    work = {"statement": 1, "kind": "index build", "table": "public.orders", "index": "public.orders_idx"}
    return {"bars": [bar], "work": [work], "created": 0} | given


def migration(path: str = "migrations/0002_index.sql", *findings: Json, **given: Any) -> Json:
    """Return a migration with findings; it has failed if one of these is an error."""
    fails = any(one["severity"] == "error" and not one["waived"] for one in findings)
    usual: Json = {
        "id": path.rpartition("/")[2].removesuffix(".sql"),
        "path": path,
        "postgres": "18.6",
        "place": "",
        "applied": True,
        "outcome": "failed" if fails else "passed",
        "blocked_by": None,
        "blocked_because": None,
        "problem": None,
        "findings": [one | {"path": path} for one in findings],
        "smoke_tests": [],
        "row_security": [],
        "statements": [statement()],
        "timeline": timeline(),
        "diff": [{"action": "added", "kind": "index", "name": "public.orders_idx", "attributes": []}],
        "cluster_changes": [],
        "duration_ms": 3.5,
        "downtime": {"verdict": "window", "proof": ["line 4: writes of public.orders wait"]},
    }
    return usual | given


def skipped(path: str = "migrations/0001_orders.sql", place: str = "") -> Json:
    """Return a migration that was not asked for: with what the JSON report has of it, and no more."""
    return {
        "id": "0001",
        "path": path,
        "place": place,
        "applied": None,
        "outcome": "skipped",
        "problem": None,
        "findings": [],
        "smoke_tests": [],
        "row_security": [],
        "downtime": None,
        "statements": [],
        "diff": [],
    }


def end(check: str = "schema", **given: Any) -> Json:
    """Return what came of the check of a history's end."""
    usual: Json = {
        "item": f"migrations/0002_index.sql::{check}",
        "check": check,
        "postgres": "18.6",
        "place": "",
        "outcome": "failed",
        "message": "schema.json does not say what the migrations make",
        "blocked_by": None,
        "blocked_because": None,
        "file": "schema.json" if check == "schema" else None,
        "diff": [],
        "findings": [],
        "smoke_tests": [],
        "row_security": [],
    }
    return usual | given


def report(
    *migrations: Json, ends: tuple[Json, ...] = (), missing: tuple[str, ...] = (), **given: Any
) -> Json:
    """Return the report of one history."""
    is_red = any(one["outcome"] in ("failed", "blocked") for one in (*migrations, *ends))
    server: Json = {
        "place": "",
        "version": "18.6",
        "source": "bundled",
        "preludes": [],
        "role": None,
        "limits": [],
    }
    history = {
        "root": "migrations",
        "layout": "flat",
        "migrations": len(migrations),
        "ignored": [],
        "remarks": [],
        "missing_versions": list(missing),
        "ends": list(ends),
    }
    rules = {one["rule"]: one for entry in (*migrations, *ends) for one in entry["findings"]}
    usual: Json = {
        "format": 1,
        "exit_code": int(is_red),
        "folder": "",
        "server": {"version": "18.6", "source": "bundled"},
        "servers": [server],
        "layout": "flat",
        "histories": [history],
        "migrations": list(migrations),
        "rules": [_rule(one) for one in rules.values()],
        "failures": [],
    }
    return usual | given


def _rule(one: Mapping[str, Any]) -> Json:
    return {
        "id": one["rule"],
        "family": one["family"],
        "severity": one["severity"],
        "title": "An index is built while nobody can write",
        "why": "Whoever writes waits as long as it takes.",
        "remedy": "CREATE INDEX CONCURRENTLY.",
        "manual": "CREATE INDEX, Building Indexes Concurrently",
        "peers": {"squawk": "require-concurrent-index-creation"},
        "waivable": True,
    }


#: The reports in which no other may look green.
RED: Mapping[str, Json] = {
    "a finding": report(skipped(), migration("migrations/0002_index.sql", finding())),
    "a server that was lost": report(
        migration(outcome="failed", problem="the server is gone", statements=[], timeline=None)
    ),
    "a fixture that failed": report(skipped() | {"problem": "OSError: mine"}, exit_code=1),
    "a failure that nobody explains": report(migration(outcome="failed")),
    "a blocked file": report(
        skipped(),
        skipped("migrations/0002_index.sql")
        | {
            "outcome": "blocked",
            "blocked_by": "migrations/0001_orders.sql",
            "blocked_because": "no such table",
        },
        exit_code=1,
    ),
    "another schema than the declared": report(migration(), ends=(end(),)),
    "an end with an error": report(
        migration(), ends=(end("end-state", findings=[finding(path="migrations", line=0)]),)
    ),
    "a run that was interrupted": report(migration(), skipped("migrations/0003.sql"), exit_code=2),
    "no server": report(skipped(), servers=[], server={"version": "", "source": ""}, exit_code=4),
}


def _odd() -> st.SearchStrategy[str]:
    return st.sampled_from(ODD_TEXTS) | st.text(max_size=40)


@st.composite
def reports(draw: st.DrawFn) -> Json:
    """Give any report: with odd names, statements and messages."""
    migrations = draw(st.lists(_migrations(), max_size=5, unique_by=lambda one: one["path"]))
    ends = draw(st.lists(st.builds(end, message=_odd(), file=st.none() | _odd()), max_size=1))
    return report(
        *migrations,
        ends=tuple(ends),
        missing=draw(st.sampled_from([(), ("14",)])),
        exit_code=draw(st.sampled_from([0, 1, 2, 4, 5, 143])),
        folder=draw(st.sampled_from(["", "services/billing"])),
        failures=draw(st.lists(st.fixed_dictionaries({"item": _odd(), "message": _odd()}), max_size=2)),
        sections=draw(st.lists(st.fixed_dictionaries({"title": _odd(), "text": _odd()}), max_size=2)),
    )


def _findings() -> st.SearchStrategy[Json]:
    return st.builds(
        lambda because, **given: finding(**given, **({"waived_because": because} if because else {})),
        because=st.none() | _odd(),
        severity=st.sampled_from(["error", "warning"]),
        line=st.integers(0, 7),
        column=st.integers(0, 30),
        message=_odd(),
        evidence=st.lists(_odd(), max_size=3),
        remedy=_odd(),
        objects=st.lists(_odd(), max_size=2),
    )


def _migrations() -> st.SearchStrategy[Json]:
    return st.builds(
        lambda path, found, text, name, **given: migration(
            path,
            *found,
            statements=[statement(text)],
            diff=[{"action": "added", "kind": "table", "name": name, "attributes": []}],
            **given,
        ),
        path=_odd().filter(lambda text: "\0" not in text and text.strip() != ""),
        found=st.lists(_findings(), max_size=3),
        text=_odd(),
        name=_odd(),
        problem=st.none() | _odd(),
    )
