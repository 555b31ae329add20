"""The family *blocking-work*: locks that others wait for, held while work is done that grows with a table."""

from pytest_migsafe.rules.blocking import indexes
from pytest_migsafe.rules.blocking.check import BlockingRule
from pytest_migsafe.rules.blocking.general import work_under_lock
from pytest_migsafe.rules.registry import Rule

_SPECIFIC: tuple[BlockingRule, ...] = (
    indexes.index_not_concurrent,
    indexes.reindex_not_concurrent,
)

BLOCKING_RULES: tuple[Rule, ...] = (*_SPECIFIC, work_under_lock(_SPECIFIC))
