"""Who is selected, over outputs that stage 3 made; never who withdrew, and never a test contact."""

import csv
from pathlib import Path
from typing import Any

import pytest

from engagement.delivery.selections.hand_overs import BEGUN, make_hand_over, record_hand_over
from engagement.foundation.errors import ConfigurationError, InputError
from example_project import DataRoot, uid_of
from selection_project import NOW, make_data_root, names_of, people_of, select

GROUPS = [{"Name": "mothers", "Files": ["mothers.csv"]}]
OTHERS = [
    {"Name": "water", "CodedWith": "rqa_s01e01:water"},
    {"Name": "women", "CodedWith": "gender:woman", "ExcludedSelections": ["water"]},
]
ALL = ["amina", "bashir", "caasha", "daahir", "ebla", "faarax", "gacal", "hodan"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> DataRoot:
    folder = tmp_path_factory.mktemp("selections")
    made = make_data_root(folder, *OTHERS)
    write_list(made, "mothers.csv", ["amina", "ebla", "nobody"], name="Name")
    write_list(made, "partner.csv", ["amina", "idil", "nobody"])
    write_list(made, "other_table.csv", ["nobody", "somebody"])
    write_list(made, "empty.csv", [])
    return made


def write_list(root: DataRoot, file: str, names: list[str], name: str = "note") -> None:
    with (root.configuration.parent / file).open("w", newline="", encoding="utf-8-sig") as target:
        rows = csv.writer(target)
        rows.writerow([name, "avf-phone-uuid"])
        rows.writerows(["Amina Cali", uid_of(one)] for one in names)


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        ({}, ALL),
        ({"TookPartIn": ["any"]}, ALL),
        ({"TookPartIn": ["rqa_s01e02"]}, ["bashir", "caasha"]),
        ({"LastWeeks": 2}, ["bashir", "caasha"]),
        ({"LastWeeks": 2, "TookPartIn": ["rqa_s01e01"]}, []),
        ({"LastWeeks": 5, "TookPartIn": ["rqa_s01e01"]}, ALL),
        ({"CodedWith": "rqa_s01e01:water"}, ["amina", "bashir", "caasha", "daahir"]),
        ({"CodedWith": "rqa_s01e01:water and not gender:man"}, ["amina", "caasha"]),
        ({"CodedWith": "rqa_s01e01:water and gender:woman or gender:NA"}, ["amina", "caasha", "gacal"]),
        ({"Places": ["bay"]}, ["amina", "bashir", "gacal"]),
        ({"Places": ["district:baidoa"]}, ["amina", "bashir", "gacal"]),
        ({"Places": ["south_west_state", "mogadishu"]}, [name for name in ALL if name != "caasha"]),  # of two levels
        # Nobody is guessed into a place: the zone that follows from an operator is no answer.
        ({"Places": ["nez"]}, []),
        ({"CodedWith": "zone:nez"}, []),
        ({"OptedIn": True}, ["ebla"]),
        ({"OptedIn": True, "TookPartIn": ["rqa_s01e02"]}, []),
        ({"Operators": ["golis"]}, ["bashir", "caasha"]),
        ({"ExcludedSelections": ["water"]}, ["ebla", "faarax", "gacal", "hodan"]),
        ({"ExcludedSelections": ["women"]}, ["amina", "bashir", "caasha", "daahir", "faarax", "gacal"]),
        ({"ExclusionFiles": ["partner.csv", "empty.csv"]}, ALL[1:]),
    ],
)  # fmt: skip
def test_each_key_chooses(root: DataRoot, keys: dict[str, Any], names: list[str]):
    assert names_of(select(root, **keys)) == names


def test_steps_say_who_is_left_after_each(root: DataRoot):
    selected = select(root, TookPartIn=["rqa_s01e01"], Places=["bay"], CodedWith="rqa_s01e01:school")
    assert selected.say_steps() == (
        "9 wrote and did not withdraw, 9 took part in rqa_s01e01, 0 with rqa_s01e01:school, 0 in bay, 0 are no test contacts"
    )
    assert people_of(root).withdrawn == 1


def test_an_exclusion_list_says_what_it_held(root: DataRoot):
    selected = select(root, CodedWith="gender:woman", ExclusionFiles=["partner.csv"])
    # Who withdrew is known by the contact, though nowhere in the outputs.
    assert selected.notes == ("partner.csv: 3 line(s), 2 known, 1 in the selection",)
    assert "amina" not in names_of(selected)


