"""What a report has to tell of: findings, and what failed without one. Made of the JSON report, the same for all.

A red run looks green in no report: besides the findings of migrations and of the ends of histories there are files that
could not be judged, schemas that are not those declared, and versions of PostgreSQL that nothing was rehearsed on.
"""

import hashlib
import posixpath
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from pytest_migsafe.rehearsal.observed import LOCK_MODES

#: A migration, or what came of the check of an end, as the JSON report has it.
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The statement that an issue is about."""

    line: int
    column: int
    end_line: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """Something that a report tells of, at a place of a file."""

    #: A rule's id, or one of ``RUN_RULES``.
    rule: str
    family: str = "run"
    is_error: bool = True
    #: The file as the project names it, and from the root of the repository.
    path: str
    repository_path: str
    #: 1-based; 0 when it concerns the whole file.
    line: int = 0
    column: int = 0
    message: str
    evidence: tuple[str, ...] = ()
    #: What of the file had been done; only where it could not be applied.
    done: str = ""
    remedy: str = ""
    objects: tuple[str, ...] = ()
    statement: Statement | None = None
    #: Why the file itself allows it; None when it does not.
    waived: str | None = None
    #: The servers where it is so, when there are several.
    places: tuple[str, ...] = ()

    @property
    def fails(self) -> bool:
        """Whether an item fails because of it."""
        return self.is_error and self.waived is None

    @property
    def told(self) -> str:
        """The message, with the versions of PostgreSQL where it is so."""
        return f"{self.message} (on {', '.join(self.places)})" if self.places else self.message


#: What there is to say of issues that no rule finds, as a rule says it of itself.
RUN_RULES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "not-judged": {
            "title": "A migration could not be judged",
            "why": "Its item failed before anything could be said of the file: the server was lost, a fixture or a rule "
            "raised an error. Nobody knows whether it is safe.",
            "remedy": "Mend what the message says, and run it again.",
        },
        "blocked": {
            "title": "A migration before this one cannot be applied",
            "why": "A file is judged on the schema that those before it make. Nothing can be said of it while one of "
            "them fails.",
            "remedy": "Mend the migration that stands in the way.",
        },
        "run-incomplete": {
            "title": "The run ended before everything was judged",
            "why": "It was interrupted, or could not begin. What was not judged may be unsafe.",
            "remedy": "See what the run printed, and run it again.",
        },
        "schema": {
            "title": "The migrations do not make the schema that is declared",
            "why": "Whoever reads the schema file takes it for what the database is.",
            "remedy": "Add the migration that is missing, or write the file anew with --migsafe-update.",
        },
        "snapshot": {
            "title": "The schema that was carried from file to file is not the one that is there",
            "why": "This is a defect of pytest-migsafe: what it says of the files may be wrong.",
            "remedy": "Report it, with the migration.",
        },
        "end-state": {
            "title": "The end of the history could not be judged",
            "why": "What is wrong with the schema as a whole is not known.",
            "remedy": "Mend what the message says, and run it again.",
        },
        "base-unknown": {
            "title": "What a pull request changes cannot be told",
            "why": "There is no commit to compare the files with, so all of them are judged, and nobody looks whether "
            "those of others were changed.",
            "remedy": "Do what the message says.",
        },
        "file-not-read": {
            "title": "A new file beside the migrations is none, and nobody judges it",
            "why": "If it was meant to be one, its name is misspelt: it passes every gate, and its runner passes it over.",
            "remedy": "Give it the name that the layout wants, or put it elsewhere.",
        },
        "postgres-missing": {
            "title": "Nothing was rehearsed on a version of PostgreSQL that was asked for",
            "why": "It is not on this machine. What differs between versions was not seen.",
            "remedy": "Install it, or ask for others.",
        },
    }
)


def issues(report: Mapping[str, Any]) -> list[Issue]:
    """Return everything that a report tells of: what fails first, then warnings, then what is waived.

    What is the same on several servers is there once.
    """
    folder = report["folder"]
    found = [one for entry in report["migrations"] for one in _of_migration(entry, folder)]
    told = {(one.rule, one.objects) for one in found}
    statements = {entry["path"]: entry["statements"] for entry in report["migrations"] if entry["statements"]}
    ends = [end for history in report["histories"] for end in history["ends"]]
    found += [
        one
        for end in ends
        for one in _of_end(end, folder, statements)
        # What was told of a file is not told again.
        if (one.rule, one.objects) not in told
    ]
    found += _of_blocked(report, found)
    found += _of_run(report, found)
    return sorted(_once(found), key=_weight)


def _weight(issue: Issue) -> tuple[bool, bool, bool]:
    return issue.waived is not None, not issue.fails, issue.rule != "apply-error"


def in_repository(path: str, folder: str) -> str:
    """Return a project's path as the repository names it, given the project's folder there."""
    return posixpath.normpath(posixpath.join(folder, path))


def _of_migration(entry: Entry, folder: str) -> Iterator[Issue]:
    found = [_of_finding(finding, entry, folder, entry["statements"]) for finding in entry["findings"]]
    yield from found
    problem = entry["problem"]
    if problem is not None or (entry["outcome"] == "failed" and not any(one.fails for one in found)):
        yield _unjudged("not-judged", entry["path"], problem or "it failed", entry, folder)


def _of_end(
    end: Entry, folder: str, statements: Mapping[str, Sequence[Mapping[str, Any]]]
) -> Iterator[Issue]:
    found = [_of_finding(one, end, folder, statements.get(one["path"], ())) for one in end["findings"]]
    yield from found
    if end["outcome"] == "failed" and not any(one.fails for one in found):
        path = end["file"] or end["item"].partition("::")[0]
        yield _unjudged(end["check"], path, end["message"] or "it failed", end, folder)


def _of_finding(
    finding: Mapping[str, Any], entry: Entry, folder: str, statements: Iterable[Mapping[str, Any]]
) -> Issue:
    return Issue(
        rule=finding["rule"],
        family=finding["family"],
        is_error=finding["severity"] == "error",
        path=finding["path"],
        repository_path=in_repository(finding["path"], folder),
        line=finding["line"],
        column=finding["column"],
        message=finding["message"],
        evidence=tuple(finding["evidence"]),
        done=finding["details"].get("done", ""),
        remedy=finding["remedy"],
        objects=tuple(finding["objects"]),
        statement=statement_at(statements, finding["line"], finding["column"]),
        waived=finding["waived_because"] or "" if finding["waived"] else None,
        places=_places(entry),
    )


def statement_at(statements: Iterable[Mapping[str, Any]], line: int, column: int) -> Statement | None:
    """Return the statement that stands at a place of a file; None where none does."""
    holding = [one for one in statements if one["line"] <= line <= one["end_line"]]
    # Several may stand on the line: it is the last that begins before the place.
    begun = [one for one in holding if (one["line"], one["column"]) <= (line, column)]
    if not holding:
        return None
    one = (begun or holding)[-1]
    return Statement(line=one["line"], column=one["column"], end_line=one["end_line"], text=one["text"])


def _unjudged(rule: str, path: str, message: str, entry: Entry, folder: str) -> Issue:
    return Issue(
        rule=rule,
        path=path,
        repository_path=in_repository(path, folder),
        message=message,
        remedy=RUN_RULES[rule]["remedy"] if rule in RUN_RULES else "",
        places=_places(entry),
    )


def _warning(rule: str, path: str, message: str, folder: str) -> Issue:
    """Return what there is to say of a whole history, and is nobody's failure."""
    return replace(_unjudged(rule, path, message, {"place": ""}, folder), is_error=False)


