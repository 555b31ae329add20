"""The end of a history: the schema that all of its files together have made."""

from dataclasses import dataclass

from pytest_migsafe.catalog import Change, Schema, Surroundings, diff
from pytest_migsafe.rehearsal.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """What a database holds to which every file has been applied."""

    #: Read in full.
    schema: Schema
    #: As it was carried from file to file, each of which was read by its changes; None where nothing was carried.
    carried: Schema | None
    #: The position of the first file that was looked at, all others since; those before were only applied.
    carried_since: int
    surroundings: Surroundings
    #: The database before the first file and after the last as the smoke tests see it; both look at what the
    #: history made or changed.
    state_before: State
    state_after: State
    server_version: str
    #: Whether a file that was only applied allows something of what is found in it.
    has_unseen_waivers: bool = False

    @property
    def misread(self) -> tuple[Change, ...]:
        """Where what was carried is not what is there: a defect of ours."""
        return tuple(diff(self.carried, self.schema)) if self.carried is not None else ()
