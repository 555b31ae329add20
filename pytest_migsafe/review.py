"""The review of one migration: what happened, and what the rules make of it.

This joins settings, chain and rules; pytest's items, the fixtures and the command line are faces of it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from functools import cached_property, partial
from typing import Any, Self

from pytest_migsafe import catalog
from pytest_migsafe.errors import ServerError
from pytest_migsafe.findings import Finding
from pytest_migsafe.migrations.model import History, Migration
from pytest_migsafe.migrations.origin import Origin
from pytest_migsafe.places import Place
from pytest_migsafe.rehearsal.chain import Blocked, Chain
from pytest_migsafe.rehearsal.end import End
from pytest_migsafe.rehearsal.evidence import Evidence
from pytest_migsafe.rehearsal.facts import Scope
from pytest_migsafe.rehearsal.moves import find_moves
from pytest_migsafe.rehearsal.rehearsal_database import Conditions, FileConditions
from pytest_migsafe.rehearsal.seeds import Seed
from pytest_migsafe.rules import Rule, judge
from pytest_migsafe.rules.downtime import DowntimeVerdict, downtime
from pytest_migsafe.rules.presets import severities
from pytest_migsafe.rules.sizes import Sizes, sized
from pytest_migsafe.rules.smoke.matrix import Row, matrix
from pytest_migsafe.rules.smoke.summary import Section, sections
from pytest_migsafe.rules.waivers import with_waivers
from pytest_migsafe.settings import Settings, in_seconds


class Outcome(StrEnum):
    """How a migration's item ends."""

    PASSED = "passed"
    FAILED = "failed"
    #: A migration before it cannot be applied, so nothing can be said of this one.
    BLOCKED = "blocked"
    #: It was not asked for.
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What is known and thought of one migration."""

    migration: Migration
    #: The version of the server, and what tells the place apart when there are several ("15"; else empty).
    postgres: str = ""
    place: str = ""
    outcome: Outcome
    #: None when the migration was not rehearsed.
    evidence: Evidence | None = None
    findings: tuple[Finding, ...] = ()
    #: What the smoke tests come to; empty when nothing was there to look at.
    sections: tuple[Section, ...] = ()
    #: What roles can do with the rows of the tables with row-level security that the file concerns.
    row_security: tuple[Row, ...] = ()
    changes: tuple[catalog.Change, ...] = ()
    #: How long others wait for it; None when it was not applied.
    downtime: DowntimeVerdict | None = None
    #: What was written to the folder of artifacts, JSON-plain; None where nothing was.
    artifacts: Mapping[str, Any] | None = None
    #: The migration that stands in the way, and its error's first line.
    blocked_by: str = ""
    blocked_because: str = ""

    @property
    def applied(self) -> bool | None:
        """Whether the file was applied; None when that was not tried."""
        return self.evidence.applied if self.evidence is not None else None

    def to_json(self) -> dict[str, Any]:
        """Return the review as JSON values: an entry of ``migrations`` in the JSON report."""
        evidence = self.evidence
        usual = self.migration.runner.usual
        plain: dict[str, Any] = {
            "id": self.migration.id,
            "path": self.migration.relative_path,
            "postgres": self.postgres,
            "place": self.place,
            "down": self.migration.down.name if self.migration.down is not None else None,
            "transaction_mode": usual.mode.value,
            "transaction_mode_reason": usual.reason,
            "applied": self.applied,
            "outcome": self.outcome.value,
            "blocked_by": self.blocked_by or None,
            "blocked_because": self.blocked_because or None,
            "downtime": self.downtime.to_json() if self.downtime is not None else None,
            "artifacts": self.artifacts,
            "origin": evidence.origin.to_json()
            if evidence is not None and evidence.origin is not None
            else None,
            "findings": [finding.to_json() for finding in self.findings],
            "smoke_tests": [section.to_json() for section in self.sections],
            "row_security": [row.to_json() for row in self.row_security],
            "statements": [],
            "diff": [change.to_json() for change in self.changes],
        }
        if evidence is not None:
            plain |= {
                "transaction_mode": evidence.mode.value,
                "transaction_mode_reason": evidence.mode_reason,
                "lane": evidence.lane.value,
                "lane_reason": evidence.lane_reason or None,
                "duration_ms": round(evidence.duration_ms, 3),
                "statements": [statement.to_json() for statement in evidence.statements],
                "timeline": evidence.timeline.to_json(),
                "stubbed": list(evidence.stubbed),
                "missing_roles": list(evidence.state_after.missing_roles),
                "cluster_changes": [asdict(change) for change in evidence.cluster_changes],
                "left_out": [one.to_json() for one in evidence.left_out],
                "leaks": [
                    {"kind": leak.kind, "name": leak.name, "value": leak.value} for leak in evidence.leaks
                ],
            }
        return plain


@dataclass(frozen=True, slots=True, kw_only=True)
class EndVerdict:
    """What a check makes of the end of a history."""

    #: What is wrong, for a person; the first line is complete in itself. Empty: nothing is.
    problem: str = ""
    #: What was done, in a line.
    note: str = ""
    #: What is otherwise than it should be.
    changes: tuple[catalog.Change, ...] = ()
    #: What the smoke tests find in the whole, and what they come to.
    findings: tuple[Finding, ...] = ()
    sections: tuple[Section, ...] = ()
    #: What roles can do with the rows of the tables with row-level security.
    row_security: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """What stands in the way of a check: a file that cannot be applied, and its error's first line."""

    path: str
    because: str


