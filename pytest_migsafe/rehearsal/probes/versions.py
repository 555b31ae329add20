"""Whether extensions and collations are of the version that the server has."""

from dataclasses import replace

from pytest_migsafe.catalog.composition import Fragment
from pytest_migsafe.catalog.queries import send
from pytest_migsafe.catalog.rarer import Collation
from pytest_migsafe.catalog.schema import Extension
from pytest_migsafe.rehearsal.facts import Facts, OtherVersion
from pytest_migsafe.rehearsal.probes.asking import Asking
from pytest_migsafe.rehearsal.probes.scripts import script

_VERSIONS = Fragment(script("versions"))
_GROUPS = frozenset({Extension.CATALOG, Collation.GROUP})


def probe(asking: Asking, known: Facts) -> Facts:
    """Compare all versions, when there are other extensions or collations than before."""
    if not any(home.catalog in _GROUPS for home in asking.changed):
        return known
    (rows,) = send(asking.source, [_VERSIONS])
    found = {
        kind: {
            name: OtherVersion(version, available) for its, name, version, available in rows if its == kind
        }
        for kind in ("extension", "collation")
    }
    return replace(known, extension_versions=found["extension"], collation_versions=found["collation"])
