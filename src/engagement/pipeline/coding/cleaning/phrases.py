"""Read answers that choose between two codes: man or woman, yes or no, urban or rural.

`data/<field>_phrases.csv` lists the phrases of a field, with a row for each reading:

- anywhere: the phrase means its code even beside other words;
- first: it does only at the beginning or the end of the answer ("no");
- alone: it does only beside nothing but neutral words ("m", "will", "my");
- unclear: an answer with this phrase is left to a coder ("not sure", "my wife", "near the town");
- rest: the words after it are not about the participant ("mother of two girls");
- neutral: it changes nothing.
"""

import re
from dataclasses import dataclass
from enum import Enum

from rapidfuzz import process
from rapidfuzz.distance import OSA

from engagement.foundation.data_tables import read_table
from engagement.pipeline.coding.cleaning.text import is_neutral, plain, shorten_drawl, squeeze, stop_words, words

_LONGEST_PHRASE = 4  # in words
_SHORTEST_SQUEEZED = 4  # "ha" and "haa" are not the same word
_SHORTEST_GUESSED = 6
_SHORTEST_WITH_TWO_SLIPS = 9
_MOST_WORDS_TO_GUESS_IN = 6  # in a longer sentence some word looks like any phrase
_SOMALI_I_AM = re.compile(r"(?<=...)(?:ba+n|aya+n)?(?:ahay|ahey|ahy|ah)?$")  # "ninbaanahay": I am a man
_SELF_WORDS = frozenset(
    ["ahay", "ahy", "ahey", "am", "im", "mimi", "ni", "niko", "nipo", "naishi", "nool", "noolahay", "ninaishi", "live"]
)


class PhraseReading(Enum):
    """Degrees of trust in a phrase beside other words."""

    ANYWHERE = "anywhere"
    FIRST = "first"
    ALONE = "alone"
    UNCLEAR = "unclear"
    REST = "rest"
    NEUTRAL = "neutral"


@dataclass(frozen=True)
class Phrase:
    """The meaning of a phrase."""

    reading: PhraseReading
    code: str


@dataclass(frozen=True)
class _Said:
    """A phrase in an answer: the position of its last word, and the number of unknown words before it."""

    phrase: Phrase
    position: int
    unknown_before: int


class PhraseReader:
    """Reads the answers to a question with two possible answers, in one main language."""

    def __init__(self, field: str, language: str, most_unknown_words: int, opening_decides: bool = False) -> None:
        """Load the phrases of a field.

        An answer with more than `most_unknown_words` beside the phrase may be about something else. `opening_decides`: the
        first words are the answer, however long the reason after them is.
        """
        self._most_unknown_words = most_unknown_words
        self._opening_decides = opening_decides
        self._phrases = {
            phrase: Phrase(PhraseReading(row["reading"]), row["code"])
            for row in read_table(__package__, f"{field}_phrases")
            if not row["languages"] or language in row["languages"].split(";")
            for phrase in row["phrases"].replace("'", "").split(";")
        }
        self._squeezed: dict[str, Phrase] = {}
        for phrase, meaning in self._phrases.items():
            if len(squeeze(phrase)) >= _SHORTEST_SQUEEZED:
                self._squeezed.setdefault(squeeze(phrase), meaning)
        self._by_first_letter: dict[str, list[str]] = {}
        for phrase, meaning in self._squeezed.items():
            if len(phrase) >= _SHORTEST_GUESSED and meaning.reading is PhraseReading.ANYWHERE:
                self._by_first_letter.setdefault(phrase[0], []).append(phrase)

    @property
    def phrases(self) -> tuple[str, ...]:
        """Return every phrase that has a code."""
        return tuple(phrase for phrase, meaning in self._phrases.items() if meaning.code)

    def read(self, text: str) -> str | None:
        """Return the code that an answer chooses; None if it chooses none or both, or is unclear."""
        found = [shorten_drawl(word) for word in words(plain(text))]
        said, unknown, length = self._listen(found)
        if any(one.phrase.reading is PhraseReading.UNCLEAR for one in said):
            return None
        said = self._in_place(said, unknown, length)
        codes = {one.phrase.code for one in said}
        if len(codes) != 1:
            return None
        return codes.pop() if self._is_trusted(said, unknown, length, found) else None

    def _in_place(self, said: list[_Said], unknown: int, length: int) -> list[_Said]:
        """Keep the phrases whose position makes them count."""
        return [
            one
            for one in said
            if one.phrase.reading is PhraseReading.ANYWHERE
            or (one.phrase.reading is PhraseReading.FIRST and (one.unknown_before == 0 or one.position == length - 1))
            or (one.phrase.reading is PhraseReading.ALONE and unknown == 0)
        ]

    def _is_trusted(self, said: list[_Said], unknown: int, length: int, found: list[str]) -> bool:
        if unknown == 0:
            return True
        if self._opening_decides:
            return said[0].unknown_before == 0 or (
                said[-1].position == length - 1 and unknown <= self._most_unknown_words
            )
        return unknown <= self._most_unknown_words or not _SELF_WORDS.isdisjoint(found)

    def _listen(self, found: list[str]) -> tuple[list[_Said], int, int]:
        """Take the longest phrases from the left; return them, the count of unknown words, and the end."""
        said: list[_Said] = []
        unknown, start = 0, 0
        while start < len(found):
            phrase, taken = self._find(found, start)
            if phrase is None:
                word = found[start]
                unknown += not is_neutral(word) or (self._opening_decides and word.isdigit())
            elif phrase.reading is PhraseReading.REST and said:
                break
            elif phrase.reading not in (PhraseReading.NEUTRAL, PhraseReading.REST):
                said.append(_Said(phrase, start + taken - 1, unknown))
            start += taken
        return said, unknown, start

    def _find(self, found: list[str], start: int) -> tuple[Phrase | None, int]:
        for taken in range(min(_LONGEST_PHRASE, len(found) - start), 0, -1):
            span = " ".join(found[start : start + taken])
            phrase = self._phrases.get(span)
            if phrase is None and (span not in stop_words() or is_neutral(span)):
                phrase = self._squeezed.get(squeeze(span))
            if phrase is not None:
                return phrase, taken
        word = found[start]
        stem = self._phrases.get(_SOMALI_I_AM.sub("", word))
        if stem is not None and stem.reading is PhraseReading.ANYWHERE:
            return stem, 1
        if word in stop_words() or len(found) > _MOST_WORDS_TO_GUESS_IN:
            return None, 1
        return self._guess(squeeze(word)), 1

    def _guess(self, word: str) -> Phrase | None:
        """Find the one phrase that a misspelt word stands for."""
        if len(word) < _SHORTEST_GUESSED:
            return None
        slips = 2 if len(word) >= _SHORTEST_WITH_TWO_SLIPS else 1
        candidates = self._by_first_letter.get(word[0], [])
        near = process.extract(word, candidates, scorer=OSA.distance, processor=None, score_cutoff=slips, limit=12)
        if not near:
            return None
        nearest = min(distance for _, distance, _ in near)
        meanings = {self._squeezed[phrase] for phrase, distance, _ in near if distance == nearest}
        return meanings.pop() if len(meanings) == 1 else None
