"""Masking phone numbers in a web page's texts, titles and data, but not its pictures and scripts."""

import html
import json
import re
from collections.abc import Callable
from typing import Any

_PIECE = re.compile(
    r"(?P<data><script\b[^>]*\bapplication/json\b[^>]*>)(?P<json>.*?)(?P<end></script>)"
    r"|(?P<kept><(?:script|style)\b.*?</(?:script|style)>|<!--.*?-->)"
    r"|(?P<tag><[^>]*>)"
    r"|(?P<text>[^<]+)",
    re.DOTALL | re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"""(\s(?:alt|title|aria-label|data-[\w-]+)=)("[^"]*"|'[^']*')""", re.IGNORECASE)


def mask_page(page: str, mask: Callable[[str], str]) -> str:
    """Apply `mask` to the texts of a page; everything else stays the same, byte for byte."""
    return _PIECE.sub(lambda piece: _mask_piece(piece, mask), page)


def _mask_piece(piece: re.Match[str], mask: Callable[[str], str]) -> str:
    if piece["text"] is not None:
        return _mask_escaped(piece["text"], mask)
    if piece["tag"] is not None:
        return _ATTRIBUTE.sub(lambda found: found[1] + _mask_quoted(found[2], mask), piece["tag"])
    if piece["json"] is not None:
        return piece["data"] + _mask_json(piece["json"], mask) + piece["end"]
    return piece[0]


def _mask_escaped(text: str, mask: Callable[[str], str]) -> str:
    plain = html.unescape(text)
    masked = mask(plain)
    return text if masked == plain else html.escape(masked)


def _mask_quoted(value: str, mask: Callable[[str], str]) -> str:
    return value[0] + _mask_escaped(value[1:-1], mask) + value[-1]


def _mask_json(text: str, mask: Callable[[str], str]) -> str:
    document = json.loads(text)
    masked = _mask_value(document, mask)
    if masked == document:
        return text
    # Escaped as in the original page, so nothing in the data can end the script.
    return json.dumps(masked).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _mask_value(value: Any, mask: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, list):
        return [_mask_value(item, mask) for item in value]
    if isinstance(value, dict):
        return {mask(name): _mask_value(item, mask) for name, item in value.items()}
    return value
