"""Labels as Coda's page and its tools leave them: stage 3 reads them, and so does whoever explains what it made of them."""

import json

import pytest

from engagement.__main__ import main
from engagement.foundation.errors import InputError
from engagement.pipeline.coding.coded_datasets import check_coda_messages
from example_project import DataRoot, coda_message, episode_run, label, survey_run, uid_of

MAN, WOMAN = label("gender", "man"), label("gender", "woman")
AUTOMATIC = {**label("gender", "woman", checked=False),
             "Origin": {"OriginID": "somali.gender", "Name": "Pipeline Auto-Coder", "OriginType": "External"}}  # fmt: skip


def without(*keys, given=MAN):
    return {key: value for key, value in given.items() if key not in keys}


# Labels of one message of the dataset of genders, newest first, and what messages.csv has for it.
CASES = [
    ("what the page writes", [{**MAN, "Confidence": 0, "LabelSet": 1, "DateTimeUTC": "2026-04-05T08:00:00.123Z"}], "man"),
    ("a proposal of ours, then a coder", [MAN, AUTOMATIC], "man"),
    ("a proposal of ours that nobody ticked", [AUTOMATIC], "NR"),
    ("a proposal on top of a coder's label", [AUTOMATIC, MAN], "NR"),
    ("unticked", [without("Checked") | {"Checked": False}, WOMAN], "NR"),
    ("without Checked", [without("Checked"), WOMAN], "NR"),
    ("Checked is null", [{**MAN, "Checked": None}], "NR"),
    ("un-coded", [label("gender", "SPECIAL-MANUALLY_UNCODED"), MAN], "NR"),
    ("labelled again after it was un-coded", [WOMAN, label("gender", "SPECIAL-MANUALLY_UNCODED"), MAN], "woman"),
    ("without Confidence and LabelSet", [MAN], "man"),
    ("without Origin", [without("Origin")], "man"),
    ("Origin is null", [{**MAN, "Origin": None}], "man"),
    ("without a time", [without("DateTimeUTC")], "man"),
    ("without either", [without("DateTimeUTC", "Origin"), without("Origin", given=WOMAN)], "man"),
    ("keys that nobody knows", [{**MAN, "Metadata": {"a": [1]}, "Reviewer": "x"}], "man"),
    ("an automatic label of Coda's", [{**MAN, "Origin": {**MAN["Origin"], "OriginType": "Automatic"}}], "man"),
]  # fmt: skip


@pytest.mark.parametrize(("labels", "expected"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_every_kind_of_label_is_read_and_explained(tmp_path, capsys, labels, expected):
    root = DataRoot(tmp_path)
    root.write_runs(episode_run("a", "biyo"), survey_run("a", gender="nin"))
    # A message's numbers and times may be missing, null or those of another one.
    message = {**coda_message("nin", *labels), "SequenceNumber": None, "LastUpdated": None, "Reviewed": True}
    root.write_coded("gender", message, coda_message("naag"), coda_message("haween"))
    root.generate()
    assert [row["gender"] for row in root.table("messages")] == [expected]
    arguments = [str(root.path), uid_of("a"), "gender", "--pipeline-configuration", str(root.configuration)]
    assert main(["explain", *arguments]) == 0
    assert f"=> gender: {expected}" in capsys.readouterr().out
    record = json.loads((root.outputs / "messages_traced_data.jsonl").read_text())
    given = next((u["Data"]["gender_coded"] for u in record if u["Data"].get("gender_coded", {}).get("Checked")), {})
    # What a label does not say is not made up.
    assert {key for key in ("Origin", "DateTimeUTC") if key in given} == {
        key for key in ("Origin", "DateTimeUTC") if expected != "NR" and labels[0].get(key) is not None
    }


def test_somebody_who_is_not_named_is_told_as_somebody(tmp_path, capsys):
    root = DataRoot(tmp_path)
    root.write_runs(episode_run("a", "biyo"), survey_run("a", gender="nin"))
    root.write_coded("gender", coda_message("nin", without("DateTimeUTC", "Origin")))
    root.generate()
    arguments = [str(root.path), uid_of("a"), "gender", "--pipeline-configuration", str(root.configuration)]
    assert main(["explain", *arguments]) == 0
    assert "In EXAMPLE_gender, somebody labelled it 'man'" in capsys.readouterr().out


@pytest.mark.parametrize(
    "broken", [{"CodeID": "a"}, {"SchemeID": 7, "CodeID": "a"}, {"SchemeID": "a", "CodeID": None}, "x"]
)
def test_a_label_without_scheme_or_code_is_refused_by_place(broken):
    with pytest.raises(InputError, match=r"at \$\[0\]\.Labels\[1\]: no (SchemeID|CodeID)"):
        check_coda_messages([coda_message("nin", MAN, broken)], "gender.json")