def _places(entry: Entry) -> tuple[str, ...]:
    return (entry["place"],) if entry["place"] else ()


def _of_blocked(report: Mapping[str, Any], found: Sequence[Issue]) -> Iterator[Issue]:
    """Yield what is blocked by a file that no issue is about: one for all that it stands in the way of."""
    wrong = {(one.path, place) for one in found if one.fails for place in one.places or ("",)}
    blocked = defaultdict(list)
    ends = [end for history in report["histories"] for end in history["ends"]]
    for entry in (*report["migrations"], *ends):
        if entry["outcome"] == "blocked" and (entry["blocked_by"], entry["place"]) not in wrong:
            blocked[entry["blocked_by"], entry["blocked_because"], entry["place"]].append(entry)
    for (by, because, _), entries in blocked.items():
        path = entries[0]["path"] if "path" in entries[0] else entries[0]["item"].partition("::")[0]
        more = f" (and {len(entries) - 1} more)" if len(entries) > 1 else ""
        yield _unjudged(
            "blocked",
            path,
            f"blocked by {by}, which cannot be applied: {because}{more}",
            entries[0],
            folder=report["folder"],
        )


#: What pytest's exit codes say of a run that judged less than it should have.
_INCOMPLETE: Mapping[int, str] = MappingProxyType(
    {
        2: "the run was interrupted, or something could not be collected",
        3: "an internal error ended the run",
        4: "a flag, a setting, a hook or the server was not as it should be",
        143: "the run was terminated",
    }
)


