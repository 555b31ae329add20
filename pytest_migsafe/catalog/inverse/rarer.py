"""Kinds of which a database has few: dropped and made again, where the schema knows enough of them for that."""

import re
from collections.abc import Callable, Iterator

from pytest_migsafe.catalog import rarer
from pytest_migsafe.catalog.inverse.steps import Phase, Way, changed_options, foreign_options, is_masked
from pytest_migsafe.catalog.inverse.words import target
from pytest_migsafe.catalog.lexical import constant
from pytest_migsafe.catalog.objects import Listed

_LATE = {
    rarer.Statistics: (Phase.DROP_STATISTICS, Phase.STATISTICS),
    rarer.EventTrigger: (Phase.DROP_PUBLICATION, Phase.PUBLICATION),
    rarer.Publication: (Phase.DROP_PUBLICATION, Phase.PUBLICATION),
    rarer.Subscription: (Phase.DROP_PUBLICATION, Phase.PUBLICATION),
}


def phases(one: Listed) -> tuple[Phase, Phase]:
    """Return when such an object is dropped, and when it is made."""
    return _LATE.get(type(one), (Phase.DROP_RARER, Phase.RARER))


def drop(way: Way, one: Listed) -> None:
    """Add the step that drops an object."""
    words = target(one)
    if words is None or isinstance(one, rarer.Subscription):
        way.leave(one, "it is not known how it is dropped without harm elsewhere")
        return
    way.add(phases(one)[0], f"DROP {words};")


def create(way: Way, one: Listed) -> None:
    """Add the steps that make an object, or say that it cannot be made."""
    made = _CREATE.get(type(one))
    statements = list(made(one)) if made is not None else []
    if not statements:
        way.leave(one, "the schema does not hold all that it takes to make it")
    way.add(phases(one)[1], *statements)


def change(way: Way, now: Listed, then: Listed) -> bool:
    """Add the steps that make one of another, but for owner and comment; return whether that is possible."""
    if _without_names(now) == _without_names(then):
        return True
    changing = _CHANGE.get(type(then))
    return changing is not None and changing(way, now, then)


def _change_statistics(way: Way, now: rarer.Statistics, then: rarer.Statistics) -> bool:
    if now.definition != then.definition or now.relation != then.relation:
        return False
    number = then.target if then.target is not None else -1
    way.add(Phase.STATISTICS, f"ALTER STATISTICS {then.name} SET STATISTICS {number};")
    return True


def _change_mapping(way: Way, now: rarer.UserMapping, then: rarer.UserMapping) -> bool:
    if is_masked(changed_values(now.foreign_options, then.foreign_options)):
        way.leave(then, "its options hold a secret")
    else:
        options = changed_options(now.foreign_options, then.foreign_options)
        way.add(Phase.RARER, f"ALTER {target(then)} OPTIONS ({options});")
    return True


def _leave(way: Way, now: Listed, then: Listed) -> bool:  # noqa: ARG001 - the signature of all
    way.leave(then, "what it consists of cannot be made what it was")
    return True


def _without_names(one: Listed) -> dict[str, object]:
    unsaid = {"owner", "comment", *(["version"] if isinstance(one, rarer.Collation) else [])}
    return {name: value for name, value in one.to_json().items() if name not in unsaid}


def changed_values(now: tuple[str, ...], then: tuple[str, ...]) -> list[str]:
    """Return the options that have to be set."""
    return [one for one in then if one not in now]


def _change_server(way: Way, now: rarer.ForeignServer, then: rarer.ForeignServer) -> bool:
    if (now.wrapper, now.type) != (then.wrapper, then.type) or is_masked(
        changed_values(now.foreign_options, then.foreign_options)
    ):
        way.leave(then, "its wrapper, its type and secrets cannot be made what they were")
        return True
    version = f" VERSION {constant(then.version)}" if then.version != now.version and then.version else ""
    options = changed_options(now.foreign_options, then.foreign_options)
    way.add(Phase.RARER, f"ALTER SERVER {then.name}{version}{f' OPTIONS ({options})' if options else ''};")
    return True


def _change_wrapper(way: Way, now: rarer.ForeignDataWrapper, then: rarer.ForeignDataWrapper) -> bool:
    words = []
    if now.handler != then.handler:
        words.append(f"HANDLER {_bare(then.handler)}" if then.handler else "NO HANDLER")
    if now.validator != then.validator:
        words.append(f"VALIDATOR {_bare(then.validator)}" if then.validator else "NO VALIDATOR")
    if is_masked(changed_values(now.foreign_options, then.foreign_options)):
        way.leave(then, "its options hold a secret")
        return True
    if options := changed_options(now.foreign_options, then.foreign_options):
        words.append(f"OPTIONS ({options})")
    way.add(Phase.RARER, f"ALTER FOREIGN DATA WRAPPER {then.name} {' '.join(words)};")
    return True