def test_a_list_of_which_nobody_is_known_is_an_error(root: DataRoot):
    with pytest.raises(InputError, match=r"other_table\.csv: 2 line\(s\), and none of a participant of this data root"):
        select(root, ExclusionFiles=["other_table.csv"])


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (None, "no such file"),
        ("uid\n+252615000001\n", "row 2: what is there looks like a phone number"),
        ("uid\navf-phone-uuid-252615000001\n", "row 2: what is there has a number where its uuid should be"),
        ("uid\nshow-0c1f4b1e-53a4-4f6e-9a57-0d7c0a1f6f11\n", "row 2: what is there does not begin as ids"),
        ("name,note\nAmina,x\n", "no columns of participants' ids"),
        ("uid,avf-phone-uuid\navf-phone-uuid-a,avf-phone-uuid-b\n", "2 columns of participants' ids"),
    ],
)
def test_a_list_that_can_not_be_read_is_refused_without_its_content(root: DataRoot, content: str | None, found: str):
    path = root.configuration.parent / "broken.csv"
    path.unlink(missing_ok=True)
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigurationError) as error:
        select(root, ExclusionFiles=["broken.csv"])
    assert found in str(error.value)
    assert "252615000001" not in str(error.value)
    assert "Amina" not in str(error.value)


def test_a_list_needs_no_heading_and_may_have_blank_ids(root: DataRoot):
    path = root.configuration.parent / "plain.csv"
    path.write_text(f"{uid_of('amina')};x\n{uid_of('bashir')};\n;y\n")
    selected = select(root, ExclusionFiles=["plain.csv"])
    assert names_of(selected) == ALL[2:]
    assert selected.notes == ("plain.csv: 3 line(s), 2 known, 2 in the selection",)


def test_samples_are_the_same_every_time_and_grow(root: DataRoot):
    drawn = {size: names_of(select(root, Sample={"Size": size, "Seed": 3})) for size in (2, 5, 100)}
    assert set(drawn[2]) < set(drawn[5]) < set(drawn[100]) == set(ALL)
    assert drawn[5] == sorted(drawn[5]) == names_of(select(root, Sample={"Size": 5, "Seed": 3}))
    assert drawn[5] != names_of(select(root, Sample={"Size": 5, "Seed": 4}))
    assert select(root, Sample={"Size": 5}).steps[-1] == ("drawn", 5)


def test_a_stratified_sample_keeps_the_shares(root: DataRoot):
    # Four women, three men and one who did not say: of four, two women, one or two men.
    names = names_of(select(root, Sample={"Size": 4, "StratifyBy": "gender"}))
    assert len(set(names) & {"amina", "caasha", "ebla", "hodan"}) == 2
    assert len(names) == 4


def test_who_was_contacted_lately_is_left_out(tmp_path: Path):
    root = make_data_root(tmp_path)
    for day, names, selection, target in (
        (20, ["amina", "bashir"], "other", "file"),
        (1, ["caasha"], "other", "file"),
        (25, ["daahir"], "a", "RapidPro example.org: group 'a'"),  # this selection's own group stays as it is
        (26, ["ebla"], "a", "file"),
    ):
        uids = [uid_of(name) for name in names]
        at = NOW.replace(day=day)
        record_hand_over(root.path, make_hand_over(at, "tester", BEGUN, selection, target, uids, {}), uids)
    assert names_of(select(root, NotContactedForDays=14)) == ["caasha", "daahir", "faarax", "gacal", "hodan"]
    record = root.path / "Hand-overs" / "hand_overs.jsonl"
    assert len(record.read_text().splitlines()) == 4
    ids = next((root.path / "Hand-overs" / "uids").iterdir())
    ids.write_text(ids.read_text() + uid_of("hodan") + "\n")
    with pytest.raises(InputError, match="line .*: damaged"):
        select(root, NotContactedForDays=14)


def test_before_coding_nobody_can_be_selected(tmp_path: Path):
    root = make_data_root(tmp_path)
    root.generate(mode="auto-code-only")
    with pytest.raises(InputError, match="all-stages"):
        people_of(root)


def test_the_guessed_zone_is_in_the_outputs_though_nobody_is_chosen_by_it(root: DataRoot):
    zones = {row["uid"]: row["zone"] for row in root.table("individuals")}
    assert zones[uid_of("caasha")] == "nez"
