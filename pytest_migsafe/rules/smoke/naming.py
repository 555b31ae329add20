"""The family *naming*: what objects are called."""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from pytest_migsafe.catalog.lexical import LONGEST_NAME, last_part, without_arguments
from pytest_migsafe.findings import Finding, Severity
from pytest_migsafe.migrations.source import SourceText
from pytest_migsafe.rehearsal.evidence import Evidence, StatementEvidence
from pytest_migsafe.rehearsal.state import State
from pytest_migsafe.rules.registry import rule
from pytest_migsafe.rules.smoke.check import Defect, smoke_test


@rule(
    id="identifier-truncated",
    family="naming",
    severity=Severity.WARNING,
    title="A name is longer than PostgreSQL keeps.",
    why=(
        "Of a name only the first 63 bytes are kept, and nobody is told but by a notice. What looks the object up in the catalog by the "
        "name in the file does not find it; and two names with the same beginning are one: the second IF NOT EXISTS makes "
        "nothing, and a DROP hits the other."
    ),
    remedy="Give the object a name of at most 63 bytes.",
    manual="Lexical Structure, Identifiers and Key Words",
    peers={"Bytebase": "naming.*"},
)
def identifier_truncated(evidence: Evidence) -> Iterator[Finding]:
    """Report each name that the server has shortened, once; where two of a kind became the same, as an error."""
    found = list(_truncated(evidence))
    if not found:
        return
    # The grammar costs 50 ms to import, and few names are too long.
    from pytest_migsafe.migrations.grammar import split_statements  # noqa: PLC0415

    made = {
        (created.kind, long)
        for statement, long, short in found
        for one in split_statements(SourceText(statement.text))
        for created in one.creates
        # The grammar cuts names as the server does.
        if created.name == short
    }
    told: set[str] = set()
    for statement, long, short in found:
        if long in told:
            continue
        told.add(long)
        twin = next((other for _, other, its in found if its == short and _meet(made, long, other)), None)
        yield identifier_truncated.finding(
            evidence,
            severity=Severity.ERROR if twin is not None else identifier_truncated.severity,
            line=statement.line,
            column=statement.column,
            message=f'"{long}" is too long, and becomes "{short}"'
            + (f', as "{twin}" does' if twin is not None else ""),
            evidence=(f"{len(long.encode())} bytes; PostgreSQL keeps {LONGEST_NAME}",),
            remedy=f'Write the name that is kept, "{short}", or a shorter one.',
            objects=(short,),
        )


#: Whose names must differ, whatever they belong to; a trigger may be called as its function is.
_RELATIONS = frozenset({"table", "view", "sequence", "index"})


def _meet(made: AbstractSet[tuple[str, str]], one: str, other: str) -> bool:
    """Say whether two names are different ones of objects that cannot have the same."""
    kinds, others = ({kind for kind, its in made if its == name} for name in (one, other))
    return one != other and bool(
        kinds & others & {"function", "type"} or (kinds & _RELATIONS and others & _RELATIONS)
    )


#: The message is in English: the session's lc_messages is ours.
_TRUNCATED = re.compile(r'identifier "(.*)" will be truncated to "(.*)"', re.DOTALL)


def _truncated(evidence: Evidence) -> Iterator[tuple[StatementEvidence, str, str]]:
    for statement in evidence.statements:
        for notice in statement.notices:
            if notice.sqlstate == "42622" and (found := _TRUNCATED.search(notice.message)):
                yield statement, found[1], found[2]


def _names(state: State) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield the kind, the qualified name and the relation of what people name; what is inherited is the parent's."""
    for relation in state.relations:
        for key, one in sorted(relation.objects.items()):
            if key.kind in _NAMED and not getattr(one, "inherited", 0) and not getattr(one, "parent", None):
                yield key.kind, key.name, () if key.name == relation.name else (relation.name,)
    for function in state.functions:
        yield "function", without_arguments(function.name), ()


_NAMED = frozenset({"table", "view", "sequence", "column", "constraint", "index"})
_FOLDED = re.compile(r"[a-z_][a-z0-9_$]*")


@smoke_test(
    id="mixed-case-identifier",
    family="naming",
    section="others",
    severity=Severity.OFF,
    title="A name has to be written in quotes.",
    why="Whoever forgets the quotes around capital letters, blanks or dashes is told that the object does not exist.",
    remedy="Use small letters, digits and underscores.",
    manual="Lexical Structure, Identifiers and Key Words",
    peers={"Bytebase": "naming.table"},
)
def mixed_case_identifier(state: State) -> Iterator[Defect]:
    """Look for names that PostgreSQL quotes for their characters."""
    for kind, name, objects in _names(state):
        if not _FOLDED.fullmatch(last_part(name)):
            folded = re.sub(
                r"[^a-z0-9_]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", last_part(name)).lower()
            )
            yield Defect(
                subject=name,
                detail=kind,
                message=f"the {kind} {name} has to be written in quotes",
                remedy=f"Call it {folded}.",
                objects=objects,
            )


@smoke_test(
    id="reserved-identifier",
    family="naming",
    section="others",
    severity=Severity.OFF,
    title="A name is a key word.",
    why="Where PostgreSQL's grammar expects the key word, the name must stand in quotes; a later version may reserve it in more places.",
    remedy="Use another word.",
    manual="SQL Key Words",
    peers={"Bytebase": "naming.identifier.no-keyword"},
)
def reserved_identifier(state: State) -> Iterator[Defect]:
    """Look for names that PostgreSQL quotes although their characters do not ask for it."""
    for kind, name, objects in _names(state):
        if name.endswith('"') and _FOLDED.fullmatch(last_part(name)):
            yield Defect(
                subject=name,
                detail=kind,
                message=f"the {kind} {name} is called after a key word",
                remedy=f"Call it {last_part(name)}_, or by a word of its own.",
                objects=objects,
            )
