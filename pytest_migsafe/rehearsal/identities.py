"""What became of what was there before a file: whether a name still means the same thing, and what has another name.

A schema knows objects by their names only. Of relations the statements tell which one was renamed, dropped or made
(`Naming`); of columns the physical place does, which a column keeps under any name. Where that was not seen, as outside a
transaction block, and of functions and types, two objects are taken for one that are alike (`catalog.renames`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property

from pytest_migsafe.catalog import Schema
from pytest_migsafe.catalog.lexical import own_name, schema_of
from pytest_migsafe.catalog.objects import CatalogObject, Home, Key
from pytest_migsafe.catalog.renames import renames
from pytest_migsafe.catalog.schema import Column, Function, Namespace, Type
from pytest_migsafe.rehearsal.observed import StatementEvidence
from pytest_migsafe.rehearsal.state import changed_homes


@dataclass(frozen=True)
class Fate:
    """What became of a relation that was there before the file."""

    #: What it is called now; empty when it is gone.
    became: str
    #: The statement that dropped it, or gave it this name; None when neither was seen.
    statement: StatementEvidence | None = None


@dataclass(frozen=True)
class Identities:
    """What is the same before and after a file."""

    before: Schema
    after: Schema
    statements: tuple[StatementEvidence, ...]

    @cached_property
    def changed(self) -> frozenset[Home]:
        """The homes whose objects differ."""
        return changed_homes(self.before, self.after)

    def gone(self, catalog: str) -> list[str]:
        """Return the names that mean nothing any more, of a catalog ("relation", "function", "type", "schema")."""
        return sorted(
            one.name for one in self.changed if one.catalog == catalog and one not in self.after.homes
        )

    def kept(self, catalog: str) -> list[str]:
        """Return the names that mean something before and after, which is not all the same."""
        return sorted(
            one.name
            for one in self.changed
            if one.catalog == catalog and one in self.after.homes and one in self.before.homes
        )

    def new(self, catalog: str) -> list[str]:
        """Return the names that meant nothing before."""
        return sorted(
            one.name for one in self.changed if one.catalog == catalog and one not in self.before.homes
        )

    def fate(self, relation: str) -> Fate:
        """Return what became of a relation that was there before."""
        seen = self._fates.get(relation)
        if seen is not None and seen.became in {"", relation} and self._is_still(relation):
            # What ROLLBACK TO SAVEPOINT undid.
            return Fate(relation)
        if seen is not None:
            return seen if not seen.became else Fate(self._in_renamed_schema(seen.became), seen.statement)
        if Home("relation", relation) in self.after.homes:
            return Fate(relation)
        moved = self._in_renamed_schema(relation)
        return Fate(moved if moved != relation else self._likely.get(relation, ""))

    def _is_still(self, relation: str) -> bool:
        return Home("relation", relation) in self.after.homes and self._origins.get(relation, relation) in {
            relation,
            None,
        }

    def is_remade(self, relation: str) -> bool:
        """Whether a name that was there before means another relation now."""
        return Home("relation", relation) in self.after.homes and self.fate(relation).became != relation

    def column(self, column: Column) -> Column | None:
        """Return what became of a column, under whatever name; None when it is gone, with its table or without it."""
        relation = self.fate(column.relation).became
        return self._in_place_of(column, self.after, relation) if relation else None

    def former(self, column: Column) -> Column | None:
        """Return what a column was before the file, under whatever name; None when it is new."""
        relation = self._former_relation(column.relation)
        return self._in_place_of(column, self.before, relation) if relation else None

    def _former_relation(self, relation: str) -> str:
        if Home("relation", relation) in self.before.homes and self.fate(relation).became == relation:
            return relation
        return next((one for one in self.gone_or_renamed if self.fate(one).became == relation), "")

    @cached_property
    def gone_or_renamed(self) -> tuple[str, ...]:
        """The relations whose names mean nothing any more, or another relation."""
        names = {*self.gone("relation"), *self._fates}
        return tuple(sorted(name for name in names if self.fate(name).became != name))

    def _in_place_of(self, column: Column, schema: Schema, relation: str) -> Column | None:
        """Return the column in the same physical place of a relation."""
        some = schema.belonging_to(relation)
        # Nearly all have their name, too.
        same = some.get(Key(Column.KIND, f"{relation}.{column.name}"))
        if isinstance(same, Column) and same.position == column.position:
            return same
        columns = (one for one in some.values() if isinstance(one, Column))
        return next((one for one in columns if one.position == column.position), None)

    @cached_property
    def _origins(self) -> Mapping[str, str | None]:
        """The relation before the file by each name that was given or taken away; empty: a new one, None: nothing."""
        return self._told[0]

    @cached_property
    def _fates(self) -> Mapping[str, Fate]:
        return self._told[1]

    @cached_property
    def _told(
        self,
    ) -> tuple[Mapping[str, str | None], Mapping[str, Fate]]:
        """Return what is behind each name at last, and what became of each relation that the statements name anew."""
        behind: dict[str, str | None] = {}
        fates: dict[str, Fate] = {}
        for statement in self.statements:
            moved = []
            for naming in statement.namings:
                origin = ""
                if naming.relation:
                    unseen = naming.relation if naming.preexisting else ""
                    origin = behind.get(naming.relation, unseen) or ""
                    behind[naming.relation] = None
                moved.append((naming, origin))
            for naming, origin in moved:
                if naming.became:
                    behind[naming.became] = origin
                if origin:
                    fates[origin] = Fate(naming.became, statement)
        return behind, {
            name: fate for name, fate in fates.items() if Home("relation", name) in self.before.homes
        }

    @cached_property
    def _likely(self) -> Mapping[str, str]:
        """Relations and functions that are gone, and what is alike and new: the best that is known where nothing was seen."""
        if not (self.gone("relation") or self.gone("function")):
            return {}
        made = {name for name, origin in self._origins.items() if origin == ""}
        return {old: new for old, new in renames(self.before, self.after).items() if new not in made}

    def function(self, name: str) -> str:
        """Return what a function that is gone is called now; empty where nothing else is like it."""
        moved = self._in_renamed_schema(name)
        if moved != name and Home("function", moved) in self.after.homes:
            return moved
        found = self._likely.get(name, "")
        return found if isinstance(self.after.get(Function.KIND, found), Function) else ""

    @cached_property
    def types(self) -> Mapping[str, str]:
        """The types that are gone, and what each is called now: the only new one that is like it."""
        found = {}
        new = [(name, self.after.get("type", name)) for name in self.new("type")]
        for old in self.gone("type"):
            was = self.before.get("type", old)
            like = [name for name, one in new if _means(one) == _means(was)]
            if len(like) == 1:
                found[old] = like[0]
        return found

    @cached_property
    def schemas(self) -> Mapping[str, str]:
        """The schemas that are called otherwise, and how: the only new one that holds all that the old one held."""
        gone = [one for one in self.gone("schema") if isinstance(self.before.get("schema", one), Namespace)]
        new = self.new("schema") if gone else []
        found = {}
        for old in gone:
            held = _contents(self.before, old)
            same = [one for one in new if held and held <= _contents(self.after, one)]
            if len(same) == 1:
                found[old] = same[0]
        return found

    def _in_renamed_schema(self, name: str) -> str:
        schema = schema_of(name)
        now = self.schemas.get(schema)
        return f"{now}{name.removeprefix(schema)}" if now is not None else name


def _means(one: CatalogObject | None) -> object:
    """Return a type's fields but for its name."""
    if not isinstance(one, Type):
        return None
    return tuple(
        getattr(one, each.name) for each in fields(one) if each.name not in {"name", "owner", "comment"}
    )


def _contents(schema: Schema, namespace: str) -> set[tuple[str, str]]:
    """Return the relations of a schema that people make, by their own names."""
    return set(_names_in(schema, namespace))


def _names_in(schema: Schema, namespace: str) -> Iterator[tuple[str, str]]:
    for home in schema.homes:
        if home.catalog in {"relation", "type"} and schema_of(home.name) == namespace:
            yield home.catalog, own_name(home.name)
