"""Stage 3 on small invented data roots: what people wrote and coders said in, tables out."""

import hashlib
import json
from pathlib import Path

import pytest

from engagement.foundation.errors import InputError
from engagement.provenance import encode_fresh_chain, read_traced_data
from example_project import (
    EPISODE_FLOW,
    METADATA,
    SURVEY_FLOW,
    DataRoot,
    coda_message,
    episode_run,
    label,
    survey_run,
    uid_of,
    write_project,
)


@pytest.fixture
def data_root(tmp_path: Path) -> DataRoot:
    return DataRoot(tmp_path)


def test_a_first_run_without_coda_data_writes_everything_as_not_reviewed(data_root: DataRoot):
    data_root.write_runs(episode_run("a", "biyo"), survey_run("a", gender="naag", age="22jir"))
    data_root.generate()
    (message,) = data_root.table("messages")
    assert message["uid"] == uid_of("a")
    assert message["consent_withdrawn"] == "false"
    assert (message["rqa_s01e01_raw"], message["rqa_s01e01_NR"], message["rqa_s01e01_water"]) == ("biyo", "1", "0")
    assert (message["rqa_s01e02_raw"], message["rqa_s01e02_NA"]) == ("", "1")
    assert (message["gender"], message["gender_raw"], message["age_category"]) == ("NR", "naag", "NR")
    (individual,) = data_root.table("individuals")
    assert dict(individual) == dict(message)


def test_columns_are_the_plans_configurations_in_order_and_the_raw_field_last(data_root: DataRoot):
    data_root.generate()
    header = (data_root.outputs / "messages.csv").read_text().rstrip("\n").split(",")
    assert header[:5] == ["uid", "consent_withdrawn", "rqa_s01e01_water", "rqa_s01e01_school", "rqa_s01e01_roads"]
    assert header[-8:] == [
        "sub_district",
        "district",
        "region",
        "state",
        "zone",
        "location_raw",
        "operator",
        "operator_raw",
    ]
    assert header == (data_root.outputs / "individuals.csv").read_text().rstrip("\n").split(",")


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


def test_a_text_of_invisible_characters_is_noise_and_no_empty_line_for_coders(data_root: DataRoot):
    data_root.write_runs(episode_run("a", "biyo"), episode_run("b", "\u200b\ufeff"), episode_run("c", "\u2060"))
    data_root.write_coded("s01e01", coda_message("\u2060"))
    data_root.generate()
    coda = json.loads((data_root.outputs / "Coda Files" / "EXAMPLE_s01e01.json").read_text())
    assert {message["Text"] for message in coda} == {"biyo", "\u2060"}  # the second is in Coda already
    sample = (data_root.outputs / "ICR" / "s01e01.csv").read_text()
    assert [row.partition(",")[2] for row in sample.splitlines()[1:]] == ["biyo"]
    assert [row["rqa_s01e01_NC"] for row in data_root.table("messages")].count("1") == 2


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


def wrong_scheme(scheme: str, target: str) -> list:
    return [label(scheme, "WS"), label("ws", target)]


def test_an_answer_to_another_episode_moves_there_with_its_own_run_id_and_time(data_root: DataRoot):
    data_root.write_runs(
        episode_run("a", "rajo", 1, "2026-04-01T10:00:00+03:00", run_id=11),
        episode_run("a", "welwel", 2, "2026-04-08T10:00:00+03:00", run_id=12),
    )
    data_root.write_coded("s01e01", coda_message("rajo", *wrong_scheme("episode1", "episode_2")))
    data_root.generate()
    first, second = data_root.table("messages")
    assert (first["rqa_s01e01_raw"], first["rqa_s01e02_raw"], second["rqa_s01e02_raw"]) == ("", "rajo", "welwel")
    records = {
        r.values["rqa_s01e02_raw"]: r.values for r in read_traced_data(data_root.outputs / "messages_traced_data.jsonl")
    }
    assert records["rajo"]["rqa_s01e02_run_id"] == 11
    assert records["rajo"]["sent_on"] == "2026-04-01T10:00:00+03:00"
    assert "rqa_s01e01_run_id" not in records["rajo"]
    assert [m["Text"] for m in data_root.coda_file("s01e02")] == ["rajo", "welwel"]
    assert data_root.coda_file("s01e01") == []


