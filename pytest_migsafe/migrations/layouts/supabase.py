"""Supabase: ``supabase/migrations/<timestamp>_<name>.sql``, as ``supabase db reset`` applies them.

That is: ``roles.sql``, the migrations in the order of their timestamps as text, and the seeds that ``config.toml`` names.
A file's statements are a batch in one transaction; those that PostgreSQL runs outside a transaction block only
are run alone, between two batches (supabase/cli since 2.109, pull requests 5156 and 6276). A file with a BEGIN or
COMMIT of its own has its statements run as they stand (6347), and so has one that begins with
``-- pg-delta: transaction=false``. From its ``pkg/migration/list.go``, ``file.go`` and what they became in TypeScript.
"""

import glob
import os
import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from pytest_migsafe.migrations.layouts.base import FoundFile, Layout, Listing, in_order
from pytest_migsafe.migrations.layouts.project_files import text_of, toml_of
from pytest_migsafe.migrations.model import (
    Direction,
    Manner,
    Part,
    Remark,
    Runner,
    Script,
    TransactionMode,
    Unit,
)
from pytest_migsafe.migrations.source import BYTE_ORDER_MARK, CharOffset, SourceText
from pytest_migsafe.migrations.statements import Statement

_NAME = re.compile(r"(?P<version>[0-9]+)_.*\.sql")
#: What the CLI of 2021 wrote for itself: left out if it is the first.
_OLD_INIT = re.compile(r"([0-9]{14})_init\.sql")
_OLD_INIT_BEFORE = 20211209000000
_NO_TRANSACTION = re.compile(rf"{BYTE_ORDER_MARK}?-- pg-delta: transaction=false\r?(?:\n|$)")
#: Where none of these words stands, no statement needs a look: most files, and seeds are large.
_WORDS = (
    *("begin", "transaction", "commit", "abort", "rollback", "savepoint", "concurrently", "vacuum", "system"),
    *("cluster", "database", "tablespace", "subscription", "discard", "finalize", "reindex"),
)


def read(listing: Listing) -> tuple[FoundFile, ...]:
    """Return roles, migrations and seeds; none without a migration."""
    found = [
        FoundFile(order=(1, match["version"]), version=match["version"], path=listing.folder / match.string)
        for match in map(_NAME.fullmatch, listing.files)
        if match is not None and not _is_old_init(listing, match.string)
    ]
    if not found or listing.folder.parent.name != "supabase":
        return in_order(found)
    home = listing.folder.parent
    roles = home / "roles.sql"
    if roles.is_file():
        found.append(FoundFile(order=(0,), version="roles", path=roles, is_repeatable=True))
    for at, seed in enumerate(_seeds(home)):
        version = _seed_version(home, seed)
        found.append(FoundFile(order=(2, at), version=version, path=seed, is_repeatable=True))
    return in_order(found)


def _is_old_init(listing: Listing, name: str) -> bool:
    match = _OLD_INIT.fullmatch(name)
    return match is not None and int(match[1]) < _OLD_INIT_BEFORE and name == listing.files[0]


def _seeds(home: Path) -> Iterator[Path]:
    """Yield what ``[db.seed]`` of ``config.toml`` names, in its order, each once; without one, ``seed.sql``."""
    seed = _database(home).get("seed", {})
    if not isinstance(seed, dict) or seed.get("enabled") is False:
        return
    patterns = seed.get("sql_paths", ["./seed.sql"])
    paths = (
        home / name
        for pattern in (patterns if isinstance(patterns, list) else [patterns])
        for name in sorted(glob.glob(str(pattern), root_dir=home))  # noqa: PTH207 - Path.glob knows no ".."
    )
    # Without the "..", but as it was named: links stay.
    for path in dict.fromkeys(Path(os.path.normpath(path)) for path in paths):
        if path.is_file():
            yield path


def _seed_version(home: Path, seed: Path) -> str:
    return seed.relative_to(home).as_posix().removesuffix(".sql") if seed.is_relative_to(home) else seed.stem


