"""Places at every level: which level a scheme is about, and what follows from what coders ticked."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from engagement.configuration import CodeScheme, CodingMode, CodingPlan
from engagement.configuration.loading import load_coding_plans
from engagement.configuration.parsing import parse_model
from engagement.foundation.errors import ConfigurationError
from engagement.pipeline.coding.cleaning.places import kenyan_places
from engagement.pipeline.coding.guesses import find_guessed_positions
from engagement.pipeline.coding.imputation import make_imputations
from engagement.pipeline.coding.imputing import AnswerState
from engagement.pipeline.coding.labels import make_pipeline_label
from engagement.pipeline.coding.location_levels import find_level_problems, find_levels
from engagement.pipeline.coding.locations import has_elsewhere
from example_project import make_scheme
from manual_pages import ROOT

PLAN = load_coding_plans(ROOT / "configurations/demo/coding_plans.json").demographic[2]
ANSWERED = AnswerState(True, None)
# By what they are called, not by level.
SCHEMES = {
    "somewhere": ["jilore", "ganze_ward", "biashara_ruiru", "township", "hospital_mathare", "kaloleni_voi", "iria-ini"],
    "constituency": ["malindi", "ganze", "ruiru", "kanduyi", "mathare", "voi", "othaya", "alego_usonga"],
    "big": ["kilifi", "kiambu", "bungoma", "nairobi", "taita_taveta", "nyeri", "siaya"],
    "district": ["mogadishu", "baidoa", "afgooye"],
    "hodan and others": ["hodan", "waaberi"],
    "region": ["banadir", "bay", "lower_shabelle"],
    "state": ["banadir", "south_west_state"],
    "zone": ["nez", "nwz", "scz"],
    "only banadir": ["banadir"],
    "Somalia Region": ["banadir"],
    "Somalia State": ["banadir"],
    "ages": ["10", "11"],
    "mostly elsewhere": ["kilifi", "camp", "host", "abroad"],
}


def make_plan(function: str, *names: str, levels: Mapping[str, str] | None = None) -> CodingPlan:
    configuration = PLAN.coding_configurations[0]
    assert configuration.coding_mode is CodingMode.SINGLE
    schemes = {name: parse_model(CodeScheme, make_scheme(name, SCHEMES[name]))[0] for name in names}
    return replace(
        PLAN,
        code_imputation_function=function,
        coding_configurations=tuple(
            replace(
                configuration,
                code_scheme=scheme,
                code_scheme_file=f"{name}.json",
                coded_field=name,
                location_level=(levels or {}).get(name),
            )
            for name, scheme in schemes.items()
        ),
    )


def complete(plan: CodingPlan, ticks: Mapping[str, str], answer: AnswerState = ANSWERED) -> dict[str, str]:
    """What each scheme gets, by its name; what nobody ticked is not reviewed, or without an answer missing."""
    (impute,) = make_imputations((plan,), {})
    schemes = [configuration.code_scheme for configuration in plan.coding_configurations]
    codes = [{code.string_value: code for code in scheme.codes} for scheme in schemes]
    empty = "NR" if answer.is_given else "NA"
    # Without NA here: the function sets it itself.
    labels = tuple(
        (make_pipeline_label(scheme, by_value[ticks.get(scheme.name, empty)]),)
        for scheme, by_value in zip(schemes, codes, strict=True)
    )
    found, _ = impute(labels, answer)
    return {scheme.name: label.code.string_value for scheme, (label,) in zip(schemes, found, strict=True)}


KENYA = [
    # ticked by scheme -> ward, constituency, county
    ({"somewhere": "jilore"}, ("jilore", "malindi", "kilifi")),
    ({"somewhere": "ganze_ward"}, ("ganze_ward", "ganze", "kilifi")),
    ({"somewhere": "biashara_ruiru"}, ("biashara_ruiru", "ruiru", "kiambu")),
    ({"somewhere": "hospital_mathare"}, ("hospital_mathare", "mathare", "nairobi")),
    # Seven wards are called Township: nothing above is known, unless a coder says it.
    ({"somewhere": "township"}, ("township", "NC", "NC")),
    ({"somewhere": "township", "constituency": "kanduyi"}, ("township", "kanduyi", "bungoma")),
    ({"somewhere": "township", "big": "bungoma"}, ("township", "kanduyi", "bungoma")),
    ({"somewhere": "township", "constituency": "voi"}, ("CE", "CE", "CE")),
    ({"constituency": "malindi"}, ("NC", "malindi", "kilifi")),
    ({"constituency": "alego_usonga"}, ("NC", "alego_usonga", "siaya")),
    ({"big": "nairobi"}, ("NC", "NC", "nairobi")),
    ({"somewhere": "jilore", "big": "kilifi"}, ("jilore", "malindi", "kilifi")),
    ({"somewhere": "jilore", "big": "nairobi"}, ("CE", "CE", "CE")),
    ({"constituency": "malindi", "big": "NC"}, ("CE", "CE", "CE")),
    ({"big": "greeting"}, ("greeting", "greeting", "greeting")),
    ({}, ("NR", "NR", "NR")),
]


@pytest.mark.parametrize("order", [("somewhere", "constituency", "big"), ("big", "somewhere", "constituency")])
@pytest.mark.parametrize(("ticks", "expected"), KENYA)
def test_the_order_of_the_schemes_does_not_matter(order: Sequence[str], ticks: dict, expected: tuple[str, ...]):
    found = complete(make_plan("kenya_location", *order), ticks)
    assert (found["somewhere"], found["constituency"], found["big"]) == expected


SOME_LEVELS = [
    ("kenya_location", ("big",), {"big": "kilifi"}, {"big": "kilifi"}),
    ("kenya_location", ("big", "somewhere"), {"somewhere": "jilore"}, {"big": "kilifi", "somewhere": "jilore"}),
    ("somalia_location", ("zone", "region"), {"region": "bay"}, {"zone": "scz", "region": "bay"}),
    ("somalia_location", ("district", "zone"), {"zone": "nez"}, {"district": "NC", "zone": "nez"}),
    ("somalia_location", ("zone", "hodan and others"), {"hodan and others": "hodan"}, {"zone": "scz", "hodan and others": "hodan"}),
]  # fmt: skip


@pytest.mark.parametrize(("function", "names", "ticks", "expected"), SOME_LEVELS)
def test_not_every_level_has_to_be_there(function: str, names: Sequence[str], ticks: dict, expected: dict):
    assert complete(make_plan(function, *names), ticks) == expected


def test_the_zone_follows_from_the_operator_wherever_it_stands():
    unanswered = AnswerState(False, "golis")
    assert complete(make_plan("somalia_location", "zone", "district"), {}, unanswered) == {
        "zone": "nez",
        "district": "NA",
    }
    assert complete(make_plan("somalia_location", "district", "region"), {}, unanswered) == {
        "district": "NA",
        "region": "NA",
    }
    assert complete(make_plan("kenya_location", "big"), {}, unanswered) == {"big": "NA"}


def test_guesses_and_elsewhere_go_by_level_and_not_by_position():
    turned = make_plan("somalia_location", "zone", "hodan and others", "district")
    assert find_guessed_positions(turned) == (0,)
    assert find_guessed_positions(make_plan("somalia_location", "district", "region")) == ()
    assert find_guessed_positions(replace(turned, zone_from_operator=False)) == ()
    assert complete(replace(turned, zone_from_operator=False), {}, AnswerState(False, "golis"))["zone"] == "NA"
    assert [has_elsewhere(turned, position) for position in range(3)] == [False, True, False]


LEVELS = [
    ("somalia_location", ("state", "region"), None, ("state", "region")),
    # One scheme leaves only one level to the other.
    ("somalia_location", ("only banadir", "region"), None, ("state", "region")),
    ("somalia_location", ("Somalia State", "Somalia Region"), None, ("state", "region")),
    ("somalia_location", ("only banadir", "Somalia State"), {"only banadir": "region"}, ("region", "state")),
    # What most codes say is overruled by nothing but the configuration.
    ("kenya_location", ("mostly elsewhere",), {"mostly elsewhere": "county"}, ("county",)),
]


@pytest.mark.parametrize(("function", "names", "levels", "expected"), LEVELS)
def test_the_codes_tell_the_level_else_the_schemes_name_else_the_configuration(function, names, levels, expected):
    plan = make_plan(function, *names, levels=levels)
    table = plan_table(function)
    assert find_level_problems(plan, table) == []
    assert find_levels(plan, table) == expected


def plan_table(function: str):
    from engagement.pipeline.coding.locations import PLACE_TABLES

    return PLACE_TABLES[function]()


UNCLEAR = [
    ("somalia_location", ("only banadir",), r"the codes of 'only banadir.json' may be of level 'region' or 'state'.*LocationLevel"),
    ("somalia_location", ("ages", "region"), r"of the 2 codes of 'ages.json' too few are known places \(0 as mogadishu_sub_district, 0 as district, .*0 as zone\)"),
    ("kenya_location", ("mostly elsewhere",), r"of the 4 codes of 'mostly elsewhere.json' too few are known places \(0 as ward, 0 as constituency, 1 as county\)"),
    ("kenya_location", ("district", "region"), r"(?s)'district.json' too few.*'region.json' too few"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "names", "told"), UNCLEAR)
def test_levels_that_can_not_be_told_are_an_error_of_the_configuration(function: str, names: Sequence[str], told: str):
    with pytest.raises(ConfigurationError, match=told) as refused:
        make_imputations((make_plan(function, *names),), {})
    assert refused.value.exit_status == 10


def test_every_ward_is_found_by_its_code_and_shared_names_by_what_they_lie_in():
    table = kenyan_places()
    for code in table.codes("ward"):
        assert table.find("ward", code) == {code}
    for code, name in table.shared_names["ward"].items():
        assert code in table.find("ward", name)
        assert len(table.find("ward", name)) > 1
        assert table.find("ward", f"{name}_{table.parent_of('ward', code)}") == {code}
