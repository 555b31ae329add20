"""The family *loses-data*: rows and values that are gone after a file, and what CASCADE took besides."""

from pytest_migsafe.rules.loss.cascade import cascade_took_more
from pytest_migsafe.rules.loss.dropped import column_dropped, column_remade, table_dropped, table_remade
from pytest_migsafe.rules.loss.rows import rows_deleted, rows_truncated
from pytest_migsafe.rules.loss.values import values_cut
from pytest_migsafe.rules.registry import Rule

__all__ = ["LOSS_RULES"]

LOSS_RULES: tuple[Rule, ...] = (
    table_dropped,
    table_remade,
    column_dropped,
    column_remade,
    rows_truncated,
    rows_deleted,
    values_cut,
    cascade_took_more,
)
