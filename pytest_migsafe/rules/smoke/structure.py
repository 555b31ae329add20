"""The family *structure*: whether what a file made is whole and in force."""

from collections.abc import Iterator

from pytest_migsafe.findings import Severity
from pytest_migsafe.rehearsal.state import State
from pytest_migsafe.rules.smoke.check import Defect, smoke_test


@smoke_test(
    id="invalid-index",
    family="structure",
    section="indexes",
    severity=Severity.ERROR,
    title="An index is not valid.",
    why=(
        "A concurrent build that failed leaves an index that no query uses, that every write still pays for, and, "
        "if it is unique, that may hold duplicates. Nothing mends it by itself."
    ),
    remedy="Drop the index with DROP INDEX CONCURRENTLY and build it again, or REINDEX INDEX CONCURRENTLY.",
    manual="CREATE INDEX, Building Indexes Concurrently",
    peers={"strong_migrations": "remove_invalid_indexes"},
)
def invalid_index(state: State) -> Iterator[Defect]:
    """Look at the flags of each index."""
    for _, relation in state.tables:
        for index in relation.indexes:
            flags = [name for name in ("valid", "ready", "live") if not getattr(index, name)]
            if flags:
                yield Defect(
                    subject=index.name,
                    message=f"the index {index.name} on {relation.name} is not {flags[0]}: no query uses it, and writes pay for it",
                    evidence=(index.definition, *(f"{name}: no" for name in flags)),
                    remedy=f"REINDEX INDEX CONCURRENTLY {index.name};",
                    objects=(relation.name,),
                )
