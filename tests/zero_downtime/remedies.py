"""Every remedy that is printed works: its files are applied in the migration's place, and do what it does, without stalls.

A case has the dangerous statement alone in its file, so that the files of the remedy stand for the whole migration. Of a
statement with several findings (an ALTER TABLE with several commands) the files of all of them do so, one after another.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from typing import Literal

from pytest_migsafe import catalog
from pytest_migsafe.findings import Finding, RemedyFile
from pytest_migsafe.migrations.model import TransactionMode
from pytest_migsafe.rules import judge
from pytest_migsafe.rules.builtin import RULES
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

    ``rows`` is SQL that fills the tables at the end of what was before: what works on empty tables only is no remedy. With
    ``names`` "free", names that PostgreSQL chose may differ (see `catalog.diff`). A migration that stalls only because of what
    else it does has that as ``rest``: the file that is left of it, applied before those of the remedy. ``unequal`` are the
    objects, as a regular expression, in which the two ends are known to differ.
    """
    (judged,) = check_remedies_of_each(
        history, before, [migration], rows=rows, rest=rest, unequal=unequal, mode=mode, names=names, **options
    )
    return judged


def check_remedies_of_each(
    history: History,
    before: Sequence[str],
    migrations: Sequence[str],
    *,
    rows: str = "",
    rest: str = "",
    unequal: str = "",
    mode: TransactionMode | None = None,
    names: Literal["kept", "free"] = "kept",
    **options: str,
) -> list[Judged]:
    """Rehearse migrations that stall, one after another, then their remedies; see `check_remedies`."""
    there = [*before[:-1], f"{before[-1]}\n{rows}"]
    dangerous = history.evidences(*there, *migrations, mode=mode, **options)[len(there) :]
    judged = [Judged(one, judge(one, RULES, {})) for one in dangerous]
    texts = [[*([rest] if rest else []), *_remedy(one)] for one in judged]
    elsewhere = replace(history, folder=history.folder.with_name("remedy"))
    cured = iter(elsewhere.evidences(*there, *chain(*texts), mode=mode, **options)[len(there) :])
    for one, files in zip(judged, texts, strict=True):
        for text in files:
            evidence = next(cured)
            assert evidence.applied, (text, evidence.error)
            again = [found for found in judge(evidence, RULES, {}) if found.family == FAMILY]
            assert not again, (text, [(found.rule, found.message, found.evidence) for found in again])
        differences = catalog.diff(one.evidence.after, evidence.after, names=names)
        differences = [each for each in differences if not (unequal and re.fullmatch(unequal, each.name))]
        assert not differences, (files, [each.to_json() for each in differences])
    return judged


def _remedy(judged: Judged) -> list[str]:
    assert judged.evidence.applied, judged.evidence.error
    findings = judged.of_family(FAMILY)
    files = remedy_files(findings)
    assert files, f"no file of a remedy was given by any of {[(one.rule, one.message) for one in findings]}"
    return [as_file(one) for one in files]


def remedy_files(findings: Iterable[Finding]) -> list[RemedyFile]:
    """Return the files of all findings, each once."""
    return list(dict.fromkeys(file for finding in findings for file in finding.files))


def as_file(file: RemedyFile) -> str:
    """Return a remedy's file as a migration: what cannot run in a transaction says so in its first line."""
    return file.sql if file.in_transaction else f"-- no-transaction\n{file.sql}"
