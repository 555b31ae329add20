"""The kinds of which a database has few: each group of them is read in full as soon as one of its catalogs changed."""

from dataclasses import dataclass, field
from typing import ClassVar

from pytest_migsafe.catalog.objects import Listed


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTrigger(Listed):
    """An event trigger."""

    KIND: ClassVar[str] = "event trigger"
    GROUP: ClassVar[str] = "event trigger"

    #: ddl_command_start, ddl_command_end, sql_drop, table_rewrite or login.
    event: str
    #: The commands that it is fired for, sorted; none: for all.
    tags: tuple[str, ...] = ()
    function: str
    #: origin, disabled, replica or always.
    enabled: str = "origin"
    owner: str
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics(Listed):
    """An object of extended statistics; its name is qualified by the schema, not by its table."""

    KIND: ClassVar[str] = "statistics"
    GROUP: ClassVar[str] = "statistics"

    relation: str
    #: With the kinds, the columns and the expressions.
    definition: str
    #: The statistics target, where it has one of its own.
    target: int | None = None
    owner: str
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication(Listed):
    """A publication, and what it publishes."""

    KIND: ClassVar[str] = "publication"
    GROUP: ClassVar[str] = "publication"

    all_tables: bool = False
    #: Sorted.
    schemas: tuple[str, ...] = ()
    #: Sorted, each with its columns and its row filter.
    tables: tuple[str, ...] = ()
    #: Of insert, update, delete and truncate, those that are published.
    actions: tuple[str, ...]
    via_root: bool = False
    #: Whether stored generated columns are published too (since PostgreSQL 18).
    generated_columns: bool = False
    owner: str
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription(Listed):
    """A subscription."""

    KIND: ClassVar[str] = "subscription"
    GROUP: ClassVar[str] = "subscription"

    enabled: bool
    publications: tuple[str, ...]
    #: The parameters of the connection string, sorted; of secrets, only a fingerprint. Only a superuser may read it:
    #: for anybody else it is "(may not be read)".
    connection: tuple[str, ...] = ()
    slot: str | None = None
    synchronous_commit: str
    #: The other parameters that differ from the defaults: "name=value", sorted.
    options: tuple[str, ...] = ()
    owner: str
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast(Listed):
    """A cast; its name is `source AS target`."""

    KIND: ClassVar[str] = "cast"
    GROUP: ClassVar[str] = "cast"

    #: The function that converts, "inout" (by way of text), or "binary" (there is nothing to convert).
    method: str
    #: explicit, assignment or implicit.
    context: str
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator(Listed):
    """An operator; its name is `schema.symbol(left type,right type)`."""

    KIND: ClassVar[str] = "operator"
    GROUP: ClassVar[str] = "operator"

    #: None: it has only been mentioned, by another's commutator or negator.
    function: str | None = None
    returns: str | None = None
    commutator: str | None = None
    negator: str | None = None
    restrict: str | None = None
    join: str | None = None
    hashes: bool = False
    merges: bool = False
    owner: str
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorFamily(Listed):
    """An operator family; its name is `schema.name using method`."""

    KIND: ClassVar[str] = "operator family"
    GROUP: ClassVar[str] = "operator"

    #: Its operators and support functions, sorted.
    members: tuple[str, ...] = ()
    owner: str
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorClass(Listed):
    """An operator class; its name is `schema.name using method`. What it consists of stands in its family."""

    KIND: ClassVar[str] = "operator class"
    GROUP: ClassVar[str] = "operator"

    type: str
    family: str
    default: bool = False
    #: What the index stores, where that is another type.
    storage: str | None = None
    owner: str
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Collation(Listed):
    """A collation."""

    KIND: ClassVar[str] = "collation"
    GROUP: ClassVar[str] = "collation"

    #: libc, icu or builtin.
    provider: str
    #: Where they differ, collate and ctype with a slash between them.
    locale: str | None = None
    deterministic: bool = True
    #: Tailoring rules of ICU (since PostgreSQL 16).
    rules: str | None = None
    owner: str
    comment: str | None = None
    #: That of the operating system's library when it was made: no part of what the schema means.
    version: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion(Listed):
    """A conversion between encodings."""

    KIND: ClassVar[str] = "conversion"
    GROUP: ClassVar[str] = "conversion"

    source: str
    target: str
    function: str
    default: bool = False
    owner: str
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSearchParser(Listed):
    """A text search parser."""

    KIND: ClassVar[str] = "text search parser"
    GROUP: ClassVar[str] = "text search"

    start: str
    token: str
    end: str
    headline: str | None = None
    types: str
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSearchTemplate(Listed):
    """A text search template."""

    KIND: ClassVar[str] = "text search template"
    GROUP: ClassVar[str] = "text search"

    init: str | None = None
    lexize: str
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSearchDictionary(Listed):
    """A text search dictionary."""

    KIND: ClassVar[str] = "text search dictionary"
    GROUP: ClassVar[str] = "text search"

    template: str
    #: As CREATE TEXT SEARCH DICTIONARY would have them.
    parameters: str | None = None
    owner: str
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSearchConfiguration(Listed):
    """A text search configuration."""

    KIND: ClassVar[str] = "text search configuration"
    GROUP: ClassVar[str] = "text search"

    parser: str
    #: "token type: dictionaries", the dictionaries in the order in which they are asked.
    mappings: tuple[str, ...] = ()
    owner: str
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignDataWrapper(Listed):
    """A foreign-data wrapper."""

    KIND: ClassVar[str] = "foreign-data wrapper"
    GROUP: ClassVar[str] = "foreign data"

    handler: str | None = None
    validator: str | None = None
    #: Sorted; of secrets, only a fingerprint.
    foreign_options: tuple[str, ...] = ()
    owner: str
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignServer(Listed):
    """A foreign server."""

    KIND: ClassVar[str] = "server"
    GROUP: ClassVar[str] = "foreign data"

    wrapper: str
    type: str | None = None
    version: str | None = None
    #: Sorted; of secrets, only a fingerprint.
    foreign_options: tuple[str, ...] = ()
    owner: str
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserMapping(Listed):
    """A user mapping; its name is `role on server`."""

    KIND: ClassVar[str] = "user mapping"
    GROUP: ClassVar[str] = "foreign data"

    #: Sorted; of secrets, only a fingerprint. For who may not read them, "(may not be read)".
    foreign_options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Language(Listed):
    """A procedural language that comes with no extension."""

    KIND: ClassVar[str] = "language"
    GROUP: ClassVar[str] = "language"

    trusted: bool = False
    handler: str
    inline: str | None = None
    validator: str | None = None
    owner: str
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transform(Listed):
    """A transform; its name is `type language name`."""

    KIND: ClassVar[str] = "transform"
    GROUP: ClassVar[str] = "language"

    from_sql: str | None = None
    to_sql: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessMethod(Listed):
    """An access method that comes with no extension."""

    KIND: ClassVar[str] = "access method"
    GROUP: ClassVar[str] = "access method"

    #: table or index.
    type: str
    handler: str
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityLabel(Listed):
    """A security label; its name is the object's kind and name, and the label's provider."""

    KIND: ClassVar[str] = "security label"
    GROUP: ClassVar[str] = "security label"

    label: str
