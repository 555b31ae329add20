"""Foreign servers' and users' options without their secrets: a snapshot is stored, printed and sent to others."""

import hashlib
import re
from collections.abc import Iterable

import psycopg
from psycopg.conninfo import conninfo_to_dict

#: Names of options with something secret in them: those of the wrappers in PostgreSQL's contrib, of the common ones for
#: other databases and web services, and connection strings, in which there may be a password.
_SECRET = re.compile(
    r"passw|passphrase|secret|token|credential|private|sslkey$|(api|access|account|sa|service|encryption)_?key|conn_?str|connection_string",
    re.IGNORECASE,
)
#: Enough to see that a secret has changed; too little to find out what it is.
_FINGERPRINT = 6

#: Stands for what the session's role may not read.
UNREADABLE = "(may not be read)"


def masked(option: str) -> str:
    """Return an option (`name=value`) as it is, or with a fingerprint instead of its value when that is secret."""
    name, _, value = option.partition("=")
    if not _SECRET.search(name):
        return option
    fingerprint = hashlib.sha256(value.encode()).hexdigest()[:_FINGERPRINT]
    return f"{name}=*** ({fingerprint})"


def masked_connection(given: Iterable[str]) -> list[str]:
    """Return the parameters of a connection string (manual: "Connection Strings"), the only one given, masked."""
    (text,) = given
    if text == UNREADABLE:
        return [text]
    try:
        parameters = conninfo_to_dict(text)
    except psycopg.Error:
        return [masked(f"connection_string={text}")]
    return [masked(f"{name}={value}") for name, value in sorted(parameters.items())]
