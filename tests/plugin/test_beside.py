"""The fixtures beside those of other plugins: pytest-asyncio's, anyio's, pytest-django's, pytest-postgresql's."""

import importlib.util

import pytest

from tests.plugin.conftest import SOUND, Project
from tests.service import PASSWORD, Service

_ASYNC = """
import asyncio
import psycopg
import pytest

CLOSED = []

{mark}
async def test_of_its_own(database_at):
    database = database_at("0001")
    async with await psycopg.AsyncConnection.connect(database.dsn) as connection:
        await connection.execute("insert into users values (1)")
    assert database.value("select count(*) from users") == 1

{mark}
async def test_closed_by_us(database_at):
    database = database_at("0002")
    one, other = await asyncio.gather(database.async_connect(), database.async_connect(autocommit=False))
    CLOSED.extend([one, other])
    await other.execute("insert into users values (1)")
    cursor = await one.execute("select count(*) from users")
    assert await cursor.fetchone() == (0,)
    await other.commit()
    assert database.value("select count(*) from users") == 1
    await other.execute("select 'left open'")

def test_they_are_closed():
    assert [one.closed for one in CLOSED] == [True, True]

{mark}
@pytest.mark.migsafe(at="0002")
async def test_what_was_rehearsed(rehearsal, schema_diff):
    assert rehearsal.applied and len(schema_diff) == 1
"""


def _demand(module: str) -> None:
    """Skip where another plugin is not installed; it is not imported, for then pytest could not rewrite it."""
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed; the extra `dev` has it")


@pytest.mark.parametrize("mode", ["auto", "strict"])
def test_pytest_asyncio(project: Project, mode: str) -> None:
    _demand("pytest_asyncio")
    mark = "@pytest.mark.asyncio" if mode == "strict" else ""
    project.write(
        SOUND,
        {"tests/test_async.py": _ASYNC.format(mark=mark)},
        {
            "pytest.ini": f"[pytest]\nasyncio_mode = {mode}\n"
            "asyncio_default_fixture_loop_scope = function\nfilterwarnings = error\n"
        },
    )
    run = project.run(subprocess=True, beside=["asyncio"])
    assert run.counts == {"passed": 6}, run.text


def test_anyio(project: Project) -> None:
    _demand("anyio")
    project.write(
        SOUND,
        {"tests/test_async.py": _ASYNC.format(mark="@pytest.mark.anyio")},
        {"conftest.py": "import pytest\n@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n"},
        {"pytest.ini": "[pytest]\nfilterwarnings = error\n"},
    )
    run = project.run(subprocess=True, beside=["anyio"])
    assert run.counts == {"passed": 6}, run.text


def test_pytest_django(project: Project) -> None:
    """Django's tests have their database, and those of the migrations theirs; also where Django may ask for none."""
    _demand("django")
    _demand("pytest_django")
    project.write(
        SOUND,
        {
            "shop/__init__.py": "",
            "shop/settings.py": (
                "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}}\n"
                "INSTALLED_APPS = ['django.contrib.contenttypes', 'django.contrib.auth']\n"
                "DEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'\nUSE_TZ = True\nSECRET_KEY = 'x'\n"
            ),
            "pytest.ini": "[pytest]\nDJANGO_SETTINGS_MODULE = shop.settings\npythonpath = .\ndjango_find_project = false\n",
            "tests/test_shop.py": (
                "import pytest\n"
                "def test_django(db, django_user_model):\n"
                "    assert django_user_model.objects.count() == 0\n"
                "def test_migrations(database_at):\n"
                "    assert database_at('0002').value('select count(*) from users') == 0\n"
                "def test_both(db, django_user_model, database_at, rehearsal):\n"
                "    database = database_at(rehearsal.migration)\n"
                "    database.execute('insert into users values (1)')\n"
                "    django_user_model.objects.create_user('ann')\n"
                "    assert database.value('select count(*) from users') == django_user_model.objects.count() == 1\n"
            ),
        },
    )
    run = project.run(subprocess=True, beside=["django"])
    assert run.counts == {"passed": 6}, run.text


def test_pytest_postgresql(project: Project, service: Service) -> None:
    """A test may have their connection and our databases; ours may be on the same server."""
    theirs = (
        "from pytest_postgresql import factories\n"
        f"postgresql_noproc = factories.postgresql_noproc(host={service.address!r}, port={service.owner.port}, "
        f"user='boss', password={PASSWORD!r})\n"
        "postgresql = factories.postgresql('postgresql_noproc')\n"
    )
    project.write(
        SOUND,
        {
            "conftest.py": theirs,
            "tests/test_both.py": (
                "def test_both(postgresql, database_at):\n"
                "    postgresql.execute('create table theirs (id int)')\n"
                "    database = database_at('0001')\n"
                "    assert [*database.schema().tables] == ['public.users']\n"
                "    assert postgresql.execute('select * from theirs').fetchall() == []\n"
                "def test_again(postgresql, database_at):\n"
                "    database_at('0002').rows('select email from users')\n"
            ),
        },
    )
    before = service.databases()
    own = project.run(subprocess=True)
    assert own.counts == {"passed": 4}, own.text
    project.write({"pyproject.toml": "[tool.migsafe]\nserver_fixture = 'postgresql_noproc'\n"})
    shared = project.run(subprocess=True)
    assert shared.counts == {"passed": 4}, shared.text
    assert [name for name in service.databases() if name.startswith("migsafe")] == []
    assert {*service.databases()} - {*before} <= {"tests_tmpl", "tests"}
