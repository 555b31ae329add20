"""Whether what a file made is whole and in force: each defect planted, and its clean twin."""

from pytest_migsafe.findings import Finding
from pytest_migsafe.rehearsal.facts import OtherVersion
from pytest_migsafe.rehearsal.state import State
from pytest_migsafe.rules.smoke import structure
from pytest_migsafe.rules.smoke.structure import invalid_index
from tests.smoke.conftest import Smoke

ORDERS = 'CREATE SCHEMA "Shop"; CREATE TABLE "Shop"."Orders" (id int PRIMARY KEY, "Note" text);'
PARTITIONED = """
    CREATE SCHEMA "Shop";
    CREATE TABLE "Shop"."Events" (id int, at date) PARTITION BY RANGE (at);
    CREATE TABLE "Shop"."Events 2025" PARTITION OF "Shop"."Events" FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE TABLE "Shop".rest PARTITION OF "Shop"."Events" DEFAULT;
"""


def messages(findings: tuple[Finding, ...]) -> list[str]:
    return [one.message for one in findings]


def test_an_invalid_index_is_found_in_the_file_that_leaves_it(smoke: Smoke) -> None:
    invalid = (
        'CREATE INDEX "Orders_note" ON "Shop"."Orders" ("Note");'
        """UPDATE pg_index SET indisvalid = false WHERE indexrelid = '"Shop"."Orders_note"'::regclass"""
    )
    (finding,) = smoke.findings(ORDERS, invalid, only=invalid_index)

    assert finding.objects == ('"Shop"."Orders_note"', '"Shop"."Orders"')
    assert (
        finding.remedy
        == 'REINDEX INDEX CONCURRENTLY "Shop"."Orders_note";  -- in a file that runs outside a transaction'
    )
    assert finding.line == 1
    # It was there before: not this file's doing, whatever else it does to the table.
    assert (
        smoke.findings(ORDERS + invalid, 'ALTER TABLE "Shop"."Orders" ADD note2 text', only=invalid_index)
        == ()
    )
    assert smoke.findings(ORDERS, 'CREATE INDEX ON "Shop"."Orders" ("Note")', only=invalid_index) == ()
    # What a REINDEX that failed leaves has a twin that is whole.
    (leftover,) = smoke.findings(
        ORDERS, invalid.replace("Orders_note", "Orders_pkey_ccnew1"), only=invalid_index
    )
    assert leftover.message.endswith("left by a REINDEX CONCURRENTLY that failed")
    assert (
        leftover.remedy
        == 'DROP INDEX CONCURRENTLY "Shop"."Orders_pkey_ccnew1";  -- in a file that runs outside a transaction'
    )


def test_an_index_of_a_partitioned_table_may_be_built_in_several_files(smoke: Smoke) -> None:
    begun = 'CREATE UNIQUE INDEX "Events_at" ON ONLY "Shop"."Events" (at, id);'
    half = f'{begun} CREATE UNIQUE INDEX part ON "Shop".rest (at, id); ALTER INDEX "Shop"."Events_at" ATTACH PARTITION "Shop".part;'
    whole = f'{half} CREATE UNIQUE INDEX other ON "Shop"."Events 2025" (at, id); ALTER INDEX "Shop"."Events_at" ATTACH PARTITION "Shop".other;'

    # No file is blamed for what the next ones go on with; the end of the history is.
    given = smoke.evidence(PARTITIONED, half)
    assert tuple(structure.partitioned_index_incomplete(given)) == tuple(invalid_index(given)) == ()
    (defect,) = structure.partitioned_index_incomplete.defects(given.state_after)
    assert defect.message == (
        'the index "Shop"."Events_at" on the partitioned table "Shop"."Events" is not valid: "Shop"."Events 2025" have no part of it'
    )
    assert 'CREATE UNIQUE INDEX CONCURRENTLY ON "Shop"."Events 2025" USING btree (at, id);' in defect.remedy
    assert (
        structure.partitioned_index_incomplete.defects(smoke.evidence(PARTITIONED, whole).state_after) == ()
    )


def test_a_partition_that_is_half_detached(smoke: Smoke) -> None:
    half = (
        """UPDATE pg_inherits SET inhdetachpending = true WHERE inhrelid = '"Shop"."Events 2025"'::regclass"""
    )
    (finding,) = smoke.findings(PARTITIONED, half, only=structure.detach_pending)

    assert finding.remedy == 'ALTER TABLE "Shop"."Events" DETACH PARTITION "Shop"."Events 2025" FINALIZE;'
    gone = 'ALTER TABLE "Shop"."Events" DETACH PARTITION "Shop"."Events 2025"'
    assert smoke.findings(PARTITIONED, gone, only=structure.detach_pending) == ()


