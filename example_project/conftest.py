"""What this team has agreed on, as rules for pytest-migsafe, and what its auditors want to be told."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pytest_migsafe.rules import Finding, rule

if TYPE_CHECKING:
    from pytest_migsafe.rules import Evidence

_MONEY = ("price", "amount", "total", "revenue")
_ROUNDED = ("real", "double precision")


@rule(remedy="Give the column the type numeric(14, 2), as app.invoice_lines.unit_price has it.")
def money_is_numeric(evidence: "Evidence") -> Iterator[Finding]:
    """A column for money is a floating-point number.

    Such numbers are rounded in binary, and what customers pay is not what their invoices say.
    """
    for change in evidence.changes:
        if change.kind != "column" or change.action == "removed" or not change.name.endswith(_MONEY):
            continue
        if change.value("type") in _ROUNDED:
            yield money_is_numeric.finding(
                evidence,
                about=change.name,
                message=f"{change.name} holds money, and is {change.value('type')}",
            )


def pytest_migsafe_report_section(report: Mapping[str, Any]) -> dict[str, list[str]] | None:
    """Tell the auditors of every file that changes what is recorded."""
    concerned = [
        one["path"]
        for one in report["migrations"]
        if any(change["name"].startswith("audit.") for change in one["diff"])
    ]
    return {"For the auditors": [f"- {path} changes audit" for path in concerned]} if concerned else None