#: Judges an end; the second are the files that were reviewed in this process.
JudgeEnd = Callable[[End, Sequence[Review]], EndVerdict]


def _pass(_end: End, _known: Sequence[Review]) -> EndVerdict:
    return EndVerdict()


#: Judges what it does itself in a place, in databases of its own.
Experiment = Callable[[Place, Conditions], EndVerdict | Obstacle]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndCheck:
    """Something that is looked at when all files of a history have been applied; it is an item of its own.

    It judges the end, or what it does itself.
    """

    #: The item's name.
    name: str
    #: What tells it from others of the name, which then stands behind it in brackets.
    about: str = ""
    #: What is looked at, in a few words: a failure's heading.
    title: str
    judge: JudgeEnd = field(default=_pass, compare=False)
    experiment: Experiment | None = field(default=None, compare=False)
    #: Whether all files have to be looked at before, rather than only applied.
    looks_at_all: bool = False
    #: Whether what the files allow is allowed at the end.
    heeds_waivers: bool = False
    #: The file that the end is compared with, relative to the project.
    file: str = ""
    #: The only place where this is done, and why nowhere else; None: in all.
    only_in: str | None = None
    only_because: str = ""

    def item(self, place: str) -> str:
        """Return the item's name in a place."""
        parameters = "-".join(one for one in (self.about, place) if one)
        return f"{self.name}[{parameters}]" if parameters else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class EndReview:
    """What is known and thought of the end of a history, by one check."""

    #: The last migration.
    migration: Migration
    check: EndCheck
    postgres: str = ""
    place: str = ""
    outcome: Outcome
    verdict: EndVerdict = EndVerdict()
    #: The migration that stands in the way, and its error's first line.
    blocked_by: str = ""
    blocked_because: str = ""

    @property
    def item(self) -> str:
        """The item's node id."""
        return f"{self.migration.relative_path}::{self.check.item(self.place)}"

    def to_json(self) -> dict[str, Any]:
        """Return the review as JSON values: an entry of ``ends`` of a history in the JSON report."""
        return {
            "item": self.item,
            "check": self.check.name,
            "about": self.check.about or None,
            "postgres": self.postgres,
            "place": self.place,
            "outcome": self.outcome.value,
            "message": (self.verdict.problem or self.verdict.note).partition("\n")[0] or None,
            "blocked_by": self.blocked_by or None,
            "blocked_because": self.blocked_because or None,
            "file": self.check.file or None,
            "diff": [change.to_json() for change in self.verdict.changes],
            "findings": [finding.to_json() for finding in self.verdict.findings],
            "smoke_tests": [section.to_json() for section in self.verdict.sections],
            "row_security": [row.to_json() for row in self.verdict.row_security],
        }


@dataclass(frozen=True, slots=True)
class SaidOfFiles:
    """What a team says of single files of a history."""

    #: Returns the history's settings with what is otherwise for a file.
    settings: Callable[[Migration], Settings]
    #: Returns what is run before a file.
    seeds: Callable[[Migration], tuple[Seed, ...]]


