"""Sqitch: changes in the order of ``sqitch.plan``, each with scripts in ``deploy/``, ``revert/`` and ``verify/``.

Facts: Sqitch's documentation (*sqitchchanges*, *sqitch-plan*, *sqitch-config*, "Reworked changes" in *sqitchtutorial*)
and its ``App::Sqitch::Plan`` and ``App::Sqitch::Engine::pg``. It runs every script with psql, which gives each
statement a transaction of its own; so a script says BEGIN and COMMIT itself, as Sqitch's templates do.

A change that is planned again is *reworked*: the script of the earlier one is called after the tag before which it was
made, ``users@v1.0.sql``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

from pytest_migsafe.errors import SettingsError
from pytest_migsafe.migrations.layouts.base import FoundFile, Layout, Listing, as_psql_sends
from pytest_migsafe.migrations.layouts.project_files import text_of
from pytest_migsafe.migrations.model import Direction, Manner, Remark, Runner, Script, TransactionMode
from pytest_migsafe.migrations.psql import read_as_psql
from pytest_migsafe.migrations.source import SourceText

_PLAN = "sqitch.plan"
_CONFIGURATION = "sqitch.conf"
#: How many changes of other projects are listed.
_MOST = 5
#: What Sqitch calls the engine, and what people write in its place.
_POSTGRES = frozenset({"", "pg", "cockroach", "yugabyte"})

# -- the configuration ---------------------------------------------------------------------------------------

#: Git's format, in which Sqitch's is written: ``[section "subsection"]`` and ``key = value``.
_SECTION = re.compile(r'\s*\[\s*(?P<section>[\w.-]+)(?:\s+"(?P<subsection>[^"]*)")?\s*\]\s*')
_VALUE = re.compile(r"\s*(?P<key>[\w-]+)\s*=\s*(?P<value>.*?)\s*")
_COMMENT = re.compile(r'\s*[#;](?=(?:[^"]*"[^"]*")*[^"]*$).*')


@dataclass(frozen=True)
class _Project:
    """A folder with a plan, and what ``sqitch.conf`` says of it."""

    listing: Listing

    @cached_property
    def _configured(self) -> tuple[Path, Mapping[str, str]]:
        """The folder that paths in the configuration start from, and its values by ``section.key``."""
        top = self.listing.folder
        # The plan lies in the top folder, which the configuration may name from above: `top_dir = db/schema`.
        for folder in (top, *top.parents[:3]):
            values = _read_configuration(folder / _CONFIGURATION)
            is_this = folder == top or _same_folder(folder / values.get("core.top_dir", "."), top)
            if values and is_this:
                return folder, values
        return top, {}

    def value(self, key: str) -> str:
        return self._configured[1].get(key, "")

    def folder(self, kind: str) -> Path:
        """Return the folder of the scripts that deploy, revert or verify."""
        named = self.value(f"core.{kind}_dir")
        return self._configured[0] / named if named else self.listing.folder / kind

    @cached_property
    def variables(self) -> dict[str, str]:
        """What Sqitch gives psql as variables with every script."""
        prefix = "core.variables."
        values = self._configured[1]
        return {
            key.removeprefix(prefix): value for key, value in values.items() if key.startswith(prefix)
        } | {
            key.removeprefix("deploy.variables."): value
            for key, value in values.items()
            if key.startswith("deploy.variables.")
        }

    def script(self, kind: str, name: str) -> Path:
        extension = self.value("core.extension") or "sql"
        return self.folder(kind) / f"{name}.{extension}"


def _same_folder(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def _read_configuration(path: Path) -> dict[str, str]:
    values: dict[str, str] = {}
    section = ""
    for line in text_of(path).splitlines():
        plain = _COMMENT.sub("", line)
        if found := _SECTION.fullmatch(plain):
            section = ".".join(part for part in (found["section"].lower(), found["subsection"]) if part)
        elif found := _VALUE.fullmatch(plain):
            values[f"{section}.{found['key']}"] = found["value"].strip('"')
    return values


# -- the plan ------------------------------------------------------------------------------------------------

#: A change: its name, what it requires or conflicts with, when and by whom it was planned, a note. Of the name, all
#: that matters here is where it ends; Sqitch checks the rest.
_CHANGE = re.compile(r"\s*[+]?\s*(?P<name>[^\s\[@%#+-][^\s\[@#]*)(?:\s+(?:\[(?P<depends>[^\]]*)\])?.*|\[.*)?")
_PROJECT = re.compile(r"\s*%\s*project\s*=\s*(?P<name>\S+)\s*")
_ID = re.compile(r"[0-9a-f]{40}")
_TAG = re.compile(r"\s*@(?P<name>[^\s#]+).*")


@dataclass
class _Change:
    """A change as it is planned."""

    name: str
    line: int
    requires: tuple[str, ...]
    #: The tag by which the script of a reworked change is called.
    reworked_at: str = ""

    @property
    def script(self) -> str:
        return f"{self.name}@{self.reworked_at}" if self.reworked_at else self.name


@dataclass
class _Plan:
    """The changes in order."""

    path: Path
    changes: list[_Change] = field(default_factory=list)
    #: The tags so far, and how many changes there were before each.
    tags: dict[str, int] = field(default_factory=dict)
    #: What ``%project`` says.
    project: str = ""

    @property
    def required_of_others(self) -> tuple[str, ...]:
        """The changes of other projects that must have been deployed to the same database."""
        named = (required for change in self.changes for required in change.requires)
        return tuple(
            dict.fromkeys(
                one
                for one in named
                if ":" in one and not one.startswith("!") and one.split(":")[0] != self.project
            )
        )

    def add(self, line: str, number: int) -> None:
        if pragma := _PROJECT.fullmatch(line):
            self.project = pragma["name"]
        if not line.strip() or line.lstrip().startswith(("#", "%")):
            return
        if tag := _TAG.fullmatch(line):
            self.tags[tag["name"]] = len(self.changes)
        elif change := _CHANGE.fullmatch(line):
            self._plan(_Change(change["name"], number, tuple((change["depends"] or "").split())))
        elif line.lstrip().startswith("-"):
            raise self.error(
                number, f"{line.split(maxsplit=1)[0]} takes a change back, which a rehearsal cannot follow"
            )
        else:
            raise self.error(number, f"{line.strip()!r} is neither a change nor a tag")

    def _plan(self, change: _Change) -> None:
        for at, earlier in enumerate(self.changes):
            if earlier.name == change.name and not earlier.reworked_at:
                # The first tag after it: Sqitch asks for one between the two.
                tag = next((name for name, before in self.tags.items() if before > at), None)
                if tag is None:
                    raise self.error(
                        change.line,
                        f"{change.name} is planned in line {earlier.line} already; a change can be reworked only "
                        "after a tag",
                    )
                earlier.reworked_at = tag
        self._check_requirements(change)
        self.changes.append(change)

    def _check_requirements(self, change: _Change) -> None:
        planned = {earlier.name for earlier in self.changes}
        for required in change.requires:
            name, _, place = required.partition("@")
            # `@HEAD^` and `@v1~2` are places counted from one.
            tag = re.split("[~^]", place)[0]
            # `!x` is a conflict, `project:x` stands in another plan, an ID cannot be told from the plan.
            if required.startswith("!") or ":" in required or _ID.fullmatch(required):
                continue
            if (name and name not in planned) or (
                tag and tag not in self.tags and tag not in ("HEAD", "ROOT")
            ):
                raise self.error(
                    change.line, f"{change.name} requires {required}, which is not planned before it"
                )

    def error(self, line: int, problem: str) -> SettingsError:
        return SettingsError(f"{self.path}, line {line}: {problem}")


def _read_plan(path: Path) -> _Plan:
    plan = _Plan(path)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: the plan cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        plan.add(line, number)
    return plan


# -- the layout ----------------------------------------------------------------------------------------------


def _has_plan(listing: Listing) -> bool:
    return _PLAN in listing.file_set


def read(listing: Listing) -> tuple[FoundFile, ...]:
    """Return the deploy scripts in the order of the plan.

    Raises:
        SettingsError: the plan is not sound, or a change in it has no deploy script.
    """
    project = _Project(listing)
    if not _has_plan(listing) or project.value("core.engine") not in _POSTGRES:
        return ()
    plan = _read_plan(listing.folder / _PLAN)
    return tuple(_found(project, plan, change, at) for at, change in enumerate(plan.changes))


def _found(project: _Project, plan: _Plan, change: _Change, at: int) -> FoundFile:
    deploy, revert = project.script("deploy", change.script), project.script("revert", change.script)
    if not deploy.is_file():
        raise plan.error(
            change.line,
            f"the change {change.script} has no deploy script; write {_shown(project, deploy)} or take the change out",
        )
    return FoundFile(
        order=(at,),
        version=change.script,
        path=deploy,
        down=revert if revert.is_file() else None,
        reader=partial(read_script, variables=project.variables) if project.variables else None,
    )


def _shown(project: _Project, path: Path) -> str:
    try:
        return path.relative_to(project.listing.folder).as_posix()
    except ValueError:
        return path.as_posix()


def read_script(
    source: SourceText,
    runner: Runner,
    direction: Direction,  # noqa: ARG001 - the signature is Reader's
    *,
    variables: Mapping[str, str] | None = None,
) -> Script:
    """Read a script as the psql that Sqitch runs it with."""
    known = {**runner.connected, **(variables or {}), **runner.placeholders}
    return as_psql_sends(read_as_psql(source, known), runner.usual)


def remarks(listing: Listing, found: tuple[FoundFile, ...]) -> tuple[Remark, ...]:
    """Return the deploy scripts that no change of the plan names, and what the plan asks of other projects."""
    project = _Project(listing)
    deploy = project.folder("deploy")
    planned = {file.path for file in found}
    extension = project.value("core.extension") or "sql"
    unplanned = tuple(
        Remark(_shown(project, path), "deploy scripts that sqitch.plan does not name, so not deployed")
        for path in sorted(deploy.rglob(f"*.{extension}"))
        if path not in planned
    )
    required = _read_plan(listing.folder / _PLAN).required_of_others
    if not required:
        return unplanned
    listed = ", ".join(required[:_MOST]) + (f" and {len(required) - _MOST} more" if required[_MOST:] else "")
    return (
        *unplanned,
        Remark("", f"other Sqitch projects must have been deployed, so name a prelude: {listed}"),
    )


LAYOUT = Layout(
    name="sqitch",
    files="`deploy/<change>.sql`, for each change in `sqitch.plan` (folders as in `sqitch.conf`)",
    order="the plan",
    transactions="none: by psql, statement by statement; a script has its own `BEGIN` and `COMMIT`",
    down="`revert/<change>.sql`",
    detected_by="`sqitch.plan`",
    manner=Manner(
        TransactionMode.AUTOCOMMIT, "Sqitch runs the script with psql, which opens no transaction of its own"
    ),
    read=read,
    reader=read_script,
    is_detected_in=_has_plan,
    is_marked=_has_plan,
    is_nested=True,
    session_per_file=True,
    remarks=remarks,
)
