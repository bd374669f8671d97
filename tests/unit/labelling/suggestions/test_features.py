"""Texts as numbers, out of which nobody reads a text."""

import dataclasses

import numpy
import pytest

from engagement.labelling.suggestions.features import Vocabulary, has_words, normalise

ODD = ("", " ", "\u200b", "?", "\U0001f600", "a\0b", "x" * 20_000, "السلام", "\ud800", "<script>", "=1+1")


@pytest.mark.parametrize("written", ["0712 000 004", "+254712000004", "0712-000-004", "٠٧١٢٠٠٠٠٠٤"])
def test_what_may_be_a_phone_number_is_one_sign(written: str):
    assert normalise(f"call {written} now") == normalise("call 0722 111 222 now")
    assert not any(map(str.isdigit, normalise(f"call {written} now")))


def test_a_vocabulary_holds_numbers_alone_and_no_piece_of_one_text_alone():
    vocabulary = Vocabulary.of(["shared words", "shared words", "zyxq"])
    for field in dataclasses.fields(vocabulary):
        assert getattr(vocabulary, field.name).dtype.kind in "bfu"
    assert vocabulary.vectors(["zyxq"]).nnz == 0
    assert vocabulary.vectors(["shared"]).nnz > 0
    assert len(Vocabulary.of(["shared words", "shared words"], most=5).hashes) == 5


def test_odd_texts_have_rows_like_others():
    texts = [normalise(text) for text in ODD]
    rows = Vocabulary.of(texts * 2).vectors(texts)
    assert rows.shape[0] == len(ODD)
    assert numpy.isfinite(rows.data).all()
    assert [has_words(text) for text in ODD[:5]] == [False] * 5
