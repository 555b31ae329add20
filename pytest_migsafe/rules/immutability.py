"""The family *history*, of what others may have applied: a file that is merged stays as it is, and new ones come last."""

from collections.abc import Iterator, Sequence

from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.migrations.origin import Change, Gone, Origin
from pytest_migsafe.migrations.runners import memory_of
from pytest_migsafe.rehearsal.evidence import Evidence
from pytest_migsafe.rules.registry import Rule, rule
from pytest_migsafe.texts.wording import enumerated

FAMILY = "history"
#: How many files are named one by one.
_MOST = 3


def _restore(origin: Origin | Gone, path: str) -> str:
    """Return how a file becomes again what it was."""
    if origin.commit:
        return f"git checkout {origin.commit} -- {path}"
    return f"restore {path} from version control"


@rule(
    id="history-edited",
    family=FAMILY,
    is_lasting=False,
    severity=Severity.ERROR,
    title="A migration that others may have applied was edited.",
    why=(
        "A runner applies a file once. Databases that have it never get the change, new ones do: from here on they differ, "
        "and later files fail in one of them only. Runners that compare checksums end instead, and nothing is deployed "
        "until somebody mends production by hand."
    ),
    remedy="Restore the file, and write what is to change into a new migration.",
    peers={
        "Flyway": "Migration checksum mismatch",
        "sqlx": "VersionMismatch",
        "Liquibase": "checksum validation",
    },
)
def history_edited(evidence: Evidence) -> Iterator[Finding]:
    """Judge a file whose statements are not what they were."""
    origin = evidence.origin
    if origin is None or origin.change is not Change.EDITED:
        return
    memory = memory_of(origin.layout)
    yield history_edited.finding(
        evidence,
        line=origin.line,
        column=1 if origin.line else 0,
        message=f"edited since {origin.since}: who has applied it never gets the change ({memory.runner} {memory.edited})",
        evidence=origin.differences,
        remedy=f"{history_edited.remedy}\n{_restore(origin, evidence.path)}",
    )


@rule(
    id="history-comment-edited",
    family=FAMILY,
    is_lasting=False,
    severity=Severity.WARNING,
    title="Comments or white space of a migration that others may have applied were edited.",
    why=(
        "To PostgreSQL nothing has changed. But Flyway, Liquibase, sqlx and Play compare what stands in the file with what "
        "they have recorded, and end: nothing is deployed until somebody mends production by hand. With them it is an error."
    ),
    remedy="Restore the file; what is to be said stands as well in a new migration, or in COMMENT ON.",
    peers={"Flyway": "Migration checksum mismatch", "sqlx": "VersionMismatch"},
)
def history_comment_edited(evidence: Evidence) -> Iterator[Finding]:
    """Judge a file whose statements are what they were, and whose text is not."""
    origin = evidence.origin
    if origin is None:
        return
    memory = memory_of(origin.layout)
    what = _BESIDE_STATEMENTS.get(origin.change, "")
    if origin.change is Change.ALLOWED and memory.compares_way_back and origin.differences:
        what = "the way back"
    if not what:
        return
    ends = memory.compares and (memory.compares_white_space or origin.change is not Change.WHITE_SPACE)
    consequence = f"{memory.runner} {memory.edited}" if ends else "the statements are the same"
    yield history_comment_edited.finding(
        evidence,
        severity=Severity.ERROR if ends else Severity.WARNING,
        line=origin.line,
        column=1 if origin.line else 0,
        message=f"{what} edited since {origin.since}: {consequence}",
        evidence=origin.differences,
        remedy=f"{history_comment_edited.remedy}\n{_restore(origin, evidence.path)}",
    )


_BESIDE_STATEMENTS = {Change.COMMENTS: "comments", Change.WHITE_SPACE: "white space"}


@rule(
    id="history-renamed",
    family=FAMILY,
    is_lasting=False,
    severity=Severity.ERROR,
    title="A migration that others may have applied was renamed.",
    why=(
        "A runner takes a file that it does not know for a new one: it applies it a second time, and misses the old one. "
        "Where only the version counts, and that stays, the name does no harm."
    ),
    remedy="Give the file its old name back.",
    peers={"Flyway": "Migration description mismatch", "sql-migrate": "unknown migration in database"},
)
def history_renamed(evidence: Evidence) -> Iterator[Finding]:
    """Judge a file that had another name."""
    origin = evidence.origin
    if origin is None or origin.change is not Change.RENAMED:
        return
    memory = memory_of(origin.layout)
    is_known_anew = origin.has_new_version or memory.by_name
    if not memory.is_known and not origin.has_new_version:
        consequence = "a runner that knows files by their names applies it a second time"
    elif is_known_anew:
        consequence = f"{memory.runner} takes it for a new file, and applies it a second time"
    else:
        consequence = f"{memory.runner} knows it by its version, which is the same"
    if origin.is_edited:
        consequence += "; it was edited, too"
    yield history_renamed.finding(
        evidence,
        severity=Severity.ERROR if is_known_anew or origin.is_edited else Severity.WARNING,
        message=f"renamed since {origin.since}, where it is {origin.was}: {consequence}",
        evidence=origin.differences,
        remedy=f"{history_renamed.remedy}\ngit mv {evidence.path} {origin.was}",
    )


