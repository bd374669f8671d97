"""A coded file that is written again is, byte for byte, what `write_json` makes of its messages."""

import pytest

from coda_examples import label, message
from engagement.foundation.files import read_json, write_json
from engagement.labelling.datasets.coded_text import write_messages

ODD = {"Text": "},\n  {\n    \u2713", "more": {"b": [{}, [], {"a": 1.5}], "a": None}}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "show.json"


def expect_as_json(path, messages):
    written = path.read_bytes()
    write_json(path, messages)
    assert written == path.read_bytes()


@pytest.mark.parametrize("count", [0, 1, 3])
def test_messages_without_a_file_are_encoded(path, count):
    messages = [message(number, [label("code-a")]) | ODD for number in range(count)]
    write_messages(path, messages, ())
    expect_as_json(path, messages)


def test_held_messages_keep_their_text_wherever_they_stand(path):
    write_json(path, [message(number, [label("code-a")]) | ODD for number in range(5)])
    held = read_json(path)
    messages = [message(9), held[3], {**held[1], "Labels": []}, held[0], held[4]]
    write_messages(path, messages, held)
    expect_as_json(path, messages)


def test_the_text_of_a_held_message_comes_from_the_file(path):
    write_json(path, [message(1), message(2)])
    held = read_json(path)
    path.write_text(path.read_text().replace("jawaab 2", "su'aal 2"))
    write_messages(path, [held[1], message(3)], held)
    assert [one["Text"] for one in read_json(path)] == ["su'aal 2", "jawaab 3"]


def test_a_file_of_another_layout_gives_no_text(path):
    messages = [message(1), message(2)]
    write_json(path, messages, indent=None)
    write_messages(path, messages, messages)
    expect_as_json(path, messages)
