"""Find a text's encoding: its byte order mark, strict UTF-8, else the configured one. Never a guess."""

import codecs
import re
from typing import IO, Literal

from engagement.foundation.errors import InputError

Encoding = Literal[
    "cp1252", "cp1256", "cp850", "iso-8859-1", "iso-8859-15", "mac-roman", "utf-16-le", "utf-16-be"
]  # fmt: skip
"""Encodings that a configuration can name."""

BLOCK_BYTES = 1 << 16
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# The likeliest first, for the hint alone.
_GUESSES = ("cp1252", "cp850")
_USUAL_MARKS = frozenset("‘’“”…–—•€£°©®¿¡«» ،؟")
_HIGH_BYTES = re.compile(rb"[\x80-\xff]+")
_LONG_RUN = 3


def find_encoding(file: IO[bytes], where: str, configured: str | None = None) -> str:
    """Return the encoding of a file, which is read to its end and stands at its beginning again.

    Raises
    ------
    InputError
        It has no byte order mark and is not UTF-8, and no encoding is configured. The error says what it looks like.
    """
    file.seek(0)
    start = file.read(len(codecs.BOM_UTF8))
    marked = next((encoding for mark, encoding in _MARKS if start.startswith(mark)), None)
    fault = None if marked else _find_utf_8_fault(file, stops_at_nul=configured is not None)
    file.seek(0)
    if marked is not None:
        return marked
    if fault is None:
        return "utf-8"
    if configured is not None:
        return configured
    line, around = fault
    guess = guess_encoding(around)
    looks = "" if guess is None else f", it looks like {guess}"
    remedy = "" if guess is None else f", or set Encoding to {guess!r} if its texts are right then"
    raise InputError(
        f"{where}, line {line}: not UTF-8 text{looks}; expected a CSV file in UTF-8, or in UTF-16 with its byte order mark. Save "
        f"it so: in Excel as 'CSV UTF-8 (comma delimited)'{remedy}."
    )


def count_line_ends(text: str) -> int:
    """Count the line ends in a text: LF, CR, or both together."""
    return len(re.findall(r"\r\n?|\n", text))


def guess_encoding(sample: bytes) -> str | None:
    """Guess what a text that is not UTF-8 looks like, for a person to decide.

    >>> guess_encoding("café, waa".encode("cp1252")), guess_encoding("مرحبا بكم".encode("cp1256")), guess_encoding(b"\\xb0\\xb1")
    ('cp1252', 'cp1256', None)
    """
    runs = _HIGH_BYTES.findall(sample)
    # Whole words of such bytes are no Latin letters with accents.
    is_arabic = sum(len(run) >= _LONG_RUN for run in runs) * 2 > len(runs)
    for encoding in ("cp1256",) if is_arabic else _GUESSES:
        try:
            found = "".join(run.decode(encoding) for run in runs)
        except UnicodeDecodeError:
            continue
        if found and all(character.isalpha() or character in _USUAL_MARKS for character in found):
            return encoding
    return None


def _find_utf_8_fault(file: IO[bytes], stops_at_nul: bool) -> tuple[int, bytes] | None:
    """Find the line of the first bytes that are no UTF-8, and the text around them.

    UTF-16 without a mark is UTF-8 with NULs: where another encoding is configured, one is a fault as well.
    """
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines, ends_with_cr = 1, False
    while True:
        block = file.read(BLOCK_BYTES)
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode()
            lines += count_line_ends(before) - (ends_with_cr and before.startswith("\n"))
            return lines, error.object[max(0, error.start - 200) :] + file.read(BLOCK_BYTES)
        lines += count_line_ends(text) - (ends_with_cr and text.startswith("\n"))
        ends_with_cr = text.endswith("\r") if text else ends_with_cr
        if stops_at_nul and "\0" in text:
            return lines, b""
        if not block:
            return None
