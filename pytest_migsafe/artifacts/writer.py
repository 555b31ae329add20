"""Writes the artifacts of the migrations of one history in one place, where it tries the ways back, too."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pytest_migsafe import catalog
from pytest_migsafe.artifacts.folder import (
    IMPACT,
    ROLLBACK,
    ROLLBACK_SQL,
    SCHEMA_AFTER,
    SCHEMA_BEFORE,
    SCHEMA_DIFF,
    ArtifactFolder,
    folder_name,
)
from pytest_migsafe.artifacts.guide import Guide
from pytest_migsafe.artifacts.impact import Impact
from pytest_migsafe.artifacts.verdict import judged
from pytest_migsafe.catalog.document import to_document
from pytest_migsafe.rehearsal.evidence import Evidence
from pytest_migsafe.rehearsal.laboratory import Laboratory
from pytest_migsafe.rehearsal.way_back import try_way_back
from pytest_migsafe.review import Review
from pytest_migsafe.rules.sizes import Sizes


@dataclass(kw_only=True)
class ArtifactWriter:
    """Writes the artifacts of judged migrations."""

    folder: ArtifactFolder
    laboratory: Laboratory
    #: What the project says of its tables.
    sizes: Sizes | None = None
    #: Whether the folder of a place is above those of its migrations.
    is_one_of_several: bool = False
    _around: catalog.Surroundings | None = field(default=None, init=False)

    def write(self, review: Review) -> dict[str, Any] | None:
        """Write what is known of a migration; return what the JSON report says of it, None when nothing is.

        Raises:
            ServerError: there is no server.
        """
        evidence = review.evidence
        if evidence is None:
            return None
        position = self.laboratory.history.positions[review.migration.path]
        name = folder_name(review.migration.relative_path, review.place if self.is_one_of_several else "")
        files = dict(self._schemas(evidence))
        impact = None
        if review.applied:
            impact = Impact(review=review, evidence=evidence, sizes=self.sizes, position=position)
            files[IMPACT] = _text(impact.lines())
        way = judged(review, evidence, try_way_back(self.laboratory, evidence, position), impact)
        guide = Guide(way)
        files[ROLLBACK] = _text(guide.lines())
        if sql := guide.sql():
            files[ROLLBACK_SQL] = sql
        problem = ""
        try:
            self.folder.write_migration(name, files)
        except OSError as error:
            problem = f"cannot write {self.folder.path / name}: {error.strerror or error}"
        rollback = way.to_json() if review.applied else None
        return {"folder": name, "rollback": rollback, "problem": problem or None}

    def _schemas(self, evidence: Evidence) -> Iterator[tuple[str, str]]:
        around = self._surroundings()
        yield SCHEMA_BEFORE, to_document(evidence.before, around.of(evidence.before))
        yield SCHEMA_AFTER, to_document(evidence.after, around.of(evidence.after))
        changes = catalog.diff(evidence.before, evidence.after)
        yield SCHEMA_DIFF, "".join(f"{line.text}\n" for line in catalog.render(changes))

    def _surroundings(self) -> catalog.Surroundings:
        """Return what was there before the history's first file."""
        if self._around is None:
            with self.laboratory.database_at(0) as live, live.connect() as connection:
                base = catalog.snapshot(connection)
                role = live.conditions.options.get("role", live.database.server.role)
                self._around = catalog.Surroundings.read(connection, base=base, role=role, schema=base)
        return self._around


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"
