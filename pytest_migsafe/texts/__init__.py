"""Texts of others as reports show them: nothing in them that a reader cannot see, and no longer than there is room."""

import re

#: What UTF-8 has no bytes for, what moves the cursor or rings, and what turns the direction of writing round: with that,
#: SQL can be shown otherwise than it is run.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_BREAKS = re.compile("\r\n?|[\u0085\u2028\u2029]")


def seen(text: str) -> str:
    """Return a text in which every character can be seen, and lines end as Unix ends them."""
    return _UNSEEN.sub("\ufffd", _BREAKS.sub("\n", text))


def clipped(text: str, most: int) -> str:
    """Return a text, or its beginning when it has more than so many characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


#: A line that is SQL, or begins a file of it (``remedy.written``).
_SQL = re.compile(
    r"-- |(?:ALTER|ANALYZE|BEGIN|CALL|COMMENT|CREATE|DELETE|DO|DROP|GRANT|INSERT|LOCK|REFRESH|REINDEX|REVOKE|SELECT|SET|"
    r"TRUNCATE|UPDATE|VACUUM|WITH)\b.*;(?:\s*--.*)?$"
)


def words_and_sql(remedy: str) -> tuple[str, str]:
    """Return a remedy's words, and the SQL that comes after them; either may be empty."""
    lines = remedy.split("\n")
    at = next((at for at, line in enumerate(lines) if _SQL.match(line)), None)
    if at is None:
        # A file whose first statement goes over several lines has words before it.
        at = 1 if len(lines) > 1 and lines[-1].rstrip().endswith(";") else len(lines)
    return "\n".join(lines[:at]).strip(), "\n".join(lines[at:]).strip("\n")
