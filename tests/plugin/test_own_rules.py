"""A team's own rules in a run: found in every process, named by settings and waivers, shown like any other."""

import pytest

from tests.plugin.conftest import A_TEST, Project

RULE = (
    "from pytest_migsafe.rules import rule\n"
    "@rule(remedy='Use numeric.')\n"
    "def {name}(evidence):\n"
    "    '''Money is numeric.'''\n"
    "    for one in evidence.statements:\n"
    "        if 'double precision' in one.text:\n"
    "            yield {name}.finding(evidence, statement=one, message='a float')\n"
)
HISTORY = {
    "migrations/0001_sums.sql": "create table sums (id int primary key, total double precision);\n",
    "migrations/0002_rates.sql": (
        "-- migsafe: allow no-floats, package-rule because rates are measured\n"
        "create table rates (id int primary key, rate double precision);\n"
    ),
}
#: As pip would install it: a module, and what tells of it.
PACKAGE = {
    "site/acme_rules.py": RULE.format(name="package_rule"),
    "site/acme_rules-1.2.dist-info/METADATA": "Metadata-Version: 2.1\nName: acme-rules\nVersion: 1.2\n",
    "site/acme_rules-1.2.dist-info/entry_points.txt": "[migsafe_rules]\nacme = acme_rules\n",
}


@pytest.fixture
def installed(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project beside which a package with rules is installed."""
    project.write(PACKAGE, HISTORY)
    monkeypatch.setenv("PYTHONPATH", str(project.path / "site"), prepend=":")
    return project


@pytest.mark.parametrize("args", [(), ("-n2",)], ids=["one process", "xdist"])
def test_rules_of_a_conftest_a_hook_and_a_package_judge_as_the_built_in_ones_do(
    installed: Project, args: tuple[str, ...]
) -> None:
    installed.write(
        {
            "conftest.py": RULE.format(name="no_floats"),
            "more.py": RULE.format(name="of_a_hook")
            + "def pytest_migsafe_rules(config):\n    yield of_a_hook\n",
            "pyproject.toml": '[tool.migsafe.rules]\n"family:project" = "warning"\nno-floats = "error"\n',
        }
    )
    run = installed.run("-p", "more", *args, subprocess=True)

    first, second = run.report["migrations"]
    assert [(one["rule"], one["severity"], one["line"]) for one in first["findings"]] == [
        ("no-floats", "error", 1),
        ("of-a-hook", "warning", 1),
        ("package-rule", "warning", 1),
    ]
    assert [(one["rule"], one["waived_because"]) for one in second["findings"]] == [
        ("no-floats", "rates are measured"),
        ("of-a-hook", None),
        ("package-rule", "rates are measured"),
    ]
    assert run.verdicts == {"migrations/0001_sums.sql": "failed", "migrations/0002_rates.sql": "passed"}
    assert {one["id"]: one["title"] for one in run.report["rules"]}["no-floats"] == "Money is numeric."
    assert "migsafe: own rules: package-rule, of-a-hook, no-floats" in run.header


def test_they_are_listed_and_have_a_page(installed: Project) -> None:
    installed.write({"conftest.py": RULE.format(name="no_floats")})

    listed = installed.pytest("--migsafe-rules", subprocess=True)
    at = listed.outlines.index("project:")
    own = [line.split() for line in listed.outlines[at + 1 :] if line.startswith("  ")]
    assert [words[:2] for words in own if "error" in words] == [
        ["package-rule", "error"],
        ["no-floats", "error"],
    ]
    page = installed.pytest("--migsafe-explain", "package-rule", subprocess=True)
    assert "Money is numeric." in page.outlines
    assert f"  {installed.path}/site/acme_rules.py:2." in page.outlines
    missed = installed.pytest("--migsafe-explain", "package-rul", subprocess=True)
    assert "did you mean 'package-rule'?" in missed.stderr.str()


def test_a_rule_that_raises_fails_its_files_and_no_others_findings_are_lost(project: Project) -> None:
    project.write(
        HISTORY,
        {
            "conftest.py": RULE.format(name="no_floats")
            + "@rule(title='It breaks.')\ndef breaks(evidence):\n    yield evidence.statments\n"
        },
    )
    run = project.run()

    assert set(run.verdicts.values()) == {"failed"}
    assert [one["rule"] for one in run.report["migrations"][0]["findings"]] == ["rule-raised", "no-floats"]
    said = (
        "rule-raised: the rule breaks raised AttributeError: 'Evidence' object has no attribute 'statments'"
    )
    assert any(line.startswith(said) for line in run.lines)
    assert f"  = {project.path}/conftest.py:10, in breaks: yield evidence.statments" in run.lines


@pytest.mark.parametrize(
    ("conftest", "complaint"),
    [
        (
            RULE.format(name="apply_error"),
            "conftest.py: there is another rule with the id 'apply-error', of pytest-migsafe (",
        ),
        (
            "def pytest_migsafe_rules(config):\n    return 1 / 0\n",
            "pytest_migsafe_rules of conftest.py raised ZeroDivisionError: division by zero (conftest.py:2)",
        ),
        (
            "def pytest_migsafe_rules(config):\n    return [len]\n",
            "pytest_migsafe_rules of conftest.py: the function len is no rule; decorate it",
        ),
    ],
)
@pytest.mark.parametrize("flag", ["--migsafe", "--migsafe-rules"])
def test_what_is_wrong_with_a_rule_is_a_usage_error(
    project: Project, conftest: str, complaint: str, flag: str
) -> None:
    project.write(HISTORY, {"conftest.py": conftest})

    result = project.pytest(flag)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"ERROR: {complaint}" in result.stderr.str()


def test_a_rule_without_a_title_is_told_where_it_stands(project: Project) -> None:
    project.write(
        HISTORY, {"conftest.py": RULE.format(name="no_floats").replace("'''Money is numeric.'''", "pass")}
    )

    result = project.pytest("--migsafe", subprocess=True)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "conftest.py:2: in <module>" in result.stderr.str()
    assert "RuleError: the rule 'no-floats' has no title" in result.stderr.str()


@pytest.mark.parametrize(
    ("module", "complaint"),
    [
        (
            "1 / 0\n",
            "the entry point acme = acme_rules of acme-rules 1.2 cannot be loaded: ZeroDivisionError",
        ),
        (
            "x = 1\n",
            "the entry point acme = acme_rules of acme-rules 1.2: the module acme_rules has no rules",
        ),
    ],
)
def test_a_package_whose_rules_cannot_be_had_is_named(
    installed: Project, module: str, complaint: str
) -> None:
    installed.write({"site/acme_rules.py": module}, A_TEST)

    result = installed.pytest("--migsafe", subprocess=True)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert complaint in result.stderr.str()

    assert installed.pytest(subprocess=True).parseoutcomes() == {"passed": 1}


def test_a_preset_speaks_of_an_own_rule_of_a_built_in_family(project: Project) -> None:
    conftest = RULE.format(name="no_floats").replace(
        "remedy='Use numeric.'", "family='loses-data', severity='warning'"
    )
    project.write(HISTORY, {"conftest.py": conftest, "pyproject.toml": '[tool.migsafe]\npreset = "strict"\n'})

    run = project.run()

    assert [one["severity"] for one in run.report["migrations"][0]["findings"]] == ["error"]
