"""The names that a test gives to relations, indexes and lock modes: understood, or refused with what was meant.

A test that names what there is not would hold whatever happens. So a wrong name is an error of its own.
"""

import difflib
import re
from collections.abc import Collection, Sequence

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.lexical import last_part
from pytest_migsafe.errors import SelectionError
from pytest_migsafe.rehearsal.evidence import LOCK_MODES


def lock_mode(named: str) -> str:
    """Return a lock mode as ``pg_locks`` spells it, given that or the manual's spelling (``SHARE UPDATE EXCLUSIVE``).

    Raises:
        SelectionError: there is no such mode.
    """
    __tracebackhide__ = True
    modes = {_bare(mode): mode for mode in LOCK_MODES}
    if (found := modes.get(_bare(named))) is not None:
        return found
    close = difflib.get_close_matches(_bare(named), modes, n=1, cutoff=0.5)
    hint = f"did you mean {modes[close[0]]!r}?" if close else f"there are {', '.join(LOCK_MODES)}"
    raise SelectionError(f"there is no lock mode {named!r}; {hint}")


def _bare(mode: str) -> str:
    return re.sub(r"[^a-z]", "", mode.lower()).removesuffix("lock")


def relation_in(schemas: Sequence[Schema], named: str) -> str:
    """Return the qualified name of a relation of one of some schemas; the schema may be left out where one has it.

    Raises:
        SelectionError: there is no such relation, or there are several.
    """
    __tracebackhide__ = True
    known = {
        name
        for one in schemas
        for kind in (one.tables, one.views, one.sequences, one.indexes)
        for name in kind
    }
    return _one_of(known, named, "relation")


def index_in(schema: Schema, named: str) -> str:
    """Return the qualified name of an index; the schema may be left out where one has it.

    Raises:
        SelectionError: there is no such index, or there are several.
    """
    __tracebackhide__ = True
    return _one_of(schema.indexes.keys(), named, "index")


def _one_of(known: Collection[str], named: str, kind: str) -> str:
    __tracebackhide__ = True
    if named in known:
        return named
    found = sorted(name for name in known if last_part(name) == named)
    if len(found) == 1:
        return found[0]
    if found:
        raise SelectionError(f"there are several: {', '.join(found)}; name the {kind} with its schema")
    names = [*known, *(last_part(name) for name in known)]
    close = difflib.get_close_matches(named, sorted(names), n=1, cutoff=0.6)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise SelectionError(f"there is no {kind} {named!r}{hint}")
