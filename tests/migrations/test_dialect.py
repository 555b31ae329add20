"""A file for another database is recognised by its marks, and a broken one for PostgreSQL is not."""

import logging

import pytest

from pytest_migsafe.migrations.dialect import WrittenFor, written_for
from pytest_migsafe.migrations.source import SourceText
from tests.migrations.test_split import SOUND


@pytest.mark.parametrize(
    ("sql", "name", "mark", "line"),
    [
        (
            "CREATE TABLE `users` (\n  `id` int(11) unsigned NOT NULL AUTO_INCREMENT,\n  KEY (`id`)\n) ENGINE=InnoDB;",
            "MySQL",
            "`users`",
            1,
        ),
        ("CREATE TABLE users (\n  id INT AUTO_INCREMENT PRIMARY KEY\n);", "MySQL", "AUTO_INCREMENT", 2),
        ("CREATE TABLE users (id INT) ENGINE = InnoDB;", "MySQL", "ENGINE", 1),
        (
            "CREATE TABLE a.event\n(\n    id UUID,\n    at DateTime('UTC')\n)\n    engine = MergeTree\n        ORDER BY (id);",
            "ClickHouse",
            "engine = MergeTree",
            6,
        ),
        (
            "CREATE TABLE e (id UUID) ENGINE = ReplacingMergeTree(v) ORDER BY id",
            "ClickHouse",
            "ENGINE = ReplacingMergeTree",
            1,
        ),
        ("ALTER TABLE users ADD COLUMN age TINYINT UNSIGNED AFTER name;", "MySQL", "UNSIGNED", 1),
        ("ALTER TABLE `users` MODIFY COLUMN `name` varchar(10);", "MySQL", "`users`", 1),
        (
            "/*!40101 SET NAMES utf8 */;\nLOCK TABLES `a` WRITE;\nINSERT INTO `a` VALUES (1,'it\\'s');\n",
            "MySQL",
            "`a`",
            3,
        ),
        ("SELECT 1;\nCREATE TABLE t (body LONGTEXT);", "MySQL", "LONGTEXT", 2),
        ("CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT)", "SQLite", "AUTOINCREMENT", 1),
        ("PRAGMA foreign_keys=OFF;\nCREATE TABLE x (a integer);", "SQLite", "PRAGMA", 1),
        (
            "CREATE TABLE [dbo].[Users] (\n  [Name] NVARCHAR(MAX) NULL\n)\nGO\nCREATE INDEX i ON [Users] ([Name])\nGO\n",
            "SQL Server",
            "[dbo]",
            1,
        ),
        ("CREATE TABLE Users (Id INT IDENTITY(1,1) PRIMARY KEY)", "SQL Server", "IDENTITY", 1),
        ("CREATE TABLE Users (\n  Name NVARCHAR(50)\n)", "SQL Server", "NVARCHAR", 2),
        ("CREATE TABLE users (id int)\nGO\nCREATE TABLE orders (id int)\nGO", "SQL Server", "GO", 2),
        ("CREATE TABLE users (name VARCHAR2(50 CHAR))", "Oracle", "VARCHAR2", 1),
        ("CREATE TABLE users (id int, total NUMBER(10, 2) NOT NULL)", "Oracle", "NUMBER", 1),
    ],
)
def test_a_file_for_another_database_is_recognised(sql: str, name: str, mark: str, line: int) -> None:
    level = logging.getLogger("sqlglot").level

    assert written_for(SourceText(sql)) == WrittenFor(name=name, mark=mark, line=line)
    assert logging.getLogger("sqlglot").level == level


@pytest.mark.parametrize(
    "sql",
    [
        *SOUND,
        "CREATE TABEL users (id int);",
        "CREATE TABLE users (id int,);",
        "CREATE TABLE `users (id int);",
        "SELECT a ` b FROM t WHER x;",
        "SELECT '`a`', $$ `b` $$, \"`c`\" /* `d` */ -- `e`\nFORM t",
        "UPDATE t SET engine = 'v8' WHER id = 1",
        "CREATE TABLE t (engine text, unsigned int, auto_increment int, number int, pragma int,)",
        "ALTER TABLE t ADD COLUMN identity int CHECK (identity IN (1,2)",
        "SELECT a[1], b [i], ARRAY[x], (ARRAY[1,2])[n] FROM t WHER x",
        "CREATE TABLE t (a int[], b number, c money2)",
        "SELECT 1 AS go\nFROM t WHER x",
        "\\connect other\nSELECT 1;",
        "SELECT " + "(" * 3000 + "`a`",
        "",
    ],
)
def test_a_file_for_postgresql_is_not_taken_for_another_s(sql: str) -> None:
    assert written_for(SourceText(sql)) is None


def test_a_long_file_is_known_by_its_beginning() -> None:
    rows = "INSERT INTO `t` VALUES (1, 'a');\n" * 100_000

    assert written_for(SourceText(f"-- a dump\n{rows}")) == WrittenFor(name="MySQL", mark="`t`", line=2)
