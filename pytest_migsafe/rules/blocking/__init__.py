"""The family *blocking-work*: locks that others wait for, held while work is done that grows with a table."""

from pytest_migsafe.rules.blocking import (
    columns,
    constraints,
    data,
    indexes,
    keys,
    nullability,
    partitions,
    tables,
    time_zone,
    types,
)
from pytest_migsafe.rules.blocking.check import BlockingRule
from pytest_migsafe.rules.blocking.general import work_under_lock
from pytest_migsafe.rules.registry import Rule

_SPECIFIC: tuple[BlockingRule, ...] = (
    indexes.index_not_concurrent,
    indexes.reindex_not_concurrent,
    tables.set_logged_rewrites,
    tables.set_tablespace_copies,
    tables.set_access_method_rewrites,
    tables.vacuum_full,
    tables.cluster_rewrites,
    tables.refresh_not_concurrent,
    partitions.attach_partition_scans,
    partitions.create_partition_scans_default,
    partitions.detach_partition_scans,
    data.backfill_under_lock,
    constraints.add_check_validates,
    constraints.add_foreign_key_validates,
    constraints.validate_under_lock,
    constraints.alter_constraint_enforced,
    constraints.add_exclusion_constraint,
    constraints.domain_constraint_scans,
    keys.add_unique_builds_index,
    keys.add_primary_key_builds_index,
    keys.primary_key_using_index_scans,
    nullability.set_not_null_scans,
    *columns.COLUMN_RULES,
    *types.TYPE_RULES,
)

BLOCKING_RULES: tuple[Rule, ...] = (
    *_SPECIFIC,
    data.whole_table_write,
    work_under_lock(_SPECIFIC),
    time_zone.type_change_needs_utc,
)
