"""A participant who comes by several ways has one mobile operator, and never stops stage 3."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engagement.__main__ import main
from engagement.provenance import encode_fresh_chain
from example_project import METADATA, DataRoot, Document, make_scheme, uid_of, write_project

FLOW = "s01e1_activation"
SMS, OTHER_SMS = ("25261", "hormud"), ("25290", "golis")
NOTHING = (None, None)


def coded(code: str) -> Document:
    return {"CodeID": f"operator-{code}", "SchemeID": "Scheme-operator", "Checked": False, "DateTimeUTC": "2026-04-01"}


def line(name: str, number: int, operator: str | None, code: str | None) -> str:
    parts = {"Text": f"biyo {number}", "Time": f"2026-04-0{1 + number}T10:00:00+03:00", "Run ID": number}
    data: Document = {f"Rqa_S01E01_Raw ({part}) - {FLOW}": value for part, value in parts.items()}
    data |= {"avf_phone_id": uid_of(name), f"run_id - {FLOW}": number}
    if operator is not None:
        data |= {"urn_type": "tel" if operator.isdigit() else operator, "operator_raw": operator}
    updates = [(data, METADATA)]
    if code is not None:
        updates.append(({"operator_coded": coded(code)}, METADATA))
    return encode_fresh_chain(updates) + "\n"


def make(folder: Path, change_plans: Callable[[Document], Any] | None = None, **settings: Any) -> DataRoot:
    configuration = write_project(folder / "configuration", lambda one: one.update(settings), change_plans)
    return DataRoot(folder, configuration)


def operators(root: DataRoot, table: str = "messages") -> list[str]:
    return [row["operator"] for row in root.table(table)]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ((SMS, ("spreadsheet", "NC")), "hormud"),
        ((("spreadsheet", "NC"), SMS, ("spreadsheet", "NC")), "hormud"),
        # One number is one participant by SMS and by WhatsApp.
        ((("whatsapp", "NC"), SMS), "hormud"),
        ((NOTHING, SMS), "hormud"),
        ((NOTHING, ("telegram", "NC")), "NC"),
        ((("telegram", "NC"), ("facebook", "NC")), "NC"),
        ((OTHER_SMS, SMS), "golis"),
        # Another prefix of the same operator, and one that was fetched before there was a scheme.
        ((SMS, ("25264", "hormud")), "hormud"),
        ((("25261", None), SMS), "hormud"),
        ((NOTHING, NOTHING), "NA"),
    ],
)
def test_of_several_operators_a_number_s_counts_then_the_first(tmp_path: Path, told: Any, expected: str):
    root = make(tmp_path)
    root.write_flow(FLOW, *(line("a", number, *one) for number, one in enumerate(told)), line("b", 8, *OTHER_SMS))
    root.generate()
    rows = {(row["uid"], row["operator"]) for row in root.table("messages")}
    assert rows == {(uid_of("a"), expected), (uid_of("b"), "golis")}
    assert operators(root, "individuals") == [expected, "golis"]


def test_linked_ids_have_the_operator_of_a_number(tmp_path: Path):
    names = [f"{number}0000000-53a4-4f6e-9a57-0d7c0a1f6f11" for number in (1, 2, 3)]
    root = make(tmp_path, LinkedParticipants=["linked.csv"])
    (tmp_path / "configuration" / "linked.csv").write_text("uid,uid_2,uid_3\n" + ",".join(map(uid_of, names)) + "\n")
    told = (("telegram", "NC"), ("facebook", "NC"), SMS)
    root.write_flow(FLOW, *(line(name, n, *one) for n, (name, one) in enumerate(zip(names, told, strict=True))))
    root.generate()
    assert operators(root) == ["hormud"] * 3
    assert operators(root, "individuals") == ["hormud"]


def test_without_a_plan_of_operators_the_guessed_zone_is_one(tmp_path: Path):
    root = make(tmp_path, lambda plans: plans["DemographicCodingPlans"].pop())
    root.write_flow(FLOW, line("a", 1, "spreadsheet", "NC"), line("a", 2, *OTHER_SMS))
    root.generate()
    assert [row["zone"] for row in root.table("individuals")] == ["nez"]


def fold_otherwise(plans: Document) -> None:
    # Without the plan of places, whose zones are guessed.
    plans["DemographicCodingPlans"] = plans["DemographicCodingPlans"][-1:]
    (plan,) = plans["DemographicCodingPlans"]
    plan["RawFieldFoldStrategy"] = "concatenate"
    plan["CodingConfigurations"][0]["FoldStrategy"] = "yes_no_amb"


def test_a_plan_that_folds_operators_otherwise_has_each_message_s_own(tmp_path: Path):
    def add_ambivalent(schemes: dict[str, Document]) -> None:
        schemes["operator"] = make_scheme("operator", ["hormud", "golis", "ambivalent"])

    def leave_out_survey(document: Document) -> None:
        document["RapidProKeyRemappings"] = [
            one for one in document["RapidProKeyRemappings"] if "demographics" not in one["RapidProKey"]
        ]

    root = DataRoot(
        tmp_path, write_project(tmp_path / "configuration", leave_out_survey, fold_otherwise, add_ambivalent)
    )
    root.write_flow(
        FLOW, line("a", 1, "telegram", "NC"), line("a", 2, *SMS), line("b", 3, *SMS), line("b", 4, *OTHER_SMS)
    )
    root.generate()
    assert operators(root) == ["NC", "hormud", "hormud", "golis"]
    assert operators(root, "individuals") == ["hormud", "ambivalent"]


def test_explain_says_where_it_came_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    root = make(tmp_path)
    root.write_flow(FLOW, line("a", 1, *SMS), line("a", 2, "spreadsheet", "NC"))
    root.generate()
    assert main(["explain", str(root.path), uid_of("a"), "operator"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "'25261' is what was kept, when the run was fetched on 2026-04-01" in told
    assert "'25261' is what was kept of the participant's address with another message of theirs: of a phone" in told
