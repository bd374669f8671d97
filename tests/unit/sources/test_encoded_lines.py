"""Texts that are encoded at once are those that json.dumps encodes one by one."""

import json

from hypothesis import given
from hypothesis import strategies as st

from engagement.provenance import HIDDEN
from engagement.sources.encoded_lines import LineTemplate, encode_texts


def encode_one_by_one(texts):
    return [json.dumps(text).encode() for text in texts]


def test_each_character_is_escaped_as_in_json():
    everything = [chr(code) for code in range(0x110000)]
    ordinary = [one for one in everything if not "\ud800" <= one <= "\udfff"]
    for texts in (everything[:128], ordinary, everything):
        assert encode_texts(texts) == encode_one_by_one(texts)


@given(st.lists(st.none() | st.text() | st.text(st.characters(max_codepoint=0x82))))
def test_texts_stay_apart(texts):
    assert encode_texts(iter(texts)) == encode_one_by_one(texts)


def test_the_mark_of_hidden_values_hides_nothing():
    texts = ["haa", HIDDEN, None, f"x{HIDDEN}"]
    assert encode_texts(texts) == encode_one_by_one(["haa", f"'{HIDDEN}", None, f"x{HIDDEN}"])


@given(st.dictionaries(st.text(), st.lists(st.integers(), min_size=3, max_size=3), min_size=1))
def test_a_template_sorts_the_keys_of_its_records(columns):
    template = LineTemplate.of({key: place for place, key in enumerate(columns)})
    filled = template.fill([[b"%d" % value for value in column] for column in columns.values()])
    records = [{key: column[record] for key, column in columns.items()} for record in range(3)]
    assert filled == [json.dumps(record, sort_keys=True).encode() for record in records]