def test_a_demographic_answer_sent_to_an_episode_reaches_all_messages_of_the_participant(data_root: DataRoot):
    data_root.write_runs(
        episode_run("a", "waxaan ahay nin", 1, run_id=11),
        episode_run("a", "biyo", 1, "2026-04-03T10:00:00+03:00", run_id=12),
        episode_run("b", "biyo", 1, run_id=13),
    )
    data_root.write_coded("s01e01", coda_message("waxaan ahay nin", *wrong_scheme("episode1", "gender")))
    data_root.write_coded("gender", coda_message("waxaan ahay nin", label("gender", "man")))
    data_root.generate()
    messages = {row["uid"]: row for row in data_root.table("messages")}
    assert len(data_root.table("messages")) == 2
    assert (messages[uid_of("a")]["gender"], messages[uid_of("a")]["gender_raw"]) == ("man", "waxaan ahay nin")
    assert messages[uid_of("b")]["gender"] == "NA"


def test_several_answers_in_one_survey_field_are_joined_own_answer_first(data_root: DataRoot):
    data_root.write_runs(
        episode_run("a", "naag", 1, "2026-04-05T10:00:00+03:00", run_id=11),
        episode_run("a", "gabar", 1, "2026-04-03T10:00:00+03:00", run_id=12),
        episode_run("a", "biyo", 1, run_id=13),
        survey_run("a", gender="22", age="dumar"),
    )
    texts = [coda_message(text, *wrong_scheme("episode1", "gender")) for text in ("naag", "gabar")]
    data_root.write_coded("s01e01", *texts)
    data_root.write_coded("age", coda_message("dumar", *wrong_scheme("age", "gender")))
    data_root.generate()
    (message,) = data_root.table("messages")
    assert message["gender_raw"] == "22; dumar; gabar; naag"
    assert message["age_raw"] == ""
    (record,) = read_traced_data(data_root.outputs / "messages_traced_data.jsonl")
    assert record.values["gender_raw_source"] == ["gender_raw", "age_raw", "rqa_s01e01_raw", "rqa_s01e01_raw"]
    assert record.values["gender_time"] == "2026-04-02T10:00:00+03:00"
    assert "age_time" not in record.values


def test_a_survey_answer_to_an_episode_becomes_one_message_without_a_run_id(data_root: DataRoot):
    data_root.write_runs(
        episode_run("a", "biyo", run_id=11, operator="hormud"),
        episode_run("a", "waddo", time="2026-04-09T10:00:00+03:00", run_id=12, operator="hormud"),
        survey_run("a", gender="rajo", age="20"),
        survey_run("only the survey", gender="rajo"),
    )
    data_root.write_coded("gender", coda_message("rajo", *wrong_scheme("gender", "episode_2")))
    data_root.generate()
    rows = data_root.table("messages")
    assert [row["rqa_s01e02_raw"] for row in rows] == ["", "rajo", ""]
    assert {row["uid"] for row in rows} == {uid_of("a")}
    assert [row["gender_raw"] for row in rows] == ["", "", ""]
    assert [row["operator"] for row in rows] == ["hormud"] * 3
    moved = next(
        r for r in read_traced_data(data_root.outputs / "messages_traced_data.jsonl") if "rqa_s01e02_raw" in r.values
    )
    assert moved.values["sent_on"] == "2026-04-02T10:00:00+03:00"
    assert "rqa_s01e02_run_id" not in moved.values
    assert "gender_time" not in moved.values


def test_an_answer_to_a_dataset_that_no_plan_has_is_left_out_and_counted(data_root: DataRoot, caplog):
    caplog.set_level("INFO")
    data_root.write_runs(episode_run("a", "roob"), episode_run("a", "biyo", run_id=2))
    data_root.write_coded("s01e01", coda_message("roob", *wrong_scheme("episode1", "elsewhere")))
    data_root.generate()
    assert [row["rqa_s01e01_raw"] for row in data_root.table("messages")] == ["biyo"]
    assert "1 answer(s) marked as wrong scheme belong to 'elsewhere'" in caplog.text
    assert "roob" not in caplog.text


