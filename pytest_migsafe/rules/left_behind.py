"""The family *left-behind*: what a file leaves in the database that it did not mean to."""

import re
from collections.abc import Iterator

from pytest_migsafe.catalog.lexical import last_part
from pytest_migsafe.catalog.schema import Index, Table
from pytest_migsafe.findings import Finding, RemedyFile, Severity
from pytest_migsafe.rehearsal.evidence import Evidence, Kept, StatementEvidence
from pytest_migsafe.rules.registry import rule
from pytest_migsafe.rules.remedy import written


@rule(
    id="already-exists-skipped",
    family="left-behind",
    severity=Severity.ERROR,
    title="IF NOT EXISTS silently kept a different object.",
    why=(
        "PostgreSQL looks at the name only: it says 'already exists, skipping' and goes on, whatever the existing "
        "object looks like. The migration counts as applied, and the database lacks what it describes."
    ),
    remedy="Change the existing object to what is wanted, or give the new one a name of its own.",
    manual="CREATE TABLE, IF NOT EXISTS",
)
def already_exists_skipped(evidence: Evidence) -> Iterator[Finding]:
    """Compare what was kept with what the statement describes; an INVALID index is never what is wanted."""
    for statement in evidence.statements:
        invalid = tuple(_invalid_indexes(evidence, statement))
        yield from (_of_invalid(evidence, statement, index) for index in invalid)
        for kept in statement.kept:
            if kept.differs and not (invalid and kept.kind == "index"):
                yield _finding(evidence, statement, kept)


#: What IF NOT EXISTS says of a relation that it keeps, also from within a DO block (SQLSTATE 42P07).
_SKIPPED = re.compile(r'relation "(.+)" already exists, skipping')


def _invalid_indexes(evidence: Evidence, statement: StatementEvidence) -> Iterator[Index]:
    """Yield the indexes that a statement kept and that are INVALID before the file and after it.

    Those of partitioned tables are so until each partition has one, by intention.
    """
    names = {said[1] for notice in statement.notices if (said := _SKIPPED.fullmatch(notice.message))}
    for index in evidence.before.indexes.values() if names else ():
        after = evidence.after.get("index", index.name)
        table = evidence.before.get("table", index.relation)
        if (
            not index.valid
            and last_part(index.name) in names
            and isinstance(after, Index)
            and not after.valid
            and not (isinstance(table, Table) and table.kind == "partitioned table")
        ):
            yield index


def _of_invalid(evidence: Evidence, statement: StatementEvidence, index: Index) -> Finding:
    lacking = "nothing keeps its values unique" if index.unique else "no query uses it"
    definition = index.definition.replace("INDEX ", "INDEX CONCURRENTLY ", 1)
    files = (RemedyFile(sql=f"DROP INDEX CONCURRENTLY {index.name};\n{definition};", in_transaction=False),)
    words = "Drop what the failed build has left, and build the index anew:"
    return already_exists_skipped.finding(
        evidence,
        line=statement.line,
        column=statement.column,
        message=f"IF NOT EXISTS kept the INVALID index {index.name}: {lacking}",
        evidence=(
            "a CREATE INDEX CONCURRENTLY failed and left it; the name is all that IF NOT EXISTS looks at",
        ),
        remedy=written(words, files),
        files=files,
        objects=(index.name,),
    )


def _finding(evidence: Evidence, statement: StatementEvidence, kept: Kept) -> Finding:
    missing = [line for line in kept.wanted if line not in kept.existing]
    other = [line for line in kept.existing if line not in kept.wanted]
    return already_exists_skipped.finding(
        evidence,
        # Everything that the statement describes is there, and something besides: worth a look, not a defect.
        severity=Severity.ERROR if missing else Severity.WARNING,
        line=statement.line,
        column=statement.column,
        message=(
            f"IF NOT EXISTS kept the existing {kept.kind} {kept.name}, which is "
            + ("not the one described here" if missing else "more than what is described here")
        ),
        evidence=(
            *(f"described, not there: {line}" for line in missing),
            *(f"there, not described: {line}" for line in other),
        ),
        remedy=already_exists_skipped.remedy,
        objects=(kept.name,),
    )
