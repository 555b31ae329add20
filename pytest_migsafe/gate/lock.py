"""The lock file: checksums of the files that others may have applied, for projects that want to know without git.

It is what ``sha256sum --check`` reads; a comment above each line has a digest of the file's statements alone (of each changeset's, where it has
some), by which a comment that was edited is told from a statement. Files that are run again whenever they change are not in it.
"""

import hashlib
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pytest_migsafe.errors import MigrationReadError, SettingsError
from pytest_migsafe.gate.past import Past
from pytest_migsafe.migrations.model import History, Migration
from pytest_migsafe.migrations.origin import Change, Gone, Origin
from pytest_migsafe.migrations.sameness import DIGITS, digests, is_extended
from pytest_migsafe.migrations.waivers import read_waivers
from pytest_migsafe.texts.wording import counted

#: What it is called where nothing else is said.
DEFAULT = "migsafe.lock"
#: How it is written.
UPDATE = "--migsafe-lock --migsafe-update"

_HEADER = """\
# Checksums of migrations that others may have applied; such files stay as they are (pytest-migsafe, history-edited).
# `sha256sum --check {name}` compares them, too. Written by `pytest --migsafe {update}`; commit it with the migrations.
"""
_STATEMENTS = re.compile(rf"# statements(?P<digests>(?: [0-9a-f]{{{DIGITS}}})+)")
#: As sha256sum writes it: a backslash first where the name has one or a line break, and two blanks, or one and a star.
_ENTRY = re.compile(r"(?P<escaped>\\)?(?P<checksum>[0-9a-f]{64}) [ *](?P<name>.+)")
_CONFLICT = re.compile(r"(?:<<<<<<<|=======|>>>>>>>|\|\|\|\|\|\|\|)")
#: How many files are named one by one.
_MOST = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """A file as it is recorded."""

    #: Relative to the lock file's folder, with forward slashes.
    name: str
    #: SHA-256 of its bytes, and digests of its statements alone.
    checksum: str
    statements: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        """Yield the entry's lines."""
        if self.statements:
            yield f"# statements {' '.join(self.statements)}"
        written = self.name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
        yield f"{'' if written == self.name else chr(92)}{self.checksum}  {written}"


