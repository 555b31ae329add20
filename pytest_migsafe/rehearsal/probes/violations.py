"""Which rows violate a constraint: one that is not validated, or whose enforcement can be switched off.

PostgreSQL keeps a valid CHECK and NOT NULL by itself. A foreign key it keeps by triggers, which do not fire where
`session_replication_role` is `replica`, where they are disabled, or where another trigger swallows what they do; the
constraint counts as valid all the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from pytest_migsafe.catalog.composition import Fragment
from pytest_migsafe.catalog.objects import Home
from pytest_migsafe.catalog.schema import Column, Constraint, Index, Table
from pytest_migsafe.rehearsal.facts import Facts, Violation
from pytest_migsafe.rehearsal.probes.asking import Asking
from pytest_migsafe.rehearsal.probes.questions import (
    Involved,
    Unanswered,
    answer,
    carried,
    harmless,
    is_users,
    names,
    piece,
    planned,
    renamed,
)


@dataclass(frozen=True, slots=True)
class _Doubts:
    """What of a file's changes is a reason to look at rows that it did not write."""

    #: The relations concerned.
    relations: frozenset[str]
    #: Constraints, and columns that are NOT NULL, by qualified name: valid now, and not before.
    made_valid: frozenset[str]
    #: Domains that have got a constraint that is not validated.
    domains: frozenset[str]


class _Question(NamedTuple):
    """A row of the queries that say what is to be asked."""

    relation: str
    constraint: str
    kind: str
    validated: bool
    columns: str
    #: The values of these columns, as an expression.
    sample: str
    #: The violating rows: "FROM ... WHERE ...".
    source: str


def probe(asking: Asking, known: Facts) -> Facts:
    """Ask for the rows that violate constraints of the tables whose rows or constraints were changed."""
    doubts = _doubts(asking, known)
    involved = Involved.of(asking, doubts.relations | renamed(asking, known.violations))
    found = carried(asking, known.violations, involved)
    for question in (_Question(*one) for one in planned(asking, _queries(asking, involved, doubts))):
        others = tuple(
            one for one in found.pop(question.relation, ()) if one.constraint != question.constraint
        )
        if some := (*others, *_violation(asking, question)):
            found[question.relation] = tuple(sorted(some, key=lambda one: one.constraint))
    return replace(known, violations=found)


def _violation(asking: Asking, question: _Question) -> Iterator[Violation]:
    """Yield what a question finds, or why it was given up; nothing where all is in order."""
    asked = answer(asking, piece("violating", sample=question.sample, source=question.source).text())
    refused, rows = (asked.message, [(0, [])]) if isinstance(asked, Unanswered) else ("", asked)
    ((count, samples),) = rows
    if count or refused:
        yield Violation(
            constraint=question.constraint,
            kind=question.kind,
            validated=question.validated,
            count=count,
            columns=question.columns,
            samples=tuple(samples),
            source=question.source,
            refused=refused,
        )


def _queries(asking: Asking, involved: Involved, doubts: _Doubts) -> Iterator[Fragment]:
    """Yield the queries that say what is to be asked, as far as the schema does not rule out that they find anything."""
    key, parts = piece("row_key"), involved.parts()
    check = harmless("c.conbin")
    tree = "(coalesce(i.indexprs::pg_catalog.text, '') || coalesce(i.indpred::pg_catalog.text, ''))"
    if involved:
        yield piece("foreign_keys", is_users=is_users("o.oprcode::pg_catalog.oid"), **parts)
    some = [
        one for name in _with_parents(asking, involved) for one in asking.after.belonging_to(name).values()
    ]
    if doubts.made_valid or any(isinstance(one, Constraint) and not one.validated for one in some):
        yield piece("checks", key=key, doubted=names(doubts.made_valid), harmless=check, **parts)
    if any(isinstance(one, Index) and one.unique and not one.valid for one in some):
        yield piece("unique_keys", harmless=harmless(tree), **parts)
    domains = (objects for home, objects in asking.after.homes.items() if home.catalog == "type")
    if any(
        isinstance(one, Constraint) and not one.validated for objects in domains for one in objects.values()
    ):
        yield piece("domains", key=key, types=names(doubts.domains), harmless=check, **parts)


def _with_parents(asking: Asking, involved: Involved) -> Iterator[str]:
    """Yield the relations that are involved, and what they are partitions or children of, some more than once."""
    if involved.everything:
        yield from (home.name for home in asking.after.homes if home.catalog == "relation")
        return
    left = list(involved.relations)
    while left:
        name = left.pop()
        yield name
        table = asking.after.get("table", name)
        if isinstance(table, Table):
            left += table.parents


def _doubts(asking: Asking, known: Facts) -> _Doubts:
    relations, made_valid = set(), set()
    for name in asking.relations:
        valid = set(_made_valid(asking, name))
        made_valid |= valid
        if valid or name in known.violations or _has_new_doubt(asking, name):
            relations.add(name)
    types = {home.name for home in asking.changed if home.catalog == "type"}
    if types:
        relations.update(
            relation
            for relation, some in known.violations.items()
            if any(one.kind == "domain" for one in some)
        )
    return _Doubts(
        relations=frozenset(relations),
        made_valid=frozenset(made_valid),
        domains=frozenset(name for name in types if _has_new_doubt(asking, name, "type")),
    )


def _new(asking: Asking, name: str, catalog: str = "relation") -> Iterator[tuple[Any, Any]]:
    """Yield the objects of something that are not as before, each with what it was before."""
    home = Home(catalog, name)
    before = asking.before.homes.get(home, {})
    for key, one in asking.after.homes.get(home, {}).items():
        was = before.get(key)
        if was != one:
            yield was, one


def _has_new_doubt(asking: Asking, name: str, catalog: str = "relation") -> bool:
    """Say whether something that was there before has got a constraint or unique index that says nothing of its rows."""
    if Home(catalog, name) not in asking.before.homes:
        # What was made without rows has none.
        return False
    return any(
        (isinstance(one, Constraint) and not one.validated and one.enforced)
        or (isinstance(one, Index) and one.unique and not one.valid)
        for _, one in _new(asking, name, catalog)
    )


def _made_valid(asking: Asking, name: str) -> Iterator[str]:
    """Yield what counts as valid now and did not before: PostgreSQL has looked, unless the catalog was written to."""
    for was, one in _new(asking, name):
        if (isinstance(one, Constraint) and was is not None and one.validated and not was.validated) or (
            isinstance(one, Column) and was is not None and one.not_null and not was.not_null
        ):
            yield one.qualified_name
