"""The safe way as a person reads it: some words, then the files that it needs, ready to be pasted."""

from collections.abc import Sequence

from pytest_migsafe.findings import RemedyFile


def written(words: str, files: Sequence[RemedyFile]) -> str:
    """Return a remedy's words with the SQL of its files below; one file that needs nothing said is shown bare."""
    if not files:
        return words
    shown = [_shown(file, number if len(files) > 1 else 0) for number, file in enumerate(files, start=1)]
    return "\n".join([*([words] if words else []), *shown])


def _shown(file: RemedyFile, number: int) -> str:
    said = [f"file {number}"] if number else []
    if file.when:
        said.append(file.when)
    if not file.in_transaction:
        said.append("runs outside a transaction")
    return f"-- {', '.join(said)}\n{file.sql}" if said else file.sql
