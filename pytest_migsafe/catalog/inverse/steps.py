"""The steps of a way back, each in its phase, and what cannot be said in SQL."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum, auto

from pytest_migsafe.catalog.lexical import constant, quoted
from pytest_migsafe.catalog.objects import CatalogObject, Key
from pytest_migsafe.catalog.schema import Schema


class Phase(IntEnum):
    """When a step's turn is: what depends on something goes before it, and comes after it."""

    DROP_PUBLICATION = auto()
    DROP_POLICY = auto()
    DROP_RULE = auto()
    DROP_TRIGGER = auto()
    DROP_VIEW = auto()
    DROP_STATISTICS = auto()
    DROP_FOREIGN_KEY = auto()
    DROP_CONSTRAINT = auto()
    DROP_INDEX = auto()
    DROP_TABLE = auto()
    #: Of what is made again under the same name.
    DROP_TO_MAKE = auto()
    SCHEMA = auto()
    EXTENSION = auto()
    TYPE = auto()
    SEQUENCE = auto()
    FUNCTION = auto()
    RARER = auto()
    TABLE = auto()
    COLUMN = auto()
    DROP_COLUMN = auto()
    DROP_RARER = auto()
    DROP_FUNCTION = auto()
    DROP_SEQUENCE = auto()
    DROP_TYPE = auto()
    DROP_EXTENSION = auto()
    DROP_SCHEMA = auto()
    CONSTRAINT = auto()
    INDEX = auto()
    FOREIGN_KEY = auto()
    STATISTICS = auto()
    VIEW = auto()
    TRIGGER = auto()
    RULE = auto()
    POLICY = auto()
    PUBLICATION = auto()
    OWNER = auto()
    COMMENT = auto()
    GRANT = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsaid:
    """A difference for which there is no SQL, or none that is known to be true."""

    kind: str
    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: {self.why}"


@dataclass
class Way:
    """A way from one schema to another, as it is put together."""

    now: Schema
    then: Schema
    #: The server's major version.
    major: int
    _steps: list[tuple[Phase, str]] = field(default_factory=list)
    unsaid: list[Unsaid] = field(default_factory=list)
    #: What is dropped and made again, for it cannot be changed, or for something that it depends on cannot.
    remade: set[Key] = field(default_factory=set)

    def add(self, phase: Phase, *statements: str) -> None:
        """Add steps."""
        self._steps += [(phase, statement) for statement in statements]

    def leave(self, one: CatalogObject, why: str) -> None:
        """Remember a difference that cannot be undone."""
        self.unsaid.append(Unsaid(kind=one.KIND, name=one.qualified_name, why=why))

    def statements(self) -> tuple[str, ...]:
        """Return the steps in their order, each once."""
        ordered = sorted(self._steps, key=lambda step: step[0])
        return tuple(dict.fromkeys(statement for _, statement in ordered))


def role(name: str) -> str:
    """Return a role as SQL writes it; the schema has it without quotes."""
    return name if name == "PUBLIC" else quoted(name)


def is_masked(options: Iterable[str]) -> bool:
    """Whether a list of options has a secret, of which only a fingerprint is known, or was not to be read."""
    return any("=*** (" in one or one == "(may not be read)" for one in options)


def parameters(options: Iterable[str]) -> str:
    """Return storage parameters ("name=value") as WITH and SET write them."""
    return ", ".join(f"{name} = {constant(value)}" for name, _, value in _parted(options))


def foreign_options(options: Iterable[str]) -> str:
    """Return options of foreign data as OPTIONS writes them."""
    return ", ".join(f"{quoted(name)} {constant(value)}" for name, _, value in _parted(options))


def changed_options(now: Iterable[str], then: Iterable[str]) -> str:
    """Return what makes options of foreign data of others, as OPTIONS in ALTER writes it."""
    have = {name: value for name, _, value in _parted(now)}
    want = {name: value for name, _, value in _parted(then)}
    words = [f"DROP {quoted(name)}" for name in have if name not in want]
    words += [
        f"{'SET' if name in have else 'ADD'} {quoted(name)} {constant(value)}"
        for name, value in want.items()
        if have.get(name) != value
    ]
    return ", ".join(words)


def changed_parameters(target: str, now: Iterable[str], then: Iterable[str]) -> Iterator[str]:
    """Yield what makes storage parameters of others; ``target`` is "ALTER TABLE name" or "... ALTER COLUMN c"."""
    have, want = set(now), set(then)
    names = {one.partition("=")[0] for one in want}
    if gone := sorted({one.partition("=")[0] for one in have} - names):
        yield f"{target} RESET ({', '.join(gone)});"
    if new := sorted(want - have):
        yield f"{target} SET ({parameters(new)});"


def _parted(options: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    return (one.partition("=") for one in options)


def dollar_quoted(text: str) -> str:
    """Return a text between dollar signs."""
    tag = "$$"
    # A dollar sign at the end would belong to the one that closes it.
    while tag in text or f"{text}{tag}".index(tag) < len(text):
        tag = f"$body{len(tag)}$"
    return f"{tag}{text}{tag}"
