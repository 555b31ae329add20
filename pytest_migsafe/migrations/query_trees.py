"""A query as PostgreSQL's grammar reads it, made into what `queries` says of it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from postgast import deparse, pg_query_pb2, unwrap_node

from pytest_migsafe.migrations.lexemes import in_double_quotes
from pytest_migsafe.migrations.parse_tree import parse, parse_if_possible, parse_whole
from pytest_migsafe.migrations.queries import (
    SMALL,
    ColumnName,
    Condition,
    Equality,
    Mention,
    Query,
    Range,
    Use,
)


def queries(text: str) -> tuple[Query, ...]:
    """Return the queries of a text, also those that CREATE TABLE AS, COPY, EXPLAIN and the like run; none of other statements."""
    tree = parse_if_possible(text)
    if tree is None:
        return ()
    found = (_of_statement(unwrap_node(one.stmt)) for one in tree.stmts)
    return tuple(one for one in found if one is not None)


def body_of_do(text: str) -> str:
    """Return the PL/pgSQL body of a DO statement; empty for another language or statement."""
    tree = parse_if_possible(text)
    if tree is None or len(tree.stmts) != 1:
        return ""
    node = unwrap_node(tree.stmts[0].stmt)
    if type(node).__name__ != "DoStmt":
        return ""
    given = {one.defname: unwrap_node(one.arg).sval for one in map(unwrap_node, node.args)}
    return given.get("as", "") if given.get("language", "plpgsql") == "plpgsql" else ""


def constant_text(text: str) -> str | None:
    """Return the string that a ``SELECT 'string'`` is; None where it is made when it runs."""
    tree = parse_if_possible(text)
    if tree is None or len(tree.stmts) != 1:
        return None
    node = unwrap_node(tree.stmts[0].stmt)
    targets = [unwrap_node(one) for one in getattr(node, "target_list", ())]
    if len(targets) != 1:
        return None
    value = unwrap_node(targets[0].val)
    if type(value).__name__ != "A_Const" or not value.HasField("sval"):
        return None
    return str(value.sval.sval)


def key_columns(definition: str) -> tuple[str, ...]:
    """Return what an index is made of; an empty name for an expression of which there are no words."""
    tree = parse_if_possible(definition)
    if tree is None:
        return ()
    node = unwrap_node(tree.stmts[0].stmt)
    elements = [unwrap_node(one) for one in getattr(node, "index_params", ())]
    return tuple(str(one.name) or _name_of_expression(unwrap_node(one.expr)) for one in elements)


def _name_of_expression(node: Any) -> str:
    found = _column(node)
    return found.name if found is not None else ""


def limited_to(text: str, key: str, keys: str) -> str | None:
    """Return an UPDATE or DELETE that only writes the rows whose key is in an array, or None."""
    tree = parse_whole(text)
    if tree is None or len(tree.stmts) != 1:
        return None
    node: Any = unwrap_node(tree.stmts[0].stmt)
    if _kind(node) not in ("UpdateStmt", "DeleteStmt"):
        return None
    if any(unwrap_node(one).name == key for one in getattr(node, "target_list", ())):
        return None
    relation = _alias(node.relation) or node.relation.relname
    condition = f"{in_double_quotes(relation)}.{in_double_quotes(key)} = ANY ({keys})"
    both: Any = unwrap_node(parse(f"SELECT 1 WHERE {condition} AND true").stmts[0].stmt).where_clause
    if node.HasField("where_clause"):
        both.bool_expr.args[1].CopyFrom(node.where_clause)
    else:
        both.CopyFrom(type(both).FromString(both.bool_expr.args[0].SerializeToString()))
    node.where_clause.CopyFrom(both)
    node.ClearField("returning_clause")
    return str(deparse(tree))


def _of_statement(node: Any) -> Query | None:
    kind = _kind(node)
    if kind in (
        "CreateTableAsStmt",
        "ExplainStmt",
        "DeclareCursorStmt",
        "CopyStmt",
        "PrepareStmt",
        "ViewStmt",
    ):
        if kind == "ViewStmt" or not node.HasField("query") or _only_explains(node):
            return None
        return _of_statement(unwrap_node(node.query))
    if kind == "CallStmt":
        return Query(calls=(_called(node.funccall),))
    return _Reader({}).query(node) if kind in _QUERIES else None


def _only_explains(node: Any) -> bool:
    """Whether a statement shows the plan of a query and does not run it."""
    if _kind(node) != "ExplainStmt":
        return False
    return all(unwrap_node(one).defname != "analyze" for one in node.options)


_QUERIES = frozenset({"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})


def _kind(node: Any) -> str:
    return type(node).__name__


def _field(node: Any, name: str) -> Any | None:
    return unwrap_node(getattr(node, name)) if node.HasField(name) else None


class _Reader:
    """Reads a query; ``named`` are the queries that WITH has given names to."""

    def __init__(self, named: dict[str, Query]) -> None:
        self._named = named

    def query(self, node: Any) -> Query:
        kind = _kind(node)
        reader = _Reader(dict(self._named))
        with_queries = reader.read_with(node)
        read = {
            "SelectStmt": reader.select,
            "InsertStmt": reader.insert,
            "UpdateStmt": reader.update,
            "DeleteStmt": reader.delete,
            "MergeStmt": reader.merge,
        }.get(kind)
        made = read(node) if read is not None else Query()
        return replace(made, subqueries=(*with_queries, *made.subqueries))

    def read_with(self, node: Any) -> list[Query]:
        if not node.HasField("with_clause"):
            return []
        found = []
        for wrapped in node.with_clause.ctes:
            cte = unwrap_node(wrapped)
            if node.with_clause.recursive:
                self._named[cte.ctename] = Query(mentions=(Mention("", cte.ctename, ""),), has_where=True)
            made = self.query(unwrap_node(cte.ctequery))
            self._named[cte.ctename] = made
            found.append(made)
        return found

    def select(self, node: Any) -> Query:
        if node.op != pg_query_pb2.SETOP_NONE:
            arms = (self.query(node.larg), self.query(node.rarg))
            sides = tuple(Mention("", "", "", query=one) for one in arms)
            return Query(mentions=sides, has_small_limit=self._has_small_limit(node))
        if node.values_lists:
            return self._with_expressions(
                Query(mentions=(Mention("", "", "", is_given=True),)), node.values_lists
            )
        mentions, conditions, subqueries = self._from(node.from_clause)
        made = Query(
            mentions=tuple(self._locked(node, mentions)),
            conditions=(*conditions, *self._where(node)),
            has_where=self._is_conditional(node) or bool(conditions),
            has_small_limit=self._has_small_limit(node),
            ordered_by=self._ordered_by(node),
            extremes=self._extremes(node),
            subqueries=tuple(subqueries),
            is_empty=self._is_never(node),
        )
        rest = [*node.target_list, *([node.where_clause] if node.HasField("where_clause") else [])]
        rest += [*node.group_clause, *node.sort_clause]
        if node.HasField("having_clause"):
            rest.append(node.having_clause)
        return self._with_expressions(made, rest)

    @staticmethod
    def _locked(node: Any, mentions: list[Mention]) -> list[Mention]:
        if not node.locking_clause:
            return mentions
        named = {
            one.relname
            for wrapped in node.locking_clause
            for one in map(unwrap_node, unwrap_node(wrapped).locked_rels)
        }
        return [
            replace(one, use=Use.LOCKED) if one.query is None and (not named or one.called in named) else one
            for one in mentions
        ]

    def insert(self, node: Any) -> Query:
        source = _field(node, "select_stmt")
        target = replace(_mention(node.relation), use=Use.INSERTED)
        made = Query(mentions=(target,), source=self.query(source) if source is not None else None)
        if not node.HasField("on_conflict_clause"):
            return made
        overwrites = node.on_conflict_clause.action == pg_query_pb2.ONCONFLICT_UPDATE
        return replace(made, overwrites=overwrites)

    def update(self, node: Any) -> Query:
        return self._changed(node, Use.UPDATED, node.from_clause)

    def delete(self, node: Any) -> Query:
        return self._changed(node, Use.DELETED, node.using_clause)

    def _changed(self, node: Any, use: Use, others: Any) -> Query:
        target = replace(_mention(node.relation), use=use)
        mentions, conditions, subqueries = self._from(others)
        made = Query(
            mentions=(target, *mentions),
            conditions=(*conditions, *self._where(node)),
            has_where=self._is_conditional(node),
            subqueries=tuple(subqueries),
            is_empty=self._is_never(node),
        )
        rest = [*getattr(node, "target_list", ())]
        if node.HasField("where_clause"):
            rest.append(node.where_clause)
        return self._with_expressions(made, rest)

    def merge(self, node: Any) -> Query:
        clauses = [unwrap_node(one) for one in node.merge_when_clauses]
        kinds = {one.command_type for one in clauses}
        use = Use.INSERTED
        if pg_query_pb2.CMD_DELETE in kinds:
            use = Use.DELETED
        if pg_query_pb2.CMD_UPDATE in kinds:
            use = Use.UPDATED
        target = replace(_mention(node.relation), use=use)
        mentions, conditions, subqueries = self._from([node.source_relation])
        conditions += self._conditions(unwrap_node(node.join_condition))
        made = Query(
            mentions=(target, *mentions),
            conditions=tuple(conditions),
            has_where=True,
            subqueries=tuple(subqueries),
        )
        return self._with_expressions(made, [node.join_condition])

    # FROM.

    def _from(self, items: Any) -> tuple[list[Mention], list[Condition], list[Query]]:
        mentions: list[Mention] = []
        conditions: list[Condition] = []
        subqueries: list[Query] = []
        for wrapped in items:
            self._item(unwrap_node(wrapped), mentions, conditions, subqueries)
        return mentions, conditions, subqueries

    def _item(
        self, node: Any, mentions: list[Mention], conditions: list[Condition], subqueries: list[Query]
    ) -> None:
        kind = _kind(node)
        if kind == "RangeVar":
            mention = _mention(node)
            known = self._named.get(mention.name) if not mention.schema else None
            mentions.append(replace(mention, query=known) if known is not None else mention)
        elif kind == "RangeSubselect":
            made = self.query(unwrap_node(node.subquery))
            mentions.append(Mention("", "", _alias(node), query=made))
        elif kind == "JoinExpr":
            self._join(node, mentions, conditions, subqueries)
        elif kind == "RangeTableSample":
            self._item(unwrap_node(node.relation), mentions, conditions, subqueries)
        else:
            subqueries += self._in_expression(node)
            mentions.append(Mention("", "", _alias(node), is_given=True))

    def _join(
        self, node: Any, mentions: list[Mention], conditions: list[Condition], subqueries: list[Query]
    ) -> None:
        left: list[Mention] = []
        right: list[Mention] = []
        self._item(unwrap_node(node.larg), left, conditions, subqueries)
        self._item(unwrap_node(node.rarg), right, conditions, subqueries)
        mentions += [*left, *right]
        found: list[Condition] = []
        if node.HasField("quals"):
            found += self._conditions(unwrap_node(node.quals))
            subqueries += self._in_expression(node.quals)
        if left and right:
            for wrapped in node.using_clause:
                name = unwrap_node(wrapped).sval
                one, other = ColumnName(left[-1].called, name), ColumnName(right[0].called, name)
                found += [Equality(one, (other,)), Equality(other, (one,))]
        # Of an outer join, what is joined to is kept whole.
        kept = {
            pg_query_pb2.JOIN_LEFT: {one.called for one in right},
            pg_query_pb2.JOIN_RIGHT: {one.called for one in left},
            pg_query_pb2.JOIN_FULL: set(),
        }.get(node.jointype)
        conditions += [one for one in found if kept is None or one.column.alias in kept]

    # Conditions.

    def _where(self, node: Any) -> list[Condition]:
        where = _field(node, "where_clause")
        return self._conditions(where) if where is not None else []

    def _conditions(self, node: Any) -> list[Condition]:
        """Return what must be true of single columns for a condition to be true."""
        kind = _kind(node)
        if kind == "BoolExpr" and node.boolop == pg_query_pb2.AND_EXPR:
            return [found for one in node.args for found in self._conditions(unwrap_node(one))]
        if kind == "BoolExpr" and node.boolop == pg_query_pb2.OR_EXPR:
            return self._of_alternatives([self._conditions(unwrap_node(one)) for one in node.args])
        if kind == "A_Expr":
            return self._comparison(node)
        if kind == "SubLink" and node.sub_link_type == pg_query_pb2.ANY_SUBLINK:
            operator = [unwrap_node(one).sval for one in node.oper_name]
            column = _column(unwrap_node(node.testexpr))
            if column is not None and operator in ([], ["="]):
                return [Equality(column, (self.query(unwrap_node(node.subselect)),))]
        return []

    @staticmethod
    def _of_alternatives(arms: list[list[Condition]]) -> list[Condition]:
        """Return the columns that have one of few values in every arm of an OR."""
        equal = [{one.column: one for one in arm if isinstance(one, Equality)} for arm in arms]
        shared = set.intersection(*map(set, equal)) if equal else set()
        return [
            Equality(column, tuple(made_of for arm in equal for made_of in arm[column].made_of))
            for column in sorted(shared, key=lambda one: (one.alias, one.name))
        ]

    def _comparison(self, node: Any) -> list[Condition]:
        operator = unwrap_node(node.name[-1]).sval if node.name else ""
        left, right = _field(node, "lexpr"), _field(node, "rexpr")
        if left is None or right is None:
            return []
        if node.kind == pg_query_pb2.AEXPR_NOT_DISTINCT or (node.kind in _MEMBERSHIPS and operator == "="):
            return self._equalities(left, right)
        if node.kind == pg_query_pb2.AEXPR_BETWEEN:
            low, high = right.items
            return [*_range(left, low, is_lower=True), *_range(left, high, is_lower=False)]
        if node.kind == pg_query_pb2.AEXPR_OP and operator == "=":
            return [*self._equalities(left, right), *self._equalities(right, left)]
        if node.kind == pg_query_pb2.AEXPR_OP and operator in _LOWER | _UPPER:
            is_lower = operator in _LOWER
            return [*_range(left, right, is_lower=is_lower), *_range(right, left, is_lower=not is_lower)]
        return []

    def _equalities(self, side: Any, values: Any) -> list[Condition]:
        if _kind(side) == "RowExpr" and _kind(values) == "RowExpr":
            pairs = zip(side.args, values.args, strict=False)
            return [
                found
                for one, other in pairs
                for found in self._equalities(unwrap_node(one), unwrap_node(other))
            ]
        column = _column(side)
        return [] if column is None else [Equality(column, tuple(self._made_of(values)))]

    def _made_of(self, node: Any) -> Iterator["ColumnName | Query"]:
        """Yield the columns that a value is made of, and the subqueries that give several values."""
        for one in _walk(node):
            kind = _kind(one)
            if kind == "ColumnRef" and (column := _column(one)) is not None:
                yield column
            elif kind == "SubLink" and one.sub_link_type == pg_query_pb2.ARRAY_SUBLINK:
                yield self.query(unwrap_node(one.subselect))

    # Other expressions.

    def _with_expressions(self, made: Query, nodes: Any) -> Query:
        """Return a query with the subqueries and calls that some of its expressions hold."""
        found = [one for node in nodes for one in self._in_expression(node)]
        calls = tuple(_called(one) for node in nodes for one in _walk(node) if _kind(one) == "FuncCall")
        return replace(made, subqueries=(*made.subqueries, *found), calls=(*made.calls, *calls))

    def _in_expression(self, node: Any) -> list[Query]:
        return [
            replace(
                self.query(unwrap_node(one.subselect)),
                is_existence=one.sub_link_type == pg_query_pb2.EXISTS_SUBLINK,
            )
            for one in _walk(node)
            if _kind(one) == "SubLink"
        ]

    @staticmethod
    def _is_conditional(node: Any) -> bool:
        where = _field(node, "where_clause")
        if where is None:
            return False
        kinds = {_kind(one) for one in _walk(where)}
        # A condition that speaks of nothing is the same for all rows.
        return not kinds.isdisjoint({"ColumnRef", "SubLink", "CurrentOfExpr", "FuncCall"})

    @staticmethod
    def _is_never(node: Any) -> bool:
        where = _field(node, "where_clause")
        if where is None:
            return False
        if _kind(where) == "CurrentOfExpr":
            return True  # one row
        return _kind(where) == "A_Const" and where.HasField("boolval") and not where.boolval.boolval

    @staticmethod
    def _has_small_limit(node: Any) -> bool:
        limit = _field(node, "limit_count")
        if limit is None or node.group_clause:
            return False
        number = _integer(limit)
        return number <= SMALL if number is not None else _kind(limit) in ("ColumnRef", "ParamRef")

    @staticmethod
    def _ordered_by(node: Any) -> ColumnName | None:
        if not node.sort_clause:
            return None
        return _column(unwrap_node(unwrap_node(node.sort_clause[0]).node)) or ColumnName("", "")

    @staticmethod
    def _extremes(node: Any) -> tuple[ColumnName, ...]:
        if node.group_clause or len(node.from_clause) != 1:
            return ()
        inside: list[Any] = []
        everywhere: list[Any] = []
        for target in node.target_list:
            for one in _walk(target):
                if _kind(one) == "ColumnRef":
                    everywhere.append(one)
                elif _kind(one) == "FuncCall" and _called(one)[1] in ("min", "max") and len(one.args) == 1:
                    # The greatest of an expression stands at no end of a column's index.
                    if _column(unwrap_node(one.args[0])) is None:
                        return ()
                    inside += [found for found in _walk(one) if _kind(found) == "ColumnRef"]
                elif _kind(one) == "FuncCall" and _called(one)[1] in (
                    "count",
                    "sum",
                    "avg",
                    "array_agg",
                    "string_agg",
                ):
                    return ()
        names = [column for one in inside if (column := _column(one)) is not None]
        return tuple(names) if names and len(inside) == len(everywhere) else ()


_MEMBERSHIPS = (pg_query_pb2.AEXPR_IN, pg_query_pb2.AEXPR_OP_ANY)
_LOWER = frozenset({">", ">="})
_UPPER = frozenset({"<", "<="})


def _mention(node: Any) -> Mention:
    return Mention(node.schemaname, node.relname, _alias(node))


def _alias(node: Any) -> str:
    return str(node.alias.aliasname) if node.HasField("alias") else ""


def _called(node: Any) -> tuple[str, str]:
    names = [str(unwrap_node(one).sval) for one in node.funcname]
    return (names[-2] if len(names) > 1 else "", names[-1])


def _column(node: Any) -> ColumnName | None:
    """Return the column that an expression is, but for a cast, or a function of one: ``lower(name)``; None for all else."""
    while _kind(node) == "TypeCast":
        node = unwrap_node(node.arg)
    if _kind(node) == "FuncCall" and len(node.args) == 1:
        inner = _column(unwrap_node(node.args[0]))
        return None if inner is None else ColumnName(inner.alias, f"{_called(node)[1]}({inner.name})")
    if _kind(node) != "ColumnRef":
        return None
    fields = [unwrap_node(one) for one in node.fields]
    if any(_kind(one) != "String" for one in fields):
        return None
    *qualifiers, name = (str(one.sval) for one in fields)
    return ColumnName(qualifiers[-1] if qualifiers else "", name)


def _range(side: Any, end: Any, *, is_lower: bool) -> list[Condition]:
    column = _column(side)
    kinds = {_kind(one) for one in _walk(end)}
    number = _integer(unwrap_node(end) if _kind(end) == "Node" else end)
    is_variable = "SubLink" not in kinds and not kinds.isdisjoint({"ColumnRef", "ParamRef"})
    if column is None or (number is None and not is_variable):
        return []
    return [Range(column, is_lower, number)]


def _integer(node: Any) -> int | None:
    while _kind(node) == "TypeCast":
        node = unwrap_node(node.arg)
    if _kind(node) != "A_Const" or not node.HasField("ival"):
        return None
    return int(node.ival.ival)


def _walk(node: Any) -> Iterator[Any]:
    """Yield a node and what it is made of, but not what the subqueries in it are made of."""
    one = unwrap_node(node) if _kind(node) == "Node" else node
    yield one
    if _kind(one) in _QUERIES:
        return
    for field, value in one.ListFields():
        if field.message_type is None or (field.name == "subselect"):
            continue
        for each in (value,) if hasattr(value, "ListFields") else value:
            yield from _walk(each)
