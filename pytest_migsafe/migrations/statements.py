"""What a statement of a migration file is, as far as its text shows."""

from dataclasses import dataclass
from enum import StrEnum

from pytest_migsafe.migrations.source import CharOffset


class TransactionControl(StrEnum):
    """What a statement does to the transaction that it runs in."""

    BEGIN = "begin"
    COMMIT = "commit"
    ROLLBACK = "rollback"
    #: SAVEPOINT and its relatives, PREPARE TRANSACTION, ... anything that is not a plain begin or end.
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedObject:
    """An object that a statement would create, as the text names it."""

    #: "table", "column", "index", "function", ...
    kind: str
    #: The schema as written, empty when the name is not qualified.
    schema: str
    #: The object's name; for a column ``table.column``.
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of a file, exactly as it is written."""

    text: str
    #: Where the statement's first and one after its last character are, in characters.
    start: CharOffset
    end: CharOffset
    #: The parse tree's node (``IndexStmt``, ...); empty when the grammar rejects the statement, or could not
    #: be asked because it is too big and its first words do not tell.
    node: str = ""
    #: What the grammar says against the statement, and at which character of the file.
    syntax_error: str = ""
    syntax_error_at: CharOffset | None = None
    transaction_control: TransactionControl | None = None
    #: Why PostgreSQL will not run the statement inside a transaction block; empty when it will.
    refuses_transaction_block: str = ""
    #: Whether ``IF NOT EXISTS`` stands in the statement.
    if_not_exists: bool = False
    creates: tuple[CreatedObject, ...] = ()
    #: The rows that the file gives a ``COPY ... FROM STDIN``.
    data: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """What a statement with IF NOT EXISTS would create, as a statement that creates it elsewhere."""

    #: "table", "materialized view", "sequence", "index" or "column".
    kind: str
    #: The schema as written (empty when not qualified) and the relation that the statement names.
    schema: str
    relation: str
    #: The column or index that is created; empty where it is the relation itself.
    name: str
    #: The statement that makes the twin.
    create: str
    #: The twin's own name: of a relation (in the scratch schema), of a column or of an index.
    twin_name: str
