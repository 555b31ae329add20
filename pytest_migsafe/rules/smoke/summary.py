"""What the smoke tests of one migration come to, section by section."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.rehearsal.state import State
from pytest_migsafe.rules.registry import Rule
from pytest_migsafe.rules.smoke.check import SECTIONS, SmokeTest


class Verdict(StrEnum):
    """What is to be said of a section."""

    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What the smoke tests found in the objects of one section."""

    name: str
    #: How many objects were looked at: those that the migration made or changed, and what depends on them.
    checked: int
    errors: int
    warnings: int
    #: The constraints that are NOT VALID as yet: rows that were there before may violate them.
    not_valid: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Return the verdict: an error fails a section, a warning does not."""
        if self.errors:
            return Verdict.FAILED
        return Verdict.WARNED if self.warnings else Verdict.PASSED

    def to_json(self) -> dict[str, Any]:
        """Return the section as JSON values."""
        return asdict(self) | {"not_valid": list(self.not_valid), "verdict": self.verdict.value}


def sections(state: State, findings: Iterable[Finding], rules: Collection[Rule]) -> tuple[Section, ...]:
    """Return the sections in which something was looked at or found."""
    section_of = {rule.id: rule.section for rule in rules if isinstance(rule, SmokeTest)}
    errors, warnings = dict.fromkeys(SECTIONS, 0), dict.fromkeys(SECTIONS, 0)
    for finding in findings:
        section = section_of.get(finding.rule)
        if section is not None and finding.fails:
            errors[section] += 1
        elif section is not None and finding.severity is not Severity.OFF and finding.waived is None:
            warnings[section] += 1
    checked, not_valid = _checked(state), _not_valid(state)
    return tuple(
        Section(
            name=name,
            checked=checked.get(name, 0),
            errors=errors[name],
            warnings=warnings[name],
            not_valid=not_valid.get(name, ()),
        )
        for name in SECTIONS
        if checked.get(name) or errors[name] or warnings[name]
    )


def _not_valid(state: State) -> Mapping[str, tuple[str, ...]]:
    """Return the constraints that are enforced for new rows only, by section; what a table has of its parent is told there."""
    found: dict[str, tuple[str, ...]] = {}
    for relation in state.relations:
        for one in relation.constraints:
            if one.enforced and not one.validated and not one.inherited:
                section = "foreign keys" if one.type == "foreign key" else "constraints"
                found[section] = (*found.get(section, ()), one.qualified_name)
    return found


def _checked(state: State) -> Mapping[str, int]:
    constraints = [one for relation in state.relations for one in relation.constraints]
    foreign_keys = sum(1 for one in constraints if one.type == "foreign key")
    return {
        "tables": len(state.tables),
        "constraints": len(constraints) - foreign_keys,
        "foreign keys": foreign_keys,
        "indexes": sum(len(relation.indexes) for relation in state.relations),
        "sequences": len(state.sequences),
        "RLS": sum(1 for table, _ in state.tables if table.row_security),
        "policies": sum(len(relation.policies) for relation in state.relations),
        "privileges": sum(len(relation.grants) for relation in state.relations),
        "functions": len(state.functions),
        "triggers": sum(len(relation.triggers) for relation in state.relations),
        "views": len(state.views),
    }
