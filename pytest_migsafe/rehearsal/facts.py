"""What a database was asked about itself beyond its schema: facts that the smoke tests judge.

Each field belongs to one probe (`probes`), which reads again only what a file can have changed. Keys are qualified
names as the schema has them; what is in order is not kept, so an absent key means "nothing wrong, as far as asked".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which part of a database the smoke tests judge, and who reaches it from outside."""

    #: Patterns (as a shell's) of the schemas that are judged.
    schemas: tuple[str, ...] = ("*",)
    #: The schemas that an API serves to the exposed roles, patterns too.
    exposed_schemas: tuple[str, ...] = ()
    #: The roles that strangers have: such as Supabase's anon and authenticated.
    exposed_roles: tuple[str, ...] = ()
    #: The role that is to own everything; None: no matter.
    owner: str | None = None

    def includes(self, schema: str) -> bool:
        """Return whether a schema, by its name as `quote_ident` writes it, is judged."""
        return _matches(schema, self.schemas)

    def exposes(self, schema: str) -> bool:
        """Return whether a schema is served to the exposed roles."""
        return _matches(schema, self.exposed_schemas)


def _matches(schema: str, patterns: tuple[str, ...]) -> bool:
    plain = schema[1:-1].replace('""', '"') if schema.startswith('"') else schema
    return any(fnmatchcase(plain, pattern) for pattern in patterns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """Rows that violate a constraint of their table, or a constraint of which that could not be found out."""

    #: Its name within the table; of a domain's, also which domain it belongs to.
    constraint: str
    #: foreign key, check, not null, domain, or unique: of the last, an index.
    kind: str
    #: Whether the constraint counts as valid.
    validated: bool
    #: How many rows; of a unique index, how many keys that are there more than once.
    count: int
    #: What the samples are values of: the key's columns, or those of the primary key.
    columns: str
    #: Up to three of them.
    samples: tuple[str, ...]
    #: The rows as SQL: "FROM ... WHERE ...".
    source: str
    #: Why it could not be found out; there are no rows then.
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenValue:
    """A value that a sequence will give and that a row of the column has already."""

    column: str
    sequence: str
    increment: int
    #: GENERATED AS IDENTITY, or else a default.
    is_identity: bool
    #: What the sequence gives next.
    next_value: int
    #: The first value from there on that is taken.
    taken: int

    @property
    def draws_left(self) -> int:
        """How many values the sequence gives before that one."""
        return (self.taken - self.next_value) // self.increment


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedDefault:
    """A default that its own column cannot hold."""

    column: str
    default: str
    #: What rejects it: a constraint, or the column's type.
    by: str
    #: What the server says, where it says anything.
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the probes found in a database as it is."""

    #: The rows that violate constraints, by table.
    violations: Mapping[str, tuple[Violation, ...]] = field(default_factory=dict)
    #: The sequences that are behind the rows, by table.
    taken_values: Mapping[str, tuple[TakenValue, ...]] = field(default_factory=dict)
    #: The defaults that cannot be used, by table.
    rejected_defaults: Mapping[str, tuple[RejectedDefault, ...]] = field(default_factory=dict)