def _database(home: Path) -> dict[str, Any]:
    database = toml_of(home / "config.toml").get("db", {})
    return database if isinstance(database, dict) else {}


def major_version(folder: Path) -> int | None:
    """Return PostgreSQL's major version that ``config.toml`` beside a folder of migrations names, if it does."""
    version = _database(folder.parent).get("major_version")
    return version if isinstance(version, int) else None


def read_batches(source: SourceText, runner: Runner, direction: Direction) -> Script:  # noqa: ARG001
    """Return a file's batches, and between them the statements that run alone."""
    if _NO_TRANSACTION.match(source.text):
        reason = "-- pg-delta: transaction=false in line 1"
        return Script.whole(source, Manner(TransactionMode.AUTOCOMMIT, reason))
    whole = Script.whole(source, runner.usual)
    if not runner.usual.mode.wraps or not _needs_a_look(source.text):
        return whole
    if any(statement.transaction_control for statement in whole.statements):
        return _as_it_stands(whole)
    if any(_runs_alone(statement) for statement in whole.statements):
        return Script(source, tuple(_units(whole)))
    return whole


def _needs_a_look(text: str) -> bool:
    lowered = text.lower()
    return any(word in lowered for word in _WORDS)


def _as_it_stands(whole: Script) -> Script:
    if whole.has_transaction_pair:
        reason = "the file has its own BEGIN and COMMIT, so the CLI adds no transaction"
        return Script.whole(whole.source, Manner(TransactionMode.SINGLE_QUERY, reason))
    line = next(
        whole.position(statement.start).line
        for statement in whole.statements
        if statement.transaction_control
    )
    reason = f"the file controls its transactions itself (line {line}), so the CLI sends each statement alone"
    return Script.whole(whole.source, Manner(TransactionMode.AUTOCOMMIT, reason))


def _runs_alone(statement: Statement) -> bool:
    return bool(statement.refuses_transaction_block) or statement.node == "ClusterStmt"


def _units(whole: Script) -> Iterator[Unit]:
    alone = Manner(TransactionMode.AUTOCOMMIT, "the CLI runs alone what cannot run in a transaction")
    for is_alone, statements in groupby(whole.statements, key=_runs_alone):
        parts = tuple(Part(one.start, one.end) for one in statements)
        if is_alone:
            yield Unit(whole.source, alone, parts)
        else:
            batch = Part(parts[0].start, CharOffset(parts[-1].end))
            yield Unit(whole.source, whole.units[0].manner, (batch,))


def remarks(listing: Listing, found: tuple[FoundFile, ...]) -> tuple[Remark, ...]:
    """Return the files that the CLI would skip."""
    known = {file.path.name for file in found}
    return tuple(
        Remark(
            name,
            "the first, and called init, which Supabase's CLI of 2021 wrote for itself: it is skipped"
            if _is_old_init(listing, name)
            else "skipped by Supabase's CLI, which wants <timestamp>_<name>.sql",
        )
        for name in listing.files
        if name.lower().endswith(".sql") and name not in known
    )


def _is_supabase_s(listing: Listing) -> bool:
    home = listing.folder.parent
    if listing.folder.name != "migrations":
        return False
    return home.name == "supabase" or _is_its_config(home / "config.toml")


def _is_its_config(path: Path) -> bool:
    text = text_of(path)
    return "project_id" in text and "[db" in text


LAYOUT = Layout(
    name="supabase",
    files="`<timestamp>_<name>.sql` in `supabase/migrations`, `roles.sql` before, the seeds of `config.toml` after them",
    order="the timestamps, as text",
    transactions="one a file, but for the statements that cannot run in one",
    down="none",
    detected_by="the folder `supabase/migrations`, or Supabase's `config.toml` beside `migrations`",
    manner=Manner(TransactionMode.TRANSACTION, "Supabase's CLI runs the file as a batch in one transaction"),
    read=read,
    reader=read_batches,
    is_detected_in=_is_supabase_s,
    is_marked=_is_supabase_s,
    remarks=remarks,
)
