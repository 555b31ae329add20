"""How names and string constants are written in SQL (manual: "Lexical Structure"), and the parts of a qualified name.

Qualified names are those of the schema: each part as `quote_ident` writes it, a function's with its argument types.
"""

import re

#: Bytes of a name; PostgreSQL cuts what is longer (manual: "Identifiers and Key Words").
LONGEST_NAME = 63

#: Reserved in PostgreSQL, so that a name which is one of them must be quoted (manual, appendix "SQL Key Words").
_RESERVED = frozenset(
    """
    all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation
    column concurrently constraint create cross current_catalog current_date current_role current_schema current_time
    current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze
    from full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit
    localtime localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references
    returning right select session_user similar some symmetric system_user table tablesample then to trailing true
    union unique user using variadic verbose when where window with
    """.split()  # noqa: SIM905 - a hundred quotes are harder to read
)

_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_PART = r'(?:"(?:[^"]|"")+"|[^".(]+)'
_FIRST_PART = re.compile(rf"({_PART})\.")
_LAST_PART = re.compile(rf"(?:{_PART}\.)*({_PART})")


def quoted(name: str) -> str:
    """Return a name as it must be written in SQL."""
    if _PLAIN_NAME.fullmatch(name) and name not in _RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def unquoted(name: str) -> str:
    """Return a name of one part as it is without its quotes."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def constant(text: str) -> str:
    """Return a text as a string constant, where these conform to the standard."""
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def schema_of(name: str) -> str:
    """Return the schema of a qualified name, as SQL writes it; the name itself without one."""
    first = _FIRST_PART.match(name)
    return first[1] if first is not None else name


def parent_of(identity: str) -> str:
    """Return a qualified name without its last part: the table of a column."""
    end = len(identity)
    if identity.endswith('"'):
        # Inside quotes a quote is written twice, so the opening one is the first that stands alone.
        end = identity.rindex('"', 0, end - 1)
        while end and identity[end - 1] == '"':
            end = identity.rindex('"', 0, end - 1)
    return identity[: identity.rindex(".", 0, end)]


def own_name(name: str) -> str:
    """Return the last part of a qualified name, as SQL writes it: of a function, its name without argument types."""
    found = _LAST_PART.match(name)
    return found[1] if found is not None else name


def without_arguments(signature: str) -> str:
    """Return a function's qualified name without its argument types."""
    found = _LAST_PART.match(signature)
    return found[0] if found is not None else signature


def last_part(name: str) -> str:
    """Return the last part of a qualified name, as it is without quotes."""
    return unquoted(own_name(name))
