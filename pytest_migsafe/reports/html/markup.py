"""HTML that is made of elements, so that no text of a migration can become one: whatever is no `Markup` is escaped."""

import re
from collections.abc import Iterable
from functools import cache
from html import escape as _escape
from typing import Union

#: What stands in an element: text, elements, nothing, or several of these.
Content = Union["Markup", str, None, Iterable["Content"]]
#: An attribute's value: True is written without one, None and False are left out.
Value = str | int | bool | None


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


#: Characters that no page can hold, and those that turn the direction of what follows, which hides what is run
#: (CVE-2021-42574, "Trojan Source").
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def visible(text: str) -> str:
    """Return a text with a name in place of each character that a reader would not see."""
    return _UNSEEN.sub(_named, text.replace("\r\n", "\n")) if _UNSEEN.search(text) else text


def _named(found: re.Match[str]) -> str:
    return f"⟨U+{ord(found[0]):04X}⟩"


#: Whatever is written otherwise in HTML, or named. Most texts have none of it.
_SPECIAL = re.compile(f"[&<>\"']|{_UNSEEN.pattern}")


def text(content: str) -> Markup:
    """Return a text as HTML."""
    if isinstance(content, Markup):
        return content
    return Markup(_escape(visible(content), quote=False) if _SPECIAL.search(content) else content)


def element(name: str, /, *content: Content, **attributes: Value) -> Markup:
    """Return an element; ``class_`` and ``for_`` are the attributes without the underscore, ``aria_label`` is ``aria-label``."""
    inside = content[0] if len(content) == 1 and isinstance(content[0], Markup) else "".join(_flat(content))
    return Markup(f"<{name}{_written(attributes)}>{inside}</{name}>")


def void(name: str, /, **attributes: Value) -> Markup:
    """Return an element that has no content."""
    return Markup(f"<{name}{_written(attributes)}>")


def joined(*content: Content) -> Markup:
    """Return contents one after the other."""
    return Markup("".join(_flat(content)))


def _flat(content: Content) -> Iterable[str]:
    if content is None:
        return
    if isinstance(content, str):
        yield text(content)
        return
    for one in content:
        yield from _flat(one)


def _written(attributes: dict[str, Value]) -> str:
    return "".join([_attribute(name, value) for name, value in attributes.items()])


def _attribute(name: str, value: Value) -> str:
    if value is None or value is False:
        return ""
    shown = _attribute_name(name)
    if value is True:
        return f" {shown}"
    said = str(value)
    return f' {shown}="{_escape(visible(said)) if _SPECIAL.search(said) else said}"'


@cache
def _attribute_name(name: str) -> str:
    return name.rstrip("_").replace("_", "-")
