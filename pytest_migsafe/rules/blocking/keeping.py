"""A column that a trigger computes for every row that is written, as long as it is needed."""

from pytest_migsafe.catalog.lexical import last_part, parent_of, quoted
from pytest_migsafe.catalog.names import chosen_name

#: Triggers fire in the order of their names, and this one is to see what the others have made of the row.
_LAST = "zz"

_FUNCTION = """\
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $keep$
BEGIN
    NEW.{column} := {value};
    RETURN NEW;
END
$keep$"""
_TRIGGER = (
    "CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"
)


def trigger_name(table: str, column: str) -> str:
    """Return what the trigger and its function are called; ``column`` is without quotes."""
    return quoted(chosen_name(f"{_LAST}_{last_part(table)}", [column], "set"))


def kept_by_trigger(table: str, column: str, value: str) -> tuple[str, str]:
    """Return the function and the trigger that give a column a value that is computed of NEW."""
    name = f"{parent_of(table)}.{trigger_name(table, column)}"
    function = _FUNCTION.format(name=name, column=quoted(column), value=value)
    return function, _TRIGGER.format(name=trigger_name(table, column), table=table, function=name)


def of_new_row(table: str, expression: str) -> str:
    """Return an expression over the columns of a table as one that is computed of NEW."""
    return f"(SELECT {expression} FROM (SELECT NEW.*) AS {quoted(last_part(table))})"  # noqa: S608 - nobody's input


def kept_no_more(table: str, column: str) -> tuple[str, str]:
    """Return how the trigger and its function are dropped."""
    name = trigger_name(table, column)
    return f"DROP TRIGGER {name} ON {table}", f"DROP FUNCTION {parent_of(table)}.{name}()"
