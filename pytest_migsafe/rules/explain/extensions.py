"""Extensions, and other things that a server may have been built without."""

import re
from collections.abc import Iterator

from pytest_migsafe.rehearsal.evidence import Evidence, StatementError
from pytest_migsafe.rules.explain.names import failing_text


def unavailable(evidence: Evidence, error: StatementError) -> Iterator[str]:
    """Explain 0A000 and 58P01: the server lacks an extension, a library or ICU."""
    server = f"The server (PostgreSQL {evidence.server_version})"
    if missing := _NO_EXTENSION.search(error.message):
        name = missing[1] or missing[2]
        yield f"{server} does not have the extension {name}."
    elif missing := _NO_LIBRARY.search(error.message):
        created = _CREATE_EXTENSION.search(failing_text(evidence))
        name = created[1] if created else missing[1]
        package = _LIBRARIES.get(missing[2].split(".so")[0])
        where = f" (Debian, Ubuntu: apt install {package})" if package else ""
        yield f"{server} has {name}, which needs the system's library {missing[2]}: install it{where}."
    elif "ICU is not supported" in error.message:
        yield f"{server} is built without ICU."
        yield with_icu(evidence)
        return
    else:
        return
    major = evidence.major
    yield (
        f"A server that has it: apt install {_package(name, major)} (Debian, Ubuntu) and "
        f"--migsafe-bindir=/usr/lib/postgresql/{major}/bin, or one that runs already, such as a container: --migsafe-dsn."
    )
    yield "Or a stub, a file of SQL with what your migrations use of the extension, named in pyproject.toml:"
    yield f'[tool.migsafe.extensions]\n{name} = "stubs/{name}.sql"'


def with_icu(evidence: Evidence) -> str:
    """Return where a server with ICU can be had."""
    major = evidence.major
    return (
        f"A server that has it: apt install postgresql-{major} (Debian, Ubuntu) and --migsafe-bindir "
        f"/usr/lib/postgresql/{major}/bin, or one that runs already, such as a container: --migsafe-dsn."
    )


#: Until PostgreSQL 14 only the file is named.
_NO_EXTENSION = re.compile(
    r'extension "([^"]+)" is not available|could not open extension control file ".*/([^"/]+)\.control"'
)


_NO_LIBRARY = re.compile(
    r'could not load library ".*/([^"/]+)\.\w+": (?:.*: )?([^:\s]+): cannot open shared object file'
)


_CREATE_EXTENSION = re.compile(r'CREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?"?([\w-]+)', re.IGNORECASE)


#: Where Debian has the libraries that modules of the bundled server need (docs/servers.md).
_LIBRARIES = {
    "libossp-uuid": "libossp-uuid16",
    "libpq": "libpq5",
    "libpython3.11": "libpython3.11",
    "libxslt": "libxslt1.1",
}


#: Extensions whose packages are not called like them, in Debian and on apt.postgresql.org.
_PACKAGES = {
    "address_standardizer": "postgis-3",
    "pg_cron": "cron",
    "pg_partman": "partman",
    "pg_repack": "repack",
    "pg_similarity": "similarity",
    "vector": "pgvector",
}


def _package(extension: str, major: int) -> str:
    """Return the Debian package of an extension; those of the server's own languages end with the version."""
    if language := re.fullmatch(r"(plperl|plpython3|pltcl)u?", extension):
        return f"postgresql-{language[1]}-{major}"
    if extension.startswith("postgis"):
        return f"postgresql-{major}-postgis-3"
    return f"postgresql-{major}-{_PACKAGES.get(extension, extension.replace('_', '-'))}"


def other_version(evidence: Evidence, error: StatementError) -> Iterator[str]:  # noqa: ARG001 - Explain's signature
    """Explain 22023: the server has another version of the extension."""
    match = re.search(r'extension "([^"]+)" has no .*update path .*version "([^"]+)"', error.message)
    if match:
        yield (
            "Each server has the versions of its own packages: leave VERSION or TO out, unless the migrations need "
            "this one. A stub says in its first line for which version it stands:"
        )
        yield f"-- version: {match[2]}"