def _change_configuration(
    way: Way, now: rarer.TextSearchConfiguration, then: rarer.TextSearchConfiguration
) -> bool:
    if now.parser != then.parser:
        return False
    have, want = (dict(one.split(": ", 1) for one in each.mappings) for each in (now, then))
    configuration = f"ALTER TEXT SEARCH CONFIGURATION {then.name}"
    for token in sorted({*have} | {*want}):
        if have.get(token) == want.get(token):
            continue
        if token in have:
            way.add(Phase.RARER, f"{configuration} DROP MAPPING FOR {token};")
        if token in want:
            way.add(Phase.RARER, f"{configuration} ADD MAPPING FOR {token} WITH {want[token]};")
    return True


def _bare(signature: str | None) -> str:
    """Return a function's name without its argument types."""
    return (signature or "").partition("(")[0]


# -- how each is made ----------------------------------------------------------------------------------------

_STATES = {"disabled": "DISABLE", "replica": "ENABLE REPLICA", "always": "ENABLE ALWAYS"}


def _event_trigger(one: rarer.EventTrigger) -> Iterator[str]:
    tags = f" WHEN TAG IN ({', '.join(map(constant, one.tags))})" if one.tags else ""
    yield f"CREATE EVENT TRIGGER {one.name} ON {one.event}{tags} EXECUTE FUNCTION {_bare(one.function)}();"
    if one.enabled in _STATES:
        yield f"ALTER EVENT TRIGGER {one.name} {_STATES[one.enabled]};"


def _statistics(one: rarer.Statistics) -> Iterator[str]:
    yield f"{one.definition};"
    if one.target is not None:
        yield f"ALTER STATISTICS {one.name} SET STATISTICS {one.target};"


def _publication(one: rarer.Publication) -> Iterator[str]:
    words = [f"CREATE PUBLICATION {one.name}"]
    if one.all_tables:
        words.append("FOR ALL TABLES")
    else:
        published = []
        if one.tables:
            published.append(f"TABLE {', '.join(map(_published, one.tables))}")
        if one.schemas:
            published.append(f"TABLES IN SCHEMA {', '.join(one.schemas)}")
        words += [f"FOR {', '.join(published)}"] if published else []
    options = [f"publish = {constant(', '.join(one.actions))}"]
    options += ["publish_via_partition_root = true"] if one.via_root else []
    options += ["publish_generated_columns = stored"] if one.generated_columns else []
    yield f"{' '.join(words)} WITH ({', '.join(options)});"


def _published(table: str) -> str:
    """Return a table as CREATE PUBLICATION has it: "name (columns) where filter"."""
    return re.sub(r" where (.*)$", r" WHERE (\1)", table, count=1, flags=re.DOTALL)


def _cast(one: rarer.Cast) -> Iterator[str]:
    how = {"inout": "WITH INOUT", "binary": "WITHOUT FUNCTION"}.get(one.method, f"WITH FUNCTION {one.method}")
    context = "" if one.context == "explicit" else f" AS {one.context.upper()}"
    yield f"CREATE CAST ({one.name}) {how}{context};"


def _operator(one: rarer.Operator) -> Iterator[str]:
    if one.function is None:
        return
    symbol, _, types = one.name.removesuffix(")").rpartition("(")
    left, _, right = types.partition(",")
    words = [f"FUNCTION = {_bare(one.function)}"]
    words += [f"LEFTARG = {left}"] if left.lower() != "none" else []
    words += [f"RIGHTARG = {right}"] if right.lower() != "none" else []
    words += [f"COMMUTATOR = OPERATOR({one.commutator.partition('(')[0]})"] if one.commutator else []
    words += [f"NEGATOR = OPERATOR({one.negator.partition('(')[0]})"] if one.negator else []
    words += [f"RESTRICT = {_bare(one.restrict)}"] if one.restrict else []
    words += [f"JOIN = {_bare(one.join)}"] if one.join else []
    words += ["HASHES"] if one.hashes else []
    words += ["MERGES"] if one.merges else []
    yield f"CREATE OPERATOR {symbol} ({', '.join(words)});"


def _operator_family(one: rarer.OperatorFamily) -> Iterator[str]:
    if not one.members:
        yield f"CREATE {target(one)};"


def _collation(one: rarer.Collation) -> Iterator[str]:
    locale, _, ctype = (one.locale or "").partition("/")
    words = [f"PROVIDER = {one.provider}"]
    if ctype:
        words += [f"LC_COLLATE = {constant(locale)}", f"LC_CTYPE = {constant(ctype)}"]
    else:
        words.append(f"LOCALE = {constant(locale)}")
    words += [] if one.deterministic else ["DETERMINISTIC = false"]
    words += [f"RULES = {constant(one.rules)}"] if one.rules else []
    yield f"CREATE COLLATION {one.name} ({', '.join(words)});"


def _conversion(one: rarer.Conversion) -> Iterator[str]:
    default = "DEFAULT " if one.default else ""
    yield (
        f"CREATE {default}CONVERSION {one.name} FOR {constant(one.source)} TO {constant(one.target)} "
        f"FROM {_bare(one.function)};"
    )


