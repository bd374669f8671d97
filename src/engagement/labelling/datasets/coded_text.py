"""Writing a coded file again: messages that did not change keep their text.

Encoding them takes most of stage 1.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from engagement.foundation.files import open_for_writing, read_text
from engagement.services.coda.format import MessageDocument

_BEGIN, _BETWEEN, _END = "[\n  {", "\n  },\n  {", "\n  }\n]\n"


def write_messages(path: Path, messages: Sequence[MessageDocument], held: Sequence[MessageDocument]) -> None:
    """Write messages as `write_json` does.

    `held` are the messages of the file as it is, in their order, if `write_json` or this wrote it; else none. Those of
    them that are among `messages`, the very same objects, keep their text.
    """
    if not messages:
        with open_for_writing(path) as file:
            file.write("[]\n")
        return
    texts = _texts_of(path, held) if held else {}
    with open_for_writing(path) as file:
        before = _BEGIN
        for message in messages:
            text = texts.get(id(message))
            file.write(before)
            file.write(_encode(message) if text is None else text)
            before = _BETWEEN
        file.write(_END)


def _texts_of(path: Path, held: Sequence[MessageDocument]) -> dict[int, str]:
    """Cut the file into the texts of its messages, by object; none if it is laid out in another way."""
    text = read_text(path)
    if not (text.startswith(_BEGIN) and text.endswith(_END)):
        return {}
    # Within a text of JSON there is no line end, and other ends of objects stand further in.
    texts = text.removeprefix(_BEGIN).removesuffix(_END).split(_BETWEEN)
    return dict(zip(map(id, held), texts, strict=True)) if len(texts) == len(held) else {}


def _encode(message: MessageDocument) -> str:
    return json.dumps([message], indent=2, sort_keys=True).removeprefix(_BEGIN).removesuffix(_END.rstrip("\n"))
