"""pytest's way in: the options, and, only if ``--migsafe`` is given, the rest.

This module and those that it imports need the standard library and pytest, nothing else, so that a project that does not ask for
its migrations to be rehearsed pays nothing.
"""

import pytest

from pytest_migsafe import hookspecs

_OPTIONS = (
    (
        "--migsafe-postgres",
        "MAJOR[,MAJOR...]",
        "use this major version of PostgreSQL, for example 16; with several, rehearse the history on each",
    ),
    (
        "--migsafe-dsn",
        "DSN",
        "use the server that is reached by this, in a database of our own (or MIGSAFE_DSN)",
    ),
    ("--migsafe-bindir", "DIR", "use the PostgreSQL programs (postgres, initdb) in this directory"),
    ("--migsafe-layout", "NAME", "take the migrations for this layout instead of finding out"),
    ("--migsafe-json", "FILE", "write everything that was seen, as JSON, to this file"),
    ("--migsafe-html", "FILE", "write a page for people to this file, with pictures of the locks"),
    ("--migsafe-markdown", "FILE", "write a comment for a pull request to this file"),
    ("--migsafe-sarif", "FILE", "write the findings as SARIF 2.1.0 to this file, for code scanning"),
    ("--migsafe-gitlab", "FILE", "write the findings as a GitLab code quality report to this file"),
    (
        "--migsafe-github",
        "WHEN",
        "annotate the files and write the step's summary on GitHub: auto (there, the default), always, never",
    ),
    (
        "--migsafe-artifacts",
        "DIR",
        "write schemas, rollback guide and impact of each judged migration to this folder",
    ),
    (
        "--migsafe-since",
        "REF",
        "judge only files new or changed since this commit or branch (default in CI: a pull request's); all: judge all",
    ),
    (
        "--migsafe-schema",
        "FILE",
        "compare the schema at the end of the history with the one that this file declares, in an item of its own",
    ),
)
_LISTS = (
    ("--migsafe-only", "FILE", "judge only these files; those before them are applied"),
    (
        "--migsafe-merge",
        "REF",
        "apply this branch's new files and that one's in both orders, and compare what comes of it",
    ),
)
_SWITCHES = (
    ("--migsafe-lock", "compare the history with the checksums in the lock file"),
    ("--migsafe-rules", "list all rules with their severities in this project, and do nothing else"),
    (
        "--migsafe-end-state",
        "ask the smoke tests about the whole schema at the end of each history, in an item of its own",
    ),
    ("--migsafe-update", "write the schema file, or the lock file, instead of comparing with it"),
    (
        "--migsafe-prove-snapshot",
        "compare the schema that was carried from file to file with a full reading at the end of each history",
    ),
)


#: The fixtures for a team's tests are there in every run, so that tests can always name them.
pytest_plugins = ["pytest_migsafe.fixtures"]

_MARKER = (
    "migsafe(at=None, since=None, until=None, history=None): on a test, which migrations the fixtures `migration`, "
    "`rehearsal`, `schema_before`, `schema_after` and `schema_diff` are of: a version, a file's name or a pattern "
    '(at="0007", at="*_invoices*", at=["0007", "0012"]), from one on (since="0005"), up to one (until="0012"), of one '
    'history of several (history="billing/migrations"). Without values it marks the generated item of a migration file; '
    "select with -m migsafe"
)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hooks that a team's conftest.py can have, in runs without us, too: pytest refuses unknown ones."""
    pluginmanager.add_hookspecs(hookspecs)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options (pytest documentation: "API Reference", pytest_addoption)."""
    group = parser.getgroup("migsafe", "PostgreSQL migrations (pytest-migsafe)")
    group.addoption(
        "--migsafe",
        action="store_true",
        default=False,
        help="rehearse the project's migration files on a throwaway PostgreSQL server, one test item a file; "
        "paths on the command line or [tool.migsafe] migrations name their folders",
    )
    for flag, metavar, text in _OPTIONS:
        group.addoption(flag, metavar=metavar, default=None, help=text)
    group.addoption(
        "--migsafe-explain",
        metavar="RULE",
        default=None,
        help="say what a rule is about, why, and the safe way, and do nothing else",
    )
    for flag, metavar, text in _LISTS:
        group.addoption(flag, metavar=metavar, nargs="+", action="extend", default=[], help=text)
    for flag, text in _SWITCHES:
        group.addoption(flag, action="store_true", default=False, help=text)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Tell about the rules instead of running anything, if that is asked for.

    Raises:
        pytest.UsageError: there is no such rule, or a setting is wrong.
    """
    if not config.getoption("migsafe_rules") and config.getoption("migsafe_explain") is None:
        return None
    from pytest_migsafe.listing import tell_of_rules  # all rules are imported with it  # noqa: PLC0415

    return tell_of_rules(config)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and, when asked for, the active part of the plugin.

    Raises:
        pytest.UsageError: something is to be written or judged, and nothing to be rehearsed.
    """
    config.addinivalue_line("markers", _MARKER)
    if not config.getoption("migsafe"):
        if (flag := _in_vain(config)) is not None:
            raise pytest.UsageError(f"{flag}: nothing is rehearsed without --migsafe; give both")
        return
    from pytest_migsafe.session import activate  # only an active plugin imports it  # noqa: PLC0415

    activate(config)


#: These say which server or layout it would be, and may stand in anybody's script; or they need no rehearsal.
_ALWAYS_FINE = frozenset(
    {"--migsafe-postgres", "--migsafe-dsn", "--migsafe-bindir", "--migsafe-layout", "--migsafe-rules"}
)


def _in_vain(config: pytest.Config) -> str | None:
    """Return a flag for which ``--migsafe`` is missing: a gate that was never asked would be green.

    Only those on the command line itself count: ``addopts`` are of all runs, with ``--migsafe`` and without.
    """
    if config.getoption("migsafe_update"):
        return "--migsafe-update"
    flags = {flag for flag, *_ in (*_OPTIONS, *_LISTS, *_SWITCHES)} - _ALWAYS_FINE
    given = (arg.partition("=")[0] for arg in config.invocation_params.args)
    return next((flag for flag in given if flag in flags), None)
