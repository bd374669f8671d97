"""Stage 3 with codes that follow from others, schemes that coders do not see, and control codes of a project's own."""

import json
import logging
from pathlib import Path

import pytest

from engagement.__main__ import main
from engagement.analysis.tables.coded_table import CodedTable
from engagement.configuration import load_project
from engagement.foundation.errors import ConfigurationError
from engagement.pipeline.outputs.analysis_files import analysis_folder, individuals_path
from example_project import (
    DataRoot,
    Document,
    coda_message,
    episode_run,
    label,
    make_scheme,
    survey_run,
    uid_of,
    write_project,
)

OWN = """
from engagement.pipeline.coding.labels import make_pipeline_label


def add_roads(plan, labels, answer):
    scheme = plan.coding_configurations[0].code_scheme
    roads = next(code for code in scheme.codes if code.string_value == "roads")
    (themes,) = labels
    if any(label.code.string_value == "school" for label in themes):
        themes += (make_pipeline_label(scheme, roads),)
    return (themes,)


def first_only(plan, labels, answer):
    return [given[0] for given in labels]
"""


def themes_of(row: Document, key: str = "rqa_s01e01") -> set[str]:
    return {
        column.removeprefix(f"{key}_") for column, cell in row.items() if column.startswith(f"{key}_") and cell == "1"
    }


def write_own_project(folder: Path, function: str) -> Path:
    def use(plans: Document) -> None:
        plans["RQACodingPlans"][0]["CodeImputationFunction"] = f"own_rules:{function}"

    path = write_project(folder, change_plans=use)
    (folder / "own_rules.py").write_text(OWN)
    return path


@pytest.mark.parametrize("module", ["engagement.pipeline.coding.labels", "engagement.coding.labels"])  # now, and before
def test_a_function_of_the_projects_own_keeps_every_label_of_a_multiple_scheme(tmp_path: Path, capsys, module: str):
    configuration = write_own_project(tmp_path / "configuration", "add_roads")
    (configuration.parent / "own_rules.py").write_text(OWN.replace("engagement.pipeline.coding.labels", module))
    root = DataRoot(tmp_path, configuration)
    root.write_runs(episode_run("a", "biyo iyo dugsi"))
    root.write_coded(
        "s01e01", coda_message("biyo iyo dugsi", label("episode1", "water"), label("episode1", "school", copy="-1"))
    )
    root.generate(allow_project_code=True)
    (message,) = root.table("messages")
    assert themes_of(message) == {"water", "school", "roads"}
    capsys.readouterr()
    assert (
        main(
            [
                "explain",
                str(root.path),
                uid_of("a"),
                "rqa_s01e01_roads",
                "--pipeline-configuration",
                str(root.configuration),
            ]
        )
        == 0
    )
    told = " ".join(capsys.readouterr().out.split())
    assert "labelled it 'water'" in told
    assert "labelled it 'school'" in told
    assert "Set by the project's own function 'own_rules:add_roads'" in told


def test_a_function_that_gives_one_label_a_configuration_stops_the_stage_and_is_named(tmp_path: Path):
    root = DataRoot(tmp_path, write_own_project(tmp_path / "configuration", "first_only"))
    root.write_runs(episode_run("a", "biyo"))
    with pytest.raises(ConfigurationError, match="'own_rules:first_only', plan 'rqa_s01e01_raw': number 1 of what it gave is a value of type Label; expected 1 tuple") as told:  # fmt: skip
        root.generate(allow_project_code=True)
    assert told.value.exit_status == 10
    assert not root.outputs.exists()


def ask_yes_or_no(plans: Document) -> None:
    plan = plans["RQACodingPlans"][0]
    plan["CodeImputationFunction"] = "yes_no_reasons"
    plan["CodingConfigurations"].insert(
        0,
        {"CodingMode": "SINGLE", "CodeScheme": "yes_no.json", "CodedField": "yes_no_coded", "AnalysisFileKey": "yes_no",
         "FoldStrategy": "yes_no_amb"},
    )  # fmt: skip


def with_reasons(schemes: dict[str, Document]) -> None:
    schemes["yes_no"] = make_scheme("yes_no", ["yes", "no", "ambivalent"])
    schemes["episode1"] = make_scheme("episode1", ["yes_near", "no_far", "other"])


def test_yes_and_no_follow_from_reasons_and_are_explained(tmp_path: Path, capsys):
    root = DataRoot(tmp_path, write_project(tmp_path / "configuration", None, ask_yes_or_no, with_reasons))
    texts = ("dhow", "fog", "haa", "maya fog", "ok", "cusub")
    root.write_runs(*(episode_run(f"p{number}", text, run_id=number) for number, text in enumerate(texts)))
    root.write_coded(
        "s01e01",
        coda_message("dhow", label("episode1", "yes_near")),
        coda_message("fog", label("episode1", "yes_near"), label("episode1", "no_far", copy="-1")),
        coda_message("haa", label("yes_no", "yes")),
        coda_message("maya fog", label("yes_no", "yes"), label("episode1", "no_far")),
        coda_message("ok", label("yes_no", "greeting")),
    )
    root.generate()
    rows = {row["rqa_s01e01_raw"]: (row["yes_no"], themes_of(row)) for row in root.table("messages")}
    assert rows == {
        "dhow": ("yes", {"yes_near"}),
        "fog": ("ambivalent", {"yes_near", "no_far"}),
        "haa": ("yes", {"NC"}),
        "maya fog": ("yes", {"no_far"}),
        "ok": ("greeting", {"greeting"}),
        "cusub": ("NR", {"NR"}),
    }

    def explain(name: str, column: str) -> str:
        capsys.readouterr()
        assert main(["explain", str(root.path), uid_of(name), column]) == 0
        return " ".join(capsys.readouterr().out.split())

    assert "labelled it 'yes_near' (yes_near) in 'episode1': yes or no follows from the reasons: 'yes'." in explain(
        "p0", "yes_no"
    )
    assert "no reason was given: 'NC' (not coded)." in explain("p2", "rqa_s01e01_NC")
    assert "both schemes say the same: 'greeting'." in explain("p4", "rqa_s01e01_greeting")
    assert "The answer was not in Coda yet when its labels were last fetched" in explain("p5", "yes_no")