@rule(
    id="history-out-of-order",
    family=FAMILY,
    is_lasting=False,
    severity=Severity.ERROR,
    title="A new migration comes before one that others may have applied.",
    why=(
        "Databases that have the later one are past this one. Some runners skip it without a word, and what it makes is "
        "missing in production only; some end; some run it late, in an order that no test has tried. It happens when a "
        "branch is merged after another one that was begun later."
    ),
    remedy="Give the file a version after the last one, before it is applied anywhere.",
    peers={"goose": "missing (out-of-order) migrations", "Flyway": "outOfOrder"},
)
def history_out_of_order(evidence: Evidence) -> Iterator[Finding]:
    """Judge the place of a new file among those that are known."""
    origin = evidence.origin
    if origin is None or not origin.later:
        return
    memory = memory_of(origin.layout)
    place = (
        f"new, and ordered before {enumerated(origin.later, most=_MOST)} of {origin.tip or origin.base}"
        if origin.change is Change.NEW
        else f"ordered before {enumerated(origin.later, most=_MOST)} now, which it was behind at {origin.base}"
    )
    yield history_out_of_order.finding(
        evidence,
        message=f"{place}: {memory.runner} {memory.late}",
        evidence=tuple(origin.later[:_MOST]),
        remedy=history_out_of_order.remedy,
    )


@rule(
    id="history-two-heads",
    family=FAMILY,
    is_lasting=False,
    severity=Severity.ERROR,
    title="A new migration has the version of one that the branch it goes into has got meanwhile.",
    why=(
        "Each branch took the next free version, and git merges two files of different names without a conflict. Then most "
        "runners end; others apply one of the two and believe that they have applied both."
    ),
    remedy="Bring the branch up to date, and give the new file the next free version.",
    peers={"Alembic": "Multiple head revisions", "Django": "Conflicting migrations"},
)
def history_two_heads(evidence: Evidence) -> Iterator[Finding]:
    """Judge the version of a new file among those of the branch that it goes into."""
    origin = evidence.origin
    if origin is None or not origin.rivals:
        return
    yield history_two_heads.finding(
        evidence,
        message=f"{enumerated(origin.rivals, most=_MOST)}, new on {origin.tip}, has the same version or place: one of the two is lost, or the runner ends",
        evidence=tuple(origin.rivals[:_MOST]),
        remedy=history_two_heads.remedy,
    )


#: Files that are gone have no evidence: see ``deleted``.
HISTORY_DELETED = Rule(
    id="history-deleted",
    family=FAMILY,
    severity=Severity.ERROR,
    title="A migration that others may have applied was deleted.",
    why=(
        "What it made is in every database that has it, and in no new one: they differ from here on. Some runners end "
        "because a file that they have applied is missing."
    ),
    remedy="Restore the file, and undo what it did in a new migration.",
    peers={"Flyway": "Detected applied migration not resolved locally", "sqlx": "VersionMissing"},
    # There is no file in which a comment could allow it.
    is_waivable=False,
    check=lambda _: iter(()),
)


def deleted(gone: Sequence[Gone], severity: Severity) -> tuple[Finding, ...]:
    """Return the findings on files that are gone."""
    return tuple(
        Finding(
            rule=HISTORY_DELETED.id,
            family=FAMILY,
            severity=severity,
            path=one.path,
            message=f"{one.path} was deleted since {one.since}: {_missed(one)}",
            remedy=f"{HISTORY_DELETED.remedy}\n{_restore(one, one.path)}",
        )
        for one in gone
    )


def _missed(one: Gone) -> str:
    memory = memory_of(one.layout)
    return f"databases that have it keep what it made, new ones lack it ({memory.runner} {memory.missing})"


IMMUTABILITY_RULES: tuple[Rule, ...] = (
    history_edited,
    history_comment_edited,
    history_renamed,
    HISTORY_DELETED,
    history_out_of_order,
    history_two_heads,
)