def incomplete(report: Mapping[str, Any]) -> str:
    """Return why a run judged less than it should have, in a sentence; empty when it did not."""
    code = report["exit_code"]
    if code in (0, 1, 5):
        return ""
    return f"{_INCOMPLETE.get(code, 'the run did not end as it should')} (exit code {code})"


def _of_run(report: Mapping[str, Any], found: Sequence[Issue]) -> Iterator[Issue]:
    for history in report["histories"]:
        for version in history["missing_versions"]:
            text = f"PostgreSQL {version} not found on the machine: nothing was rehearsed on it"
            yield _warning("postgres-missing", history["root"], text, report["folder"])
        if problem := (history.get("gate") or {}).get("problem"):
            text = f"all files are judged, for what this pull request changes cannot be told: {problem}"
            yield _warning("base-unknown", history["root"], text, report["folder"])
        for one in (history.get("gate") or {}).get("unread", ()):
            text = f"new, and not judged: {one['path']} ({one['text']})"
            yield _warning("file-not-read", one["path"], text, report["folder"])
    why = incomplete(report)
    if why and not any(one.fails for one in found):
        unjudged = [one for one in report["migrations"] if one["outcome"] == "skipped"]
        path = unjudged[0]["path"] if unjudged else "."
        yield _unjudged("run-incomplete", path, why, {"place": ""}, report["folder"])


def _once(found: Iterable[Issue]) -> Iterator[Issue]:
    """Yield issues, of those that differ by their places only one with all of these."""
    places: dict[Issue, list[str]] = {}
    for one in found:
        places.setdefault(_apart_from_place(one), []).extend(one.places)
    shown: set[Issue] = set()
    for one in found:
        key = _apart_from_place(one)
        if key not in shown:
            shown.add(key)
            yield replace(one, places=tuple(dict.fromkeys(places[key])))


def _apart_from_place(issue: Issue) -> Issue:
    """Return what makes an issue the same on several servers: not what exactly was seen."""
    return replace(issue, evidence=(), done="", remedy="", statement=None, places=())


def fingerprints(some: Iterable[Issue]) -> list[str]:
    """Return what tells each issue from the others, and stays when lines move: a hexadecimal text.

    It is made of rule, file, objects and statement; of several that are alike in these, also of their order.
    """
    counts: Counter[tuple[str, ...]] = Counter()
    found = []
    for one in some:
        text = " ".join(one.statement.text.split()) if one.statement is not None else ""
        key = (one.rule, one.repository_path, *one.objects, text)
        told = "\0".join((*key, str(counts[key])))
        counts[key] += 1
        found.append(hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32])
    return found


def strongest_lock(entry: Entry) -> tuple[str, str]:
    """Return the strongest lock that a file took on a table or view that was there before, and its name; empty if none."""
    mode, relation = max(
        (
            (LOCK_MODES.index(lock["mode"]), lock["table"] or lock["relation"])
            for statement in entry["statements"]
            for lock in statement["locks"]
            if lock["preexisting"] and lock["mode"] in LOCK_MODES
        ),
        key=lambda one: one[0],
        default=(-1, ""),
    )
    return (LOCK_MODES[mode], relation) if relation else ("", "")
