"""The code book of a project: every column that stage 3 writes, and no other."""

import csv
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from engagement.__main__ import main
from engagement.sandbox.prepare import DEMO_CONFIGURATION
from example_project import DataRoot, episode_run, survey_run, write_project

FILES = ("messages.csv", "individuals.csv", "production.csv")


@pytest.fixture
def book(tmp_path: Path):
    """Write the code book of the example project, changed as asked; gives its folder."""

    def write(**changes) -> Path:
        configuration = write_project(tmp_path / "configuration", **changes)
        assert main(["scheme", "codebook", str(configuration), str(tmp_path / "book")]) == 0
        return tmp_path / "book"

    return write


def read_dictionary(folder: Path) -> list[dict[str, str]]:
    with (folder / "data_dictionary.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def add_columns(document):
    document["OriginColumns"] = ["channel", "source"]
    document["ListeningGroups"] = [{"Name": "mothers", "Files": ["mothers.csv"]}]


@pytest.mark.parametrize("change", [None, add_columns], ids=["plans", "origins and groups"])
def test_the_dictionary_lists_exactly_the_columns_that_stage_3_writes(tmp_path, book, change):
    folder = tmp_path / "configuration"
    folder.mkdir()
    (folder / "mothers.csv").write_text("uid\n")
    dictionary = read_dictionary(book(**({"change_configuration": change} if change else {})))
    root = DataRoot(tmp_path, tmp_path / "configuration" / "pipeline_configuration.json")
    root.write_runs(episode_run("a", "biyo"), survey_run("a", gender="nin", age="30"))
    root.generate()
    for file in FILES:
        with (root.outputs / file).open(newline="", encoding="utf-8") as table:
            header = next(csv.reader(table))
        assert [entry["column"] for entry in dictionary if entry["file"] == file] == header
    assert {entry["file"] for entry in dictionary} == set(FILES)


def test_every_value_of_a_coded_column_is_among_its_possible_or_missing_values(tmp_path, book):
    dictionary = {(entry["file"], entry["column"]): entry for entry in read_dictionary(book())}
    root = DataRoot(tmp_path, tmp_path / "configuration" / "pipeline_configuration.json")
    root.write_runs(episode_run("a", "biyo", operator="golis"), survey_run("a", gender="nin"), episode_run("b", "hmm"))
    root.generate()
    for file in FILES[:2]:
        for row in root.table(file.removesuffix(".csv")):
            for column, value in row.items():
                entry = dictionary[file, column]
                if entry["type"] in ("one code", "0 or 1"):
                    listed = f"{entry['possible_values']}; {entry['missing_values']}"
                    assert value in [re.split(r" [=(]", item)[0] for item in listed.split("; ")], (column, value)


def test_columns_that_nobody_was_asked_for_say_their_values(tmp_path, book):
    (tmp_path / "configuration").mkdir()
    (tmp_path / "configuration" / "mothers.csv").write_text("uid\n")
    entries = {entry["column"]: entry for entry in read_dictionary(book(change_configuration=add_columns))}
    assert entries["source"]["possible_values"] == "RapidPro; ambivalent"
    assert entries["channel"]["possible_values"] == "any name of a channel, like tel or telegram; ambivalent"
    assert entries["channel"]["missing_values"].startswith("NA (not known); STOP")
    assert entries["listening_group_mothers"]["possible_values"] == "true; false"
    assert entries["listening_group_mothers"]["source"] == "mothers.csv"


def test_a_column_says_what_it_is_and_where_it_comes_from(book):
    entries = {(entry["file"], entry["column"]): entry for entry in read_dictionary(book())}
    gender = entries["individuals.csv", "gender"]
    assert gender["possible_values"].startswith("man = 1; woman = 2; greeting = ")
    assert gender["missing_values"].startswith("NA = 3; NS = 4; ")
    assert gender["source"] == (
        "gender_raw, from result 'Gender' (Value) of flow 's01_demographics'; the cleaner somali.gender proposes codes; "
        "coders label it in Coda as EXAMPLE_gender"
    )
    water = entries["messages.csv", "rqa_s01e01_water"]
    assert (water["code"], water["numeric_value"], water["code_id"]) == ("water", "1", "episode1-water")
    assert water["meaning"] == "episode1: whether the answer has the code water = 1"
    assert "age_category completes it" in entries["messages.csv", "age_category"]["source"]
    assert "phone number" in entries["messages.csv", "operator_raw"]["source"]
    assert "STOP" not in entries["production.csv", "gender_raw"]["missing_values"]


def test_a_question_that_is_asked_in_two_flows_names_both(book):
    def ask_again(configuration):
        configuration["RawDataSources"][0]["SurveyFlowNames"].append("s02_demographics")
        configuration["RapidProKeyRemappings"] += [
            {"RapidProKey": "Gender (Text) - s02_demographics", "PipelineKey": "gender_raw"},
            {"RapidProKey": "Gender (Time) - s02_demographics", "PipelineKey": "gender_time"},
        ]

    entries = read_dictionary(book(change_configuration=ask_again))
    (gender,) = [entry for entry in entries if (entry["file"], entry["column"]) == ("production.csv", "gender_raw")]
    assert gender["source"] == (
        "result 'Gender' (Value) of flow 's01_demographics' and result 'Gender' (Text) of flow 's02_demographics'"
    )


class Page(HTMLParser):
    """What a browser would load, and the text that a person would read."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses, self.tags, self.text, self.open = [], set(), "", []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href", "srcset", "action")]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_page_is_one_file_without_scripts_that_escapes_everything(book):
    evil = '<script>alert("1")</script>&<img src=x>'

    def spoil(schemes):
        schemes["gender"]["Name"] = evil
        schemes["gender"]["Codes"][0]["DisplayText"] = evil

    folder = book(change_schemes=spoil, change_configuration=lambda document: document.update(PipelineName=evil))
    source = (folder / "codebook.html").read_text(encoding="utf-8")
    page = Page(source)
    assert page.open == []
    assert not page.tags & {"script", "img", "link", "iframe"}
    assert all(address.startswith("#") for address in page.addresses)
    assert "default-src 'none'" in source.replace("&#x27;", "'")
    assert "url(" not in source
    assert page.text.count(evil) > 3
    assert sorted(path.name for path in folder.iterdir()) == ["codebook.html", "data_dictionary.csv"]


def test_the_page_shows_each_code_with_its_id_and_number(book):
    page = Page((book() / "codebook.html").read_text(encoding="utf-8"))
    for scheme in ("episode1", "gender", "zone"):
        assert f"Scheme-{scheme}, version 0.0.0.1" in page.text
    assert "episode1-water" in page.text
    assert "NR" in page.text
    assert "an answer that no coder has looked at yet" in page.text


def test_the_demo_has_a_code_book_and_writing_it_again_changes_nothing(tmp_path):
    arguments = ["scheme", "codebook", str(DEMO_CONFIGURATION / "pipeline_configuration.json"), str(tmp_path / "b k")]
    assert main(arguments) == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "b k").iterdir()}
    assert main(arguments) == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "b k").iterdir()} == before
    assert main(["scheme", "codebook", str(tmp_path / "none.json"), str(tmp_path / "c")]) == 2


def test_a_code_that_is_no_answer_says_so(book):
    meanings = {
        entry["column"]: entry["meaning"] for entry in read_dictionary(book()) if entry["file"] == "individuals.csv"
    }
    assert "a guess from the mobile operator of those who named no place, which is no answer" in meanings["zone"]
    assert "they live elsewhere" in meanings["sub_district"]
    assert "phone number or channel (nobody was asked)" in meanings["operator"]
    # Everybody lives in a district, and no region is guessed.
    assert not [
        key for key in ("district", "region", "gender") if "guess" in meanings[key] or "elsewhere" in meanings[key]
    ]


def test_a_zone_that_is_not_guessed_has_no_such_note(book):
    def switch_off(plans: dict) -> None:
        plans["DemographicCodingPlans"][2]["ZoneFromOperator"] = False

    meanings = {entry["column"]: entry["meaning"] for entry in read_dictionary(book(change_plans=switch_off))}
    assert "guess" not in meanings["zone"]
