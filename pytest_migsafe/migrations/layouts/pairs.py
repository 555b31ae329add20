"""``<version>_<name>.up.sql`` with ``.down.sql``: golang-migrate's, sqlx's and, in one file each, sqlx's simple ones.

Both order by the number. golang-migrate sends a file as one query and opens no transaction, whatever its extension
(``source/parse.go``; ``x-multi-statement`` is off unless a project's connection string says so). sqlx wraps each
file in a transaction; ``-- no-transaction``, the very first characters of a file, opts out. Then, too, the file is one
query, which PostgreSQL makes a transaction of when it has several statements (``sqlx-core/src/migrate/source.rs``,
``sqlx-postgres/src/migrate.rs``; launchbadge/sqlx, pull request 3694). The names look the same, so a ``Cargo.toml``
above the folder tells sqlx's.
"""

import re

from pytest_migsafe.migrations.header import no_transaction_line
from pytest_migsafe.migrations.layouts.base import FoundFile, Layout, Listing, in_order
from pytest_migsafe.migrations.model import Direction, Manner, Remark, Runner, Script, TransactionMode
from pytest_migsafe.migrations.source import SourceText

_UP = re.compile(r"(?P<version>\d+)(?:_.*)?(?P<up>\.up)\.(?:sql|pgsql|psql)")
_SIMPLE = re.compile(r"(?P<version>\d+)_.*(?<!\.up)(?<!\.down)\.sql")


def read_pairs(listing: Listing) -> tuple[FoundFile, ...]:
    """Return the up files of a folder, each with its down file where there is one."""
    found = []
    for name in listing.files:
        match = _UP.fullmatch(name)
        if match is None:
            continue
        down = f"{name[: match.start('up')]}.down{name[match.end('up') :]}"
        found.append(
            FoundFile(
                order=(int(match["version"]),),
                version=match["version"],
                path=listing.folder / name,
                down=listing.file(down),
            )
        )
    return in_order(found)


def read_pairs_and_simple(listing: Listing) -> tuple[FoundFile, ...]:
    """Return the up files of a folder, and those that nothing undoes, ``<version>_<name>.sql``."""
    simple = [
        FoundFile(order=(int(match["version"]),), version=match["version"], path=listing.folder / name)
        for name in listing.files
        if (match := _SIMPLE.fullmatch(name)) is not None
    ]
    return in_order([*read_pairs(listing), *simple])


def _is_in_a_crate(listing: Listing) -> bool:
    # The folder, its parent and its grandparent: `migrations/`, `crate/migrations/`, `crate/db/migrations/`.
    return any((folder / "Cargo.toml").is_file() for folder in (listing.folder, *listing.folder.parents[:2]))


GOLANG_MIGRATE = Layout(
    name="golang-migrate",
    files="`<version>_<name>.up.sql` (`.pgsql`, `.psql`)",
    order="the number",
    transactions="the file is one simple query",
    down="`<version>_<name>.down.sql`",
    detected_by="the names",
    manner=Manner(
        TransactionMode.SINGLE_QUERY, "golang-migrate sends the file as one query and opens no transaction"
    ),
    read=read_pairs,
    is_detected_in=lambda listing: not _is_in_a_crate(listing),
)

_OPTS_OUT = "-- no-transaction"


def read_for_sqlx(source: SourceText, runner: Runner, direction: Direction) -> Script:  # noqa: ARG001
    """Read a whole file; ``-- no-transaction`` opts out of the transaction if the file begins with it."""
    usual = runner.usual
    if source.text.startswith(_OPTS_OUT):
        reason = f"{_OPTS_OUT} in line 1; sqlx sends the file as one query"
        return Script.whole(source, Manner(TransactionMode.SINGLE_QUERY, reason))
    line = no_transaction_line(source.text)
    if line is not None:
        usual = Manner(
            usual.mode,
            f"{usual.reason}: it does not see {_OPTS_OUT} in line {line}, only as the first characters",
        )
    return Script.whole(source, usual)


def _remarks_of_sqlx(listing: Listing, found: tuple[FoundFile, ...]) -> tuple[Remark, ...]:  # noqa: ARG001
    return tuple(
        Remark(name, "what stands before the first _ is no number, at which sqlx ends with an error")
        for name in listing.files
        if name.endswith(".sql") and "_" in name and not name.partition("_")[0].isdigit()
    )


SQLX = Layout(
    name="sqlx",
    files="`<version>_<name>.up.sql`, or `<version>_<name>.sql` without a way back",
    order="the number",
    transactions="one a file; if it begins with `-- no-transaction`, it is one simple query",
    down="`<version>_<name>.down.sql`",
    detected_by="a `Cargo.toml` in the folder or up to two above",
    manner=Manner(TransactionMode.TRANSACTION, "sqlx wraps each file in a transaction"),
    read=read_pairs_and_simple,
    reader=read_for_sqlx,
    is_detected_in=_is_in_a_crate,
    remarks=_remarks_of_sqlx,
)
