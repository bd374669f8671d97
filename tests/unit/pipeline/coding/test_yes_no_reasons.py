"""Yes or no and the reasons: the truth table of the manual, as it stands there."""

import re
from dataclasses import replace

import pytest

from engagement.configuration import CodeScheme, CodingMode, CodingPlan
from engagement.configuration.code_schemes import give_own_control_codes
from engagement.configuration.imputation_checks import sides_of_reasons
from engagement.configuration.loading import load_coding_plans
from engagement.configuration.parsing import parse_model
from engagement.pipeline.coding.imputing import AnswerState
from engagement.pipeline.coding.labels import make_pipeline_label
from engagement.pipeline.coding.yes_no_reasons import YesNoReasons
from example_project import CONTROL_CODES, make_scheme
from manual_pages import ROOT, TEXTS

HEADING = "| Yes or no | Reasons | Becomes | Reasons become |\n| --- | --- | --- | --- |\n"
ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split("|"))
    for line in TEXTS["configurations/README.md"].partition(HEADING)[2].partition("\n\n")[0].splitlines()
]
REASONS = ["yes_a", "no_b", "other"]
ANSWER = AnswerState(True, None)


def scheme_of(name: str, codes: list[str]) -> CodeScheme:
    scheme, problems = parse_model(CodeScheme, make_scheme(name, codes, [*CONTROL_CODES, "NOP"]))
    assert not problems
    return give_own_control_codes(scheme, [("NOP", "no opinion")])


def make_plan(
    has_ambivalent: bool = True, reasons: list[str] = REASONS, is_turned: bool = False, **sides
) -> CodingPlan:
    plan = load_coding_plans(ROOT / "configurations/demo/coding_plans.json").rqa[0]
    configuration = plan.coding_configurations[0]
    yes_no = replace(
        configuration,
        coding_mode=CodingMode.SINGLE,
        code_scheme=scheme_of("yes_no", ["yes", "no", *(["ambivalent"] if has_ambivalent else [])]),
    )
    why = replace(configuration, code_scheme=scheme_of("reasons", reasons), **sides)
    return replace(plan, coding_configurations=(why, yes_no) if is_turned else (yes_no, why))


def labels_of(scheme: CodeScheme, values: str):
    codes = {code.string_value: code for code in scheme.codes}
    return tuple(make_pipeline_label(scheme, codes[value]) for value in values.split(", "))


def complete(plan: CodingPlan, yes_no: str, reasons: str) -> tuple[str, str]:
    schemes = [configuration.code_scheme for configuration in plan.coding_configurations]
    given = [reasons, yes_no] if schemes[0].name == "reasons" else [yes_no, reasons]
    labels = tuple(labels_of(scheme, values) for scheme, values in zip(schemes, given, strict=True))
    found, _ = YesNoReasons(plan)(labels, ANSWER if yes_no != "NA" else AnswerState(False, None))
    told = [", ".join(label.code.string_value for label in several) for several in found]
    return tuple(reversed(told)) if schemes[0].name == "reasons" else tuple(told)


def test_the_table_has_every_pair_of_what_each_scheme_can_say():
    said = {
        "NR": "NR",
        "NC": "NC",
        "yes": "Normal",
        "no": "Normal",
        "greeting": "Meta",
        "STOP": "Control",
        "NIC": "Control",
    }
    pairs = {
        (said.get(yes_no, "other"), "Normal" if re.search("yes_|no_|other", why) else said.get(why))
        for yes_no, why, *_ in ROWS
    }
    assert len(ROWS) > 30
    assert {
        (one, other) for one in ("NR", "NC", "Normal", "Meta", "Control") for other in ("NR", "NC", "Normal")
    } <= pairs


@pytest.mark.parametrize("is_turned", [False, True])
@pytest.mark.parametrize("row", ROWS, ids=" | ".join)
def test_each_row_of_the_manuals_table_holds(row: tuple[str, str, str, str], is_turned: bool):
    yes_no, reasons, *expected = row
    assert complete(make_plan(is_turned=is_turned), yes_no, reasons) == tuple(expected)


@pytest.mark.parametrize("row", [row for row in ROWS if "ambivalent" not in row[0]], ids=" | ".join)
def test_without_ambivalent_reasons_for_both_are_a_coding_error(row: tuple[str, str, str, str]):
    yes_no, reasons, becomes, reasons_become = row
    expected = "CE" if becomes == "ambivalent" else becomes
    assert complete(make_plan(has_ambivalent=False), yes_no, reasons) == (expected, reasons_become)


def test_a_control_code_of_the_projects_own_goes_to_both():
    assert complete(make_plan(), "NOP", "NR") == complete(make_plan(), "NR", "NOP") == ("NOP", "NOP")
    assert complete(make_plan(), "NR", "NOP, NIC") == ("NIC", "NOP, NIC")


SIDES = [
    # As real schemes have them: two strokes, "yes_but", questions among the reasons.
    (["yes__smart", "yes_but_careful", "no__risky", "question__other"], {}, {"yes__smart": "yes", "yes_but_careful": "yes", "no__risky": "no"}),
    (["yes_other", "no_other", "capable"], {}, {"yes_other": "yes", "no_other": "no"}),
    # A word of the reason, not what it speaks for.
    (["boiling", "no_money", "trust"], {}, {}),
    (["yes_other", "nothing"], {}, {}),
    (["boiling", "no_money"], {"reasons_for_yes": ("no_money",)}, {"no_money": "yes"}),
    # Where the configuration speaks, names say nothing.
    (["yes_a", "no_b", "other"], {"reasons_for_no": ("other",)}, {"other": "no"}),
    (["yes_a", "no_b"], {"reasons_for_yes": (), "reasons_for_no": ()}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("values", "configured", "expected"), SIDES)
def test_what_a_reason_speaks_for(values: list[str], configured: dict, expected: dict):
    scheme = scheme_of("reasons", values)
    sides = sides_of_reasons(scheme, configured.get("reasons_for_yes"), configured.get("reasons_for_no"))
    assert {scheme.codes_by_id[code_id].string_value: side for code_id, side in sides.items()} == expected


def test_reasons_that_the_configuration_names_count():
    plan = make_plan(reasons=["boiling", "no_money"], reasons_for_yes=("no_money",), reasons_for_no=("boiling",))
    assert complete(plan, "NR", "no_money") == ("yes", "no_money")
    assert complete(plan, "NR", "boiling, no_money") == ("ambivalent", "boiling, no_money")
