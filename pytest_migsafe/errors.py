"""Our exceptions, and a warning: what the user, the machine or a migration did that ends the work.

Style: cause, place, way out, in that order; the first line is complete in itself, because it is all that
xdist, JUnit and the terminal's summary keep.
"""

import re

_LINE = re.compile(r"\bline (\d+)\b")


class MigsafeError(Exception):
    """Something that the user can mend stopped pytest-migsafe; the message says what, where and the way out."""


class SettingsError(MigsafeError):
    """A setting, a flag or a path is wrong: a usage error."""


class RuleError(SettingsError):
    """A rule of the project, or of a package, is not made as rules are."""


class HookError(SettingsError):
    """A hook of the project's conftest.py, or of a plugin, raised an error, or returned what it must not."""


class MigrationReadError(MigsafeError):
    """A migration file cannot be read as text, or its runner could make nothing of it."""

    @property
    def line(self) -> int:
        """The 1-based line that the message speaks of; by our convention it names it as "line 7". Else the first."""
        named = _LINE.search(str(self))
        return int(named[1]) if named else 1


class SelectionError(MigsafeError):
    """A test names a migration that there is not, or not the one that it can have."""


class IrreversibleError(MigsafeError):
    """A migration is to be undone, and nothing says how."""


class ServerError(MigsafeError):
    """The server cannot be found, started, reached or used."""


class StubError(ServerError):
    """A stub for an extension cannot be read, or the server refuses its SQL: nothing else is at fault."""


class BinariesNotFoundError(ServerError):
    """No PostgreSQL server binaries were found; the message lists every place that was looked at."""


class SnapshotError(MigsafeError):
    """The database's catalog could not be read into a schema."""


class SchemaFileError(MigsafeError):
    """A schema file cannot be read or written, or is none."""


class LeftoverWarning(UserWarning):
    """A database of ours stays on a server that was given to us, for it could not be dropped."""
