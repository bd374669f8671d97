"""Typing errors from thumbs, small keyboards and cheap telephones, which keep the meaning."""

from collections.abc import Callable
from random import Random

from engagement.sandbox.chance import draw

_EMOJI = ("👍", "🙏🏾", "😢", "💧", "❤️", "🇸🇴")
_SHORTEST_MISSPELT = 8


def mess_up(text: str, chance: Random) -> str:
    """Return the text as somebody might really have sent it; more than a third stay unchanged."""
    return draw(chance, _HABITS)(text, chance)


def _capitals(text: str, _: Random) -> str:
    return text.upper()


def _no_capitals(text: str, _: Random) -> str:
    return text.lower()


def _punctuation(text: str, chance: Random) -> str:
    return text + chance.choice((".", "!", "!!!", "..", " .", "?", ",,"))


def _emoji(text: str, chance: Random) -> str:
    return f"{text} {chance.choice(_EMOJI)}"


def _white_space(text: str, chance: Random) -> str:
    return chance.choice(("  {}", "{} ", "{}\n", "\n{}", "{}\t", " {} ")).format(text)


def _line_breaks(text: str, chance: Random) -> str:
    words = text.split(" ")
    words.insert(chance.randrange(len(words) + 1), "\n")
    return " ".join(words)


def _misspelling(text: str, chance: Random) -> str:
    if len(text) < _SHORTEST_MISSPELT:
        return text  # one letter can change the meaning of a short word
    position = chance.randrange(1, len(text) - 1)
    before, letter, after = text[:position], text[position], text[position + 1 :]
    if not letter.isalpha():
        return text
    return before + chance.choice(("", letter * 2, letter * 3)) + after


def _markup(text: str, chance: Random) -> str:
    form = chance.choice(("<b>{}</b>", "{} <br/> & wasakh", "<script>alert('{}')</script>", '"{}"', "{} <3"))
    return form.format(text)


def _formula(text: str, chance: Random) -> str:
    return chance.choice(("={}", "+{}", "-{}", "@{}", '=HYPERLINK("{}")')).format(text)


def _odd_characters(text: str, chance: Random) -> str:
    return chance.choice(("{}\u200b", "\u200f{}", "{}،", "{}\u00a0", "“{}”")).format(text)


_HABITS: dict[Callable[[str, Random], str], float] = {
    (lambda text, _: text): 38,
    _misspelling: 16,
    _no_capitals: 8,
    _punctuation: 12,
    _capitals: 7,
    _emoji: 5,
    _white_space: 5,
    _line_breaks: 3,
    _odd_characters: 2,
    _markup: 1.5,
    _formula: 1.5,
}
