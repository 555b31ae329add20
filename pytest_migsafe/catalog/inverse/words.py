"""What SQL calls an object where it is owned, commented or granted on."""

from pytest_migsafe.catalog import rarer
from pytest_migsafe.catalog.lexical import parent_of
from pytest_migsafe.catalog.objects import CatalogObject
from pytest_migsafe.catalog.schema import (
    Column,
    Constraint,
    Extension,
    Function,
    Index,
    Namespace,
    Policy,
    Rule,
    Sequence,
    Table,
    Trigger,
    Type,
    View,
)

_WORDS: dict[type[CatalogObject], str] = {
    Namespace: "SCHEMA",
    Extension: "EXTENSION",
    Type: "TYPE",
    Sequence: "SEQUENCE",
    Function: "ROUTINE",
    Index: "INDEX",
    rarer.AccessMethod: "ACCESS METHOD",
    rarer.Collation: "COLLATION",
    rarer.Conversion: "CONVERSION",
    rarer.EventTrigger: "EVENT TRIGGER",
    rarer.ForeignDataWrapper: "FOREIGN DATA WRAPPER",
    rarer.ForeignServer: "SERVER",
    rarer.Language: "LANGUAGE",
    rarer.Operator: "OPERATOR",
    rarer.Publication: "PUBLICATION",
    rarer.Statistics: "STATISTICS",
    rarer.Subscription: "SUBSCRIPTION",
    rarer.TextSearchConfiguration: "TEXT SEARCH CONFIGURATION",
    rarer.TextSearchDictionary: "TEXT SEARCH DICTIONARY",
    rarer.TextSearchParser: "TEXT SEARCH PARSER",
    rarer.TextSearchTemplate: "TEXT SEARCH TEMPLATE",
}
_ON_A_RELATION: dict[type[CatalogObject], str] = {Trigger: "TRIGGER", Rule: "RULE", Policy: "POLICY"}


def target(one: CatalogObject) -> str | None:  # noqa: PLR0911 - a line a kind
    """Return the words by which SQL means an object: "TABLE public.orders"; None where there are none."""
    if isinstance(one, Table):
        return f"{'FOREIGN TABLE' if one.kind == 'foreign table' else 'TABLE'} {one.name}"
    if isinstance(one, View):
        return f"{one.kind.upper()} {one.name}"
    if isinstance(one, Column):
        return f"COLUMN {one.qualified_name}"
    if isinstance(one, Constraint):
        domain = "DOMAIN " if one.object_kind == "domain" else ""
        return f"CONSTRAINT {one.name} ON {domain}{one.relation}"
    if isinstance(one, Trigger | Rule | Policy):
        return f"{_ON_A_RELATION[type(one)]} {one.name} ON {one.relation}"
    if isinstance(one, Type) and one.kind == "domain":
        return f"DOMAIN {one.name}"
    return _of_rarer(one)


def _of_rarer(one: CatalogObject) -> str | None:
    name = one.qualified_name
    if isinstance(one, rarer.OperatorFamily | rarer.OperatorClass):
        itself, _, method = name.rpartition(" using ")
        return f"{one.KIND.upper()} {itself} USING {method}"
    if isinstance(one, rarer.Cast):
        return f"CAST ({name})"
    if isinstance(one, rarer.Transform):
        itself, _, language = name.rpartition(" language ")
        return f"TRANSFORM FOR {itself} LANGUAGE {language}"
    if isinstance(one, rarer.UserMapping):
        who, _, server = name.rpartition(" on ")
        return f"USER MAPPING FOR {who} SERVER {server}"
    word = _WORDS.get(type(one))
    return f"{word} {name}" if word is not None else None


#: How GRANT names what a privilege is on, by the kind of object.
GRANTED_ON = {
    "table": "TABLE",
    "view": "TABLE",
    "column": "TABLE",
    "sequence": "SEQUENCE",
    "function": "ROUTINE",
    "type": "TYPE",
    "schema": "SCHEMA",
    "language": "LANGUAGE",
    "foreign-data wrapper": "FOREIGN DATA WRAPPER",
    "server": "FOREIGN SERVER",
}


def granted_on(object_kind: str, name: str) -> str:
    """Return what a privilege is on; of a column, its table."""
    return f"{GRANTED_ON[object_kind]} {parent_of(name) if object_kind == 'column' else name}"
