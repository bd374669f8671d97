"""Read a text's lines block by block: a file of any size takes the memory of one line."""

import codecs
import io
from collections.abc import Iterator
from typing import IO

from engagement.foundation.errors import InputError
from engagement.sources.tables.encodings import BLOCK_BYTES, count_line_ends

_LONGEST_LINE = 1 << 20


def read_text_lines(file: IO[bytes], where: str, encoding: str) -> Iterator[str]:
    r"""Yield each line with its line end, which is \n, \r or both.

    Raises
    ------
    InputError
        Bytes are not text of the encoding, a character is NUL, or a line never ends. The error names the line.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    held, number = "", 0
    while True:
        block = file.read(BLOCK_BYTES)
        try:
            held += decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            whole = held + _decode_part(error.object[: error.start], encoding)
            name = "UTF-16" if encoding.startswith("utf-16") else encoding
            raise InputError(
                f"{where}, line {number + count_line_ends(whole) + 1}: not {name} text; expected a CSV file in UTF-8, or in UTF-16 "
                "with its byte order mark. Save it so: in Excel as 'CSV UTF-8 (comma delimited)'."
            ) from None
        if "\0" in held:
            line = number + count_line_ends(held[: held.index("\0")]) + 1
            raise InputError(
                f"{where}, line {line}: a character that is no text (NUL), as in UTF-16 without its byte order mark or in a "
                "damaged file; expected a CSV file in UTF-8. Save it again, or get the file again."
            )
        lines = io.StringIO(held, newline="").readlines()
        # The next block may go on with the line, or with the second half of its line end.
        held = lines.pop() if block and lines and not lines[-1].endswith("\n") else ""
        number += len(lines)
        yield from lines
        if len(held) > _LONGEST_LINE:
            raise InputError(
                f"{where}, line {number + 1}: more than {_LONGEST_LINE} characters without a line end; expected the rows of a CSV "
                "file. Save it again as CSV."
            )
        if not block:
            return


def _decode_part(part: bytes, encoding: str) -> str:
    return part.decode("utf-16-le" if encoding == "utf-16" else encoding, "ignore")
