"""Inter-coder reliability from filled-in samples, as the command line gives it."""

import csv
import hashlib
import json
from pathlib import Path

import pytest

from engagement.__main__ import main
from engagement.analysis.statistics.agreement import list_agreement
from engagement.analysis.tables.season import load_season
from engagement.configuration import load_project
from engagement.foundation.errors import InputError
from example_project import DataRoot, episode_run, make_scheme

HEADER = ("rqa_s01e01_run_id", "rqa_s01e01_raw")
TEXTS = {"1": "biyo", "2": "dugsi", "3": "waddo", "4": "'=1+1"}


@pytest.fixture
def sheets(tmp_path: Path):
    """Writes a coder's sheet: the code of each message by run id; "" where it was not coded."""

    def write(coder: str, codes: dict[str, str], heading: str = "Code", separator: str = ",") -> str:
        path = tmp_path / f"{coder}.csv"
        with path.open("w", newline="", encoding="utf-8-sig") as file:
            rows = csv.writer(file, delimiter=separator)
            rows.writerow([*HEADER, heading])
            rows.writerows([run_id, TEXTS[run_id], code] for run_id, code in codes.items())
        return str(path)

    return write


def measure(capsys, *arguments: str) -> dict:
    assert main(["icr", "--json", "--draws", "50", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def refusal(capsys, *arguments: str) -> str:
    assert main(["icr", *arguments]) == 11
    return capsys.readouterr().err


def message_id(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_single_codes_give_the_plain_coefficients(sheets, capsys):
    one = sheets("asha", {"1": "water", "2": "school", "3": "roads", "4": "NC"})
    two = sheets("nuur", {"4": "NC", "3": "water", "2": " School", "1": "water"}, separator=";")
    found = measure(capsys, one, two)
    assert found["coders"] == ["asha", "nuur"]
    assert found["overall"]["percent_agreement"]["value"] == 0.75
    # By hand: of 8 codes water 3, school 2, NC 2, roads 1; disagreeing pairs 2 of 8; 1 - 7 * 2 / (64 - 9 - 4 - 4 - 1).
    assert found["overall"]["alpha"]["value"] == pytest.approx(1 - 7 * 2 / 46)
    water = next(row for row in found["by_code"] if row["code"] == "water")
    assert water["times"] == {"asha": 1, "nuur": 2}
    assert water["percent_agreement"]["value"] == 0.75
    assert [row["code"] for row in found["by_code"]] == ["NC", "roads", "school", "water"]


def test_several_codes_of_a_message_are_compared_as_a_whole_and_one_by_one(sheets, capsys):
    one = sheets("asha", {"1": "water; school", "2": "school", "3": "roads"})
    two = sheets("nuur", {"1": "school|water", "2": "school, roads", "3": "roads"})
    found = measure(capsys, one, two)
    assert found["overall"]["percent_agreement"]["value"] == pytest.approx(2 / 3)
    by_code = {row["code"]: row["percent_agreement"]["value"] for row in found["by_code"]}
    assert by_code == {"roads": pytest.approx(2 / 3), "school": 1, "water": 1}
    (disagreement,) = found["disagreements"]
    assert disagreement["codes"] == {"asha": ["school"], "nuur": ["roads", "school"]}


def test_what_was_not_coded_counts_for_nobody(sheets, capsys):
    one = sheets("asha", {"1": "water", "2": "", "3": "roads", "4": "NC"})
    two = sheets("nuur", {"1": "water", "2": "school", "3": ""})
    three = sheets("cali", {"1": "water", "2": "roads"})
    found = measure(capsys, one, two, three)
    assert found["messages"] == 4
    assert found["overall"]["messages"] == 2
    assert found["coded"] == {"asha": 3, "nuur": 2, "cali": 2}
    (disagreement,) = found["disagreements"]
    assert disagreement["codes"] == {"asha": None, "nuur": ["school"], "cali": ["roads"]}


def test_disagreements_are_named_by_the_id_in_coda_and_show_texts_only_when_asked(sheets, capsys):
    one, two = sheets("asha", {"1": "water", "4": "water"}), sheets("nuur", {"1": "water", "4": "roads"})
    (found,) = measure(capsys, one, two)["disagreements"]
    # The apostrophe that keeps a spreadsheet from running the text is not part of it.
    assert (found["message_id"], found["run_id"]) == (message_id("=1+1"), "4")
    assert "text" not in found
    (found,) = measure(capsys, one, two, "--texts")["disagreements"]
    assert found["text"] == "=1+1"
    assert main(["icr", one, two]) == 0
    shown = capsys.readouterr().out
    assert message_id("=1+1") in shown
    assert "=1+1" not in shown.replace(message_id("=1+1"), "")
    assert main(["icr", "--texts", one, two]) == 0
    assert "'=1+1'" in capsys.readouterr().out


def test_people_can_read_it(sheets, capsys):
    one, two = sheets("asha", {"1": "water", "2": "water"}), sheets("nuur", {"1": "water", "2": "water"})
    assert main(["icr", "--draws", "50", one, two]) == 0
    assert (
        capsys.readouterr().out
        == """\
2 message(s), 2 of them coded by two coders or more:
  asha: coded 2, not coded 0
  nuur: coded 2, not coded 0

                    times given  agreement %             alpha                   AC1
all codes together               100.0 [100.0, 100.0]    -                       1.000 [1.000, 1.000]
water                       2/2  100.0 [100.0, 100.0]    -                       1.000 [1.000, 1.000]

In brackets: 95 % bootstrap intervals. Not defined, because nothing varies: -.

0 message(s) to talk about.
"""
    )


def test_the_same_seed_gives_the_same_intervals(sheets, capsys):
    one = sheets("asha", {"1": "water", "2": "school", "3": "roads", "4": "NC"})
    two = sheets("nuur", {"1": "water", "2": "school", "3": "water", "4": "water"})
    assert measure(capsys, one, two) == measure(capsys, one, two) != measure(capsys, one, two, "--seed", "9")


def test_a_scheme_takes_any_name_of_a_code_and_refuses_others(sheets, tmp_path, capsys):
    scheme = make_scheme("episode1", ["clean_water", "roads"])
    scheme["Codes"][0]["DisplayText"] = "Water that is clean"
    (tmp_path / "scheme.json").write_text(json.dumps(scheme))
    option = ("--code-scheme", str(tmp_path / "scheme.json"))
    one = sheets("asha", {"1": "clean_water", "2": "Clean  Water", "3": "2"})
    two = sheets("nuur", {"1": "Water that is clean", "2": "clean water", "3": "ROADS"})
    assert measure(capsys, one, two, *option)["disagreements"] == []
    two = sheets("nuur", {"1": "clean_watr", "2": "clean water", "3": "bridges"})
    error = refusal(capsys, one, two, *option)
    assert f"{two}, row 2, column 'Code': 'clean_watr' is not a code of the scheme; nearest: 'clean_water'." in error
    assert f"{two}, row 4, column 'Code': 'bridges' is not a code of the scheme" in error
    assert main(["icr", one, two, "--code-scheme", str(tmp_path / "none.json")]) == 2


def test_columns_of_codes_are_found_or_named(sheets, tmp_path, capsys):
    (tmp_path / "a.csv").write_text("id,raw,Code 1,Code 2,Remarks\n1,biyo,water,roads,\n2,dugsi,school,,?\n")
    (tmp_path / "b.csv").write_text("id,raw,Theme\n1,biyo,roads;water\n2,dugsi,school\n")
    a, b = str(tmp_path / "a.csv"), str(tmp_path / "b.csv")
    assert measure(capsys, a, b)["disagreements"] == []
    (tmp_path / "b.csv").write_text("id,raw,Theme,Remarks\n1,biyo,roads;water,\n2,dugsi,school,\n")
    error = refusal(capsys, a, b)
    assert (
        f"{b}, row 1: the columns are 'id', 'raw', 'Theme', 'Remarks'; expected one whose name begins with 'code'"
        in error
    )
    options = ("--code-column", "theme", "--code-column", "Code 1", "--code-column", "code 2")
    assert measure(capsys, a, b, *options)["disagreements"] == []


def test_messages_without_a_run_id_or_with_the_same_one_are_told_apart_by_their_text(tmp_path, capsys):
    rows = [("", "biyo", "water"), ("", "dugsi", "school"), ("7", "haa", "NC"), ("7", "maya", "NC")]
    for coder, last in (("a", "NC"), ("b", "school")):
        with (tmp_path / f"{coder}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([(*HEADER, "code"), *rows[:3], (*rows[3][:2], last)])
    found = measure(capsys, str(tmp_path / "a.csv"), str(tmp_path / "b.csv"))
    assert found["messages"] == 4
    assert [message["message_id"] for message in found["disagreements"]] == [message_id("maya")]


def test_bad_sheets_are_refused_with_every_problem(sheets, tmp_path, capsys):
    one = sheets("asha", {"1": "water", "2": "school"})
    (tmp_path / "twice.csv").write_text("id,raw,code\n1,biyo,water\n1,biyo,roads\n")
    error = refusal(capsys, one, str(tmp_path / "twice.csv"))
    assert "twice.csv, row 3: repeats the message of row 2; expected each once. Remove one row." in error
    (tmp_path / "plain.csv").write_text("id,raw\n1,biyo\n")
    assert "plain.csv, row 1: the columns are 'id', 'raw'" in refusal(capsys, one, str(tmp_path / "plain.csv"))
    other = sheets("other", {"3": "roads"})
    assert "no message was coded by two coders" in refusal(capsys, one, other)
    assert main(["icr", one]) == 2
    assert main(["icr", one, one]) == 2
    assert main(["icr", one, str(tmp_path / "none.csv")]) == 2


@pytest.mark.parametrize("options", [("--draws", "0"), ("--confidence", "1"), ("--seed", "x")])
def test_options_out_of_range_are_wrong_usage(sheets, options):
    with pytest.raises(SystemExit) as ended:
        main(["icr", sheets("a", {"1": "x"}), sheets("b", {"1": "x"}), *options])
    assert ended.value.code == 2


def test_the_sample_of_stage_3_can_be_filled_in_and_measured(tmp_path, capsys):
    root = DataRoot(tmp_path)
    root.write_runs(*(episode_run(f"p{n}", f"jawaab {n}", run_id=n) for n in range(30)))
    root.generate()
    rows = root.table("ICR/s01e01")
    for coder in ("asha", "nuur"):
        with (tmp_path / f"{coder}.csv").open("w", newline="") as file:
            table = csv.DictWriter(file, [*rows[0], "code"])
            table.writeheader()
            table.writerows({**row, "code": "water" if n or coder == "asha" else "roads"} for n, row in enumerate(rows))
    found = measure(capsys, str(tmp_path / "asha.csv"), str(tmp_path / "nuur.csv"))
    assert found["messages"] == 30
    (disagreement,) = found["disagreements"]
    assert disagreement["run_id"] == rows[0]["rqa_s01e01_run_id"]
    in_coda = {message["Text"]: message["MessageID"] for message in root.coda_file("s01e01")}
    assert disagreement["message_id"] == in_coda[rows[0]["rqa_s01e01_raw"]]


def test_with_a_data_root_the_numbers_are_kept_for_the_analysis_without_texts_or_coders(sheets, capsys, tmp_path):
    root = DataRoot(tmp_path / "root")
    root.write_runs(*(episode_run(f"p{run_id}", text, run_id=int(run_id)) for run_id, text in TEXTS.items()))
    root.generate()
    one = sheets("asha", {"1": "water", "2": "school", "3": "roads", "4": ""})
    two = sheets("nuur", {"1": "water", "2": "school", "3": "water", "4": "water"})
    found = measure(capsys, one, two, "--data-root", str(root.path))
    (kept,) = (root.path / "State" / "agreement").iterdir()
    text = kept.read_text()
    assert kept.name == "rqa_s01e01_raw.json"
    assert not [word for word in ("asha", "biyo", message_id("biyo")) if word in text]
    season = load_season(load_project(root.configuration), root.path)
    rows = list_agreement(season, root.path)
    assert rows[0] == (
        "all codes", "", "percent_agreement", 3, *found["overall"]["percent_agreement"].values(), "rqa_s01e01",
    )  # fmt: skip
    assert {(row.level, row.code) for row in rows} == {
        ("all codes", ""),
        *(("code", c) for c in ("roads", "school", "water")),
    }
    # Of a season without results there are none, and a damaged one is told.
    kept.write_text("{}")
    with pytest.raises(InputError, match="expected what it writes with --data-root"):
        list_agreement(season, root.path)
    kept.unlink()
    assert list_agreement(season, root.path) == []


def test_sheets_of_no_episode_are_not_kept(sheets, capsys, tmp_path, monkeypatch):
    root = DataRoot(tmp_path / "root")
    root.write_runs(episode_run("a", "biyo"))
    root.generate()
    monkeypatch.setitem(globals(), "HEADER", ("run", "rqa_s01e1_raw"))
    one, two = sheets("asha", {"1": "water"}), sheets("nuur", {"1": "water"})
    assert main(["icr", one, two, "--data-root", str(root.path)]) == 2
    told = capsys.readouterr().err
    assert "'rqa_s01e1_raw'" in told
    assert "nearest: 'rqa_s01e01_raw'" in told
    assert not (root.path / "State" / "agreement").exists()
