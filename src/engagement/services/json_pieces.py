"""Tools for undecodable JSON: split it into its values, and replace lone surrogates.

Looks only at quotes and brackets, so one value with too deep nesting or invalid UTF-8 does not affect the others.
"""

import re
from collections.abc import Iterator

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{},"]', re.DOTALL)
_KEY = re.compile(rb'\s*("(?:[^"\\]++|\\.)*+")\s*:', re.DOTALL)
# Reads escapes one after another, so the "\ud800" in "\\ud800" does not count as one.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_CLOSING = {b"[": b"]", b"{": b"}"}


class BrokenJSONError(ValueError):
    """Brackets or quotes do not match: the text ends early, or is not JSON."""


def split_list(text: bytes, most: int) -> list[bytes]:
    """Split a list into its values.

    >>> split_list(b'[1, {"a": [2, "]"]}, "x,y"]', most=9)
    [b'1', b'{"a": [2, "]"]}', b'"x,y"']

    Raises
    ------
    BrokenJSONError
        It is not a list, or has more than `most` values.
    """
    return list(_pieces(text, b"[", most))


def split_object(text: bytes, most: int) -> dict[bytes, bytes]:
    r"""Split an object into its values by key; keys keep their quotes and escapes.

    >>> split_object(b'{"next": null, "results": [1, 2]}', most=9)
    {b'"next"': b'null', b'"results"': b'[1, 2]'}

    Raises
    ------
    BrokenJSONError
        It is not an object, or has more than `most` values.
    """
    members = {}
    for piece in _pieces(text, b"{", most):
        key = _KEY.match(piece)
        if key is None:
            raise BrokenJSONError("a member has no key")
        members[key[1]] = piece[key.end() :].strip()
    return members


def mend_surrogates(text: bytes) -> tuple[bytes, int]:
    r"""Replace lone surrogates by U+FFFD; return the text and their number.

    >>> mend_surrogates(rb'"\ud83d\ude00 \ud83d \\ud83d"')
    (b'"\\ud83d\\ude00 \\ufffd \\\\ud83d"', 1)
    """
    mended = 0

    def mend(escape: re.Match[bytes]) -> bytes:
        nonlocal mended
        if escape["lone"] is None:
            return escape[0]
        mended += 1
        return rb"\ufffd"

    return _ESCAPE.sub(mend, text), mended


def _pieces(text: bytes, opening: bytes, most: int) -> Iterator[bytes]:
    text = text.strip()
    if text[:1] != opening or text[-1:] != _CLOSING[opening]:
        raise BrokenJSONError(f"no {opening.decode()} … {_CLOSING[opening].decode()}")
    open_brackets: list[bytes] = []
    start, count = 1, 0
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if sign in _CLOSING:
            open_brackets.append(_CLOSING[sign])
            continue
        if sign == b'"':
            raise BrokenJSONError("a string does not end")
        is_closing = sign in (b"]", b"}")
        if is_closing and (not open_brackets or open_brackets.pop() != sign):
            raise BrokenJSONError("the brackets do not match")
        if (is_closing and not open_brackets) or (sign == b"," and len(open_brackets) == 1):
            piece = text[start : token.start()].strip()
            start = token.end()
            if piece:
                count += 1
                if count > most:
                    raise BrokenJSONError(f"more than {most} values")
                yield piece
            if not open_brackets:
                break
    if open_brackets or start != len(text):
        raise BrokenJSONError("the brackets do not match")
