"""Stage 3 on small invented data roots: what labels make of an answer, and what follows from it."""

import pytest

from engagement.provenance import read_traced_data
from example_project import DataRoot, coda_message, episode_run, label, survey_run

# Labels of one text in the array's order, newest first, and the columns of the episode that are "1".
CODED = [
    ([label("episode1", "water")], {"water"}),
    # A theme in the primary scheme and one in a copy both count.
    ([label("episode1", "water"), label("episode1", "roads", copy="-1")], {"water", "roads"}),
    # The newest label of a scheme counts, whatever its time says.
    ([label("episode1", "school"), label("episode1", "water")], {"school"}),
    # An un-ticked label does not count.
    ([label("episode1", "water", checked=False)], {"NR"}),
    # A label that a coder took off does not count, nor does the one under it.
    ([label("episode1", "SPECIAL-MANUALLY_UNCODED"), label("episode1", "water")], {"NR"}),
    # The same code twice is one code.
    ([label("episode1", "water"), label("episode1", "water", copy="-1")], {"water"}),
    # "Scheme-episode1x" merely begins with the scheme's id.
    ([label("episode1", "water", copy="x")], {"NR"}),
    # A code that the scheme lacks is kept as not coded.
    ([label("episode1", "unheard-of")], {"NC"}),
    ([label("episode1", "unheard-of"), label("episode1", "water", copy="-1")], {"water"}),
    # Wrong scheme without a dataset it belongs to, and the other way round, are coding errors.
    ([label("episode1", "WS")], {"CE"}),
    ([label("episode1", "water"), label("ws", "gender")], {"CE"}),
]


@pytest.mark.parametrize(("labels", "expected"), CODED)
def test_labels_of_a_multiple_coding(data_root: DataRoot, labels: list, expected: set[str]):
    data_root.write_runs(episode_run("a", "biyo"))
    data_root.write_coded("s01e01", coda_message("biyo", *labels))
    data_root.generate()
    (message,) = data_root.table("messages")
    prefix = "rqa_s01e01_"
    ticked = {column.removeprefix(prefix) for column in message if column.startswith(prefix) and message[column] == "1"}
    assert ticked == expected


# Answer, labels, expected gender.
GENDERS = [
    (None, [], "NA"),
    ("", [], "NC"),
    (" \u3000", [], "NC"),
    (" \u3000", [label("gender", "man")], "man"),
    ("nin", [], "NR"),
    ("nin", [label("gender", "man")], "man"),
    ("nin", [label("gender", "man", checked=False)], "NR"),
    # A copy of the scheme is no label of a single coding.
    ("nin", [label("gender", "man", copy="-1")], "NR"),
]


@pytest.mark.parametrize(("answer", "labels", "expected"), GENDERS)
def test_labels_of_a_single_coding(data_root: DataRoot, answer: str | None, labels: list, expected: str):
    data_root.write_runs(episode_run("a", "biyo"), survey_run("a", gender=answer))
    data_root.write_coded("gender", coda_message(answer or "", *labels))
    data_root.generate()
    assert data_root.table("messages")[0]["gender"] == expected


LEVELS = ("sub_district", "district", "region", "state", "zone")
PLACES = [
    # The finest place counts, what lies above follows, what lies below is not coded.
    ([label("sub_district", "hodan")], "hodan mogadishu banadir banadir scz"),
    ([label("district", "baidoa")], "NC baidoa bay south_west_state scz"),
    ([label("state", "south_west_state")], "NC NC NC south_west_state scz"),
    ([label("zone", "nez")], "NC NC NC NC nez"),
    # Places that agree.
    ([label("sub_district", "hodan"), label("district", "mogadishu")], "hodan mogadishu banadir banadir scz"),
    ([label("district", "baidoa"), label("zone", "scz")], "NC baidoa bay south_west_state scz"),
    # Places that contradict each other, and a control code beside a place.
    ([label("district", "baidoa"), label("region", "banadir")], "CE CE CE CE CE"),
    ([label("district", "baidoa"), label("zone", "NC")], "CE CE CE CE CE"),
    ([label("district", "NC"), label("zone", "greeting")], "CE CE CE CE CE"),
    # Codes about the coding are copied to all levels.
    ([label("district", "NC")], "NC NC NC NC NC"),
    ([label("region", "greeting")], "greeting greeting greeting greeting greeting"),
    ([], "NR NR NR NR NR"),
]


@pytest.mark.parametrize(("labels", "expected"), PLACES)
def test_a_place_at_any_level_completes_the_others(data_root: DataRoot, labels: list, expected: str):
    data_root.write_runs(episode_run("a", "biyo", operator="golis"), survey_run("a", location="Baydhabo"))
    data_root.write_coded("location", coda_message("Baydhabo", *labels))
    data_root.generate()
    (message,) = data_root.table("messages")
    assert " ".join(message[level] for level in LEVELS) == expected


@pytest.mark.parametrize(
    ("operator", "answer", "expected"),
    [
        ("golis", None, "NA NA NA NA nez"),
        ("hormud", None, "NA NA NA NA scz"),
        (None, None, "NA NA NA NA NA"),
        ("NC", None, "NA NA NA NA NA"),
        # An empty answer is an answer.
        ("golis", "", "NC NC NC NC NC"),
    ],
)
def test_without_a_location_the_zone_follows_from_the_operator(
    data_root: DataRoot, operator: str | None, answer: str | None, expected: str
):
    data_root.write_runs(episode_run("a", "biyo", operator=operator), survey_run("a", location=answer))
    data_root.generate()
    (message,) = data_root.table("messages")
    assert " ".join(message[level] for level in LEVELS) == expected


@pytest.mark.parametrize(
    ("age", "expected"),
    [("10", "10_to_14"), ("14", "10_to_14"), ("15", "15_to_17"), ("18", "18_to_35"), ("55", "55_to_99"),
     ("99", "55_to_99"), ("5", "CE"), ("NC", "NC"), ("greeting", "greeting"), ("STOP", "STOP")],
)  # fmt: skip
def test_the_age_category_follows_from_the_age(data_root: DataRoot, age: str, expected: str):
    data_root.write_runs(episode_run("a", "biyo"), survey_run("a", age="sano"))
    data_root.write_coded("age", coda_message("sano", label("age", age)))
    data_root.generate()
    assert data_root.table("messages")[0]["age_category"] == expected


def test_a_later_null_answer_hides_neither_the_earlier_answer_nor_its_time(data_root: DataRoot):
    data_root.write_runs(
        episode_run("a", "biyo"),
        survey_run("a", 100, "2026-04-02T10:00:00+03:00", gender="nin", age="20"),
        survey_run("a", 101, "2026-04-03T10:00:00+03:00", gender=None, age="21"),
    )
    data_root.generate()
    (message,) = data_root.table("messages")
    assert (message["gender_raw"], message["age_raw"]) == ("nin", "21")
    (record,) = read_traced_data(data_root.outputs / "messages_traced_data.jsonl")
    assert record.values["gender_time"] == "2026-04-02T10:00:00+03:00"
    assert record.values["age_time"] == "2026-04-03T10:00:00+03:00"
