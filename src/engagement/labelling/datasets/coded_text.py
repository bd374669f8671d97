"""Writing a coded file again: messages that did not change keep their text.

Encoding them takes most of stage 1.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from engagement.foundation.files import explain_os_errors, open_bytes_for_writing
from engagement.services.coda.format import MessageDocument

_BEGIN, _BETWEEN, _END = b"[\n  {", b"\n  },\n  {", b"\n  }\n]\n"
_find_ends = re.compile(re.escape(_BETWEEN)).finditer


def write_messages(path: Path, messages: Sequence[MessageDocument], held: Sequence[MessageDocument]) -> None:
    """Write messages as `write_json` does.

    `held` are the messages of the file as it is, in their order, if `write_json` or this wrote it; else none. Those of
    them that are among `messages`, the very same objects, keep their text.
    """
    if not messages:
        with open_bytes_for_writing(path) as file:
            file.write(b"[]\n")
        return
    content = memoryview(_read(path) if held else b"")
    places = _find_places(content, held)
    with open_bytes_for_writing(path) as file:
        file.write(_BEGIN)
        # Messages that stay neighbours are copied together, with what is between them.
        start = end = 0
        before = b""
        for message in messages:
            place = places.get(id(message))
            if place is not None and end and place[0] == end + len(_BETWEEN):
                end = place[1]
                continue
            file.write(content[start:end])
            file.write(before)
            before = _BETWEEN
            start, end = place or (0, 0)
            if place is None:
                file.write(_encode(message))
        file.write(content[start:end])
        file.write(_END)


def _read(path: Path) -> bytes:
    with explain_os_errors(path):
        return path.read_bytes()


def _find_places(content: memoryview, held: Sequence[MessageDocument]) -> dict[int, tuple[int, int]]:
    """Find where the texts of messages begin and end, by object.

    Returns none if the file is laid out in another way.
    """
    if content[: len(_BEGIN)] != _BEGIN or content[-len(_END) :] != _END:
        return {}
    # Within a text of JSON there is no line end, and other ends of objects stand further in.
    ends = [found.start() for found in _find_ends(content)]
    starts = [len(_BEGIN), *(end + len(_BETWEEN) for end in ends)]
    ends.append(len(content) - len(_END))
    return dict(zip(map(id, held), zip(starts, ends, strict=True), strict=True)) if len(starts) == len(held) else {}


def _encode(message: MessageDocument) -> bytes:
    text = json.dumps([message], indent=2, sort_keys=True).encode("ascii")
    return text.removeprefix(_BEGIN).removesuffix(_END.rstrip(b"\n"))
