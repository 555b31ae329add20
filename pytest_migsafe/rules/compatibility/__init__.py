"""The family *breaks-old-code*: what the previous version of the application could use before a file, and cannot after it."""

from pytest_migsafe.rules.compatibility.check import CompatibilityRule
from pytest_migsafe.rules.compatibility.columns import (
    column_not_writable,
    column_type_changed,
    default_removed,
    not_null_added,
    required_column_added,
)
from pytest_migsafe.rules.compatibility.functions import function_renamed, function_signature_changed
from pytest_migsafe.rules.compatibility.gone import REMOVALS
from pytest_migsafe.rules.compatibility.privileges import privilege_revoked
from pytest_migsafe.rules.compatibility.renamed import (
    column_renamed,
    schema_renamed,
    sequence_renamed,
    table_not_writable,
    table_renamed,
    type_renamed,
)
from pytest_migsafe.rules.compatibility.values import (
    constraint_added,
    enum_value_removed,
    enum_value_renamed,
    type_changed,
    unique_removed,
)

__all__ = ["COMPATIBILITY_RULES"]

COMPATIBILITY_RULES: tuple[CompatibilityRule, ...] = (
    table_renamed,
    column_renamed,
    function_renamed,
    sequence_renamed,
    type_renamed,
    schema_renamed,
    enum_value_renamed,
    *REMOVALS,
    enum_value_removed,
    required_column_added,
    not_null_added,
    default_removed,
    column_type_changed,
    column_not_writable,
    table_not_writable,
    function_signature_changed,
    type_changed,
    unique_removed,
    privilege_revoked,
    constraint_added,
)