@dataclass(frozen=True)
class Lock:
    """A lock file."""

    path: Path
    #: By their names, in the order of the file.
    entries: Mapping[str, Entry] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What people call it."""
        return self.path.name

    def name_of(self, path: Path) -> str:
        """Return the name that a file has in the lock file."""
        return os.path.relpath(path, self.path.parent).replace(os.sep, "/")

    def without(self, paths: Iterable[Path]) -> "Lock":
        """Return the lock file without some files."""
        names = {self.name_of(path) for path in paths}
        return Lock(self.path, {name: one for name, one in self.entries.items() if name not in names})

    def text(self) -> str:
        """Return what stands in the file."""
        lines = (line for entry in self.entries.values() for line in entry.lines())
        return _HEADER.format(name=self.name, update=UPDATE) + "".join(f"{line}\n" for line in lines)


def read_lock(path: Path) -> Lock | None:
    """Return a lock file; None: there is none.

    Raises:
        SettingsError: it cannot be read, or is none.
    """
    try:
        text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror or error}") from error
    entries: dict[str, Entry] = {}
    statements: tuple[str, ...] = ()
    # No other character ends a line of it: a name may have any of them.
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if found := _STATEMENTS.fullmatch(line.rstrip()):
            statements = tuple(found["digests"].split())
            continue
        if entry := _read_entry(path, number, line, statements):
            if entries.setdefault(entry.name, entry) != entry:
                raise SettingsError(
                    f"{path.name}, line {number}: {entry.name} is there twice, with other checksums; leave one out"
                )
            statements = ()
    return Lock(path, entries)


def _read_entry(path: Path, number: int, line: str, statements: tuple[str, ...]) -> Entry | None:
    if not line.strip() or line.startswith("#"):
        return None
    found = _ENTRY.fullmatch(line)
    if found is None:
        way_out = (
            "a merge was not finished: keep the files of both sides"
            if _CONFLICT.match(line)
            else f"write it anew: delete it, then pytest --migsafe {UPDATE}"
        )
        raise SettingsError(f"{path.name}, line {number} is no checksum of a file; {way_out}")
    name = found["name"]
    if found["escaped"]:
        name = re.sub(r"\\(.)", lambda one: {"n": "\n", "r": "\r"}.get(one[1], one[1]), name)
    return Entry(name, found["checksum"], statements)


# -- comparing -----------------------------------------------------------------------------------------------


def past_by_lock(history: History, lock: Lock) -> Past:
    """Return what has become of a history since its files were recorded."""
    return _Comparison(history, lock).past()


def _entry(lock: Lock, migration: Migration) -> Entry | None:
    """Return what would be recorded of a file; None: it cannot be read."""
    try:
        content = migration.path.read_bytes()
    except OSError:
        return None
    return Entry(
        lock.name_of(migration.path), hashlib.sha256(content).hexdigest(), digests(migration, content)
    )


def _is_recorded(entry: Entry, path: Path) -> bool:
    """Whether a file is as it was recorded, whatever its lines end with."""
    try:
        content = path.read_bytes()
    except OSError:
        return False
    unix = content.replace(b"\r\n", b"\n")
    return entry.checksum in {
        hashlib.sha256(one).hexdigest() for one in (content, unix, unix.replace(b"\n", b"\r\n"))
    }


@dataclass
class _Comparison:
    """A history beside a lock file."""

    history: History
    lock: Lock

    def past(self) -> Past:
        names = [self.lock.name_of(one.path) for one in self.history.migrations]
        origins = {at: self._of(at, name) for at, name in enumerate(names)}
        self._take_reworked(names, origins)
        gone = [name for name in self._own_names() if name not in names]
        for name in [*gone]:
            if (at := self._heir(name, origins)) is not None:
                gone.remove(name)
                origins[at] = self._renamed(at, name)
        for at, origin in origins.items():
            if origin.change is Change.NEW and not self.history.migrations[at].is_repeatable:
                later = [
                    one.relative_path
                    for one, name in zip(self.history.migrations[at + 1 :], names[at + 1 :], strict=True)
                    if name in self.lock.entries and not one.is_repeatable
                ]
                origins[at] = origin.beside(later=tuple(later), tip=self.lock.name)
        return Past(origins, tuple(self._gone(name) for name in gone))

    def _origin(self, change: Change, **more: str | bool | tuple[str, ...]) -> Origin:
        return Origin(base=self.lock.name, layout=self.history.layout, change=change, **more)  # type: ignore[arg-type]

    def _gone(self, name: str) -> Gone:
        return Gone(path=self._shown(name), base=self.lock.name, layout=self.history.layout)

    def _shown(self, name: str) -> str:
        """Return a file's name as the project's files are named."""
        path = os.path.normpath(self.lock.path.parent / name)
        below = os.path.relpath(path, self.history.root).replace(os.sep, "/")
        if below.startswith("../"):
            return name
        return below if self.history.relative_root == "." else f"{self.history.relative_root}/{below}"

    def _own_names(self) -> Iterator[str]:
        """Yield the names of the recorded files that are this history's by their place."""
        root = self.lock.name_of(self.history.root)
        for name in self.lock.entries:
            if root == "." or name.startswith(f"{root}/"):
                yield name

    def _of(self, at: int, name: str) -> Origin:
        migration = self.history.migrations[at]
        recorded = self.lock.entries.get(name)
        if recorded is None:
            return self._origin(Change.NEW)
        if _is_recorded(recorded, migration.path):
            return self._origin(Change.UNCHANGED)
        now = _entry(self.lock, migration)
        if migration.is_repeatable:
            return self._origin(Change.ALLOWED)
        if (
            now is not None
            and self.history.layout == "liquibase"
            and is_extended(recorded.statements, now.statements)
            and recorded.statements != now.statements
        ):
            return self._origin(Change.ALLOWED)
        if now is None or now.statements != recorded.statements:
            was = (f"sha256 {recorded.checksum[:16]}... in {self.lock.name}",)
            return self._origin(
                Change.EDITED, differences=(*was, f"sha256 {now.checksum[:16]}... now") if now else was
            )
        return self._origin(Change.COMMENTS)

    def _take_reworked(self, names: Sequence[str], origins: dict[int, Origin]) -> None:
        """Know the script of a change that Sqitch has planned anew: its first has the name of a tag in it now."""
        for at, name in enumerate(names):
            first, tagged, ending = name.partition("@")
            recorded = self.lock.entries.get(f"{first}.{ending.rpartition('.')[2]}") if tagged else None
            if self.history.layout != "sqitch" or recorded is None or recorded.name not in names:
                continue
            if origins[at].change is Change.NEW and _is_recorded(recorded, self.history.migrations[at].path):
                origins[at] = self._origin(Change.UNCHANGED)
                origins[names.index(recorded.name)] = self._origin(Change.NEW)

    def _heir(self, name: str, origins: Mapping[int, Origin]) -> int | None:
        """Return which of the new files one that is gone has become: by its version, or by what stands in it."""
        recorded = self.lock.entries[name]
        new = [at for at, one in origins.items() if one.change is Change.NEW]
        for at in new:
            now = _entry(self.lock, self.history.migrations[at])
            if now is not None and (
                now.checksum == recorded.checksum
                or (now.statements and now.statements == recorded.statements)
            ):
                return at
        version = _digits(name)
        return next(
            (at for at in new if version and _digits(self.history.migrations[at].path.name) == version), None
        )

    def _renamed(self, at: int, name: str) -> Origin:
        recorded, migration = self.lock.entries[name], self.history.migrations[at]
        now = _entry(self.lock, migration)
        return self._origin(
            Change.RENAMED,
            was=self._shown(name),
            has_new_version=_digits(name) != _digits(migration.path.name),
            is_edited=now is None or now.statements != recorded.statements,
        )


