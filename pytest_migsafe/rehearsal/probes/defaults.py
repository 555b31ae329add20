"""Which defaults their own columns cannot hold: every INSERT that leaves such a column out fails."""

import re
from collections.abc import Iterator
from dataclasses import replace

from pytest_migsafe.catalog.composition import Fragment
from pytest_migsafe.catalog.objects import Home
from pytest_migsafe.catalog.queries import Rows
from pytest_migsafe.catalog.schema import Column, Constraint, Type
from pytest_migsafe.rehearsal.facts import Facts, RejectedDefault
from pytest_migsafe.rehearsal.probes.asking import Asking
from pytest_migsafe.rehearsal.probes.questions import (
    Involved,
    Unanswered,
    answer,
    carried,
    harmless,
    piece,
    planned,
    renamed,
)

#: check_violation, not_null_violation (both of a domain), string_data_right_truncation, numeric_value_out_of_range,
#: invalid_text_representation.
_REJECTIONS = frozenset({"23514", "23502", "22001", "22003", "22P02"})

#: What the text of a default that is made of constants begins with.
_CONSTANT = re.compile(r"\(*[-']|\(*\d|true|false|ARRAY\[|B'")


def probe(asking: Asking, known: Facts) -> Facts:
    """Evaluate the constant defaults of the tables whose columns or checks were changed."""
    involved = Involved(renamed(asking, known.rejected_defaults).union(_in_question(asking, known)))
    found = carried(asking, known.rejected_defaults, involved)
    for relation, column, default, by, question in planned(asking, _queries(involved)):
        error = _rejection(answer(asking, question))
        if error is not None:
            rejected = RejectedDefault(column=column, default=default, by=by, error=error)
            found[relation] = (*found.get(relation, ()), rejected)
    return replace(known, rejected_defaults=found)


def _queries(involved: Involved) -> Iterator[Fragment]:
    if involved:
        yield piece(
            "defaults",
            involved=involved.parts()["involved"],
            harmless_check=harmless("c.conbin"),
            harmless_default=harmless("own.tree", domains=True),
        )


def _rejection(asked: Rows | Unanswered) -> str | None:
    """Return with what words a default is rejected, perhaps without any; None: it is not, as far as asked."""
    if isinstance(asked, Unanswered):
        return asked.message if asked.sqlstate in _REJECTIONS else None
    return "" if asked[0][0] else None


def _in_question(asking: Asking, known: Facts) -> Iterator[str]:
    """Yield the relations whose defaults may be others than before, or may have met another constraint or domain."""
    if domains := {home.name for home in asking.changed if _is_old_domain(asking, home)}:
        for home, objects in asking.after.homes.items():
            if home.catalog == "relation" and any(
                isinstance(one, Column) and one.type in domains for one in objects.values()
            ):
                yield home.name
    for name in asking.relations:
        if name in known.rejected_defaults or _meets_anew(asking, name):
            yield name


def _is_old_domain(asking: Asking, home: Home) -> bool:
    return home.catalog == "type" and home in asking.before.homes and _is_domain(asking, home.name)


def _is_domain(asking: Asking, name: str) -> bool:
    found = asking.after.get("type", name)
    return isinstance(found, Type) and found.kind == "domain"


def _meets_anew(asking: Asking, name: str) -> bool:
    """Say whether a relation has a default that may be a constant and a column or check that is new."""
    before, after = asking.before.belonging_to(name), asking.after.belonging_to(name)
    has_default = [
        isinstance(one, Column)
        and (_CONSTANT.match(one.default) is not None if one.default else _is_domain(asking, one.type))
        for one in after.values()
    ]
    if not any(has_default):
        return False
    return any(
        before.get(key) != one and (is_default or (isinstance(one, Constraint) and one.type == "check"))
        for (key, one), is_default in zip(after.items(), has_default, strict=True)
    )
