"""Every remedy that is printed works: its files are applied in the migration's place, and do what it does, without stalls.

A case has the dangerous statement alone in its file, so that the files of the remedy stand for the whole migration. Of a
statement with several findings (an ALTER TABLE with several commands) the files of all of them do so, one after another.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

from pytest_migsafe import catalog
from pytest_migsafe.findings import Finding, RemedyFile
from pytest_migsafe.migrations.model import TransactionMode
from pytest_migsafe.rules import RULES, judge
from tests.zero_downtime.conftest import History, Judged

FAMILY = "blocking-work"


def check_remedies(
    history: History,
    before: Sequence[str],
    migration: str,
    *,
    rows: str = "",
    rest: str = "",
    unequal: str = "",
    mode: TransactionMode | None = None,
    names: Literal["kept", "free"] = "kept",
    **options: str,
) -> Judged:
    """Rehearse a migration that stalls, then its remedy instead of it; return what was said of the migration.

    ``rows`` is SQL that fills the tables at the end of what was before: what works on empty tables only is no remedy. With ``names``
    "free", names that PostgreSQL chose may differ (see `catalog.diff`). A migration that stalls only because of what else it
    does has that as ``rest``: the file that is left of it, applied before those of the remedy. ``unequal`` are the objects, as
    a regular expression, in which the two ends are known to differ.
    """
    there = [*before[:-1], f"{before[-1]}\n{rows}"]
    judged = history.judge(*there, migration, mode=mode, **options)
    assert judged.evidence.applied, judged.evidence.error
    findings = judged.of_family(FAMILY)
    files = remedy_files(findings)
    assert files, f"no file of a remedy was given by any of {[one.rule for one in findings]}"
    texts = [*([rest] if rest else []), *map(as_file, files)]
    elsewhere = replace(history, folder=history.folder.with_name("remedy"))
    cured = elsewhere.evidences(*there, *texts, mode=mode, **options)
    for text, evidence in zip(texts, cured[len(there) :], strict=True):
        assert evidence.applied, (text, evidence.error)
        again = [one for one in judge(evidence, RULES, {}) if one.family == FAMILY]
        assert not again, (text, [(one.rule, one.message, one.evidence) for one in again])
    differences = catalog.diff(judged.evidence.after, cured[-1].after, names=names)
    differences = [one for one in differences if not (unequal and re.fullmatch(unequal, one.name))]
    assert not differences, (texts, [one.to_json() for one in differences])
    return judged


def remedy_files(findings: Iterable[Finding]) -> list[RemedyFile]:
    """Return the files of all findings, each once."""
    return list(dict.fromkeys(file for finding in findings for file in finding.files))


def as_file(file: RemedyFile) -> str:
    """Return a remedy's file as a migration: what cannot run in a transaction says so in its first line."""
    return file.sql if file.in_transaction else f"-- no-transaction\n{file.sql}"
