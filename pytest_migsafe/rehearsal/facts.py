"""What a database was asked about itself beyond its schema: facts that the smoke tests judge.

Each field belongs to one probe (`probes`), which reads again only what a file can have changed. Keys are qualified
names as the schema has them; what is in order is not kept, so an absent key means "nothing wrong, as far as asked".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from pytest_migsafe.catalog.lexical import unquoted


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
    return any(fnmatchcase(unquoted(schema), pattern) for pattern in patterns)


@dataclass(frozen=True, slots=True)
class IndexShape:
    """What an index is made of."""

    #: Qualified.
    name: str
    #: The access method: btree, gin, ...
    method: str
    #: Columns, quoted where needed, and expressions.
    keys: tuple[str, ...]
    #: Of each key: operator class, collation, direction.
    orders: tuple[str, ...]
    #: The columns behind INCLUDE.
    included: tuple[str, ...]
    predicate: str | None
    unique: bool
    primary: bool
    nulls_not_distinct: bool
    #: Whether uniqueness is enforced at once, not at the end of the transaction.
    immediate: bool
    #: Valid, ready and live.
    usable: bool
    replica_identity: bool
    #: Storage parameters.
    options: tuple[str, ...]
    #: The constraint that it stands for.
    constraint: str | None
    #: Whether it is a part of a partitioned table's index.
    attached: bool


@dataclass(frozen=True, slots=True)
class ForeignKeyShape:
    """Which columns a foreign key compares."""

    name: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    #: The table that it refers to.
    target: str
    target_columns: tuple[str, ...]
    target_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the server says to a command on a published table."""

    #: update or delete.
    action: str
    message: str
    detail: str


@dataclass(frozen=True, slots=True)
class OtherVersion:
    """The version of something, and the other one that the server has."""

    version: str
    available: str


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
class BrokenCode:
    """Something in a function's body that the server refuses."""

    #: The table whose trigger calls the function; empty when no trigger does.
    table: str = ""
    triggers: tuple[str, ...] = ()
    #: "INSERT", "UPDATE", ...: when these triggers fire.
    events: tuple[str, ...] = ()
    #: The line of the body, from 1, and the PL/pgSQL statement there; 0 and empty when the whole body is refused.
    line: int = 0
    statement: str = ""
    sqlstate: str
    message: str
    detail: str = ""
    hint: str = ""
    #: The function catches it with WHEN OTHERS, and goes on.
    caught: bool = False


@dataclass(frozen=True, slots=True)
class Computed:
    """What is there as it was computed with a function."""

    #: index, exclusion constraint (by its index), generated column, check or partition key.
    kind: str
    #: An index's and a table's are qualified, a column's and a check's are not.
    name: str
    #: The table.
    relation: str
    #: A check's.
    definition: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenView:
    """The error with which a view answers a role."""

    #: The role that reads, or PUBLIC.
    role: str
    is_owner: bool
    sqlstate: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role, as far as row-level security asks who somebody is."""

    superuser: bool = False
    bypasses_row_security: bool = False
    #: The roles whose privileges it has, itself among them (manual: "pg_has_role", USAGE).
    acts_as: frozenset[str] = frozenset()

    @property
    def is_above_policies(self) -> bool:
        """Whether no policy of any table applies to it."""
        return self.superuser or self.bypasses_row_security


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may do what: the exposed roles, and for a table those that its policies name.

    Names of roles stand as they are, without quotes. A privilege that stops at the schema counts for nothing.
    """

    #: Also those that own tables and views.
    roles: Mapping[str, Role] = field(default_factory=dict)
    #: By relation and role: of SELECT, INSERT, UPDATE and DELETE what it may do, be it with a single column.
    relations: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)
    #: Of functions that are SECURITY DEFINER and can be called: the exposed roles that may execute them, and PUBLIC.
    functions: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def has_other_roles(self, before: "Access") -> bool:
        """Return whether a role that was known before is another one now: another member, or above policies."""
        common = self.roles.keys() & before.roles.keys()
        return any(
            (now := self.roles[name]) is not (then := before.roles[name])
            and (now.superuser, now.bypasses_row_security, now.acts_as & common)
            != (then.superuser, then.bypasses_row_security, then.acts_as & common)
            for name in common
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFailure:
    """A command on a table that the policies keep from being planned."""

    #: "" stands for a role that is nobody in particular, with all privileges on the table.
    role: str
    #: SELECT, INSERT, UPDATE or DELETE.
    command: str
    sqlstate: str
    message: str
    context: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFacts:
    """What the planner makes of the policies of one table."""

    failures: tuple[PlanFailure, ...] = ()
    #: The expressions that are true for each row, as (name of the policy, USING or WITH CHECK).
    always_true: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the probes found in a database as it is."""

    #: The rows that violate constraints, by table.
    violations: Mapping[str, tuple[Violation, ...]] = field(default_factory=dict)
    #: The sequences that are behind the rows, by table.
    taken_values: Mapping[str, tuple[TakenValue, ...]] = field(default_factory=dict)
    #: The defaults that cannot be used, by table.
    rejected_defaults: Mapping[str, tuple[RejectedDefault, ...]] = field(default_factory=dict)
    #: By the function's signature.
    broken_functions: Mapping[str, tuple[BrokenCode, ...]] = field(default_factory=dict)
    #: By the view's name.
    broken_views: Mapping[str, tuple[BrokenView, ...]] = field(default_factory=dict)
    #: Functions of the same name that a call cannot tell apart: the call, by their signatures.
    ambiguous_calls: Mapping[tuple[str, str], str] = field(default_factory=dict)
    #: What was computed with an immutable function as it was before the last file, by its signature.
    computed_before: Mapping[str, tuple[Computed, ...]] = field(default_factory=dict)
    #: By relation, the indexes and the foreign keys (of a partition, only its own).
    indexes: Mapping[str, tuple[IndexShape, ...]] = field(default_factory=dict)
    foreign_keys: Mapping[str, tuple[ForeignKeyShape, ...]] = field(default_factory=dict)
    #: By table, the commands that the server refuses because the table is published.
    refusals: Mapping[str, tuple[Refusal, ...]] = field(default_factory=dict)
    #: By name, what is not of the server's version.
    extension_versions: Mapping[str, OtherVersion] = field(default_factory=dict)
    collation_versions: Mapping[str, OtherVersion] = field(default_factory=dict)
    access: Access = field(default_factory=Access)
    #: Of each table that has policies.
    policies: Mapping[str, PolicyFacts] = field(default_factory=dict)
