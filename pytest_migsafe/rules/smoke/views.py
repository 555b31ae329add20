"""The family *code*, views: whether they can be read, by whom they are meant for."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pytest_migsafe.catalog.lexical import last_part, quoted, schema_of
from pytest_migsafe.catalog.schema import View
from pytest_migsafe.findings import Severity
from pytest_migsafe.rehearsal.evidence import Evidence
from pytest_migsafe.rehearsal.facts import BrokenView
from pytest_migsafe.rehearsal.state import State
from pytest_migsafe.rules.smoke.audience import in_sql
from pytest_migsafe.rules.smoke.check import Defect, smoke_test

_PERMISSION = "42501"


def _tell(evidence: Evidence, defects: Sequence[Defect]) -> Iterator[Defect]:
    """Yield what a file is told of the views that it broke.

    A grant that is of no use yet is a warning: what is missing may follow. It is an error to take away what worked.
    """
    for one in defects:
        lacks_a_grant = any(line.startswith(f"SQLSTATE {_PERMISSION}") for line in one.evidence)
        is_new = not evidence.before.belonging_to(one.subject)
        yield replace(one, severity=Severity.WARNING) if lacks_a_grant and is_new else one


@smoke_test(
    id="broken-view",
    family="code",
    section="views",
    severity=Severity.ERROR,
    title="A view cannot be read.",
    why=(
        "PostgreSQL keeps a view from losing its columns, and from nothing else: its owner may have lost the right to read "
        "the tables, a role may have been granted the view but not what it reads with its caller's rights, a materialized "
        "view under it may be empty. Every query on it fails."
    ),
    remedy="Grant what is missing to the role that the message names.",
    manual="Rules and Privileges; CREATE VIEW",
    tell=_tell,
)
def broken_view(state: State) -> Iterator[Defect]:
    """Look at the errors with which views answer."""
    for name, found in state.facts.broken_views.items():
        view = state.schema.get(View.KIND, name)
        if not isinstance(view, View) or not view.populated or not state.scope.includes(schema_of(name)):
            # Of one that is not populated another smoke test tells.
            continue
        owners = [one for one in found if one.is_owner]
        for broken in owners or found:
            yield Defect(
                subject=name,
                detail=f"{broken.role} {broken.message}",
                message=f"the view {name} cannot be read by {_reader(broken)}: {broken.message}",
                evidence=(f"SQLSTATE {broken.sqlstate}", *_hints(broken)),
                remedy=_remedy(view, broken),
                named=(name, *view.reads),
                objects=view.reads,
            )


def _reader(broken: BrokenView) -> str:
    if broken.is_owner:
        return f"its owner {broken.role}, and so by nobody"
    return f"{broken.role}, which has been granted SELECT on it"


def _hints(broken: BrokenView) -> Iterator[str]:
    if broken.hint:
        yield broken.hint


def _remedy(view: View, broken: BrokenView) -> str:
    if broken.sqlstate != _PERMISSION:
        return f"CREATE OR REPLACE VIEW {view.name} AS ...;"
    role = in_sql(broken.role)
    kind, _, name = broken.message.removeprefix("permission denied for ").partition(" ")
    if kind == "schema":
        return f"GRANT USAGE ON SCHEMA {quoted(name)} TO {role};"
    if kind == "function":
        called = [one for one in view.calls if last_part(one) == name]
        return "\n".join(f"GRANT EXECUTE ON FUNCTION {one} TO {role};" for one in called)
    return f"GRANT SELECT ON {', '.join(view.reads)} TO {role};"


def _graver_where_it_was_read(evidence: Evidence, defects: Sequence[Defect]) -> Iterator[Defect]:
    """Yield views that had data as errors: nobody reads yet what the file itself makes."""
    for defect in defects:
        had_data = evidence.before.get(View.KIND, defect.subject) is not None
        yield replace(defect, severity=Severity.ERROR) if had_data else defect


@smoke_test(
    id="unpopulated-view",
    family="code",
    section="views",
    tell=_graver_where_it_was_read,
    severity=Severity.WARNING,
    title="A materialized view has no data.",
    why=(
        "After WITH NO DATA every SELECT on it, and on views that read it, fails (55000). A restored dump does not fill it, "
        "either. It is an error where the view had data before the file."
    ),
    remedy="REFRESH MATERIALIZED VIEW before anybody reads it.",
    manual="REFRESH MATERIALIZED VIEW",
)
def unpopulated_view(state: State) -> Iterator[Defect]:
    """Look at whether materialized views are populated."""
    for view, _ in state.views:
        if not view.populated:
            yield Defect(
                subject=view.name,
                message=f"the materialized view {view.name} has not been populated: every SELECT on it fails",
                evidence=("SQLSTATE 55000",),
                # CONCURRENTLY is for those that have data.
                remedy=f"REFRESH MATERIALIZED VIEW {view.name};",
            )


@smoke_test(
    id="view-lacks-columns",
    family="code",
    section="views",
    severity=Severity.OFF,
    title="A view of all columns lacks the new ones.",
    why="The asterisk in a view's definition is replaced once, when it is created: columns that the table gets later are not in it.",
    remedy="CREATE OR REPLACE VIEW with the same query adds them at the end.",
    manual="CREATE VIEW",
)
def view_lacks_columns(state: State) -> Iterator[Defect]:
    """Look for views that show the columns of one table up to one, and not those that came after it."""
    for view, relation in state.views:
        read = state.relation(view.reads[0]) if len(view.reads) == 1 else None
        shown = [one.name for one in relation.columns]
        there = [one.name for one in read.columns] if read is not None else []
        if len(shown) > 1 and len(there) > len(shown) and there[: len(shown)] == shown:
            missing = there[len(shown) :]
            yield Defect(
                subject=view.name,
                detail=", ".join(missing),
                message=f"the view {view.name} lacks {', '.join(missing)} of {view.reads[0]}, whose other columns it shows",
                evidence=(view.definition.strip(),),
                remedy=f"CREATE OR REPLACE VIEW {view.name} AS SELECT * FROM {view.reads[0]};",  # noqa: S608 - advice
                named=(*missing, view.reads[0]),
                objects=view.reads,
            )
