"""What the server does not let a role, or the system a user, do."""

from collections.abc import Iterator

from pytest_migsafe.rehearsal.evidence import Evidence, StatementError
from pytest_migsafe.rules.explain.names import failing_text


def unread(evidence: Evidence, error: StatementError) -> Iterator[str]:  # noqa: ARG001 - Explain's signature
    """Explain a file that could not be read."""
    if "Permission denied" in error.message:
        yield "The user that pytest runs as may not read the file: give it the right (chmod a+r), or change the user."


def dependents(evidence: Evidence, error: StatementError) -> Iterator[str]:  # noqa: ARG001 - Explain's signature
    """Explain 2BP01: something depends on what is dropped."""
    yield (
        "Drop or change what depends on it first, by name. CASCADE would drop all of it, and what depends on that, "
        "without asking."
    )


def not_allowed(evidence: Evidence, error: StatementError) -> Iterator[str]:
    """Explain 42501: the role may not do this."""
    if not evidence.role or "must be owner" in error.message:
        yield from _owner(evidence, error)
        return
    yield (
        f"The file was run as {evidence.role}. If that role may do this in production, grant it before the first "
        "migration, in a prelude ([tool.migsafe] prelude); if not, a superuser has to do it there, too."
    )


def _owner(evidence: Evidence, error: StatementError) -> Iterator[str]:  # noqa: ARG001 - Explain's signature
    if evidence.role:
        yield (
            f"The file was run as {evidence.role}, and only an object's owner, or a member of the owning role, may "
            "change it."
        )


def no_publisher(evidence: Evidence, error: StatementError) -> Iterator[str]:
    """Explain 08006: a publisher cannot be reached."""
    if "connect to the publisher" in error.message and failing_text(evidence):
        yield (
            "No publisher can be reached from a rehearsal. `WITH (connect = false)` makes the subscription without "
            "reaching for it (manual: CREATE SUBSCRIPTION)."
        )
