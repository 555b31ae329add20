"""What a stall's statement does, in words, and to which table."""

from collections.abc import Sequence

from pytest_migsafe.catalog.lexical import quoted
from pytest_migsafe.migrations.columns import altered_relation
from pytest_migsafe.rehearsal.holding import WorkKind
from pytest_migsafe.rules.blocking.check import Situation
from pytest_migsafe.texts.wording import listed


def altered_table(situation: Situation) -> str:
    """Return the qualified name of the table that the statement alters; empty where it alters none that is known."""
    schema, name = altered_relation(situation.text)
    if not name:
        return ""
    if schema:
        return f"{quoted(schema)}.{quoted(name)}"
    found = situation.table(name)
    return found if found != name else ""


def rewritten_tables(situation: Situation) -> tuple[str, ...]:
    """Return the tables that were written anew."""
    return tuple(dict.fromkeys(work.table for work in situation.worked(WorkKind.REWRITE)))


def scanned_tables(situation: Situation) -> tuple[str, ...]:
    """Return the tables that were read as a whole, and not written anew, nor for an index only."""
    others = {*rewritten_tables(situation), *(work.table for work in situation.worked(WorkKind.INDEX_BUILD))}
    return tuple(
        dict.fromkeys(work.table for work in situation.worked(WorkKind.SCAN) if work.table not in others)
    )


def work_of(situation: Situation) -> str:
    """Return what takes so long, with its subject: "public.orders is written anew and its 2 indexes are rebuilt"."""
    rewritten, scanned = rewritten_tables(situation), scanned_tables(situation)
    built = [work.index for work in situation.worked(WorkKind.INDEX_BUILD)]
    said = [f"{listed(rewritten)} {_be(rewritten)} written anew"] if rewritten else []
    if built:
        its = "its" if len(rewritten) == 1 else "their"
        named = (
            f"{its} {_counted(built)}"
            if rewritten
            else f"index {built[0]}"
            if len(built) == 1
            else f"indexes {listed(built)}"
        )
        said.append(f"{named} {_be(built)} built{' anew' if rewritten else ''}")
    if scanned:
        said.append(f"{listed(scanned)} {_be(scanned)} read as a whole")
    return " and ".join(said)


def _be(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _counted(indexes: Sequence[str]) -> str:
    return "index" if len(indexes) == 1 else f"{len(indexes)} indexes"
