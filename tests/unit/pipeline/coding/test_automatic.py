from pathlib import Path

from engagement.configuration import load_project
from engagement.configuration.function_names import CLEANER_NAMES, IMPUTATION_NAMES, LOCATION_LEVELS
from engagement.pipeline.coding.automatic import AutomaticCoder, warn_of_missing_codes
from engagement.pipeline.coding.cleaning import cleaner_names
from engagement.pipeline.coding.imputation import IMPUTATIONS
from engagement.pipeline.coding.locations import PLACE_TABLES
from example_project import write_project

TIME = "2026-04-01T07:00:00.000000+00:00"


def test_the_names_that_configurations_may_use_are_those_that_there_are():
    # "any.operator" reads prefixes and numbers: it is for evaluating, the fetch codes operators itself.
    assert set(CLEANER_NAMES) == set(cleaner_names()) - {"any.operator"}
    assert set(IMPUTATION_NAMES) == set(IMPUTATIONS)
    assert {name: table_of().levels for name, table_of in PLACE_TABLES.items()} == LOCATION_LEVELS


def test_a_code_that_the_scheme_calls_otherwise_is_found(tmp_path: Path):
    def call_women_female(schemes: dict) -> None:
        schemes["gender"]["Codes"][1]["MatchValues"] = ["female"]

    plans = load_project(write_project(tmp_path, change_schemes=call_women_female)).coding_plans
    (label,) = AutomaticCoder(plans.demographic[0], {}).propose("naag", TIME)
    assert label["CodeID"] == "gender-woman"


def test_a_code_that_the_scheme_lacks_is_not_proposed_and_warned_of(tmp_path: Path, caplog):
    def without_women(schemes: dict) -> None:
        schemes["gender"]["Codes"][1]["MatchValues"] = []

    plans = load_project(write_project(tmp_path, change_schemes=without_women)).coding_plans
    coder = AutomaticCoder(plans.demographic[0], {})
    assert coder.propose("naag", TIME) == coder.propose("gabar", TIME) == []
    warn_of_missing_codes(plans.all)
    assert "Code scheme 'gender.json' lacks 1 of the codes that cleaner 'somali.gender' can give: woman" in caplog.text
