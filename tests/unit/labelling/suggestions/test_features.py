"""Texts as numbers, out of which nobody reads a text."""

import dataclasses

import numpy
import pytest

from engagement.labelling.suggestions import features
from engagement.labelling.suggestions.features import Vocabulary, has_words, normalise

ODD = ("", " ", "\u200b", "?", "\U0001f600", "a\0b", "x" * 20_000, "السلام", "\ud800", "<script>", "=1+1")


@pytest.mark.parametrize("written", ["0712 000 004", "+254712000004", "0712-000-004", "٠٧١٢٠٠٠٠٠٤"])
def test_what_may_be_a_phone_number_is_one_sign(written: str):
    assert normalise(f"call {written} now") == normalise("call 0722 111 222 now")
    assert not any(map(str.isdigit, normalise(f"call {written} now")))


def test_a_vocabulary_holds_numbers_alone_and_no_piece_of_one_text_alone():
    vocabulary = Vocabulary.learn(["shared words", "shared words", "zyxq"])[0]
    for field in dataclasses.fields(vocabulary):
        assert getattr(vocabulary, field.name).dtype.kind in "bfu"
    assert vocabulary.vectors(["zyxq"]).nnz == 0
    assert vocabulary.vectors(["shared"]).nnz > 0
    assert len(Vocabulary.learn(["shared words", "shared words"], most=5)[0].hashes) == 5


def test_odd_texts_have_rows_like_others():
    texts = [normalise(text) for text in ODD]
    rows = Vocabulary.learn(texts * 2)[0].vectors(texts)
    assert rows.shape[0] == len(ODD)
    assert numpy.isfinite(rows.data).all()
    assert [has_words(text) for text in ODD[:5]] == [False] * 5


def test_a_text_has_the_same_row_when_learnt_and_when_read():
    texts = [normalise(text) for text in ("well well water", "water, well!", "a well by the road", *ODD)] * 2
    vocabulary, rows = Vocabulary.learn(texts)
    again = vocabulary.vectors(texts)
    assert rows.nnz > 20
    assert (rows.indptr.tolist(), rows.indices.tolist()) == (again.indptr.tolist(), again.indices.tolist())
    assert rows.data.tobytes() == again.data.tobytes()


def test_rows_do_not_depend_on_what_was_read_before(monkeypatch: pytest.MonkeyPatch):
    texts = [f"water well {number}" for number in range(30)] * 2
    vocabulary, rows = Vocabulary.learn(texts)
    monkeypatch.setattr(features, "_MOST_WORDS_IN_MEMORY", 4)
    read = vocabulary.reader()
    read(texts[20:40])
    again = read(texts)
    assert (rows.indices.tolist(), rows.data.tobytes()) == (again.indices.tolist(), again.data.tobytes())


def test_letters_are_cut_to_the_sizes_asked_for():
    few, all_ = (Vocabulary.learn(["water"] * 2, None, sizes)[0] for sizes in (range(3, 4), range(2, 7)))
    # ' water ' has five runs of three letters; the word itself is a piece too.
    assert len(few.hashes) == 6
    assert set(few.hashes.tolist()) < set(all_.hashes.tolist())
