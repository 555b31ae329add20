"""Write the parts of the documentation that the code knows best; with ``--check``, say whether they are up to date.

python docs/reference.py
python docs/reference.py --check
"""

import argparse
import difflib
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pytest_migsafe.migrations.layouts import LAYOUTS
from pytest_migsafe.reports.rules import BY_SEVERITY, families, gravest_first, paragraphs
from pytest_migsafe.rules import Rule
from pytest_migsafe.rules.builtin import RULES
from pytest_migsafe.rules.presets import ZERO_DOWNTIME, severities
from pytest_migsafe.settings import Preset

_DOCS = Path(__file__).parent
_WRITTEN_BY = "written by docs/reference.py"

#: What the rules of each family look at.
_FAMILIES: Mapping[str, str] = {
    "apply": "whether PostgreSQL accepts the file",
    "transaction-shape": "how the file and its runner divide it into transactions",
    "session": "what the file leaves behind in its session",
    "left-behind": "what the file's text does not say of what the database is like after it",
    "history": "the files of a history among each other",
    "cluster": "what reaches beyond the database",
    "blocking-work": "who would wait for a lock while work is done that grows with a table",
    "lock-queue": "who would wait behind a file that waits for its locks",
    "breaks-old-code": "what the previous version of the application could use before the file, and cannot after it",
    "loses-data": "which rows and values are gone after the file, and what CASCADE took",
    "structure": "whether tables, indexes, publications and extensions are whole and fit for use",
    "constraints": "whether constraints are in force",
    "data": "whether the rows that the migrations wrote are what the schema promises",
    "code": "whether functions, triggers and views still work",
    "columns": "types of columns that are regretted later",
    "performance": "indexes that are missing or superfluous, and what the planner knows",
    "ownership": "whose an object is, and what it loses when it is made anew",
    "naming": "how things are called",
    "row-security": "whether row-level security is on where it has to be",
    "policies": "whether policies let through what they are to let through, and no more",
    "exposure": "what strangers reach past row-level security",
    "privileges": "who may do what",
    "rules": "whether the rules could judge",
    "waivers": "comments in the files that allow findings",
}


def rules_page() -> str:
    """Return the page of all rules, made of their own metadata."""
    by_family = families(RULES)
    lines = [
        f"<!-- {_WRITTEN_BY}; change the rules' metadata instead -->",
        "",
        "# Rules",
        "",
        "A rule reads the evidence of one migration and reports findings. An *error* fails the migration's item, a",
        "*warning* is listed in the summary, a rule that is *off* is not asked. `[tool.migsafe.rules]` gives a rule or a",
        "family another severity, a [preset](settings.md#preset) all of them; and a comment in a file allows what is no",
        "danger there ([waivers](waivers.md)). `pytest --migsafe-rules` lists the rules, `--migsafe-explain=RULE` shows one.",
        "",
        "| Family | What it looks at | Errors | Warnings | Off |",
        "|---|---|---|---|---|",
        *(_family_row(family, rules) for family, rules in by_family.items()),
    ]
    for family, rules in by_family.items():
        lines += ["", f"## Family *{family}*"]
        if len(rules) > 1:
            lines += ["", rules_table(rules)]
        for rule in rules:
            lines += ["", *_rule_section(rule)]
    return "\n".join(lines) + "\n"


def _family_row(family: str, rules: Sequence[Rule]) -> str:
    numbers = (sum(rule.severity is one for rule in rules) for one in BY_SEVERITY)
    counted = " | ".join(str(number or "") for number in numbers)
    return f"| [{family}](#family-{family}) | {_FAMILIES[family]} | {counted} |"


def rules_table(rules: Iterable[Rule], page: str = "") -> str:
    """Return a table of rules, the gravest first, with links to their sections on a page."""
    return "\n".join(
        [
            "| Rule | Severity | What it reports |",
            "|---|---|---|",
            *(
                f"| [`{rule.id}`]({page}#{rule.id}) | {rule.severity.value} | {rule.title} |"
                for rule in gravest_first(rules, {})
            ),
        ]
    )


def _rule_section(rule: Rule) -> Iterator[str]:
    yield f"### {rule.id}"
    yield ""
    yield f"**{rule.title}** Severity: {rule.severity.value}."
    for heading, text in paragraphs(rule):
        yield ""
        yield f"*{heading}:* {text}"


def preset_table() -> str:
    """Return the table of the rules to which the preset *strict* gives another severity."""
    strict = severities(RULES, Preset.STRICT, {})
    changed = [rule for rule in RULES if strict.get(rule.id, rule.severity) is not rule.severity]
    return "\n".join(
        [
            "| Family | Rule | `default` | `strict` |",
            "|---|---|---|---|",
            *(
                f"| {rule.family} | [`{rule.id}`](rules.md#{rule.id}) | {rule.severity.value} | {strict[rule.id].value} |"
                for family in ZERO_DOWNTIME
                for rule in gravest_first(changed, {})
                if rule.family == family
            ),
        ]
    )


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


def _with_parts(page: Path, part: Callable[[str], str]) -> str:
    """Return a page with what stands between each two markers replaced; a part is told what its first marker says."""
    return re.sub(
        f"(<!-- {re.escape(_WRITTEN_BY)}(?:: (.*?))? -->\n).*?(<!-- end -->)",
        lambda found: f"{found[1]}{part(found[2] or '')}\n{found[3]}",
        page.read_text(encoding="utf-8"),
        flags=re.DOTALL,
    )


def _rules_of(named: str) -> str:
    """Return the table of the rules of some families."""
    known = families(RULES)
    return rules_table([rule for family in named.split(", ") for rule in known[family]], "rules.md")


def pages() -> Mapping[Path, str]:
    """Return what the pages should say."""
    layouts, settings = _DOCS / "layouts.md", _DOCS / "settings.md"
    smoke_tests, waivers = _DOCS / "smoke-tests.md", _DOCS / "waivers.md"
    return {
        _DOCS / "rules.md": rules_page(),
        layouts: _with_parts(layouts, lambda _: layouts_table()),
        settings: _with_parts(settings, lambda _: preset_table()),
        smoke_tests: _with_parts(smoke_tests, _rules_of),
        waivers: _with_parts(waivers, _rules_of),
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
