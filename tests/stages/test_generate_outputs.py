"""Stage 3 on small invented data roots: what people wrote in, tables and files for coders out."""

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
    wrong_scheme,
)


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


def test_a_text_of_invisible_characters_is_noise_and_no_empty_line_for_coders(data_root: DataRoot):
    data_root.write_runs(episode_run("a", "biyo"), episode_run("b", "\u200b\ufeff"), episode_run("c", "\u2060"))
    data_root.write_coded("s01e01", coda_message("\u2060"))
    data_root.generate()
    coda = json.loads((data_root.outputs / "Coda Files" / "EXAMPLE_s01e01.json").read_text())
    assert {message["Text"] for message in coda} == {"biyo", "\u2060"}  # the second is in Coda already
    sample = (data_root.outputs / "ICR" / "s01e01.csv").read_text()
    assert [row.partition(",")[2] for row in sample.splitlines()[1:]] == ["biyo"]
    assert [row["rqa_s01e01_NC"] for row in data_root.table("messages")].count("1") == 2


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
