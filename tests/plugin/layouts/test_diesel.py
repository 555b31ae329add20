"""A Rust service that uses Diesel, in its conventions."""

from tests.plugin.conftest import Project

#: What ``diesel setup`` writes first, and what came after it; the versions are written in both of Diesel's ways.
SERVICE = {
    "Cargo.toml": '[package]\nname = "shop"\n',
    "diesel.toml": '[print_schema]\nfile = "src/schema.rs"\n',
    "migrations/00000000000000_diesel_initial_setup/up.sql": """
CREATE OR REPLACE FUNCTION diesel_manage_updated_at(_tbl regclass) RETURNS VOID AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER set_updated_at BEFORE UPDATE ON %s
                    FOR EACH ROW EXECUTE PROCEDURE diesel_set_updated_at()', _tbl);
END;
$$ LANGUAGE plpgsql;

CREATE OR REPLACE FUNCTION diesel_set_updated_at() RETURNS trigger AS $$
BEGIN
    IF (NEW IS DISTINCT FROM OLD AND NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at) THEN
        NEW.updated_at := current_timestamp;
    END IF;
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;
""",
    "migrations/00000000000000_diesel_initial_setup/down.sql": (
        "DROP FUNCTION diesel_manage_updated_at(_tbl regclass);\nDROP FUNCTION diesel_set_updated_at();\n"
    ),
    "migrations/2024-01-05-101500_create_users/up.sql": (
        "CREATE TABLE users (id SERIAL PRIMARY KEY, email VARCHAR NOT NULL, updated_at TIMESTAMP NOT NULL DEFAULT now());\n"
        "SELECT diesel_manage_updated_at('users');\n"
    ),
    "migrations/2024-01-05-101500_create_users/down.sql": "DROP TABLE users;\n",
    "migrations/20240201090000_user_status/up.sql": (
        "CREATE TYPE status AS ENUM ('active', 'closed');\n"
        "ALTER TABLE users ADD COLUMN status status NOT NULL DEFAULT 'active';\n"
    ),
    "migrations/20240201090000_user_status/down.sql": "ALTER TABLE users DROP COLUMN status;\nDROP TYPE status;\n",
    "migrations/2024-03-10-080000_index_email/up.sql": (
        "CREATE UNIQUE INDEX CONCURRENTLY users_email ON users (lower(email));\n"
    ),
    "migrations/2024-03-10-080000_index_email/down.sql": "DROP INDEX CONCURRENTLY users_email;\n",
    "migrations/2024-03-10-080000_index_email/metadata.toml": "run_in_transaction = false\n",
}


def test_a_project_with_diesel_passes(project: Project) -> None:
    project.write(SERVICE)
    run = project.run()

    assert run.report["layout"] == "diesel"
    assert run.verdicts == {
        "migrations/00000000000000_diesel_initial_setup/up.sql": "passed",
        "migrations/2024-01-05-101500_create_users/up.sql": "passed",
        "migrations/20240201090000_user_status/up.sql": "passed",
        "migrations/2024-03-10-080000_index_email/up.sql": "passed",
    }
    assert [one["down"] for one in run.report["migrations"]] == ["down.sql"] * 4
    assert (
        run.report["migrations"][-1]["transaction_mode_reason"]
        == "run_in_transaction = false in metadata.toml"
    )


def test_a_concurrent_index_without_metadata_is_told_the_way_of_diesel(project: Project) -> None:
    project.write({path: text for path, text in SERVICE.items() if not path.endswith("metadata.toml")})
    run = project.run()

    assert run.counts == {"passed": 3, "failed": 1}
    assert "CREATE INDEX CONCURRENTLY cannot run inside a transaction block" in run.text
    assert "run_in_transaction = false" in run.text
