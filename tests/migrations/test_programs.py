"""Migrations that are programs: whose they are, and how they become SQL."""

from pathlib import Path

import pytest

from pytest_migsafe.migrations.programs import hint_at_programs
from tests.migrations.projects import project

DJANGO = "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n    initial = True\n"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (
            ["alembic.ini", "alembic/env.py", "alembic/versions/1975ea83b712_users.py"],
            "alembic/versions holds Alembic's migrations, which are Python: write them as SQL (`alembic upgrade ",
        ),
        (
            ["shop/orders/migrations/__init__.py", "shop/orders/migrations/0001_initial.py"],
            (
                "orders/migrations holds Django's migrations, which are Python: write each as SQL "
                "(`python manage.py sqlmigrate orders 0001 > sql/0001_initial.sql`)"
            ),
        ),
        (
            ["db/migrate/20240101000000_create_users.rb"],
            "db/migrate holds migrations that are programs (20240101000000_create_users.rb), which only their runner ",
        ),
        (["node_modules/x/migrations/0001_initial.js"], ""),
        (["app/migrations/__init__.py", "src/0001_initial.py"], ""),
    ],
)
def test_programs_are_hinted_at(tmp_path: Path, names: list[str], said: str) -> None:
    project(tmp_path, **dict.fromkeys(names, DJANGO))

    found = hint_at_programs([tmp_path / "none", tmp_path])
    assert found.startswith(said)
    assert bool(found) is bool(said)