def test_moves_are_made_once(data_root: DataRoot):
    data_root.write_runs(episode_run("a", "rajo"))
    data_root.write_coded("s01e01", coda_message("rajo", *wrong_scheme("episode1", "episode_2")))
    data_root.write_coded("s01e02", coda_message("rajo", *wrong_scheme("episode2", "episode_1")))
    data_root.generate()
    (message,) = data_root.table("messages")
    assert (message["rqa_s01e01_raw"], message["rqa_s01e02_raw"], message["rqa_s01e02_WS"]) == ("", "rajo", "1")


STOPPED = [
    # In the answer to an episode, in a survey, in a message that is out of the project's time, in one that moves away.
    ("s01e01", "ha i soo dirin", episode_run("a", "ha i soo dirin", run_id=2), label("episode1", "STOP")),
    ("gender", "jooji", survey_run("a", gender="jooji"), label("gender", "STOP")),
    (
        "s01e01",
        "jooji",
        episode_run("a", "jooji", time="2020-01-01T00:00:00+03:00", run_id=2),
        label("episode1", "STOP"),
    ),
    ("s01e01", "jooji", episode_run("a", "jooji", run_id=2), label("episode1", "STOP", copy="-2")),
    # In an earlier survey run whose answer was given anew.
    ("age", "jooji", survey_run("a", age="jooji") + survey_run("a", 101, age="20"), label("age", "STOP")),
]


@pytest.mark.parametrize(("dataset", "text", "lines", "stop"), STOPPED)
def test_stop_once_is_stop_everywhere(data_root: DataRoot, dataset: str, text: str, lines: str, stop: dict):
    more = [line + "\n" for line in lines.splitlines()]
    data_root.write_runs(episode_run("a", "biyo"), episode_run("b", "waddo"), *more)
    data_root.write_coded(dataset, coda_message(text, stop))
    data_root.generate()
    rows = data_root.table("messages")
    assert [row["uid"] for row in rows][0] == uid_of("b")
    assert all(set(row.values()) == {"STOP", "true"} and row["consent_withdrawn"] == "true" for row in rows[1:])
    assert len(rows) >= 2
    assert [row["uid"] for row in data_root.table("individuals")] == [uid_of("b"), "STOP"]
    assert [row["uid"] for row in data_root.table("production")] == [uid_of("b")]
    everything = b"".join(path.read_bytes() for path in data_root.outputs.rglob("*") if path.is_file())
    assert uid_of("a").encode() not in everything
    assert b"biyo" not in everything


def test_stop_of_somebody_else_stays_theirs(data_root: DataRoot):
    data_root.write_runs(episode_run("a", "biyo"), episode_run("b", "jooji"))
    data_root.write_coded("s01e01", coda_message("jooji", label("episode1", "STOP", checked=False)))
    data_root.generate()
    assert {row["consent_withdrawn"] for row in data_root.table("messages")} == {"false"}


def test_each_filter_says_what_it_dropped(data_root: DataRoot, caplog):
    caplog.set_level("INFO")
    data_root.write_runs(
        episode_run("a", "biyo"),
        episode_run("b", "imtixaan", test_run=True),
        episode_run("c", None),
        episode_run("d", "hore", time="2026-02-28T23:59:59.999999+03:00"),
        episode_run("e", "dhammaad", time="2026-06-01T00:00:00+03:00"),
        episode_run("f", "bilow", time="2026-02-28T21:00:00Z"),
        episode_run("g", ""),
    )
    data_root.generate()
    assert {row["uid"] for row in data_root.table("messages")} == {uid_of("a"), uid_of("f"), uid_of("g")}
    assert (
        "Kept 3 of 7 message(s): 1 of test contacts, 2 sent outside the project's time range, "
        "1 without an answer to an episode" in caplog.text
    )


