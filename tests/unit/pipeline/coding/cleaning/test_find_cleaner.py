"""Cleaners by name: which there are, which codes they give, and what holds for all of them."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagement.pipeline.coding.cleaning import cleaner_names, codes_of_cleaner, find_cleaner
from engagement.pipeline.coding.cleaning.places import kenyan_places, somali_places

NAMES = st.sampled_from(cleaner_names())
FRAGMENTS = st.sampled_from(
    [
        "nin",
        "gabar",
        "haa",
        "maya",
        "22",
        "jir",
        "labaatan",
        "iyo",
        "muqdisho",
        "hodan",
        "nairobi",
        "kibra",
        "not",
        "mjini",
    ]
)


def test_each_language_has_its_cleaners() -> None:
    demographic = {f"{language}.{field}" for language in ("somali", "swahili", "english") for field in
                   ("age", "gender", "urban_rural", "yes_no")}  # fmt: skip
    somali = {"somali.district", "somali.mogadishu_sub_district", "somali.district_unless_mogadishu_sub_district"}
    kenyan = {
        f"{language}.{level}" for language in ("swahili", "english") for level in ("county", "constituency", "ward")
    }
    assert set(cleaner_names()) == demographic | somali | kenyan | {"any.operator"}
    assert list(cleaner_names()) == sorted(cleaner_names())


@pytest.mark.parametrize("name", ["somali.county", "italian.age", "somali", ""])
def test_an_unknown_name_is_a_key_error(name: str) -> None:
    with pytest.raises(KeyError):
        find_cleaner(name)
    with pytest.raises(KeyError):
        codes_of_cleaner(name)


def test_codes_are_those_of_the_tables() -> None:
    assert codes_of_cleaner("english.yes_no") == {"yes", "no"}
    assert codes_of_cleaner("swahili.age") == {str(age) for age in range(10, 100)}
    assert codes_of_cleaner("somali.district_unless_mogadishu_sub_district") == set(somali_places().codes("district"))
    assert codes_of_cleaner("english.county") == set(kenyan_places().codes("county"))
    assert {"hormud", "telegram", "kenyan telephone"} <= codes_of_cleaner("any.operator")


@given(NAMES, st.text(max_size=60) | st.lists(FRAGMENTS, max_size=6).map(" ".join))
def test_any_text_gives_a_code_of_the_cleaner_or_none(name: str, text: str) -> None:
    found = find_cleaner(name)(text)
    assert found is None or found in codes_of_cleaner(name)


@given(NAMES, st.lists(FRAGMENTS, min_size=1, max_size=4))
def test_case_width_and_white_space_change_nothing(name: str, fragments: list[str]) -> None:
    clean = find_cleaner(name)
    full_width = "".join(
        chr(ord(letter) + 0xFEE0) if letter in string.ascii_letters else letter for letter in fragments[0]
    )
    expected = clean(" ".join(fragments))
    assert clean("  ".join(fragments).upper() + "\n") == expected
    assert clean(" ".join([full_width, *fragments[1:]])) == expected


@given(
    st.sampled_from(["somali.gender", "swahili.gender", "english.gender", "somali.yes_no", "english.yes_no"]),
    st.sampled_from(["nin", "rag", "man", "male", "kike", "haa", "maya", "no", "yes"]),
    st.sampled_from(["qwrtz", "bdfgh", "xkcd"]),
)
def test_nothing_is_read_inside_a_word(name: str, word: str, other: str) -> None:
    assert find_cleaner(name)(other + word + other) is None


def test_the_cleaner_of_a_name_is_made_once() -> None:
    assert find_cleaner("somali.age") is find_cleaner("somali.age")


@pytest.mark.parametrize("name", cleaner_names())
def test_a_text_of_thousands_of_letters_is_no_answer(name: str) -> None:
    answer = {"any.operator": "252615000001"}.get(name, "nin haa magaalo 22 jir hodan kibra")
    assert find_cleaner(name)(answer + " " * 2000) is None
