"""Exports read as a stream: whole, in whatever blocks they come, or refused."""

import io
import json

import pytest

from engagement.sources.telegram_group import export_stream
from engagement.sources.telegram_group.export_stream import DamagedExportError, ExportStream
from engagement.sources.telegram_group.messages import MessageReader, UnreadableMessageError

MESSAGES = [{"id": n, "text": ["a", {"type": "bold", "text": 'x"]},'}], "n": n * 1000} for n in range(50)] + [7]
HEADER = {"name": "Invented 👂🏾", "type": "private_supergroup", "id": 1589865544}


def export(indent=1, **more):
    document = {**HEADER, "messages": MESSAGES, **more}
    return json.dumps(document, indent=indent, ensure_ascii=False).encode()


def read(content):
    stream = ExportStream(io.BytesIO(content))
    return stream.header(), list(stream.messages())


@pytest.mark.parametrize("block", [1, 2, 3, 7, 64, 1 << 18])
@pytest.mark.parametrize("indent", [1, None])
def test_blocks_may_cut_it_anywhere(monkeypatch, block, indent):
    monkeypatch.setattr(export_stream, "_BLOCK_BYTES", block)
    assert read(export(indent)) == (HEADER, MESSAGES)


def test_a_byte_order_mark_and_values_behind_the_messages_are_passed():
    assert read(b"\xef\xbb\xbf" + export(more=[1])) == (HEADER, MESSAGES)


def test_a_group_without_messages_is_empty():
    assert read(b'{"id": 1, "messages": []}') == ({"id": 1}, [])


def test_every_cut_is_noticed(monkeypatch):
    content = export(None)
    for end in range(0, len(content) - 1, 7):
        with pytest.raises(DamagedExportError):
            read(content[:end])
    with pytest.raises(DamagedExportError, match="breaks off"):
        read(content[:-1])


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "breaks off"),
        (b"<html>", "not JSON"),
        (b"[]", "not JSON"),
        (b'{"a" 1}', "not JSON"),
        (b'{"id": 1}', "no messages"),
        (b'{"about": "", "chats": {"list": []}}', "a whole account"),
        (b'{"messages": {}}', "not JSON"),
        (b'{"messages": [1 2]}', "not a list"),
        (b'{"messages": [1, ]}', "not JSON"),
        (b'{"messages": [1] 2', "breaks off"),
        ('{"messages": ["é"]}'.encode("latin-1"), "UTF-8"),
        (b'{"messages": [' + b"[" * 100_000, "not JSON"),
    ],
)
def test_what_is_no_export_is_told(content, found):
    with pytest.raises(DamagedExportError, match=found):
        read(content)


def test_a_message_that_never_ends_is_not_read_into_memory_whole(monkeypatch):
    monkeypatch.setattr(export_stream, "_LONGEST_VALUE", 1000)
    monkeypatch.setattr(export_stream, "_BLOCK_BYTES", 100)
    content = io.BytesIO(b'{"messages": [{"text": "' + b"x" * 100_000)
    stream = ExportStream(content)
    stream.header()
    with pytest.raises(DamagedExportError):
        list(stream.messages())
    assert content.tell() < 2000


@pytest.mark.parametrize("name", ["id", "date_unixtime", "edited_unixtime"])
@pytest.mark.parametrize("number", ["1" * 5000, "1e999", "-1e999", "NaN"])
def test_numbers_that_no_program_writes_break_one_message_alone(name, number):
    rows = f'{{"id": 1, "type": "service", "date_unixtime": "1772434800", "{name}": {number}}}, {{"id": 2}}'
    _, (broken, after) = read(f'{{"messages": [{rows}]}}'.encode())
    assert after == {"id": 2}
    with pytest.raises(UnreadableMessageError, match=name) as refused:
        MessageReader(None, ()).read(broken)
    assert "111" not in str(refused.value)