def test_production_holds_what_people_wrote_and_no_formula(data_root: DataRoot):
    data_root.write_runs(episode_run("a", '=HYPERLINK("x")'), survey_run("a", gender="+nin", age="a\nb"))
    data_root.generate()
    (row,) = data_root.table("production")
    assert row == {"uid": uid_of("a"), "rqa_s01e01_raw": "'=HYPERLINK(\"x\")", "rqa_s01e02_raw": "", "gender_raw": "'+nin",
                   "age_raw": "a\nb", "location_raw": "", "operator_raw": ""}  # fmt: skip
    assert (data_root.outputs / "production.csv").read_text().startswith('"uid","rqa_s01e01_raw"')
    assert data_root.table("messages")[0]["rqa_s01e01_raw"] == '=HYPERLINK("x")'


def test_coda_files_have_one_message_a_distinct_text_with_proposals(data_root: DataRoot):
    data_root.write_runs(
        episode_run("a", "biyo", time="2026-04-02T10:00:00+03:00"),
        episode_run("b", "biyo", time="2026-04-01T10:00:00+03:00"),
        episode_run("c", ""),
        survey_run("a", age="22 jir", gender="hadalo kale"),
    )
    data_root.generate()
    (message,) = data_root.coda_file("s01e01")
    assert message == {
        "MessageID": hashlib.sha256(b"biyo").hexdigest(),
        "Text": "biyo",
        "CreationDateTimeUTC": "2026-04-01T07:00:00.000000+00:00",
        "Labels": [],
    }
    (age,) = data_root.coda_file("age")
    assert age["Labels"] == [
        {
            "SchemeID": "Scheme-age",
            "CodeID": "age-22",
            "DateTimeUTC": age["CreationDateTimeUTC"],
            "Checked": False,
            "Origin": {"OriginID": "somali.age", "Name": "Pipeline Auto-Coder", "OriginType": "External"},
        }
    ]
    (gender,) = data_root.coda_file("gender")
    assert gender["Labels"] == []


def test_a_text_that_only_withdrawn_participants_wrote_stays_in_coda_only_if_it_is_there(data_root: DataRoot):
    data_root.write_runs(episode_run("a", "jooji"), episode_run("a", "cusub", run_id=2), episode_run("b", "biyo"))
    data_root.write_coded("s01e01", coda_message("jooji", label("episode1", "STOP")))
    data_root.generate()
    assert {message["Text"] for message in data_root.coda_file("s01e01")} == {"jooji", "biyo"}


def test_one_more_message_changes_the_icr_sample_by_at_most_one(data_root: DataRoot):
    lines = [episode_run(f"p{n}", f"jawaab {n}", run_id=n) for n in range(300)]
    data_root.write_runs(*lines)
    data_root.generate()
    before = [row["rqa_s01e01_raw"] for row in data_root.table("ICR/s01e01")]
    data_root.write_runs(
        *lines, episode_run("new", "jawaab cusub", run_id=1000), episode_run("twice", "jawaab 7", run_id=2000)
    )
    data_root.generate()
    after = [row["rqa_s01e01_raw"] for row in data_root.table("ICR/s01e01")]
    assert len(before) == len(after) == len(set(after)) == 200
    assert len(set(before) - set(after)) <= 2


def test_any_number_of_partitions_gives_the_same_bytes(data_root: DataRoot):
    lines = []
    for n in range(60):
        lines += [
            episode_run(f"p{n % 23}", f"jawaab {n % 17}", n % 2 + 1, f"2026-04-{n % 28 + 1:02}T10:00:00+03:00", n)
        ]
        lines += [survey_run(f"p{n}", n, gender="nin" if n % 2 else None, age=str(n))] if n % 3 else []
    data_root.write_runs(*lines)
    data_root.write_coded("s01e01", coda_message("jawaab 2", label("episode1", "STOP")))
    data_root.write_coded("s01e02", coda_message("jawaab 3", *wrong_scheme("episode2", "gender")))

    def digests() -> dict[str, str]:
        found = {}
        for path in sorted([*data_root.outputs.rglob("*"), *(data_root.path / "State").rglob("*.parquet")]):
            if path.is_file():
                data = path.read_bytes()
                if path.suffix == ".jsonl":  # the time of the run, and what hashes it
                    records = [json.loads(line) for line in data.splitlines()]
                    data = json.dumps([[u["Data"].get("uid") for u in record] for record in records]).encode()
                found[path.name] = hashlib.sha256(data).hexdigest()
        return found

    data_root.generate(partitions=1)
    expected = digests()
    assert len(expected) == 16
    for partitions, jobs in ((2, 1), (3, 2), (16, 2), (1000, 1)):
        data_root.generate(partitions=partitions, jobs=jobs)
        assert digests() == expected, partitions


