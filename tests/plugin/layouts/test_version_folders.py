"""A small project with folders called after versions, as it is, on a real server."""

from tests.plugin.conftest import Project


def test_a_project_passes_in_the_order_of_its_versions(project: Project) -> None:
    project.write(
        {
            "db/migrations/3.10/0001##accounts_owner.up.sql": (
                "ALTER TABLE accounts ADD COLUMN owner_id int REFERENCES owners (id);\n"
            ),
            "db/migrations/3.10/0001##accounts_owner.down.sql": "ALTER TABLE accounts DROP COLUMN owner_id;\n",
            "db/migrations/3.9/0001##accounts.up.sql": "CREATE TABLE accounts (id int PRIMARY KEY);\n",
            "db/migrations/3.9/0002##owners.up.sql": "CREATE TABLE owners (id int PRIMARY KEY);\n",
            "db/migrations/full_schemas/3.10.sql": "CREATE TABLE accounts (id int PRIMARY KEY);\n",
        }
    )
    run = project.run()

    assert run.counts == {"passed": 3}
    assert [path.removeprefix("db/migrations/") for path in run.verdicts] == [
        "3.9/0001##accounts.up.sql",
        "3.9/0002##owners.up.sql",
        "3.10/0001##accounts_owner.up.sql",
    ]
    assert "full_schemas/" in run.text
