"""Texts as numbers: words, pairs of words, and letters within words, weighed by rarity.

What is kept of a piece of a text is a hash: nobody can read texts back from a model. Pieces that occur in one text alone are not
kept at all, and runs of digits long enough to be a phone number are taken for one sign.
"""

import hashlib
import re
import unicodedata
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy
import scipy.sparse

_WORD = re.compile(r"\w\w+")
_SPACE = re.compile(r"\s+")
_NUMBER = re.compile(r"\+?\d[\d .-]{4,}\d")
_LONGEST_TEXT = 2_000
_LETTERS = range(2, 7)
_FEWEST_TEXTS = 2

Matrix = Any
"""A sparse matrix, by rows; scipy comes without types."""


def normalise(text: str) -> str:
    """Fold what readers do not tell apart.

    >>> normalise("  MAJI  safi! Call 0712 000 004"), normalise("\\ufb01")
    (' maji safi! call # ', 'fi')
    """
    folded = unicodedata.normalize("NFKC", text[:_LONGEST_TEXT]).lower()
    return _SPACE.sub(" ", _NUMBER.sub("#", f" {folded} ")) if _SPACE.search(folded) else _NUMBER.sub("#", folded)


def has_words(text: str) -> bool:
    """Tell whether a text has a letter or a digit to learn from."""
    return any(map(str.isalnum, text))


def hash_piece(piece: str) -> int:
    """Hash a piece of a text to 64 bits."""
    return int.from_bytes(hashlib.blake2b(piece.encode("utf-8", "surrogatepass"), digest_size=8).digest())


@dataclass
class _Words:
    """The letters within each word, each word cut up once."""

    cut: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def pieces_of(self, word: str) -> tuple[str, ...]:
        found = self.cut.get(word)
        if found is None:
            # Blanks mark where it begins and ends. The prefix keeps letters and words apart.
            spaced = f" {word} "
            found = self.cut[word] = tuple(
                f"~{spaced[at : at + size]}"
                for size in _LETTERS
                for at in range(max(1, len(spaced) - size + 1))
                if size <= len(spaced)
            )
        return found


def _whole_words(text: str) -> Iterator[str]:
    words = _WORD.findall(text)
    yield from words
    yield from map(" ".join, zip(words, words[1:], strict=False))


@dataclass(frozen=True)
class Vocabulary:
    """The pieces that count: their hashes in order, and their weights. Words come apart from letters.

    `is_word` tells which columns are words: some learners look at letters alone.
    """

    hashes: numpy.ndarray
    weights: numpy.ndarray
    is_word: numpy.ndarray

    @classmethod
    def of(cls, texts: Sequence[str], most: int | None = None) -> "Vocabulary":
        """Choose the pieces that at least two of the texts have; the commonest if there are more than `most`."""
        words = _Words()
        counts: dict[str, int] = {}
        for text in texts:
            for piece in {*_whole_words(text), *_letters(text, words)}:
                counts[piece] = counts.get(piece, 0) + 1
        kept = [
            (hash_piece(piece), piece[0] != "~", count) for piece, count in counts.items() if count >= _FEWEST_TEXTS
        ]
        if most is not None and len(kept) > most:
            kept = sorted(kept, key=lambda one: (-one[2], one[0]))[:most]
        kept.sort()
        frequencies = numpy.array([count for _, _, count in kept], numpy.float64)
        return cls(
            numpy.array([number for number, _, _ in kept], numpy.uint64),
            (numpy.log((1 + len(texts)) / (1 + frequencies)) + 1).astype(numpy.float32),
            numpy.array([is_word for _, is_word, _ in kept], bool),
        )

    def vectors(self, texts: Sequence[str]) -> Matrix:
        """Make a row of each text: words and letters in equal parts; unknown pieces count for nothing."""
        columns_of = dict(zip(self.hashes.tolist(), range(len(self.hashes)), strict=True))
        words = _Words()
        known: dict[str, int] = {}
        of_word: dict[str, array[int]] = {}

        def column(piece: str) -> int:
            found = known.get(piece)
            if found is None:
                found = known[piece] = columns_of.get(hash_piece(piece), -1)
            return found

        def letters(word: str) -> array[int]:
            found = of_word.get(word)
            if found is None:
                found = of_word[word] = array("i", [at for at in map(column, words.pieces_of(word)) if at >= 0])
            return found

        columns = array("i")
        starts = [0]
        for text in texts:
            columns.extend([at for at in map(column, _whole_words(text)) if at >= 0])
            for word in text.split():
                columns += letters(word)
            starts.append(len(columns))
        shape = (len(texts), len(self.hashes))
        rows = scipy.sparse.csr_matrix(
            (numpy.ones(len(columns), numpy.float32), numpy.array(columns, numpy.int32), numpy.array(starts)), shape
        )
        rows.sum_duplicates()
        rows.data = (1 + numpy.log(rows.data)) * self.weights[rows.indices]
        return _scale(rows, self.is_word)


def _letters(text: str, words: _Words) -> Iterable[str]:
    for word in text.split():
        yield from words.pieces_of(word)


def _scale(rows: Matrix, is_word: numpy.ndarray) -> Matrix:
    """Give the words of each row, and its letters, the length 1."""
    row_of = numpy.repeat(numpy.arange(rows.shape[0]), numpy.diff(rows.indptr))
    words = is_word[rows.indices]
    for part in (words, ~words):
        squares = numpy.bincount(row_of[part], rows.data[part].astype(numpy.float64) ** 2, rows.shape[0])
        lengths = numpy.sqrt(numpy.where(squares > 0, squares, 1))
        rows.data[part] = (rows.data[part] / lengths[row_of[part]]).astype(numpy.float32)
    return rows
