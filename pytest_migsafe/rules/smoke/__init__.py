"""Smoke tests: rules over the database as a file leaves it. They report only what the file newly caused."""

from pytest_migsafe.rules.smoke import data, functions, structure, triggers, views
from pytest_migsafe.rules.smoke.check import SmokeTest

__all__ = ["SMOKE_RULES", "SmokeTest"]

#: The smoke tests, a family after the other.
SMOKE_RULES: tuple[SmokeTest, ...] = (
    structure.invalid_index,
    data.orphaned_rows,
    data.validate_fails,
    data.constraint_violated,
    data.duplicate_keys,
    data.sequence_behind,
    data.default_rejected,
    data.sequence_too_narrow,
    data.sequence_not_owned,
    data.sequence_left_behind,
    data.rows_not_asked,
    functions.broken_function,
    functions.ambiguous_overload,
    functions.definer_search_path,
    functions.mutable_search_path,
    functions.immutable_body_changed,
    functions.function_promise_changed,
    triggers.broken_trigger,
    triggers.disabled_trigger,
    triggers.disabled_event_trigger,
    triggers.rewrite_rule,
    triggers.trigger_order,
    views.broken_view,
    views.unpopulated_view,
    views.view_lacks_columns,
)
