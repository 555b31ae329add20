"""A stub: plain SQL that stands in for an extension which the throwaway server lacks.

The SQL has the surface of the extension that migrations use. It becomes a real extension (manual, "Packaging Related
Objects into an Extension"), so that CREATE EXTENSION, its SCHEMA, pg_extension and DROP EXTENSION are as in production.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_migsafe.errors import StubError

_OURS = Path(__file__).with_name("stubs")
#: What always comes with us: the extensions whose libraries the bundled server's system most often lacks.
BUILT_IN: Mapping[str, Path] = {"uuid-ossp": _OURS / "uuid-ossp.sql"}

#: The version of a stub that does not say for which one it stands.
_VERSION = "0.0-stub"

#: What the first lines may say that in a real extension stands in the control file.
_HEADER = re.compile(r"--\s*(version|requires|schema)\s*:\s*(.*\S)")

#: As the server has it, for extensions and for versions (check_valid_extension_name): a part of a file's name, in which
#: two hyphens separate one from the other. Quotes are left out, too, which nobody has in such a name.
_NAME = re.compile(r"(?!-)(?!.*--)[^/\\'\"\s]+(?<!-)")


_ACCESS_METHOD = re.compile(r"^\s*CREATE\s+ACCESS\s+METHOD\s+(\w+|\"[^\"]+\")", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Stub:
    """A stub that has been read."""

    #: The extension's name.
    name: str
    #: The file, for messages.
    path: Path
    sql: str
    version: str = _VERSION
    #: The extensions that must be there first; CREATE EXTENSION ... CASCADE installs them.
    requires: tuple[str, ...] = ()
    #: The only schema that it can be in, which CREATE EXTENSION makes when it is not there; any other, if empty.
    schema: str = ""

    @property
    def is_ours(self) -> bool:
        """Whether it comes with us, and was tried out before it did."""
        return self.path.is_relative_to(_OURS)

    @property
    def access_methods(self) -> tuple[str, ...]:
        """The access methods of indexes that the stub makes: they know no parameters, which only a library can have."""
        return tuple(name.strip('"') for name in _ACCESS_METHOD.findall(self.sql))

    @property
    def control(self) -> str:
        """The text of the control file.

        Trusted: a managed service lets the owner of a database install what it offers, and so do we. As a superuser
        all the same: the script of a trusted extension is run by the bootstrap superuser, and what stands in for a type
        written in C needs one (LANGUAGE internal). Relocatable, unless the SQL wants to know its schema, which the
        server tells only those that never leave it.
        """
        relocatable = "false" if self.schema or "@extschema@" in self.sql else "true"
        home = f"schema = '{self.schema}'\n" if self.schema else ""
        return (
            f"comment = 'stands in for {self.name} (pytest-migsafe)'\n"
            f"default_version = '{self.version}'\n"
            f"requires = '{', '.join(self.requires)}'\n"
            f"relocatable = {relocatable}\n"
            f"{home}"
            "superuser = true\n"
            "trusted = true\n"
        )

    def write_to(self, directory: Path) -> None:
        """Write the extension's two files into a directory of extensions, in place of what is there by their name."""
        files = {f"{self.name}.control": self.control, f"{self.name}--{self.version}.sql": self.sql}
        for name, text in files.items():
            # It may be a link to a file of the installation, which is not to be written to.
            (directory / name).unlink(missing_ok=True)
            (directory / name).write_text(text, encoding="utf-8")


def stubs_of_platform(name: str) -> Mapping[str, Path]:
    """Return what comes with us for the extensions that a platform offers and a stock server lacks.

    A platform is called as the built-in prelude that makes what else is there.
    """
    return {path.stem: path for path in sorted((_OURS / name).glob("*.sql"))}


def read_stub(name: str, path: Path) -> Stub:
    """Return the stub for the extension `name` from a file of SQL.

    Raises:
        StubError: there is no such file, it is no text in UTF-8, or a name is none that an extension can have.
    """
    try:
        sql = path.read_text(encoding="utf-8").removeprefix("\ufeff")
    except OSError as error:
        raise _unusable(name, path, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _unusable(name, path, f"is not text in UTF-8: byte {error.start + 1}") from error
    said = dict(_header(sql))
    version = said.get("version", _VERSION)
    requires = tuple(one.strip() for one in said.get("requires", "").split(",") if one.strip())
    schema = said.get("schema", "")
    for text in (name, version, *requires, *([schema] if schema else [])):
        if not _NAME.fullmatch(text):
            raise _unusable(name, path, f"is not usable: {text!r} cannot be an extension's name or version")
    return Stub(name, path, sql, version, requires, schema)


def _header(sql: str) -> list[tuple[str, str]]:
    """Return what the comments before the first statement say, as keys and values."""
    found = []
    for line in sql.splitlines():
        if line.strip() and not line.startswith("--"):
            break
        if match := _HEADER.fullmatch(line.strip()):
            found.append((match[1], match[2]))
    return found


def _unusable(name: str, path: Path, reason: str) -> StubError:
    return StubError(
        f"The stub for the extension {name} {reason}.\nFile: {path}\n"
        "It is a file of SQL with what your migrations use of the extension; [tool.migsafe.extensions] names it."
    )
