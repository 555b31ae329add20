"""Types and sequences: how they are made, and how one becomes the other (manual: "ALTER TYPE", "ALTER DOMAIN")."""

import re
from collections.abc import Iterator, Sequence

from pytest_migsafe.catalog.inverse.steps import Phase, Way
from pytest_migsafe.catalog.lexical import constant
from pytest_migsafe.catalog.schema import Sequence as SequenceObject
from pytest_migsafe.catalog.schema import Type

#: As the query writes what a range is made of.
_RANGE = re.compile(
    r"subtype (?P<subtype>.+), operator class (?P<subtype_opclass>.+), collation (?P<collation>\S+), "
    r"canonical (?P<canonical>\S+), subtype difference (?P<subtype_diff>\S+), multirange (?P<multirange_type_name>.+)"
)


def create(one: Type) -> str | None:
    """Return the statement that makes a type; None for one of which it is not known how."""
    if one.kind == "enum":
        return f"CREATE TYPE {one.name} AS ENUM ({', '.join(map(constant, one.labels))});"
    if one.kind == "composite":
        return f"CREATE TYPE {one.name} AS ({', '.join(_attribute(each) for each in one.attributes)});"
    if one.kind == "domain":
        words = [f"CREATE DOMAIN {one.name} AS {one.base_type}"]
        words += [f"COLLATE {one.collation}"] if one.collation is not None else []
        words += [f"DEFAULT {one.default}"] if one.default is not None else []
        words += ["NOT NULL"] if one.not_null else []
        return f"{' '.join(words)};"
    if one.kind == "range":
        found = _RANGE.fullmatch(one.range or "")
        said = found.groupdict() if found is not None else {}
        parts = [f"{name} = {value}" for name, value in said.items() if value != "-"]
        return f"CREATE TYPE {one.name} AS RANGE ({', '.join(parts)});" if parts else None
    return f"CREATE TYPE {one.name};" if one.kind == "shell" else None


def _attribute(text: str) -> str:
    """Return a composite's attribute ("name type collate c") as SQL."""
    return text.replace(" collate ", " COLLATE ")


def name_of(attribute: str) -> str:
    """Return the name of an attribute, of which the text is "name type"."""
    found = re.match(r'("(?:[^"]|"")*"|\S+) ', attribute)
    return found[1] if found is not None else attribute


def change(way: Way, now: Type, then: Type) -> bool:
    """Add the steps that make one type of another, but for owner and comment; return whether that is possible."""
    if now.kind != then.kind or (now.range, now.base) != (then.range, then.base):
        return False
    if now.kind == "enum":
        return _change_enum(way, now, then)
    if now.kind == "composite":
        return _change_composite(way, now, then)
    if now.kind == "domain":
        return _change_domain(way, now, then)
    return True


def _change_enum(way: Way, now: Type, then: Type) -> bool:
    if now.labels == then.labels:
        return True
    gone = [one for one in now.labels if one not in then.labels]
    new = [one for one in then.labels if one not in now.labels]
    if (
        len(now.labels) == len(then.labels)
        and [old for old, label in zip(now.labels, then.labels, strict=True) if old != label] == gone
    ):
        pairs = zip(now.labels, then.labels, strict=True)
        way.add(
            Phase.TYPE,
            *(
                f"ALTER TYPE {now.name} RENAME VALUE {constant(old)} TO {constant(label)};"
                for old, label in pairs
                if old != label
            ),
        )
        return True
    if gone or [one for one in then.labels if one in now.labels] != list(now.labels):
        return False
    way.add(Phase.TYPE, *_added_values(now.name, then.labels, new))
    return True


