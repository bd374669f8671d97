"""What shows nothing is blank, whatever it is made of."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagement.pipeline.coding.plan_coder import is_noise
from engagement.pipeline.messages.blank_texts import visible_text

# Format characters with a shape of their own: number signs, marks of verses and abbreviations.
SEEN = {*range(0x600, 0x606), 0x6DD, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
UNSEEN = [
    character
    for code, character in enumerate(map(chr, range(sys.maxunicode + 1)))
    if ((kind := unicodedata.category(character)) == "Cf" and code not in SEEN) or kind == "Cc" or character.isspace()
]


def test_no_character_that_only_joins_parts_or_directs_is_seen():
    assert [ascii(character) for character in UNSEEN if visible_text(character)] == []


@given(st.text(st.sampled_from(UNSEEN)))
def test_any_number_of_them_is_noise(text):
    assert is_noise(text, None)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\ufe0f", id="a variation selector"),
        pytest.param("\u3164", id="a Hangul filler, which phones offer as an empty name"),
        pytest.param("\uffa0", id="a half-width Hangul filler"),
        pytest.param("\u2800", id="an empty Braille cell"),
        pytest.param("\u034f", id="a grapheme joiner"),
        pytest.param("\U000e0041\U000e007f", id="tags without a flag"),
        pytest.param("\u200b\n\ufeff \u2060", id="several, with white space between"),
    ],
)
def test_this_shows_nothing(text):
    assert visible_text(text) == ""


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\u200bhaa\ufeff", "haa"),
        ("haa\n maya", "haa\n maya"),
        ("م\u200cی", "می"),
        ("❤\ufe0f", "❤"),
        ("\u0600", "\u0600"),
        (".", "."),
        ("?\u0301", "?\u0301"),
    ],
)
def test_of_this_something_is_seen(text, seen):
    assert visible_text(text) == seen


def test_a_configured_length_counts_what_is_seen():
    assert is_noise("h\u200b\u200b", 2)
    assert not is_noise("ha\u200b", 2)
    assert not is_noise("a\nb", 3)
