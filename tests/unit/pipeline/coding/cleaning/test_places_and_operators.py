"""The hierarchy of places, the zones of operators and the operators of phone numbers."""

import pytest

from engagement.pipeline.coding.cleaning.places import kenyan_places, operator_zone, somali_places
from engagement.sources.operator_prefixes import operator_codes, operator_of


def test_levels_run_from_fine_to_coarse() -> None:
    assert somali_places().levels == ("mogadishu_sub_district", "district", "region", "state", "zone")
    assert kenyan_places().levels == ("ward", "constituency", "county")


def test_ancestors_are_the_codes_of_all_coarser_levels() -> None:
    assert somali_places().ancestors("mogadishu_sub_district", "hodan") == ("mogadishu", "banadir", "banadir", "scz")
    assert somali_places().ancestors("zone", "scz") == ()
    assert kenyan_places().ancestors("ward", "jilore") == ("malindi", "kilifi")
    assert kenyan_places().ancestors("constituency", "kibra") == ("nairobi",)
    assert kenyan_places().ancestors("county", "kiambu") == ()


def test_a_code_used_at_two_levels_is_two_places() -> None:
    assert somali_places().parent_of("region", "banadir") == "banadir"
    assert somali_places().parent_of("state", "banadir") == "scz"


def test_an_unknown_place_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        somali_places().parent_of("district", "atlantis")


@pytest.mark.parametrize(
    ("operator", "zone"),
    [("golis", "nez"), ("hormud", "scz"), ("telesom", "nwz"), ("somtel", None), ("telegram", None)],
)
def test_only_operators_of_one_zone_tell_it(operator: str, zone: str | None) -> None:
    assert operator_zone(operator) == zone


@pytest.mark.parametrize(
    ("urn_scheme", "path", "operator"),
    [
        ("tel", "252615000001", "hormud"),
        ("tel", "252645000001", "hormud"),
        ("tel", "252775000001", "hormud"),
        ("tel", "252625000001", "somtel"),
        ("tel", "252655000001", "somtel"),
        ("tel", "252665000001", "somtel"),
        ("tel", "252635000001", "telesom"),
        ("tel", "252675000001", "nationlink"),
        ("tel", "252695000001", "nationlink"),
        ("tel", "252685000001", "somnet"),
        ("tel", "252905000001", "golis"),
        ("tel", "+252905000001", "golis"),  # RapidPro writes the sign
        ("tel", "254700000001", "kenyan telephone"),
        ("tel", "251900000001", "ethiopian telephone"),
        ("tel", "25261", "hormud"),  # what the raw data keep
        ("tel", "252", None),
        ("tel", "252715000001", None),
        ("tel", "447000000001", None),
        ("tel", "", None),
        ("telegram", "123456", "telegram"),
        ("TELEGRAM", "", "telegram"),
        ("whatsapp", "252615000001", "whatsapp"),
        ("facebook", "x", "facebook"),
        ("twitterid", "5", "twitter"),
        ("pigeon", "252615000001", None),
    ],
)
def test_operators_are_told_by_prefix_or_channel(urn_scheme: str, path: str, operator: str | None) -> None:
    assert operator_of(urn_scheme, path) == operator
    assert operator is None or operator in operator_codes()