def out_of_coda(plans: Document) -> None:
    location = plans["DemographicCodingPlans"][2]["CodingConfigurations"]
    for configuration in location[3:]:
        configuration["InCoda"] = False
    location[4]["Cleaner"] = "somali.gender"


def test_a_scheme_that_coders_do_not_see_is_imputed_and_proposed_to_nobody(tmp_path: Path):
    def named_like_a_gender(schemes: dict[str, Document]) -> None:
        schemes["zone"]["Codes"][0]["MatchValues"] += ["man", "woman"]

    root = DataRoot(tmp_path, write_project(tmp_path / "configuration", None, out_of_coda, named_like_a_gender))
    root.write_runs(episode_run("a", "biyo"), survey_run("a", location="nin"), episode_run("b", "biyo", run_id=2),
                    survey_run("b", 101, location="bay"))  # fmt: skip
    root.write_coded(
        "location",
        coda_message("bay", label("region", "bay")),
        # Made before the scheme was taken out of Coda: it counts.
        coda_message("nin", label("state", "south_west_state")),
    )
    root.generate()
    rows = {row["uid"]: (row["region"], row["state"], row["zone"]) for row in root.table("messages")}
    assert rows[uid_of("b")] == ("bay", "south_west_state", "scz")
    assert rows[uid_of("a")] == ("NC", "south_west_state", "scz")
    coda = json.loads((root.outputs / "Coda Files" / "EXAMPLE_location.json").read_text())
    assert [message["Labels"] for message in coda] == [[], []]


def with_own_control_codes(schemes: dict[str, Document]) -> None:
    controls = ["NA", "NC", "NR", "CE", "WS", "STOP", "NOP", "diaspora"]
    schemes["gender"] = make_scheme("gender", ["man", "woman"], controls)
    schemes["episode1"] = make_scheme("episode1", ["water", "school"], controls)


def declare(plans: Document) -> None:
    plans["ControlCodes"] = [{"Code": "NOP", "Meaning": "no opinion"}]
    plans["DemographicCodingPlans"][0]["CodingConfigurations"][0]["FoldStrategy"] = "control_code_by_precedence"


def test_control_codes_of_the_projects_own_count_as_responses_and_are_explained(tmp_path: Path, capsys, caplog):
    root = DataRoot(tmp_path, write_project(tmp_path / "configuration", None, declare, with_own_control_codes))
    root.write_runs(
        episode_run("a", "ma garan"), survey_run("a", gender="ma sheegayo"), episode_run("b", "dibad", run_id=2)
    )
    root.write_coded(
        "s01e01",
        coda_message("ma garan", label("episode1", "NOP")),
        coda_message("dibad", label("episode1", "diaspora")),
    )
    root.write_coded("gender", coda_message("ma sheegayo", label("gender", "NOP")))
    with caplog.at_level(logging.WARNING):
        root.generate()
    told = [record.getMessage() for record in caplog.records if "ControlCodes" in record.getMessage()]
    assert len(told) == 2  # in two schemes
    assert all("'diaspora' is no control code that the pipeline knows" in line for line in told)
    rows = {row["uid"]: row for row in root.table("individuals")}
    assert themes_of(rows[uid_of("a")]) == {"NOP"}
    assert themes_of(rows[uid_of("b")]) == {"diaspora"}
    assert rows[uid_of("a")]["gender"] == "NOP"
    project = load_project(root.configuration)
    codes = CodedTable(individuals_path(analysis_folder(root.path))).codes(
        project.coding_plans.rqa[0].coding_configurations[0]
    )
    assert codes.responded.all()
    assert codes.labelled.all()
    assert not codes.relevant_individual.any()
    capsys.readouterr()
    assert main(["explain", str(root.path), uid_of("a"), "gender"]) == 0
    assert "'NOP' (no opinion)" in capsys.readouterr().out
    assert main(["scheme", "codebook", str(root.configuration), str(tmp_path / "book")]) == 0
    page = (tmp_path / "book" / "codebook.html").read_text()
    assert "<td>NOP</td><td>no opinion</td>" in page
    assert "<td>diaspora</td><td>diaspora</td>" in page


def test_two_schemes_of_one_id_in_two_datasets_are_kept_apart(tmp_path: Path):
    def copy(schemes: dict[str, Document]) -> None:
        schemes["episode2"]["SchemeID"] = schemes["episode1"]["SchemeID"]

    root = DataRoot(tmp_path, write_project(tmp_path / "configuration", change_schemes=copy))
    root.write_runs(episode_run("a", "biyo"), episode_run("a", "rajo", 2, run_id=2))
    root.write_coded("s01e01", coda_message("biyo", label("episode1", "water")))
    rajo = label("episode1", "water") | {"CodeID": "episode2-hope"}
    root.write_coded("s01e02", coda_message("rajo", rajo))
    root.generate()
    (individual,) = root.table("individuals")
    assert themes_of(individual) == {"water"}
    assert themes_of(individual, "rqa_s01e02") == {"hope"}
    assert main(["scheme", "codebook", str(root.configuration), str(tmp_path / "book")]) == 0
    page = (tmp_path / "book" / "codebook.html").read_text()
    assert "<h3>episode1</h3>" in page
    assert "<h3>episode2</h3>" in page
