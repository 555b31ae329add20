"""A server that is already there: the same verdicts as on our own, nothing left on it, and no password anywhere."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.plugin.conftest import BROKEN_IN_THE_MIDDLE, SOUND, VERDICTS, Project, Run
from tests.service import PASSWORD, Service

_EXAMPLE = Path(__file__).parents[2] / "example_project" / "migrations"
#: CREATE ROLE takes more than CREATEDB.
_MAKES_A_ROLE = re.compile(r"^DO \$\$.*?^END\n\$\$;\n", re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def _is_named(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIGSAFE_DSN", service.uri())


def _shown(run: Run) -> str:
    return run.text + run.errors + json.dumps(run.report, ensure_ascii=False)


def _comparable(run: Run) -> str:
    """Return what a report says of the migrations, without times, owners and the numbers of TOAST tables."""
    text = json.dumps(run.report["migrations"], indent=1)
    for varying in (r'"\w+_ms": [\d.]+', r'"wal_bytes": \d+', r"(?<=pg_toast_)\d+", r'"(ci|boss)"'):
        text = re.sub(varying, "", text)
    return text


@pytest.mark.parametrize("arguments", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_a_restricted_role_gets_the_verdicts_and_leaves_nothing(
    project: Project, service: Service, arguments: tuple[str, ...]
) -> None:
    project.write(BROKEN_IN_THE_MIDDLE)
    before = service.databases()
    run = project.run(*arguments, "--junitxml=junit.xml", subprocess=True)

    assert run.verdicts == VERDICTS
    assert "(given)" in run.text
    assert "migsafe: role ci is no superuser: " in run.text
    assert service.databases() == before
    for shown in (_shown(run), (project.path / "junit.xml").read_text()):
        assert PASSWORD not in shown
        assert "s3cret" not in shown


def test_a_restricted_role_sees_what_a_superuser_sees(
    project: Project, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    if service.owner.major < 15:
        pytest.skip("the example project needs PostgreSQL 15")
    shutil.copytree(_EXAMPLE, project.path / "migrations")
    first = project.path / "migrations" / "0001_schemas_and_app_role.sql"
    text, made = _MAKES_A_ROLE.subn("", first.read_text(encoding="utf-8"))
    assert made == 1
    first.write_text(text, encoding="utf-8")
    service.run("CREATE ROLE app_user")
    try:
        restricted = project.run(subprocess=True)
        monkeypatch.setenv("MIGSAFE_DSN", service.uri("boss"))
        superuser = project.run(subprocess=True)
    finally:
        service.run("DROP ROLE app_user")

    assert restricted.counts == superuser.counts == {"passed": 20}
    assert _comparable(restricted) == _comparable(superuser)


def test_a_wrong_password_is_named_and_not_shown(
    project: Project, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIGSAFE_DSN", service.uri(password=f"wrong {PASSWORD}"))
    project.write(SOUND)
    run = project.run("--showlocals", "--tb=long", subprocess=True)

    assert run.exit_code != 0
    assert 'password authentication failed for user "ci"' in _shown(run)
    assert "s3cret" not in _shown(run)
    assert "Traceback" not in _shown(run)


def test_a_dsn_that_cannot_be_understood_is_a_usage_error(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIGSAFE_DSN", "postgresql://ci:s3cret/x@localhost/app")
    project.write(SOUND)
    run = project.run(subprocess=True)

    assert run.exit_code == pytest.ExitCode.USAGE_ERROR
    assert "host, port and database cannot be told apart" in run.errors
    assert "s3cret" not in _shown(run)
