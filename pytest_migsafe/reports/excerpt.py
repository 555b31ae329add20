"""A statement with one of its lines marked, as failures and reports show it."""

from collections.abc import Iterator, Mapping

#: How many lines of a long statement are shown around the marked one.
_AROUND = 4
#: How many characters of a line are shown.
_WIDEST = 400


def statement_lines(line: int, column: int, text: str) -> dict[int, str]:
    """Return the lines of a statement that begins at a place of a file, by their numbers."""
    first, *rest = text.split("\n")
    # The statement may begin in the middle of its line: keep columns true.
    texts = [" " * (column - 1) + first, *rest]
    return {line + at: one.rstrip("\r") for at, one in enumerate(texts)}


def marked(numbered: Mapping[int, str], line: int, column: int) -> Iterator[str]:
    """Yield lines of a file with their numbers, those around one that is marked; the caret is under the column."""
    width = len(str(max(numbered)))
    shown = [number for number in sorted(numbered) if abs(number - line) <= _AROUND]
    if shown[0] > min(numbered):
        yield f"  {'':{width}} | ..."
    for number in shown:
        mark = ">" if number == line else " "
        if number == line:
            text, at = around(numbered[number], column)
            yield f"{mark} {number:{width}} | {text}".rstrip()
            yield f"  {'':{width}} | {before_caret(text, at)}^"
        else:
            text, _ = around(numbered[number], 1)
            yield f"{mark} {number:{width}} | {text}".rstrip()
    if shown[-1] < max(numbered):
        yield f"  {'':{width}} | ..."


def around(text: str, column: int) -> tuple[str, int]:
    """Return a line cut to what is around a column, and the column in that: a seed's line may have megabytes."""
    if len(text) <= _WIDEST:
        return text, column
    start = max(column - 1 - _WIDEST // 2, 0)
    before, after = "…" if start else "", "…" if start + _WIDEST < len(text) else ""
    return before + text[start : start + _WIDEST] + after, column - start + len(before)


def before_caret(text: str, column: int) -> str:
    """Return what stands before a caret that points at a column of a line."""
    # Tabs stay tabs, so that the caret stands under its character whatever the tab width.
    return "".join("\t" if char == "\t" else " " for char in text[: column - 1])
