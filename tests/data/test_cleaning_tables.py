"""The cleaners' tables agree with each other and with themselves."""

import itertools

import pytest

from engagement.foundation.data_tables import read_table
from engagement.pipeline.coding.cleaning import codes_of_cleaner
from engagement.pipeline.coding.cleaning.gazetteer import fold_kenyan, fold_somali, spelling_key
from engagement.pipeline.coding.cleaning.place_names import kenyan_reader, somali_reader
from engagement.pipeline.coding.cleaning.places import PlaceTable, kenyan_places, somali_places
from engagement.pipeline.coding.cleaning.text import plain, squeeze, stop_words, words
from engagement.sources.operator_prefixes import operator_codes

COUNTRIES = {
    "somali": (somali_places, fold_somali, ("mogadishu_sub_district", "district", "region")),
    "kenyan": (kenyan_places, fold_kenyan, ("constituency", "county")),
}
FIELDS = ("gender", "yes_no", "urban_rural")
LANGUAGES = ("somali", "swahili", "english")
SHORTEST_FOLDED = 5


def place_names(country: str) -> dict[str, tuple[str, str, bool]]:
    """Give each name with its level, its code and whether it is a word too."""
    return {
        name: (row["level"], row["code"], column == "names_that_are_words")
        for row in read_table("engagement.pipeline.coding.cleaning", f"{country}_place_names")
        for column in ("names", "names_that_are_words")
        for name in filter(None, row[column].split(";"))
    }


def key_of(name: str) -> str:
    return spelling_key(words(plain(name)))


@pytest.mark.parametrize("table", [somali_places(), kenyan_places()], ids=["somali", "kenyan"])
def test_every_place_lies_in_a_place_of_the_next_level(table: PlaceTable) -> None:
    for finer, coarser in itertools.pairwise(table.levels):
        for code in table.codes(finer):
            assert table.parent_of(finer, code) in table.codes(coarser)
    assert {table.parent_of(table.levels[-1], code) for code in table.codes(table.levels[-1])} == {None}


def test_tables_have_as_many_places_as_the_countries() -> None:
    somali, kenyan = somali_places(), kenyan_places()
    assert [len(somali.codes(level)) for level in somali.levels] == [17, 74, 18, 7, 3]
    assert [len(kenyan.codes(level)) for level in kenyan.levels] == [1451, 290, 47]


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_name_is_of_a_place_in_the_table(country: str) -> None:
    table = COUNTRIES[country][0]()
    for row in read_table("engagement.pipeline.coding.cleaning", f"{country}_place_names"):
        if row["level"] == "elsewhere":
            assert row["code"] == ""
        else:
            assert {row["code"], *filter(None, row["also_in"].split(";"))} <= set(table.codes(row["level"]))


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_name_is_written_once(country: str) -> None:
    seen: dict[str, str] = {}
    for row in read_table("engagement.pipeline.coding.cleaning", f"{country}_place_names"):
        for name in filter(None, [*row["names"].split(";"), *row["names_that_are_words"].split(";")]):
            assert name == name.strip().lower()
            assert name not in seen, f"{name} is a name of {seen[name]} and of {row['code']}"
            seen[name] = row["code"]


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_name_folds_to_one_place_only(country: str) -> None:
    table_of, fold, levels = COUNTRIES[country]
    places: dict[str, tuple[str, str]] = {}
    for level in levels:
        for code in table_of().codes(level):
            # A county and its constituency share a name; the reader keeps both in mind.
            places.setdefault(key_of(code), (level, code))
    for name, (level, code, _) in place_names(country).items():
        key = key_of(name)
        if key in places:
            assert places[key][1] == code, f"{name} is a name of {places[key]} and of {code}"
        places[key] = (level, code)
    folded: dict[str, tuple[str, str]] = {}
    for key, (level, code) in places.items():
        # Rwanda sounds like Luanda; what lies abroad is recognised as it is spelt, before anything is folded.
        if len(fold(key)) >= SHORTEST_FOLDED and level != "elsewhere":
            place = folded.setdefault(fold(key), (level, code))
            assert place[1] == code, f"{key} sounds like {place}"


@pytest.mark.parametrize("country", COUNTRIES)
def test_no_name_is_a_stop_word_unless_marked_as_a_word(country: str) -> None:
    for name, (_, _, is_word) in place_names(country).items():
        assert is_word or name not in stop_words(), name


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_name_is_read_as_its_own_place(country: str) -> None:
    reader = {"somali": somali_reader, "kenyan": kenyan_reader}[country]()
    for name, (level, code, _) in place_names(country).items():
        if level in ("county", "constituency", "district", "mogadishu_sub_district"):
            assert reader.read(level, name) == code, name


@pytest.mark.parametrize(
    ("country", "level"),
    [("somali", "district"), ("somali", "mogadishu_sub_district"), ("kenyan", "county"), ("kenyan", "constituency")],
)
def test_every_code_is_read_as_itself(country: str, level: str) -> None:
    reader = {"somali": somali_reader, "kenyan": kenyan_reader}[country]()
    for code in COUNTRIES[country][0]().codes(level):
        assert reader.read(level, code) == code
        assert reader.read(level, code.upper().replace(" ", "")) == code


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("field", FIELDS)
def test_every_phrase_says_one_thing_in_a_language(field: str, language: str) -> None:
    meanings: dict[str, tuple[str, str]] = {}
    for row in read_table("engagement.pipeline.coding.cleaning", f"{field}_phrases"):
        if not row["languages"] or language in row["languages"].split(";"):
            for phrase in row["phrases"].split(";"):
                assert phrase
                meaning = (row["reading"], row["code"])
                assert meanings.setdefault(phrase, meaning) == meaning, phrase


@pytest.mark.parametrize("field", FIELDS)
def test_every_phrase_has_a_known_code_and_reading(field: str) -> None:
    for row in read_table("engagement.pipeline.coding.cleaning", f"{field}_phrases"):
        coded = row["reading"] in ("anywhere", "first", "alone")
        assert row["code"] in (codes_of_cleaner(f"somali.{field}") if coded else {""})
        assert coded or row["reading"] in ("unclear", "rest", "neutral")
        assert set(filter(None, row["languages"].split(";"))) <= set(LANGUAGES)


def test_every_number_word_has_one_value() -> None:
    values: dict[str, str] = {}
    for row in read_table("engagement.pipeline.coding.cleaning", "numbers"):
        for word in row["words"].split(";"):
            assert values.setdefault(squeeze(word), row["value"]) == row["value"], word


def test_stop_words_are_single_words_of_the_three_languages() -> None:
    assert {row["language"] for row in read_table("engagement.pipeline.coding.cleaning", "stop_words")} == set(
        LANGUAGES
    )
    assert {row["kind"] for row in read_table("engagement.pipeline.coding.cleaning", "stop_words")} == {
        "neutral",
        "greeting",
        "doubt",
        "other",
    }
    assert [word for word in stop_words() if words(word) != (word,)] == []


def test_every_prefix_is_of_one_operator_and_every_zone_of_a_known_operator() -> None:
    rows = read_table("engagement.sources", "operators")
    assert len({(row["urn_scheme"], row["prefix"]) for row in rows}) == len(rows)
    for row in read_table("engagement.pipeline.coding.cleaning", "operator_zones"):
        assert row["operator"] in operator_codes()
        assert row["zone"] in somali_places().codes("zone")
