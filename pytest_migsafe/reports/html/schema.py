"""How a schema changed, as lines that begin with their sign: +, - or ~."""

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_migsafe import catalog
from pytest_migsafe.reports.html.markup import Markup, element, joined
from pytest_migsafe.texts.wording import counted

_ELEMENTS = {"added": "ins", "removed": "del", "changed": "em", "context": "span"}


def diff_block(diff: Sequence[Mapping[str, Any]], most: int) -> Markup:
    """Return changes as a block of so many lines at most."""
    lines = list(catalog.render([catalog.Change.from_json(change) for change in diff]))
    shown = [element(_ELEMENTS[line.style], line.text, class_="line") for line in lines[:most]]
    is_wide = any(len(line.text) > 36 for line in lines[:most])
    block = element(
        "pre",
        shown,
        class_="diff",
        tabindex=0 if is_wide else None,
        role="group",
        aria_label="Schema changes: + added, - removed, ~ changed",
    )
    if len(lines) <= most:
        return block
    return joined(block, element("p", f"… {counted(len(lines) - most, 'more line')}.", class_="quiet"))