@dataclass(kw_only=True)
class Reviewer:
    """Reviews the migrations of one history in one place, where it opens a database when it first needs one."""

    history: History
    settings: Settings
    place: Place
    #: Those of the run: built in and the team's own.
    rules: Sequence[Rule]
    #: What is otherwise for single files; None: nothing is.
    of_files: SaidOfFiles | None = None
    #: Where the files come from, by their positions; what is not known is left out.
    origins: Mapping[int, Origin] = field(default_factory=dict)
    #: The positions that will be asked for. On the way to a later one they are reviewed in passing, so that
    #: asking in any order costs no more than asking in theirs.
    wanted: Collection[int] = ()
    _chain: Chain | None = None
    #: What has been asked already; an error of a rule is kept too, for its file's item to raise.
    _reviews: dict[int, Review | Exception] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        if self._chain is not None:
            self._chain.close()

    def review(self, position: int) -> Review:
        """Return the review of the migration at a position.

        Raises:
            ServerError: there is no server to rehearse on.
        """
        if position not in self._reviews:
            self._review_wanted(before=position)
            self._reviews[position] = self._review(position)
        review = self._reviews[position]
        if isinstance(review, Exception):
            raise review
        return review

    def review_end(self, check: EndCheck) -> EndReview:
        """Return what a check makes of the end of the history.

        Raises:
            ServerError: there is no server to rehearse on.
            MigsafeError: the check cannot be made.
        """
        review = EndReview(
            migration=self.history.migrations[-1],
            check=check,
            postgres=self.place.version,
            place=self.place.label,
            outcome=Outcome.PASSED,
        )
        if check.only_in not in (None, self.place.label):
            return replace(review, outcome=Outcome.SKIPPED, verdict=EndVerdict(note=check.only_because))
        if check.experiment is not None:
            verdict = check.experiment(self.place, self._conditions())
        else:
            verdict = self._end_verdict(check)
        if isinstance(verdict, Obstacle):
            return replace(
                review,
                outcome=Outcome.BLOCKED,
                blocked_by=verdict.path,
                blocked_because=verdict.because,
            )
        return replace(review, outcome=Outcome.FAILED if verdict.problem else Outcome.PASSED, verdict=verdict)

    def _end_verdict(self, check: EndCheck) -> EndVerdict | Obstacle:
        end = self._end(check)
        if isinstance(end, Blocked):
            return Obstacle(path=end.by.relative_path, because=end.error.message)
        return check.judge(end, [one for one in self._reviews.values() if isinstance(one, Review)])

    def _end(self, check: EndCheck) -> End | Blocked:
        self._review_wanted(before=len(self.history.migrations))
        chain = self._opened_chain()
        end = chain.end()
        if isinstance(end, Blocked) or end.carried_since == 0:
            return end
        if check.heeds_waivers and end.has_unseen_waivers:
            # What a waiver covers is known only of a file that is reviewed.
            chain.close()
            self._reviews |= {
                position: self._review(position) for position in range(len(self.history.migrations))
            }
        elif check.looks_at_all:
            chain.close()
            for position in range(len(self.history.migrations)):
                chain.rehearse(position)
        return chain.end()

    def _review_wanted(self, *, before: int) -> None:
        for at in sorted({at for at in self.wanted if at < before} - self._reviews.keys()):
            self._reviews[at] = self._review(at)

    def _review(self, position: int) -> Review | Exception:
        chain = self._opened_chain()
        try:
            return self._judged(position, chain.rehearse(position))
        except ServerError:
            raise
        except Exception as error:  # noqa: BLE001 - our defect, or a rule's: its file's item shows it, wherever it came up
            # How far the database has come is uncertain now: the next file gets a true one.
            chain.close()
            return error

    def _judged(self, position: int, result: Evidence | Blocked) -> Review:
        migration = self.history.migrations[position]
        if isinstance(result, Blocked):
            return Review(
                migration=migration,
                postgres=self.place.version,
                place=self.place.label,
                outcome=Outcome.BLOCKED,
                blocked_by=result.by.relative_path,
                blocked_because=result.error.message,
            )
        result = replace(result, origin=self.origins.get(position))
        findings = self._found(position, result)
        failed = result.error is not None or any(finding.fails for finding in findings)
        return Review(
            migration=migration,
            postgres=self.place.version,
            place=self.place.label,
            outcome=Outcome.FAILED if failed else Outcome.PASSED,
            evidence=result,
            findings=findings,
            sections=sections(result.state_after, findings, self.rules) if result.applied else (),
            row_security=matrix(result.state_after) if result.applied else (),
            changes=result.changes,
            downtime=downtime(result, self._sizes(position), position) if result.applied else None,
        )

    def _found(self, position: int, evidence: Evidence) -> tuple[Finding, ...]:
        """Return what the rules find in a file: graded by the project's tables, and with what the file itself allows."""
        settings = self._settings(position)
        given = severities(self.rules, settings.preset, settings.rules)
        findings = judge(evidence, self.rules, given)
        if (sizes := self._sizes(position)) is not None:
            findings = sized(findings, sizes, (evidence.before, evidence.after), position)
        return with_waivers(
            evidence,
            findings,
            rules=self.rules,
            severities=given,
            is_one_of_several=bool(self.place.label),
        )

    def _settings(self, position: int) -> Settings:
        if self.of_files is None:
            return self.settings
        return self.of_files.settings(self.history.migrations[position])

    def _sizes(self, position: int) -> Sizes | None:
        """Return what is said of production's tables where a file is judged."""
        settings = self._settings(position)
        return self._sizes_of_history if settings is self.settings else known_sizes(settings, self.history)

    @cached_property
    def _sizes_of_history(self) -> Sizes | None:
        return known_sizes(self.settings, self.history)

    def _opened_chain(self) -> Chain:
        if self._chain is None:
            self._chain = Chain(self.history, self.place.open, self._conditions())
        return self._chain

    def _conditions(self) -> Conditions:
        return conditions(self.settings, self.place.preludes, self.of_files)


