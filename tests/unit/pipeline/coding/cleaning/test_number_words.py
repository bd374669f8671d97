"""Number words of the three languages, from 10 to 99, in every order that people use."""

import itertools

import pytest

from engagement.pipeline.coding.cleaning import find_cleaner
from engagement.pipeline.coding.cleaning.numbers import find_numbers

SOMALI_UNITS = ["kow", "laba", "saddex", "afar", "shan", "lix", "toddoba", "siddeed", "sagaal"]
SOMALI_TENS = [
    "toban", "labaatan", "soddon", "afartan", "konton", "lixdan", "toddobaatan", "siddeetan", "sagaashan",
]  # fmt: skip
SWAHILI_UNITS = ["moja", "mbili", "tatu", "nne", "tano", "sita", "saba", "nane", "tisa"]
SWAHILI_TENS = [
    "kumi", "ishirini", "thelathini", "arobaini", "hamsini", "sitini", "sabini", "themanini", "tisini",
]  # fmt: skip
ENGLISH_UNITS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
ENGLISH_TEENS = [
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
ENGLISH_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
AGES = list(itertools.product(range(1, 10), range(1, 10)))


@pytest.mark.parametrize("cleaner", ["somali.age", "swahili.age", "english.age"])
def test_every_age_is_read_in_every_language(cleaner: str) -> None:
    clean = find_cleaner(cleaner)
    for tens, unit in AGES:
        age = str(10 * tens + unit)
        ten, one = SOMALI_TENS[tens - 1], SOMALI_UNITS[unit - 1]
        for text in (
            f"{ten} iyo {one}",
            f"{one} iyo {ten}",
            f"{ten} {one} jir",
            f"{ten}iyo{one}",
            f"waxaan ahay {one} iyo {ten}",
        ):
            assert clean(text) == age, text
        ten, one = SWAHILI_TENS[tens - 1], SWAHILI_UNITS[unit - 1]
        for text in (f"{ten} na {one}", f"miaka {ten} na {one}", f"{ten}na{one}"):
            assert clean(text) == age, text
        if tens > 1:
            ten, one = ENGLISH_TENS[tens - 2], ENGLISH_UNITS[unit - 1]
            for text in (f"{ten} {one}", f"{ten}-{one}", f"{ten}{one} years", f"I am {ten} and {one}"):
                assert clean(text) == age, text


def test_tens_and_teens_are_read() -> None:
    clean = find_cleaner("english.age")
    for words, first in ((SOMALI_TENS, 10), (SWAHILI_TENS, 10), (ENGLISH_TENS, 20)):
        assert [clean(word) for word in words] == [str(age) for age in range(first, 100, 10)]
    assert [clean(word) for word in ENGLISH_TEENS] == [str(age) for age in range(10, 20)]


@pytest.mark.parametrize(
    ("tokens", "values"),
    [
        (["labaatan", "shan", "saddex"], [None]),  # no number is said like that
        (["labaatan", ",", "shan"], [20, 5]),  # a comma parts two numbers
        (["iyo", "shan"], [5]),  # "and" before a number is no part of it
        (["2", "8"], [28]),  # one digit at a time
        (["2", "8", "5"], [None]),  # but not three of them
        (["20", "25"], [20, 25]),  # two numbers in digits stay two
        (["20", "na", "5"], [25]),
        (["20", "iyo", "25"], [None]),  # joined, and yet not one number
        (["hundred"], [100]),
        (["05"], [None]),  # no age is written with a zero before it
        (["tatoo", "shanty"], []),
    ],
)
def test_numbers_are_put_together_as_they_are_said(tokens: list[str], values: list[int | None]) -> None:
    assert [number.value for number in find_numbers(tokens)] == values
