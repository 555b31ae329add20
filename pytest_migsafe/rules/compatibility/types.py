"""Whether a column of another type still takes what old code writes, and gives what it reads."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.schema import Constraint, Type
from pytest_migsafe.findings import Severity

_TYPE = re.compile(
    r"(?P<base>.*?)(?:\((?P<modifiers>[-\d,\s]+)\))?(?P<zone> with(?:out)? time zone)?(?P<array>(?:\[\])*)"
)
#: Types that hold the same values, by how much: one further right holds all that those to its left hold.
_WIDER: tuple[tuple[str, ...], ...] = (
    ("smallint", "integer", "bigint", "numeric"),
    ("real", "double precision"),
    ("date", "timestamp without time zone"),
    ("cidr", "inet"),
)
_TEXT = frozenset({"text", "character varying"})
#: Types that are written alike and that drivers tell apart.
_ALIKE: tuple[frozenset[str], ...] = (
    frozenset({"json", "jsonb"}),
    frozenset({"timestamp without time zone", "timestamp with time zone"}),
    frozenset({"time without time zone", "time with time zone"}),
    frozenset({"smallint", "integer", "bigint", "numeric", "real", "double precision"}),
    frozenset({"date", "timestamp without time zone", "timestamp with time zone"}),
    frozenset({"cidr", "inet"}),
)


@dataclass(frozen=True, slots=True)
class Form:
    """A type as its parts: character varying(50)[] is a base, modifiers and dimensions."""

    base: str
    modifiers: tuple[int, ...]
    dimensions: int


@dataclass(frozen=True, slots=True)
class Change:
    """What another type means for old code."""

    severity: Severity
    what: str


def form_of(type_: str) -> Form:
    """Return the parts of a type as `format_type` writes it."""
    found = _TYPE.fullmatch(type_)
    if found is None:
        return Form(type_, (), 0)
    modifiers = tuple(int(one) for one in (found["modifiers"] or "").split(",") if one.strip())
    return Form(found["base"] + (found["zone"] or ""), modifiers, len(found["array"]) // 2)


def changed(before: Schema, was: str, after: Schema, now: str, names: Mapping[str, str]) -> Change | None:
    """Return what follows of another type; None: nothing that old code would notice.

    ``names`` are the types that are called otherwise now.
    """
    old, new = _resolved(before, was), _resolved(after, now)
    old = Form(names.get(old.base, old.base), old.modifiers, old.dimensions)
    if old.dimensions != new.dimensions:
        return Change(Severity.ERROR, "one value is no list of values")
    if (
        old.base == new.base
        or (old.base in _TEXT and _is_text(new.base))
        or (_is_text(old.base) and new.base in _TEXT)
    ):
        return _narrower(old, new) or _constrained(after, now, was)
    return _other_base(before, old.base, new.base)


def _is_text(base: str) -> bool:
    # citext compares otherwise, and takes and gives the same values; so does what is padded with blanks.
    return base in _TEXT or base.rpartition(".")[2] in {"citext", "character"}


def _resolved(schema: Schema, type_: str) -> Form:
    """Return the form of a type, of a domain that of what it is made of."""
    form = form_of(type_)
    found = schema.get(Type.KIND, form.base)
    if isinstance(found, Type) and found.kind == "domain" and found.base_type:
        below = _resolved(schema, found.base_type)
        return Form(below.base, below.modifiers, below.dimensions + form.dimensions)
    return form


def _narrower(old: Form, new: Form) -> Change | None:
    if not new.modifiers or old.modifiers == new.modifiers:
        return None
    if new.base == "numeric":
        is_narrower = not old.modifiers or _digits(new) < _digits(old) or _scale(new) < _scale(old)
    elif new.base in {"character varying", "character", "bit", "bit varying"}:
        is_narrower = not old.modifiers or new.modifiers[0] < old.modifiers[0]
    else:
        # Times are rounded, and geometries of extensions are theirs.
        return None
    return (
        Change(Severity.WARNING, "a longer value, as old code may write it, is refused")
        if is_narrower
        else None
    )


def _digits(form: Form) -> int:
    return form.modifiers[0] - _scale(form)


def _scale(form: Form) -> int:
    return form.modifiers[1] if len(form.modifiers) > 1 else 0


def _constrained(after: Schema, now: str, was: str) -> Change | None:
    """Return what a domain's constraints refuse, where there was another type before."""
    base = form_of(now).base
    if base == form_of(was).base or not _is_domain_with_constraints(after, base):
        return None
    return Change(Severity.WARNING, f"the domain {base} refuses values that old code may write")


def _is_domain_with_constraints(schema: Schema, name: str) -> bool:
    found = schema.get(Type.KIND, name)
    if not isinstance(found, Type) or found.kind != "domain":
        return False
    return found.not_null or any(
        isinstance(one, Constraint) for one in schema.homes.get(found.home, {}).values()
    )


def _other_base(before: Schema, old: str, new: str) -> Change:
    for row in _WIDER:
        if old in row and new in row:
            if row.index(old) < row.index(new):
                return Change(
                    Severity.WARNING,
                    "old code may read it with a driver that expects the narrower type, and values grow beyond that",
                )
            return Change(
                Severity.WARNING, "a value that does not fit, as old code may write it, is refused or rounded"
            )
    if any(old in some and new in some for some in _ALIKE):
        return Change(Severity.WARNING, "drivers read and write it in another way")
    if _is_text(new) and _is_enum(before, old):
        return Change(Severity.WARNING, "old code that casts to the enum compares what cannot be compared")
    return Change(Severity.ERROR, "old code writes, reads and compares another kind of value")


def _is_enum(schema: Schema, name: str) -> bool:
    found = schema.get(Type.KIND, name)
    return isinstance(found, Type) and found.kind == "enum"