def test_a_published_table_whose_rows_cannot_be_updated(smoke: Smoke) -> None:
    test = structure.published_without_replica_identity
    (finding,) = smoke.findings("CREATE PUBLICATION p FOR ALL TABLES", 'CREATE TABLE "T" (id int)', only=test)
    assert finding.message == 'public."T" is published, and the server refuses every UPDATE and DELETE on it'
    assert finding.evidence == (
        'ERROR: cannot update table "T" because it does not have a replica identity and publishes updates',
        'ERROR: cannot delete from table "T" because it does not have a replica identity and publishes deletes',
    )
    assert finding.objects == ('public."T"',)

    # The publication comes later than the table; a partition is published with its table; a schema is.
    (of_partitions,) = smoke.findings(
        PARTITIONED, 'CREATE PUBLICATION p FOR TABLE "Shop"."Events"', only=test
    )
    assert of_partitions.objects[0] == '"Shop"."Events"'
    (by_schema,) = smoke.findings(
        ORDERS, 'CREATE PUBLICATION p FOR TABLES IN SCHEMA "Shop"; CREATE TABLE "Shop".x (a int)', only=test
    )
    assert by_schema.objects == ('"Shop".x',)
    # The filter looks at a column that is no part of the identity: only UPDATE and DELETE of such rows matter.
    (by_filter,) = smoke.findings(
        ORDERS, """CREATE PUBLICATION p FOR TABLE "Shop"."Orders" WHERE ("Note" = 'a')""", only=test
    )
    assert "publication WHERE expression is not part of the replica identity" in by_filter.evidence[1]
    # The key goes: that file broke it. A unique index may take its place.
    published = (
        ORDERS
        + 'CREATE PUBLICATION p FOR TABLE "Shop"."Orders"; CREATE UNIQUE INDEX u ON "Shop"."Orders" (id);'
    )
    drop = 'ALTER TABLE "Shop"."Orders" DROP CONSTRAINT "Orders_pkey"; ALTER TABLE "Shop"."Orders" ALTER id SET NOT NULL;'
    (dropped,) = smoke.findings(published, drop, only=test)
    assert dropped.remedy == 'ALTER TABLE "Shop"."Orders" REPLICA IDENTITY USING INDEX u;'

    assert smoke.findings(published, drop + dropped.remedy, only=test) == ()
    assert (
        smoke.findings(
            "CREATE PUBLICATION p FOR ALL TABLES WITH (publish = insert)",
            "CREATE TABLE t (id int)",
            only=test,
        )
        == ()
    )
    assert (
        smoke.findings("CREATE PUBLICATION p FOR ALL TABLES", "CREATE UNLOGGED TABLE t (id int)", only=test)
        == ()
    )


def test_an_unlogged_table(smoke: Smoke) -> None:
    (finding,) = smoke.findings(
        ORDERS, 'ALTER TABLE "Shop"."Orders" SET UNLOGGED', only=structure.unlogged_table
    )
    assert finding.remedy.startswith('ALTER TABLE "Shop"."Orders" SET LOGGED;')

    loaded = 'ALTER TABLE "Shop"."Orders" SET UNLOGGED; ALTER TABLE "Shop"."Orders" SET LOGGED'
    assert smoke.findings(ORDERS, loaded, only=structure.unlogged_table) == ()


def test_what_a_team_may_ask_of_tables(smoke: Smoke) -> None:
    """Of a partitioned table, not of its partitions."""
    keyless = 'CREATE TABLE "Log" (a int); COMMENT ON TABLE "Log" IS \'x\';' + PARTITIONED
    assert messages(smoke.findings("", keyless, only=structure.no_primary_key)) == [
        'public."Log" has no primary key',
        '"Shop"."Events" has no primary key',
    ]
    assert smoke.findings("", ORDERS, only=structure.no_primary_key) == ()

    (bare,) = smoke.findings("", keyless, only=structure.table_without_comment)
    assert bare.remedy == """COMMENT ON TABLE "Shop"."Events" IS '...';"""

    assert smoke.findings("", PARTITIONED, only=structure.no_default_partition) == ()
    (lacking,) = smoke.findings(PARTITIONED, 'DROP TABLE "Shop".rest', only=structure.no_default_partition)
    assert lacking.message == '"Shop"."Events" has no DEFAULT partition: a row that fits nowhere is an error'
    by_hash = "CREATE TABLE h (a int) PARTITION BY HASH (a)"
    assert smoke.findings("", by_hash, only=structure.no_default_partition) == ()


def test_where_an_extension_lies_and_its_version(smoke: Smoke) -> None:
    (finding,) = smoke.findings("", "CREATE EXTENSION citext", only=structure.extension_in_public)
    assert "ALTER EXTENSION citext SET SCHEMA extensions;" in finding.remedy
    elsewhere = "CREATE SCHEMA extensions; CREATE EXTENSION citext SCHEMA extensions"
    assert smoke.findings("", elsewhere, only=structure.extension_in_public) == ()

    old = "CREATE EXTENSION citext VERSION '1.4'"
    (outdated,) = smoke.findings("", old, only=structure.extension_outdated)
    assert outdated.remedy == "ALTER EXTENSION citext UPDATE;"
    assert (
        smoke.findings("", f"{old}; ALTER EXTENSION citext UPDATE", only=structure.extension_outdated) == ()
    )


def test_a_collation_of_another_version(smoke: Smoke) -> None:
    """No SQL but a manipulated catalog makes one; the machine does, when its C library is updated."""
    fresh = "CREATE COLLATION \"De\" (provider = libc, locale = 'C')"
    facts = smoke.evidence("", fresh).state_after.facts
    assert facts.collation_versions == {}

    state = State(facts=type(facts)(collation_versions={'public."De"': OtherVersion("2.28", "2.36")}))
    (defect,) = structure.collation_version_mismatch.defects(state)
    assert defect.remedy.endswith('ALTER COLLATION public."De" REFRESH VERSION;')
