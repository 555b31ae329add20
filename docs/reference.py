"""Write the parts of the documentation that the code knows best; with ``--check``, say whether they are up to date.

python docs/reference.py
python docs/reference.py --check
"""

import argparse
import difflib
import re
import sys
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path

from pytest_migsafe.migrations.layouts import LAYOUTS
from pytest_migsafe.rules import RULES, Rule

_DOCS = Path(__file__).parent
_WRITTEN_BY = "written by docs/reference.py"


def rules_page() -> str:
    """Return the page of all rules, made of their own metadata."""
    lines = [
        f"<!-- {_WRITTEN_BY}; change the rules' metadata instead -->",
        "",
        "# Rules",
        "",
        "A rule reads the evidence of one migration and reports findings. An *error* fails the migration's item, a",
        "*warning* is listed in the summary, a rule that is *off* is not asked. `[tool.migsafe.rules]` gives a rule",
        "another severity ([settings](settings.md#rules)).",
        "",
        "| Rule | Family | Severity | What it reports |",
        "|---|---|---|---|",
        *(
            f"| [`{rule.id}`](#{rule.id}) | {rule.family} | {rule.severity.value} | {rule.title} |"
            for rule in RULES
        ),
    ]
    for family, rules in groupby(RULES, key=lambda rule: rule.family):
        lines += ["", f"## Family *{family}*"]
        for rule in rules:
            lines += ["", *_rule_section(rule)]
    return "\n".join(lines) + "\n"


def _rule_section(rule: Rule) -> Iterator[str]:
    yield f"### {rule.id}"
    yield ""
    yield f"**{rule.title}** Severity: {rule.severity.value}."
    yield ""
    yield f"*Why:* {rule.why}"
    yield ""
    yield f"*The safe way:* {rule.remedy}"
    if rule.manual:
        yield ""
        yield f"*PostgreSQL's manual:* {rule.manual}."
    if rule.peers:
        yield ""
        yield "*Elsewhere:* " + ", ".join(f"{tool} {name}" for tool, name in rule.peers.items()) + "."


def layouts_table() -> str:
    """Return the table of all layouts, made of their own descriptions."""
    rows = (
        (f"`{one.name}`", one.files, one.order, one.transactions, one.down, one.detected_by)
        for one in LAYOUTS
    )
    return "\n".join(
        [
            "| Layout | Files | Order | Transactions | Down | Detected by |",
            "|---|---|---|---|---|---|",
            *(f"| {' | '.join(row)} |" for row in rows),
        ]
    )


def _with_part(text: str, part: str) -> str:
    """Return a page with what stands between its two markers replaced."""
    begin, end = f"<!-- {_WRITTEN_BY} -->", "<!-- end -->"
    return re.sub(
        f"({re.escape(begin)}\n).*?({re.escape(end)})",
        lambda found: f"{found[1]}{part}\n{found[2]}",
        text,
        flags=re.DOTALL,
    )


def pages() -> Mapping[Path, str]:
    """Return what the pages should say."""
    layouts = _DOCS / "layouts.md"
    return {
        _DOCS / "rules.md": rules_page(),
        layouts: _with_part(layouts.read_text(encoding="utf-8"), layouts_table()),
    }


def main() -> int:
    """Write the pages, or compare them and show what differs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument(
        "--check", action="store_true", help="change nothing; fail when a page is out of date"
    )
    is_check = parser.parse_args().check
    is_stale = False
    for path, wanted in pages().items():
        there = path.read_text(encoding="utf-8") if path.exists() else ""
        if there == wanted:
            continue
        is_stale = True
        if is_check:
            diff = difflib.unified_diff(
                there.splitlines(), wanted.splitlines(), str(path), "the code", lineterm=""
            )
            sys.stdout.write("\n".join(diff) + "\n")
        else:
            path.write_text(wanted, encoding="utf-8")
            sys.stdout.write(f"{path} written\n")
    if is_check and is_stale:
        sys.stdout.write("Run `python docs/reference.py`.\n")
    return int(is_check and is_stale)


if __name__ == "__main__":
    sys.exit(main())
