"""What pytest's JUnit report has of us: properties of the test cases, few and stable.

They are an item's ``user_properties`` (pytest documentation: "record_property"), which travel with its reports; pytest
itself writes the file. Properties of the whole suite cannot be given by a plugin.
"""

from collections.abc import Mapping
from typing import Any

from pytest_migsafe.reports.issues import strongest_lock


def properties(review: Mapping[str, Any], layout: str) -> list[tuple[str, str]]:
    """Return the properties of the item of a migration or of a history's end, given the review as JSON values."""
    found = [one for one in review["findings"] if not one["waived"]]
    told = {
        "outcome": review["outcome"],
        "postgres": review["postgres"],
        "layout": layout,
        "rules": ",".join(dict.fromkeys(one["rule"] for one in found)),
        "errors": str(sum(one["severity"] == "error" for one in found)),
        "warnings": str(sum(one["severity"] == "warning" for one in found)),
        "waived": str(len(review["findings"]) - len(found)),
    }
    if "statements" in review:
        told["strongest_lock"] = " on ".join(filter(None, strongest_lock(review)))
        told["downtime"] = review["downtime"]["verdict"] if review["downtime"] else ""
    return [(f"migsafe.{name}", value) for name, value in told.items()]
