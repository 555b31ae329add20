"""What runners remember of the files that they have applied, and what they do when those have changed.

Facts: the runners' documentation, and where it leaves it open, what their issues show. Comments count for all who compare
checksums: flyway/flyway#283, liquibase/liquibase#6104, transact-rs/sqlx#3794; of white space Liquibase makes nothing
("What is a changeset checksum?"). Files that come late, or are gone: amacneil/dbmate#159, sqitchers/sqitch#269, rubenv/sql-migrate#16,
salsita/node-pg-migrate#820, pressly/goose#280, golang-migrate/migrate#179, supabase/cli#1882,
drizzle-team/drizzle-orm#5769, transact-rs/sqlx#1030.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a runner does, each in a phrase that goes on from the runner's name."""

    #: As people call it.
    runner: str
    #: Whether the layout tells which runner it is.
    is_known: bool = True
    #: What it does about a file that it has applied and that has changed since.
    edited: str = "does not notice"
    #: Whether it compares what stands in the file, and ends with an error; and whether white space counts.
    compares: bool = False
    compares_white_space: bool = True
    #: Whether it compares what undoes the file, too.
    compares_way_back: bool = False
    #: What it does about a new file before one that it has applied.
    late: str
    #: What it does about one that it has applied and that is gone.
    missing: str = "does not notice"
    #: Whether it knows a file by its name, rather than by the version in it.
    by_name: bool = False


_SKIPS = "skips it without a word where a later one has been applied"
_RUNS_LATE = "runs it after those where they have been applied, in an order that nobody has tried"

MEMORIES: Mapping[str, Memory] = MappingProxyType(
    {
        "flyway": Memory(
            runner="Flyway",
            edited="ends with a checksum mismatch",
            compares=True,
            late="ends at its validation, unless outOfOrder is set",
            missing="ends at its validation",
            # Of the name also the description is compared.
            by_name=True,
        ),
        "liquibase": Memory(
            runner="Liquibase",
            edited="ends with a checksum that is not the recorded one",
            compares=True,
            compares_white_space=False,
            late=_RUNS_LATE,
            by_name=True,
        ),
        "sqlx": Memory(
            runner="sqlx",
            edited="ends with `previously applied but has been modified`",
            compares=True,
            late=_RUNS_LATE,
            missing="ends with `previously applied but is missing`",
        ),
        "play": Memory(
            runner="Play",
            edited="wants to undo it and all after it, and to run them anew; in production it does not start",
            compares=True,
            compares_way_back=True,
            late="takes its number for another evolution",
            missing="wants to undo it",
        ),
        "prisma": Memory(
            runner="Prisma",
            edited="warns of it in `migrate deploy`, and wants to reset the database in `migrate dev`",
            late=_RUNS_LATE,
            missing="misses it, and wants to reset the database in `migrate dev`",
            by_name=True,
        ),
        "supabase": Memory(
            runner="Supabase's CLI",
            late="ends in `db push`, unless --include-all is given",
            missing="ends in `db push`",
        ),
        "drizzle": Memory(runner="Drizzle", late=_SKIPS),
        "sqitch": Memory(
            runner="Sqitch",
            late="no longer finds what it has deployed, for the ids of all changes behind it become others",
            missing="no longer finds what it has deployed",
            by_name=True,
        ),
        "golang-migrate": Memory(
            runner="golang-migrate", late=_SKIPS, missing="ends if it is the one that was applied last"
        ),
        "tern": Memory(runner="tern", late=_SKIPS, missing="ends, for a number is missing"),
        "mybatis": Memory(runner="MyBatis", late="skips it in `up`, and runs it in `pending`"),
        "goose": Memory(runner="goose", late="ends, unless -allow-missing is given"),
        "sql-migrate": Memory(
            runner="sql-migrate", late=_RUNS_LATE, missing="ends with an unknown migration", by_name=True
        ),
        "dbmate": Memory(runner="dbmate", late=_RUNS_LATE),
        "diesel": Memory(runner="Diesel", late=_RUNS_LATE),
        "node-pg-migrate": Memory(
            runner="node-pg-migrate",
            late="ends, for it checks the order",
            missing="ends, for it checks the order",
            by_name=True,
        ),
    }
)
#: What is said where the layout tells no runner.
_UNKNOWN = Memory(
    runner="the runner",
    is_known=False,
    edited="does not notice, unless it compares checksums",
    missing="may not notice",
    by_name=True,
    late=(
        "skips it where a later one has been applied, if it remembers one version; else it runs it late, in an order that "
        "nobody has tried"
    ),
)


def memory_of(layout: str) -> Memory:
    """Return what the runner of a layout remembers."""
    return MEMORIES.get(layout, _UNKNOWN)
