"""What a database was asked about itself beyond its schema: facts that the smoke tests judge.

Each field belongs to one probe (`probes`), which reads again only what a file can have changed. Keys are qualified
names as the schema has them; what is in order is not kept, so an absent key means "nothing wrong, as far as asked".
"""

from dataclasses import dataclass
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
class Facts:
    """What the probes found in a database as it is."""
