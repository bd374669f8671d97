"""Phone numbers by the kinds of ways that people write them, and the kinds of digits that are none. All are invented."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagement.pipeline.coding.cleaning.phone_numbers import MASK, find_phone_numbers, mask_phone_numbers

NUMBERS_BY_KIND = {
    "letters for digits": [
        "O615000001",
        "o7l2345678",
        "06I5000O0I",
        "O61 5OO OOO1",
        "O7 l2 34 56 78",
        "+254-7l2-345-678",
        "o 61 500 0001",
    ],
    "letters of other scripts": ["\u041e615000001", "061500\u043e001", "\u03bf712345678"],
    "odd separators": [
        f"061{mark}500{mark}0001" for mark in [*":;=~\u00b7\u2022|#+!'\u2019\u2026\\", " . ", " - ", " / ", "...."]
    ],
    "wide spaces": ["0615    000    001", "0615\t000\t001", "0615\u2003000\u2003001", "0615 \n000 \n001"],
    "in English words": [
        "zero six one five zero zero zero two three four",
        "ZERO, SEVEN, ONE, TWO, THREE, FOUR, FIVE, SIX, SEVEN, EIGHT",
        "oh-seven-one-two-three-four-five-six-seven-eight",
        "seven one two three four five six seven eight",
        "zero seven double two three four five six seven eight",
        "zero seven twenty two thirty four fifty six seventy eight",
    ],
    "in Somali words": [
        "eber lix kow shan eber eber laba saddex afar sagaal",
        "laba shan laba lix kow shan afar saddex laba kow lix siddeed",
        "eber lix toban shan soddon iyo laba afartan iyo saddex toban",
    ],
    "in Swahili words": [
        "sifuri saba moja mbili tatu nne tano sita saba nane",
        "sifuri saba ishirini na mbili thelathini na nne hamsini na sita sabini na nane",
    ],
    "in words and digits": ["zero 6 1 five 0 0 two 3 4 nine", "sifuri712345678", "eber 7 1 laba 3 4 shan 6 7 siddeed"],
    "joined by words": ["0615 kadib 000001", "0712, then 345678", "0712 halafu 345 kisha 678", "0615 iyo 000001"],
    "elsewhere, with a plus": ["+44 7700 900123", "+1 (415) 555-2671", "+46 70 123 45 39", "+971-50-123-4567"],
    "elsewhere, without": [
        "1 (415) 555-2671",
        "(415) 555-2671",
        "1-415-555-2671",
        "44 7911 123456",
        "001 415 555 2671",
    ],
    "with the 0 in brackets": ["+252 (0) 61 5000001", "+254(0)712345678"],
    "of a range that is newer than the library": ["010 998 6210", "0109-986-210"],
    "like a time and sums": ["0612 100000", "0612 100 400", "0712-250000", "0911 1200 00"],
    "in circled digits": ["\u24ea\u2465\u2460\u2464\u24ea\u24ea\u24ea\u24ea\u24ea\u2460"],
}
OTHERS_BY_KIND = {
    "ages": [
        "8 13 32 38 10 34 13 jir", "miaka 25, 26, 15, 50, 44, 55", "ages 0, 71, 23, 45, 67, 81", "7 1 2 3 4 5 6 7 8 jir",
        "0-5, 6-14, 15-49, 50-64", "61 na 50 na 12 na 34 na 5", "wiilal 61 62 63 64 65",
    ],
    "scores": ["score 0-7, 1-2, 3-4, 5-1, 0-2", "0-7 1-2 3-4 5-1 0-2"],
    "dates": ["27/02/21 28/03/22 01/04/23", "27 02 2021", "12.06.2010 14.07.2011"],
    "years": ["1963 - 2019 - 2010", "2019/2020, 2020/2021"],
    "times": ["08:00-17:00, 09:30-12:45", "8:00 9:00 10:00 11:00", "2025-08-14 07:20", "05 06 07 08 09"],
    "verses": ["45:42, 24:99, 2:255", "2:255 3:7 4:1 5:10 6:12", "Yohana 3:16 na 14:6, 15:13"],
    "places": ["lat 2.5439, lon 49.7627", "-1.2921, 36.8219", "0.7145 36.8219", "0.712345678"],
    "sums": ["$1,200 $3,400 $5,600 $7,800", "ksh 500, 1000, 1500, 2000", "712.345.678 shillings", "400000 oo soomaali ah"],
    "quantities": [
        "615 123 456 people", "population is 20 597 201", "12 geel 30 ari 5 lo' 61 digaag", "10l 20l 30l 40l", "9 kg 27 kg 64 kg",
        "5s 6s 7s 8s 9s 10s", "44 207 946 095", "61 23 4 567 mbuzi",
    ],
    "shares": ["10% 20% 30% 40% 60%", "63.5% iyo 71.25%"],
    "ids": ["paybill 522522 account 1234567", "ID 27654321", "kitambulisho 31234567"],
    "short codes": ["21222 ama 40404", "*144#", "*334*1*2#"],
    "counting": [
        "one two three four five six seven eight nine ten", "kow laba saddex afar shan lix toddoba siddeed sagaal toban",
        "moja mbili tatu nne tano sita saba nane tisa kumi", "1 2 3 4 5 6 7 8 9 10 11 12", "6 7 8 9 10 11 12 13 14",
    ],
    "words that count": [
        "two three or four of us, five six stayed", "laba iyo saddex afar shan qof", "sita saba nane", "twenty one thirty two forty five",
        "oo waa sidaas oo kale oo 2 oo 3",
    ],
    "lists": ["1. biyo 2. waxbarasho 3. caafimaad", "1) 2) 3) 4) 5) 6) 7) 8) 9)", "FM 88.8, 90.5, 101.3", "290, 349, 47, 1450"],
}  # fmt: skip


def _rows(kinds):
    return [pytest.param(text, id=f"{kind}: {text!a}") for kind, texts in kinds.items() for text in texts]


@pytest.mark.parametrize("number", _rows(NUMBERS_BY_KIND))
@pytest.mark.parametrize("around", ["{}", "fadlan iga soo wac {} maanta", "ii soo dir: {}.", "({})?"])
def test_numbers_of_each_kind_are_masked_and_what_is_around_them_stays(number, around):
    assert mask_phone_numbers(around.format(number)) == around.format(MASK)


@pytest.mark.parametrize("text", _rows(OTHERS_BY_KIND))
@pytest.mark.parametrize("around", ["{}", "waa {}", "({})"])
def test_digits_of_each_other_kind_stay(text, around):
    assert mask_phone_numbers(around.format(text)) == around.format(text)


WORDS = {
    "english": ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
    "somali": ["eber", "kow", "laba", "saddex", "afar", "shan", "lix", "toddoba", "siddeed", "sagaal"],
    "swahili": ["sifuri", "moja", "mbili", "tatu", "nne", "tano", "sita", "saba", "nane", "tisa"],
}
SOME_NUMBERS = st.builds(
    "{}{:06d}".format,
    st.sampled_from(["0612", "0615", "0627", "0634", "0712", "0722", "0110", "0911"]),
    st.integers(1, 999_999),
)


@given(
    SOME_NUMBERS,
    st.sampled_from(sorted(WORDS)),
    st.sampled_from([" ", "  ", "-", ", ", ". ", "\n"]),
    st.sets(st.integers(0, 9)),
)
def test_a_number_in_words_never_passes(number, language, between, typed):
    said = [digit if place in typed else WORDS[language][int(digit)] for place, digit in enumerate(number)]
    assert mask_phone_numbers(f"wac {between.join(said)} maanta") == f"wac {MASK} maanta"


@given(
    SOME_NUMBERS,
    st.sampled_from(
        [" ", "-", ".", ":", ";", "=", "~", "|", "#", "!", "'", "_", "*", "/", "\u2022", "     ", " - ", "\n"]
    ),
    st.sampled_from([(4, 6), (4, 3, 3), (3, 3, 4), (2, 2, 2, 2, 2), (10,)]),
    st.booleans(),
)
def test_a_grouped_number_never_passes(number, between, lengths, with_letters):
    groups, position = [], 0
    for length in lengths:
        groups.append(number[position : position + length])
        position += length
    typed = between.join(groups)
    if with_letters:
        typed = "O" + typed[1:]
    assert mask_phone_numbers(f"wac {typed} maanta") == f"wac {MASK} maanta"


@given(
    st.text(st.sampled_from("0123456789oOlI+-() .,:;'|#!%$\u24ea\u0660\n"), max_size=60),
    st.sampled_from(["", " sifuri ", " twenty ", " double "]),
)
def test_whatever_is_typed_masking_ends_and_spans_are_in_order(text, word):
    spans = find_phone_numbers(text + word + text)
    assert all(0 <= start < end for start, end in spans)
    assert all(first[1] <= second[0] for first, second in zip(spans, spans[1:], strict=False))


@pytest.mark.parametrize(
    "unit",
    [
        "0",
        "0 ",
        "12 ",
        "61 5 ",
        "0,",
        "o",
        " ",
        "zero ",
        "double ",
        "twenty ",
        "0.1",
        "1:2:",
        "then ",
        "(+",
        "0o",
        "-",
        "a1",
    ],
)
def test_time_grows_with_the_length_of_a_text_only(unit):
    def measure(length):
        text = (unit * length)[:length]
        started = time.process_time()
        find_phone_numbers(text)
        return time.process_time() - started

    measure(2_000)  # Tables are loaded, numbers looked up.
    # Four times the text; with a square it would be sixteen times the time.
    assert min(measure(8_000) for _ in range(2)) < 10 * min(measure(2_000) for _ in range(3)) + 0.05