def _parser(one: rarer.TextSearchParser) -> Iterator[str]:
    headline = f", HEADLINE = {one.headline}" if one.headline else ""
    yield (
        f"CREATE TEXT SEARCH PARSER {one.name} (START = {one.start}, GETTOKEN = {one.token}, END = {one.end}, "
        f"LEXTYPES = {one.types}{headline});"
    )


def _template(one: rarer.TextSearchTemplate) -> Iterator[str]:
    init = f"INIT = {one.init}, " if one.init else ""
    yield f"CREATE TEXT SEARCH TEMPLATE {one.name} ({init}LEXIZE = {one.lexize});"


def _dictionary(one: rarer.TextSearchDictionary) -> Iterator[str]:
    more = f", {one.parameters}" if one.parameters else ""
    yield f"CREATE TEXT SEARCH DICTIONARY {one.name} (TEMPLATE = {one.template}{more});"


def _configuration(one: rarer.TextSearchConfiguration) -> Iterator[str]:
    yield f"CREATE TEXT SEARCH CONFIGURATION {one.name} (PARSER = {one.parser});"
    for mapping in one.mappings:
        token, _, dictionaries = mapping.partition(": ")
        yield f"ALTER TEXT SEARCH CONFIGURATION {one.name} ADD MAPPING FOR {token} WITH {dictionaries};"


def _wrapper(one: rarer.ForeignDataWrapper) -> Iterator[str]:
    if is_masked(one.foreign_options):
        return
    words = [f"HANDLER {_bare(one.handler)}"] if one.handler else []
    words += [f"VALIDATOR {_bare(one.validator)}"] if one.validator else []
    words += [f"OPTIONS ({foreign_options(one.foreign_options)})"] if one.foreign_options else []
    yield f"{' '.join([f'CREATE FOREIGN DATA WRAPPER {one.name}', *words])};"


def _server(one: rarer.ForeignServer) -> Iterator[str]:
    if is_masked(one.foreign_options):
        return
    words = [f"TYPE {constant(one.type)}"] if one.type else []
    words += [f"VERSION {constant(one.version)}"] if one.version else []
    words.append(f"FOREIGN DATA WRAPPER {one.wrapper}")
    words += [f"OPTIONS ({foreign_options(one.foreign_options)})"] if one.foreign_options else []
    yield f"{' '.join([f'CREATE SERVER {one.name}', *words])};"


def _mapping(one: rarer.UserMapping) -> Iterator[str]:
    if not is_masked(one.foreign_options):
        options = f" OPTIONS ({foreign_options(one.foreign_options)})" if one.foreign_options else ""
        yield f"CREATE {target(one)}{options};"


def _language(one: rarer.Language) -> Iterator[str]:
    words = [f"CREATE {'TRUSTED ' if one.trusted else ''}LANGUAGE {one.name} HANDLER {_bare(one.handler)}"]
    words += [f"INLINE {_bare(one.inline)}"] if one.inline else []
    words += [f"VALIDATOR {_bare(one.validator)}"] if one.validator else []
    yield f"{' '.join(words)};"


def _transform(one: rarer.Transform) -> Iterator[str]:
    parts = [f"FROM SQL WITH FUNCTION {one.from_sql}"] if one.from_sql else []
    parts += [f"TO SQL WITH FUNCTION {one.to_sql}"] if one.to_sql else []
    yield f"CREATE {target(one)} ({', '.join(parts)});"


def _access_method(one: rarer.AccessMethod) -> Iterator[str]:
    yield f"CREATE ACCESS METHOD {one.name} TYPE {one.type.upper()} HANDLER {_bare(one.handler)};"


_CREATE: dict[type[Listed], Callable[..., Iterator[str]]] = {
    rarer.AccessMethod: _access_method,
    rarer.Cast: _cast,
    rarer.Collation: _collation,
    rarer.Conversion: _conversion,
    rarer.EventTrigger: _event_trigger,
    rarer.ForeignDataWrapper: _wrapper,
    rarer.ForeignServer: _server,
    rarer.Language: _language,
    rarer.Operator: _operator,
    rarer.OperatorFamily: _operator_family,
    rarer.Publication: _publication,
    rarer.Statistics: _statistics,
    rarer.TextSearchConfiguration: _configuration,
    rarer.TextSearchDictionary: _dictionary,
    rarer.TextSearchParser: _parser,
    rarer.TextSearchTemplate: _template,
    rarer.Transform: _transform,
    rarer.UserMapping: _mapping,
}
_CHANGE: dict[type[Listed], Callable[..., bool]] = {
    rarer.ForeignDataWrapper: _change_wrapper,
    rarer.ForeignServer: _change_server,
    rarer.OperatorFamily: _leave,
    rarer.Statistics: _change_statistics,
    rarer.Subscription: _leave,
    rarer.TextSearchConfiguration: _change_configuration,
    rarer.UserMapping: _change_mapping,
}
