"""What the fixture ``rehearse_sql`` gives: the rehearsal of a few lines of SQL, to test a rule with."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from pytest_migsafe.rules import Rule
from pytest_migsafe.testing.rehearsal import Rehearsal


class RehearseSql(Protocol):
    """Rehearses a few lines of SQL in a database of their own, and has them judged; ``Kit`` does it."""

    def __call__(
        self,
        sql: str,
        *,
        given: str = "",
        name: str = ...,
        rules: Sequence[Rule] | None = None,
        settings: Mapping[str, Any] | None = None,
        may_fail: bool = False,
    ) -> Rehearsal:
        """Return what the rehearsal of a migration found out.

        Args:
            sql: the migration's text.
            given: SQL that is run before: the tables that the migration finds, with their rows.
            name: the migration's file; it tells the layout where the settings do not.
            rules: those that are asked; None: all of the project.
            settings: what is said in ``[tool.migsafe]``: ``rules``, ``preset``, ``tables``, ``small_table``,
                ``lock_timeout``, ``statement_timeout``.
            may_fail: whether the migration need not be one that can be applied.

        Raises:
            pytest.fail.Exception: ``given`` is refused, or the migration, where it has to apply.
            Exception: what a rule raised.
        """
