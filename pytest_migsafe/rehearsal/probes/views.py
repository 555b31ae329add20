"""Whether each view can be read: by its owner, and by each role that has been granted SELECT on it. No row is read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import psycopg
from psycopg import sql

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.lexical import unquoted
from pytest_migsafe.catalog.schema import Grant, View
from pytest_migsafe.rehearsal.facts import BrokenView, Facts
from pytest_migsafe.rehearsal.probes.access import PUBLIC
from pytest_migsafe.rehearsal.probes.asking import Asking
from pytest_migsafe.rehearsal.probes.notices import Report, reports_of
from pytest_migsafe.rehearsal.probes.questions import LONGEST_MS
from pytest_migsafe.rehearsal.probes.scripts import script
from pytest_migsafe.rehearsal.probes.stranger import stranger

_READ = sql.SQL(script("views"))

Broken = Mapping[str, tuple[BrokenView, ...]]


def probe(asking: Asking, known: Facts) -> Facts:
    """Return what is known after a file of the views that cannot be read."""
    return replace(known, broken_views=_broken_after(asking, known.broken_views))


def _broken_after(asking: Asking, known: Broken) -> Broken:
    views = asking.after.views
    names = _to_ask(asking, views, known)
    kept = {name: found for name, found in known.items() if name not in names and name in views}
    if not names:
        return kept if len(kept) != len(known) else known
    found: dict[str, list[BrokenView]] = {}
    for name, one in _unreadable(asking, [views[name] for name in sorted(names)]):
        found.setdefault(name, []).append(one)
    return kept | {name: tuple(some) for name, some in found.items()}


def _to_ask(asking: Asking, views: Mapping[str, View], known: Broken) -> set[str]:
    if not views:
        return set()
    catalogs = {home.catalog for home in asking.changed}
    if asking.cluster_changed or "schema" in catalogs or "extension" in catalogs:
        # Who may do what, anywhere.
        return set(views)
    if catalogs.isdisjoint(("relation", "function", "type")):
        return set(known.keys() & views.keys())
    changed = {home.name for home in asking.changed}
    asked: set[str] = set()
    # What a view shows depends on the views that it reads, too.
    while more := {
        name
        for name, view in views.items()
        if name not in asked
        and (name in changed or not changed.isdisjoint(view.reads) or not changed.isdisjoint(view.calls))
    }:
        asked |= more
        changed |= more
    return asked | (known.keys() & views.keys())


def _unreadable(asking: Asking, views: Iterable[View]) -> Iterator[tuple[str, BrokenView]]:
    asked = [(view, role) for view in views for role in _readers(asking.after, view)]
    if any(role == PUBLIC for _, role in asked):
        with suppress(psycopg.errors.InsufficientPrivilege), stranger(asking.connection) as nobody:
            yield from _unreadable_by(asking.connection, asked, nobody)
            return
    own = [(view, role) for view, role in asked if role != PUBLIC]
    if own:
        yield from _unreadable_by(asking.connection, own)


def _unreadable_by(
    connection: psycopg.Connection[Any], asked: Sequence[tuple[View, str]], nobody: str = ""
) -> Iterator[tuple[str, BrokenView]]:
    """Ask for views and their readers; ``nobody`` stands in for everybody: it has been granted nothing else."""
    rows = [
        [view.name, nobody if role == PUBLIC else role, str(number)]
        for number, (view, role) in enumerate(asked)
    ]
    for report in _reports(connection, rows):
        if report.number is None or not _is_telling(report.sqlstate):
            continue
        view, role = asked[report.number]
        # What everybody may read, those read who may enter the schema.
        if role != PUBLIC or not report.message.startswith("permission denied for schema"):
            yield (
                view.name,
                BrokenView(
                    role=role,
                    is_owner=role == view.owner,
                    sqlstate=report.sqlstate,
                    message=report.message,
                    hint=report.hint,
                ),
            )


def _reports(connection: psycopg.Connection[Any], rows: list[list[str]]) -> Iterator[Report]:
    """Yield what is said of views: of all at once, or, if one of them takes too long to plan, of each by itself."""
    reports = _asked(connection, rows)
    if all(one.number is not None for one in reports):
        yield from reports
    elif len(rows) > 1:
        for row in rows:
            yield from _asked(connection, [row])


def _asked(connection: psycopg.Connection[Any], rows: list[list[str]]) -> tuple[Report, ...]:
    block = _READ.format(asked=sql.Literal(rows)).as_bytes(connection)
    return reports_of(connection, block, longest_ms=LONGEST_MS)


def _readers(schema: Schema, view: View) -> Iterator[str]:
    """Yield the view's owner, and who has been granted SELECT on it."""
    yield view.owner
    for one in schema.belonging_to(view.name).values():
        if (
            isinstance(one, Grant)
            and one.object == view.name
            and {"SELECT", "SELECT*"} & set(one.privileges)
            and (role := unquoted(one.grantee)) != view.owner
        ):
            yield role


def _is_telling(sqlstate: str) -> bool:
    """Whether an error is about the view, and not one that somebody's function raised."""
    return sqlstate.startswith("42") or sqlstate in ("55000", "3F000", "0A000")