def known_sizes(settings: Settings, history: History) -> Sizes | None:
    """Return what the project says of its tables; None when it says nothing, and all are taken to be big."""
    known = {**settings.table_statistics, **settings.tables}
    if not known:
        return None
    return Sizes(known=known, small=settings.small_table, moves=find_moves(history))


def conditions(
    settings: Settings, preludes: Collection[str] = (), of_files: SaidOfFiles | None = None
) -> Conditions:
    """Return the conditions under which files are rehearsed, as the project's runner would have them."""

    def of_file(said: SaidOfFiles, migration: Migration) -> FileConditions:
        return FileConditions(options=_options(said.settings(migration)), seeds=said.seeds(migration))

    return Conditions(
        options=_options(settings),
        file_timeout=in_seconds(settings.file_timeout),
        cluster_wide=settings.cluster_wide,
        scope=scope(settings, preludes),
        of_file=partial(of_file, of_files) if of_files is not None else None,
    )


def _options(settings: Settings) -> Mapping[str, str]:
    """Return what is set in the session of a file."""
    # A runner that sets none leaves it to what is set for the role or the database, by the history itself perhaps.
    lock_timeout = "" if settings.lock_timeout == "0" else settings.lock_timeout
    options = {"lock_timeout": lock_timeout, "statement_timeout": settings.statement_timeout}
    if settings.role is not None and (settings.dsn is not None or settings.server_fixture is not None):
        # There we cannot log in as anybody else; a member of the role may become it.
        options["role"] = settings.role
    return options


def scope(settings: Settings, preludes: Collection[str]) -> Scope:
    """Return what the smoke tests judge; who is exposed to strangers is known of the platforms that a prelude stands for."""
    platform = _EXPOSED_BY["supabase"] if "supabase" in preludes else Scope()
    return Scope(
        schemas=settings.schemas,
        exposed_schemas=platform.exposed_schemas
        if settings.exposed_schemas is None
        else settings.exposed_schemas,
        exposed_roles=platform.exposed_roles if settings.exposed_roles is None else settings.exposed_roles,
        owner=settings.owner,
    )


#: What a platform serves to strangers, by the name of its prelude (Supabase's documentation: "Securing your API").
_EXPOSED_BY = {
    "supabase": Scope(exposed_schemas=("public", "graphql_public"), exposed_roles=("anon", "authenticated"))
}