def _added_values(name: str, labels: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    for one in new:
        at = labels.index(one)
        place = f"AFTER {constant(labels[at - 1])}" if at else ""
        if not at and (later := [label for label in labels if label not in new]):
            place = f"BEFORE {constant(later[0])}"
        yield f"ALTER TYPE {name} ADD VALUE {constant(one)}{f' {place}' if place else ''};"


def _change_composite(way: Way, now: Type, then: Type) -> bool:
    have = {name_of(one): one for one in now.attributes}
    want = {name_of(one): one for one in then.attributes}
    if [name for name in have if name in want] + [name for name in want if name not in have] != list(want):
        return _rename_attributes(way, now, then)
    parts = [f"DROP ATTRIBUTE {name}" for name in have if name not in want]
    parts += [
        f"ADD ATTRIBUTE {_attribute(text)}"
        if name not in have
        else f"ALTER ATTRIBUTE {name} TYPE {_attribute(text.removeprefix(f'{name} '))}"
        for name, text in want.items()
        if have.get(name) != text
    ]
    if len(parts) == len({*have} ^ {*want}) == 2 and _rename_attributes(way, now, then):
        return True
    if parts:
        way.add(Phase.TYPE, f"ALTER TYPE {now.name} {', '.join(parts)};")
    _comment_attributes(way, now, then)
    return True


def _rename_attributes(way: Way, now: Type, then: Type) -> bool:
    """Give attributes their names back, where that is all that differs."""
    pairs = [(name_of(old), name_of(new)) for old, new in zip(now.attributes, then.attributes, strict=False)]
    rests = [
        (old.removeprefix(name_of(old)), new.removeprefix(name_of(new)))
        for old, new in zip(now.attributes, then.attributes, strict=False)
    ]
    if len(now.attributes) != len(then.attributes) or any(old != new for old, new in rests):
        return False
    way.add(
        Phase.TYPE,
        *(f"ALTER TYPE {now.name} RENAME ATTRIBUTE {old} TO {new};" for old, new in pairs if old != new),
    )
    return True


def _comment_attributes(way: Way, now: Type, then: Type) -> None:
    have, want = (dict(_comments(one)) for one in (now, then))
    for name in [name_of(one) for one in then.attributes]:
        if have.get(name) != want.get(name):
            text = constant(want[name]) if name in want else "NULL"
            way.add(Phase.COMMENT, f"COMMENT ON COLUMN {then.name}.{name} IS {text};")


def _comments(one: Type) -> Iterator[tuple[str, str]]:
    for text in one.attribute_comments:
        name = name_of(text.replace(": ", " ", 1))
        yield name, text.removeprefix(f"{name}: ")


def comments(one: Type) -> Iterator[str]:
    """Yield the statements that comment a composite's attributes."""
    for name, text in _comments(one):
        yield f"COMMENT ON COLUMN {one.name}.{name} IS {constant(text)};"


def _change_domain(way: Way, now: Type, then: Type) -> bool:
    if (now.base_type, now.collation) != (then.base_type, then.collation):
        return False
    if now.default != then.default:
        action = f"SET DEFAULT {then.default}" if then.default is not None else "DROP DEFAULT"
        way.add(Phase.TYPE, f"ALTER DOMAIN {now.name} {action};")
    if now.not_null != then.not_null:
        way.add(Phase.TYPE, f"ALTER DOMAIN {now.name} {'SET' if then.not_null else 'DROP'} NOT NULL;")
    return True


# -- sequences -----------------------------------------------------------------------------------------------


def create_sequence(one: SequenceObject) -> str:
    """Return the statement that makes a sequence; whose it is, is told later."""
    unlogged = "UNLOGGED " if one.persistence == "unlogged" else ""
    return f"CREATE {unlogged}SEQUENCE {one.name} AS {one.type} {numbers(one)};"


def numbers(one: SequenceObject) -> str:
    """Return how a sequence counts, as CREATE SEQUENCE and identity columns say it."""
    cycle = "CYCLE" if one.cycle else "NO CYCLE"
    return (
        f"INCREMENT BY {one.increment} MINVALUE {one.minimum} MAXVALUE {one.maximum} START WITH {one.start} "
        f"CACHE {one.cache} {cycle}"
    )


def change_sequence(way: Way, now: SequenceObject, then: SequenceObject) -> None:
    """Add the steps that make one sequence of another, but for owner and comment."""
    if (now.type, numbers(now)) != (then.type, numbers(then)):
        way.add(Phase.SEQUENCE, f"ALTER SEQUENCE {now.name} AS {then.type} {numbers(then)};")
    if now.persistence != then.persistence:
        word = "UNLOGGED" if then.persistence == "unlogged" else "LOGGED"
        way.add(Phase.SEQUENCE, f"ALTER SEQUENCE {now.name} SET {word};")
    if now.owned_by != then.owned_by:
        way.add(
            Phase.SEQUENCE if then.owned_by is None else Phase.CONSTRAINT,
            f"ALTER SEQUENCE {now.name} OWNED BY {then.owned_by or 'NONE'};",
        )
