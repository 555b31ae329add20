"""Which sequences are behind the rows of their columns: what they give next, or later, is there already."""

from collections.abc import Iterator
from dataclasses import replace

from pytest_migsafe.catalog.schema import Column
from pytest_migsafe.rehearsal.facts import Facts, TakenValue
from pytest_migsafe.rehearsal.probes.asking import Asking
from pytest_migsafe.rehearsal.probes.questions import (
    Involved,
    Unanswered,
    answer,
    carried,
    piece,
    planned,
    renamed,
)


def probe(asking: Asking, known: Facts) -> Facts:
    """Ask for the sequences of the tables whose rows were changed, and of the columns that have got one."""
    involved = Involved.of(asking, renamed(asking, known.taken_values).union(_fed_anew(asking, known)))
    found = carried(asking, known.taken_values, involved)
    queries = [piece("sequences", **involved.parts())] if involved else []
    for relation, column, sequence, increment, is_identity, query in planned(asking, queries):
        others = tuple(
            one for one in found.pop(relation, ()) if (one.column, one.sequence) != (column, sequence)
        )
        asked = answer(asking, query)
        taken = () if isinstance(asked, Unanswered) else asked
        if some := others + tuple(
            TakenValue(
                column=column,
                sequence=sequence,
                increment=increment,
                is_identity=is_identity,
                next_value=int(next_value),
                taken=int(value),
            )
            for next_value, value in taken
        ):
            found[relation] = some
    return replace(known, taken_values=found)


def _fed_anew(asking: Asking, known: Facts) -> Iterator[str]:
    """Yield the changed relations that rows may have been in before a column of theirs got a sequence."""
    for name in asking.relations:
        before = asking.before.belonging_to(name)
        if name in known.taken_values or (
            before
            and any(
                before.get(key) != one and _is_fed(one)
                for key, one in asking.after.belonging_to(name).items()
            )
        ):
            yield name


def _is_fed(one: object) -> bool:
    return isinstance(one, Column) and (one.identity is not None or "nextval(" in (one.default or ""))
