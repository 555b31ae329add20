"""The rules that come with pytest-migsafe."""

from pytest_migsafe.rules import (
    apply,
    cluster,
    history,
    judging,
    left_behind,
    lock_queue,
    session,
    transaction_shape,
)
from pytest_migsafe.rules.blocking import BLOCKING_RULES
from pytest_migsafe.rules.branches import BRANCH_RULES
from pytest_migsafe.rules.compatibility import COMPATIBILITY_RULES
from pytest_migsafe.rules.immutability import IMMUTABILITY_RULES
from pytest_migsafe.rules.loss import LOSS_RULES
from pytest_migsafe.rules.registry import Rule
from pytest_migsafe.rules.smoke import COMPARING_RULES, SMOKE_RULES
from pytest_migsafe.rules.waivers import WAIVER_RULES

#: A family after the other.
RULES: tuple[Rule, ...] = (
    apply.apply_error,
    transaction_shape.transaction_control_in_file,
    transaction_shape.short_timeout_around_concurrently,
    transaction_shape.not_rerunnable,
    session.session_state_leaked,
    left_behind.already_exists_skipped,
    history.duplicate_version,
    *IMMUTABILITY_RULES,
    *BRANCH_RULES,
    cluster.cluster_wide_not_run,
    *BLOCKING_RULES,
    lock_queue.lock_without_timeout,
    lock_queue.several_tables_locked,
    *COMPATIBILITY_RULES,
    *LOSS_RULES,
    *SMOKE_RULES,
    *COMPARING_RULES,
    *WAIVER_RULES,
    judging.rule_raised,
)
