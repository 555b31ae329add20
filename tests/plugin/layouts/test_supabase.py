"""A small project with Supabase's CLI, as it is, on a real server."""

from tests.plugin.conftest import Project

CONFIG = 'project_id = "shop"\n\n[db]\nmajor_version = 17\n\n[db.seed]\nenabled = true\nsql_paths = ["./seeds/*.sql"]\n'
SHOP = {
    "supabase/config.toml": CONFIG,
    "supabase/roles.sql": "CREATE ROLE shop_reader;\n",
    "supabase/migrations/20240101000000_orders.sql": (
        "CREATE TABLE public.orders (id bigint PRIMARY KEY, owner uuid NOT NULL);\n"
        "ALTER TABLE public.orders ENABLE ROW LEVEL SECURITY;\n"
        "GRANT SELECT ON public.orders TO shop_reader;\n"
    ),
    "supabase/migrations/20240102000000_touch.sql": (
        "BEGIN;\nCREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END; $$;\n"
        "CREATE TRIGGER touch BEFORE UPDATE ON public.orders FOR EACH ROW EXECUTE FUNCTION public.touch();\nCOMMIT;\n"
    ),
    "supabase/migrations/20240103000000_index.sql": (
        "ALTER TABLE public.orders ADD COLUMN total numeric;\n"
        "CREATE INDEX CONCURRENTLY orders_by_total ON public.orders (total);\n"
        "COMMENT ON INDEX public.orders_by_total IS 'for the report';\n"
    ),
    "supabase/seeds/orders.sql": "INSERT INTO public.orders SELECT n, gen_random_uuid() FROM generate_series(1, 3) n;\n",
}
APPLIED = [name for name in SHOP if name.endswith(".sql")]


def test_a_project_passes_from_roles_to_seeds(project: Project) -> None:
    project.write(SHOP, {"supabase/seed.sql": "SELECT nonsense;\n"})
    run = project.run()

    assert list(run.verdicts) == APPLIED
    assert run.counts == {"passed": 5}
    assert "5 migrations in supabase/migrations (supabase layout)" in run.text


def test_the_seeds_are_collected_beside_the_tests_of_a_project(project: Project) -> None:
    project.write(SHOP, {"tests/test_app.py": "def test_app():\n    pass\n"})
    project.write({"pytest.ini": "[pytest]\ntestpaths = tests\n"})

    assert project.run().counts == {"passed": 6}


def test_a_folder_that_is_named_has_its_roles_and_seeds(project: Project) -> None:
    project.write(SHOP)

    assert list(project.run("supabase/migrations").verdicts) == APPLIED
    one = "supabase/migrations/20240103000000_index.sql"
    assert list(project.run(one).verdicts) == [one]


def test_a_seed_that_fails_is_named(project: Project) -> None:
    project.write(SHOP, {"supabase/seeds/orders.sql": "INSERT INTO public.orders VALUES (1, NULL);\n"})
    run = project.run()

    assert run.verdicts["supabase/seeds/orders.sql"] == "failed"
    assert 'null value in column "owner"' in run.text


def test_what_came_before_a_statement_of_its_own_stays(project: Project) -> None:
    name = "supabase/migrations/20240104000000_half.sql"
    project.write(
        SHOP, {name: "CREATE TABLE public.a (id int);\nCREATE INDEX CONCURRENTLY ON public.nothing (id);\n"}
    )
    run = project.run()

    assert run.verdicts[name] == "failed"
    assert 'relation "public.nothing" does not exist' in run.text
