"""Texts as numbers: words, pairs of words, and letters within words, weighed by rarity.

What is kept of a piece of a text is a hash: nobody can read texts back from a model. Pieces that occur in one text alone are not
kept at all, and runs of digits long enough to be a phone number are taken for one sign.
"""

import functools
import hashlib
import re
import unicodedata
from array import array
from collections.abc import Callable, Iterator, Sequence, Sized
from dataclasses import dataclass
from typing import Any

import numpy
import scipy.sparse

_WORD = re.compile(r"\w\w+")
_SPACE = re.compile(r"\s+")
_NUMBER = re.compile(r"\+?\d[\d .-]{4,}\d")
_LONGEST_TEXT = 2_000
_LETTERS = range(2, 7)
_MOST_WORDS_IN_MEMORY, _MOST_PIECES_IN_MEMORY = 50_000, 100_000
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


def _cut_letters(word: str, sizes: range) -> Iterator[str]:
    # Blanks mark where it begins and ends. The prefix keeps letters and words apart.
    spaced = f" {word} "
    for size in sizes:
        for at in range(len(spaced) - size + 1):
            yield f"~{spaced[at : at + size]}"


def _whole_words(text: str) -> Iterator[str]:
    words = _WORD.findall(text)
    yield from words
    yield from map(" ".join, zip(words, words[1:], strict=False))


class _PieceCounter:
    """Counts pieces of texts, and cuts the letters of a word once.

    `number_of` gives a piece's column; a piece below 0 does not count.
    """

    def __init__(self, number_of: Callable[[str], int], sizes: range = _LETTERS) -> None:
        self._number_of = number_of
        self._sizes = sizes
        self._letters: dict[str, array[int]] = {}

    def count(self, texts: Sequence[str]) -> tuple[array[int], array[int]]:
        """List the columns of all texts' pieces, and where each text begins in the list."""
        columns, starts = array("i"), array("q", [0])
        for text in texts:
            columns.extend([at for at in map(self._number_of, _whole_words(text)) if at >= 0])
            for word in text.split():
                found = self._letters.get(word)
                columns += self._cut(word) if found is None else found
            starts.append(len(columns))
        return columns, starts

    def _cut(self, word: str) -> array[int]:
        if len(self._letters) >= _MOST_WORDS_IN_MEMORY:
            self._letters.clear()
        pieces = _cut_letters(word, self._sizes)
        found = self._letters[word] = array("i", [at for at in map(self._number_of, pieces) if at >= 0])
        return found


@dataclass(frozen=True)
class Vocabulary:
    """The pieces that count: their hashes in order, and their weights. Words come apart from letters.

    `is_word` tells which columns are words: some learners look at letters alone.
    """

    hashes: numpy.ndarray
    weights: numpy.ndarray
    is_word: numpy.ndarray

    @classmethod
    def learn(
        cls, texts: Sequence[str], most: int | None = None, sizes: range = _LETTERS
    ) -> "tuple[Vocabulary, Matrix]":
        """Choose the pieces that at least two of the texts have, and make a row of each text.

        If there are more than `most`, the commonest count. `sizes` are those of runs of letters within words.
        """
        numbers: dict[str, int] = {}
        counter = _PieceCounter(lambda piece: numbers.setdefault(piece, len(numbers)), sizes)
        rows = _count(counter, texts, numbers)
        frequencies = numpy.bincount(rows.indices, minlength=len(numbers)).tolist()
        kept = [
            (hash_piece(piece), piece[0] != "~", frequency, number)
            for (piece, number), frequency in zip(numbers.items(), frequencies, strict=True)
            if frequency >= _FEWEST_TEXTS
        ]
        if most is not None and len(kept) > most:
            kept = sorted(kept, key=lambda one: (-one[2], one[0]))[:most]
        kept.sort()
        counts = numpy.array([frequency for _, _, frequency, _ in kept], numpy.float64)
        vocabulary = cls(
            numpy.array([number for number, _, _, _ in kept], numpy.uint64),
            (numpy.log((1 + len(texts)) / (1 + counts)) + 1).astype(numpy.float32),
            numpy.array([is_word for _, is_word, _, _ in kept], bool),
        )
        rows = rows[:, numpy.array([number for _, _, _, number in kept], int)]
        rows.sort_indices()
        return vocabulary, vocabulary.weigh(rows)

    def reader(self) -> Callable[[Sequence[str]], Matrix]:
        """Give a function that makes a row of each text; pieces that are unknown count for nothing.

        It remembers words from one call to the next.
        """
        columns_of = dict(zip(self.hashes.tolist(), range(len(self.hashes)), strict=True))

        @functools.lru_cache(_MOST_PIECES_IN_MEMORY)
        def column_of(piece: str) -> int:
            return int(columns_of.get(hash_piece(piece), -1))

        counter = _PieceCounter(column_of)
        return lambda texts: self.weigh(_count(counter, texts, columns_of))

    def vectors(self, texts: Sequence[str]) -> Matrix:
        """Make a row of each text."""
        return self.reader()(texts)

    def weigh(self, rows: Matrix) -> Matrix:
        """Weigh counts of pieces by rarity: words and letters in equal parts."""
        rows.data = (1 + numpy.log(rows.data)) * self.weights[rows.indices]
        return _scale(rows, self.is_word)


def _count(counter: _PieceCounter, texts: Sequence[str], columns: Sized) -> Matrix:
    """Count pieces in texts; `columns` holds all columns when the texts are read."""
    found, starts = counter.count(texts)
    ones = numpy.ones(len(found), numpy.float32)
    shape = (len(texts), len(columns))
    rows = scipy.sparse.csr_matrix((ones, numpy.array(found, numpy.int32), numpy.array(starts)), shape)
    rows.sum_duplicates()
    return rows


def _scale(rows: Matrix, is_word: numpy.ndarray) -> Matrix:
    """Give the words of each row, and its letters, the length 1."""
    row_of = numpy.repeat(numpy.arange(rows.shape[0]), numpy.diff(rows.indptr))
    words = is_word[rows.indices]
    for part in (words, ~words):
        squares = numpy.bincount(row_of[part], rows.data[part].astype(numpy.float64) ** 2, rows.shape[0])
        lengths = numpy.sqrt(numpy.where(squares > 0, squares, 1))
        rows.data[part] = (rows.data[part] / lengths[row_of[part]]).astype(numpy.float32)
    return rows