def _digits(name: str) -> str:
    """Return the digits that a file's name begins with, or that its folder's does."""
    parts = name.split("/")
    found = re.match(r"[vV]?(\d[\d._-]*)", parts[-1]) or (
        re.match(r"(\d[\d._-]*)", parts[-2]) if len(parts) > 1 else None
    )
    return found[1].strip("._-") if found else ""


# -- writing -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Update:
    """What came of writing a lock file."""

    #: What was done, in a line.
    done: str
    #: The entries that were kept, for files that have changed, each with the way out.
    refused: tuple[str, ...] = ()


def update(
    lock: Lock,
    histories: Sequence[tuple[History, Mapping[int, Origin], Collection[Gone]]],
    is_allowed: Callable[[Migration, str], bool],
) -> Update:
    """Record the files of histories that are not recorded yet, and those whose change is allowed.

    Args:
        lock: as it is; without entries where there is no file yet.
        histories: each with where its files come from, and what it has no longer.
        is_allowed: whether a file may have changed in a way, given by the rule's id.

    Raises:
        OSError: it cannot be written.
    """
    kept = dict(lock.entries)
    added, anew, refused = [], [], []
    for history, origins, gone in histories:
        for at, migration in enumerate(history.migrations):
            entry = _entry(lock, migration) if not migration.is_repeatable else None
            if entry is None:
                continue
            origin = origins.get(at)
            rule = _rule_against(origin, lock)
            if rule and not is_allowed(migration, rule):
                refused.append(f"{migration.relative_path} ({rule})")
                continue
            if origin is not None and origin.was and rule:
                kept.pop(_name_of_shown(lock, history, origin.was), None)
            if entry.name not in kept:
                added.append(entry.name)
            elif not _is_recorded(kept[entry.name], migration.path):
                anew.append(entry.name)
            else:
                continue
            kept[entry.name] = entry
        refused += [f"{one.path} (history-deleted)" for one in gone if one.base == lock.name]
    ordered = _in_order(kept, lock, [history for history, _, _ in histories])
    written = _write(Lock(lock.path, ordered))
    return Update(_done(lock, added, anew, is_written=written), tuple(refused))


def _rule_against(origin: Origin | None, lock: Lock) -> str:
    """Return the rule by which a file is not to be recorded as it is; empty: none."""
    if origin is None:
        return ""
    if origin.later:
        # Once it is recorded, nobody would hear of it any more.
        return "history-out-of-order"
    return _FORBIDDEN.get(origin.change, "") if origin.base == lock.name else ""


#: The rules by which a file's change would be refused.
_FORBIDDEN = {
    Change.EDITED: "history-edited",
    Change.COMMENTS: "history-comment-edited",
    Change.WHITE_SPACE: "history-comment-edited",
    Change.RENAMED: "history-renamed",
}


def waives(migration: Migration, rule: str) -> bool:
    """Whether a file itself allows what a rule finds in it."""
    try:
        return any(one.allows(rule) for one in read_waivers(migration.read()))
    except MigrationReadError:
        return False


def _name_of_shown(lock: Lock, history: History, shown: str) -> str:
    below = shown if history.relative_root == "." else shown.removeprefix(f"{history.relative_root}/")
    return lock.name_of(history.root / below)


def _in_order(entries: Mapping[str, Entry], lock: Lock, histories: Sequence[History]) -> dict[str, Entry]:
    """Return entries in the order of the histories; what belongs to none stays behind the one that it stood behind."""
    place = {
        lock.name_of(one.path): (number, at)
        for number, history in enumerate(histories)
        for at, one in enumerate(history.migrations)
    }
    keys: dict[str, tuple[int, int]] = {}
    before = (-1, -1)
    for name in entries:
        before = keys[name] = place.get(name, before)
    return {name: entries[name] for name in sorted(entries, key=lambda name: keys[name])}


def _done(lock: Lock, added: Sequence[str], anew: Sequence[str], *, is_written: bool) -> str:
    if not is_written:
        return f"{lock.name} is up to date"
    parts = [f"{counted(len(added), 'file')} added"] if added else []
    if anew:
        shown = ", ".join(anew[:_MOST]) + (f" and {len(anew) - _MOST} more" if len(anew) > _MOST else "")
        parts.append(f"recorded anew: {shown}")
    return f"wrote {lock.name}" + (f": {', '.join(parts)}" if parts else "")


def _write(lock: Lock) -> bool:
    """Write a lock file, whole or not at all; return whether there was anything to change."""
    data = lock.text().encode("utf-8", errors="surrogateescape")
    with suppress(FileNotFoundError):
        if lock.path.read_bytes() == data:
            return False
    # Beside the file itself, where that is a link.
    path = lock.path.resolve()
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        unfinished.write_bytes(data)
        with suppress(FileNotFoundError):
            unfinished.chmod(path.stat().st_mode)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return True