def test_one_participant_with_thousands_of_messages_is_a_normal_case(data_root: DataRoot):
    data_root.write_runs(
        *(episode_run("a", f"jawaab {n}", run_id=n) for n in range(5000)),
        *(survey_run("a", n, gender="nin", age=str(n)) for n in range(50)),
    )
    data_root.generate()
    assert len(data_root.table("messages")) == 5000
    (individual,) = read_traced_data(data_root.outputs / "individuals_traced_data.jsonl")
    assert len(individual.values["folded_from"]) == 5000
    assert (data_root.outputs / "individuals_traced_data.jsonl").stat().st_size < 1_000_000
    assert (data_root.outputs / "messages_traced_data.jsonl").stat().st_size < 5000 * 16_000


def test_values_that_should_be_equal_and_are_not_are_named_without_their_texts(tmp_path: Path):
    def survey_is_an_episode(configuration: dict) -> None:
        flows = configuration["RawDataSources"][0]
        flows["ActivationFlowNames"].append(SURVEY_FLOW)
        flows["SurveyFlowNames"] = []

    root = DataRoot(tmp_path, write_project(tmp_path / "configuration", survey_is_an_episode))
    both = json.loads(episode_run("a", "biyo"))[0]["Data"]
    second = json.loads(episode_run("a", "waddo", run_id=2))[0]["Data"]

    first_line = encode_fresh_chain([({**both, f"Gender (Value) - {SURVEY_FLOW}": "nin dheer"}, METADATA)]) + "\n"
    second_line = encode_fresh_chain([({**second, f"Gender (Value) - {SURVEY_FLOW}": "naag dheer"}, METADATA)]) + "\n"
    root.write_flow(EPISODE_FLOW.format(1), first_line, second_line)
    with pytest.raises(InputError) as error:
        root.generate()
    assert f"participant {uid_of('a')}, field 'gender_raw'" in str(error.value)
    assert "dheer" not in str(error.value)


def test_half_a_character_is_mended_and_stops_nothing(data_root: DataRoot):
    data_root.write_runs(
        episode_run("a", "biyo \ud83d waddo"), survey_run("a", gender="\udc00"), episode_run("b", "ok \U0001f600")
    )
    data_root.generate()
    first, second = sorted(data_root.table("messages"), key=lambda row: row["uid"])
    assert (first["rqa_s01e01_raw"], first["gender_raw"]) == ("biyo \ufffd waddo", "\ufffd")
    assert second["rqa_s01e01_raw"] == "ok \U0001f600"


def test_auto_code_only_leaves_what_can_be_made_before_coding(data_root: DataRoot):
    data_root.write_runs(episode_run("a", "biyo"))
    data_root.generate()
    data_root.generate(mode="auto-code-only")
    names = {path.name for path in data_root.outputs.iterdir()}
    assert names == {"production.csv", "ICR", "Coda Files", "message_counts.json"}
    assert data_root.table("production")[0]["rqa_s01e01_raw"] == "biyo"


def test_the_analysis_of_the_last_run_is_carried_across(data_root: DataRoot):
    data_root.write_runs(episode_run("a", "biyo"))
    data_root.generate()
    analysis = data_root.outputs / "Automated Analysis" / "graphs"
    analysis.mkdir(parents=True)
    (analysis / "traffic.png").write_bytes(b"picture")
    data_root.generate()
    assert (analysis / "traffic.png").read_bytes() == b"picture"
