"""Building HTML of which every text is escaped: participants' texts are hostile input.

Only `element` and `join` make markup; whatever is not markup already is a text and is escaped.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence

_EMPTY = frozenset({"img", "meta", "meter", "br"})
_LONGEST_TEXT = 1200
# A day, a week or a moment is not broken at its hyphens.
_DATE = re.compile(r"\d{4}-(?:\d\d-\d\d(?:T[0-9:.]+(?:Z|[+-][0-9:]+)?)?|W\d\d)", re.ASCII)
# Controls, lone surrogates, and characters that turn the direction of whatever follows them.
_UNSEEN = frozenset({"Cc", "Cs", "Cf"})
_HARMLESS = frozenset("\n\t\u200c\u200d\u200e\u200f")


class Markup(str):
    """HTML that is safe to be put in a page as it is."""

    __slots__ = ()


def clean(text: str) -> str:
    """A text without characters that can't be seen, and not endlessly long.

    >>> clean("a\\u202eb\\x00c")
    'a\\ufffdb\\ufffdc'
    """
    if len(text) > _LONGEST_TEXT:
        text = text[:_LONGEST_TEXT] + "…"
    return "".join(
        character if character in _HARMLESS or unicodedata.category(character) not in _UNSEEN else "\ufffd"
        for character in text
    )


def escape(content: object) -> Markup:
    """Markup as it is; anything else as an escaped text."""
    return content if isinstance(content, Markup) else Markup(html.escape(clean(str(content)), quote=True))


def join(contents: Iterable[object]) -> Markup:
    """Contents one after another."""
    return Markup("".join(map(escape, contents)))


def element(tag: str, *contents: object, **attributes: object) -> Markup:
    """An element. A trailing _ of an attribute's name is dropped, other _ are hyphens; None leaves it out, True gives no value.

    >>> element("td", "<b>", class_="number", data_value=3)
    '<td class="number" data-value="3">&lt;b&gt;</td>'
    """
    written = "".join(
        f" {name.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(value)}"')
        for name, value in attributes.items()
        if value is not None
    )
    start = Markup(f"<{tag}{written}>")
    return start if tag in _EMPTY else Markup(f"{start}{join(contents)}</{tag}>")


def make_table(
    caption: str,
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    small_below: int = 0,
    small_columns: Sequence[int] = (),
) -> Markup:
    """A table that sorts by any column. Numbers stand to the right; those of `small_columns` from 1 to `small_below` - 1 are marked."""
    listed = [list(row) for row in rows]
    if not listed:
        return element("p", f"{caption}: none.", class_="note")
    numeric = [all(_is_number(row[column]) for row in listed) for column in range(len(header))]
    head = join(
        element("th", element("button", name, type="button"), scope="col", class_="number" if is_number else None)
        for name, is_number in zip(header, numeric, strict=True)
    )
    body = join(
        element(
            "tr",
            *(
                _make_cell(content, numeric[column], small_below if column in small_columns else 0)
                for column, content in enumerate(row)
            ),
        )
        for row in listed
    )
    table = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", head)),
        element("tbody", body),
        class_="sortable",
    )
    return element("div", table, class_="wide", tabindex="0", role="region", aria_label=caption)


def _is_number(content: object) -> bool:
    return isinstance(content, int) or _to_number(content) is not None or content in ("", "-")


def _to_number(content: object) -> float | None:
    try:
        return float(str(content))
    except ValueError:
        return None


def _make_cell(content: object, is_numeric: bool, small_below: int) -> Markup:
    if not is_numeric:
        is_date = _DATE.fullmatch(str(content)) is not None
        return element("td", element("bdi", content), class_="date" if is_date else None)
    value = _to_number(content)
    text = f"{content:,}" if isinstance(content, int) else content
    is_small = value is not None and 0 < value < small_below
    mark = element("span", "*", class_="small", title=f"fewer than {small_below}") if is_small else ""
    return element("td", text, mark, class_="number", data_value="" if value is None else f"{value:g}")
