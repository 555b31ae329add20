"""Server errors in plain words: the usual cause, who creates what is missing, and the way out.

Each explanation is a small function for one SQLSTATE (manual: "PostgreSQL Error Codes"). It may use the
error, the schema before the file, and the statements of the history that create objects; where it knows
nothing to add, it says nothing.
"""

from collections.abc import Iterator

from pytest_migsafe.rehearsal.evidence import Evidence, StatementError
from pytest_migsafe.rules.explain.dialects import another_database
from pytest_migsafe.rules.explain.duplicates import duplicate_column, duplicate_object, duplicate_relation
from pytest_migsafe.rules.explain.extensions import other_version, unavailable
from pytest_migsafe.rules.explain.missing import (
    missing_column,
    missing_function,
    missing_object,
    missing_relation,
)
from pytest_migsafe.rules.explain.names import Explain
from pytest_migsafe.rules.explain.rights import dependents, no_publisher, not_allowed, unread
from pytest_migsafe.rules.explain.rows import not_null, unique
from pytest_migsafe.rules.explain.syntax import syntax
from pytest_migsafe.rules.explain.transactions import canceled, enum_in_use, outside_only, pending_events

__all__ = ["explain"]


def explain(evidence: Evidence) -> list[str]:
    """Return the explanation of the error that ended a file, a sentence or a line of SQL each."""
    error = evidence.error
    if error is None:
        return []
    if evidence.written_for is not None:
        return list(another_database(evidence.written_for))
    return list(_EXPLANATIONS.get(error.sqlstate, _nothing)(evidence, error))


def _nothing(evidence: Evidence, error: StatementError) -> Iterator[str]:  # noqa: ARG001 - Explain's signature
    yield from ()


_EXPLANATIONS: dict[str, Explain] = {
    "": unread,
    "42703": missing_column,
    "42P01": missing_relation,
    "42883": missing_function,
    "42704": missing_object,
    "3F000": missing_object,
    "42P07": duplicate_relation,
    "42701": duplicate_column,
    "42710": duplicate_object,
    "42P06": duplicate_object,
    "42601": syntax,
    "23502": not_null,
    "23505": unique,
    "42501": not_allowed,
    "08006": no_publisher,
    "55P04": enum_in_use,
    "25001": outside_only,
    "57014": canceled,
    "0A000": unavailable,
    "58P01": unavailable,
    "22023": other_version,
    "2BP01": dependents,
    "55006": pending_events,
}
