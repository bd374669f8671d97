"""The manual's table of changes to a code scheme that has labels: each row is made on a labelled project and looked at."""

import argparse
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engagement.configuration import CodingMode, Project, load_project
from engagement.foundation.errors import ConfigurationError
from engagement.labelling.datasets.datasets import code_schemes_of
from engagement.services.coda.embedded import FolderCoda
from engagement.stages import coda_add
from example_project import (
    DataRoot,
    Document,
    coda_message,
    episode_run,
    label,
    make_coding_plans,
    make_schemes,
    survey_run,
    write_project,
)
from manual_pages import TEXTS

SECTION = "\n## Change a code scheme that has labels\n"
Change = Callable[[Document, dict[str, Document]], object]


def rows() -> dict[str, list[str]]:
    """The table's rows by their first cell."""
    lines = TEXTS["configurations/README.md"].partition(SECTION)[2].partition("\n## ")[0].splitlines()
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines
        if line.startswith("| ") and "---" not in line
    ]
    return {first: others for first, *others in cells[1:]}


def code(schemes: dict[str, Document], scheme: str, value: str) -> Document:
    return next(each for each in schemes[scheme]["Codes"] if each["StringValue"] == value)


def set_code(scheme: str, value: str, **change: Any) -> Change:
    return lambda _, schemes: code(schemes, scheme, value).update(change)


def set_scheme(scheme: str, **change: Any) -> Change:
    return lambda _, schemes: schemes[scheme].update(change)


def remove(scheme: str, value: str) -> Change:
    return lambda _, schemes: schemes[scheme]["Codes"].remove(code(schemes, scheme, value))


def both(*changes: Change) -> Change:
    return lambda plans, schemes: [change(plans, schemes) for change in changes]


def rename_file(plans: Document, schemes: dict[str, Document]) -> None:
    schemes["sex"] = schemes.pop("gender")
    schemes["sex"] |= {"Name": "Sex", "Version": "2"}
    plans["DemographicCodingPlans"][0]["CodingConfigurations"][0]["CodeScheme"] = "sex.json"


def add_code(plans: Document, schemes: dict[str, Document]) -> None:
    new = {**code(schemes, "episode1", "school"), "CodeID": "code-new", "NumericValue": 99, "StringValue": "health",
           "DisplayText": "health", "MatchValues": []}  # fmt: skip
    schemes["episode1"]["Codes"].insert(3, new)


def move_code(plans: Document, schemes: dict[str, Document]) -> None:
    moved = code(schemes, "episode1", "water")
    schemes["episode1"]["Codes"].remove(moved)
    schemes["episode2"]["Codes"].append({**moved, "NumericValue": 99})


def set_mode(kind: str, mode: str, **more: Any) -> Change:
    def change(plans: Document, schemes: dict[str, Document]) -> None:
        plans[kind][0]["CodingConfigurations"][0] |= {"CodingMode": mode, **more}

    return change


# How each row is done; the labels of the project are below.
CHANGES: dict[str, Change] = {
    "`DisplayText` of a code": set_code("gender", "woman", DisplayText="female"),
    "`Name`, `Version` of the scheme, name of its file": rename_file,
    "`Shortcut`, `Color`, `VisibleInCoda`": set_code("gender", "woman", Shortcut="w", Color="#fff", VisibleInCoda=False),
    "`StringValue` of a code": both(set_code("gender", "woman", StringValue="f"), set_code("episode1", "water", StringValue="w")),
    "`NumericValue` of a code": set_code("gender", "woman", NumericValue=77),
    "`MatchValues` of a code": set_code("gender", "woman", MatchValues=["female"]),
    "add a code": add_code,
    "put the codes in another order": lambda _, schemes: [scheme["Codes"].reverse() for scheme in schemes.values()],
    "remove a code without labels": remove("episode1", "school"),
    "remove a code with labels": remove("episode1", "water"),
    "`CodeID` of a code": set_code("episode1", "water", CodeID="code-new"),
    "`SchemeID`": set_scheme("gender", SchemeID="Scheme-new"),
    "`ControlCode` of a code": both(
        set_code("episode1", "STOP", ControlCode="NIC"), set_code("episode1", "NIC", ControlCode="STOP")
    ),
    "`CodeType` of a code, Normal to Control": set_code("gender", "woman", CodeType="Control", ControlCode="NOC"),
    "move a code to another scheme": move_code,
    "`CodaFilename`": lambda plans, _: plans["DemographicCodingPlans"][0].update(CodaFilename="EXAMPLE_sex.json"),
    "`CodingMode`, SINGLE to MULTIPLE": set_mode("DemographicCodingPlans", "MULTIPLE"),
    "`CodingMode`, MULTIPLE to SINGLE": set_mode("RQACodingPlans", "SINGLE"),
}  # fmt: skip


def make_project(folder: Path, change: Change | None = None) -> Path:
    plans, schemes = make_coding_plans(), make_schemes()
    if change is not None:
        change(plans, schemes)

    def put(new: Document) -> Callable[[Document], object]:
        return lambda document: (document.clear(), document.update(new))

    def ask_users(document: Document) -> None:
        document["CodaUsers"] = ["coder@example.org"]

    return write_project(folder, ask_users, put(plans), put(schemes))


class Labelled:
    """A data root of the example project whose answers coders labelled, and Coda with its datasets as they were made."""

    def __init__(self, folder: Path) -> None:
        self.root = DataRoot(folder, make_project(folder / "old"))
        self.coda = FolderCoda(folder / "embedded")
        self.folder = folder
        self.root.write_runs(
            episode_run("a", "biyo iyo waddo", run_id=1), survey_run("a", gender="naag"),
            episode_run("b", "jooji", run_id=2), survey_run("b", gender="nin"),
            episode_run("c", "waddo", run_id=3), survey_run("c", gender="wiil"),
        )  # fmt: skip
        water, roads = label("episode1", "water"), label("episode1", "roads", copy="-1")
        self.root.write_coded("s01e01", coda_message("biyo iyo waddo", water, roads), coda_message("jooji", label("episode1", "STOP")),
                              coda_message("waddo", label("episode1", "roads")))  # fmt: skip
        self.root.write_coded("gender", coda_message("naag", label("gender", "woman")), coda_message("nin", label("gender", "man")),
                              coda_message("wiil", label("gender", "man")))  # fmt: skip
        plans = load_project(self.root.configuration).coding_plans
        for plan in plans.all:
            if plan.coda_dataset is not None:
                self.coda.create_dataset(plan.coda_dataset, ["coder@example.org"], code_schemes_of(plan, plans))

    def generate(self, configuration: Path) -> tuple[list[str], dict[str, Any]]:
        """Run stage 3; gives the columns, and what each answer is coded with: ids, and what they mean."""
        self.root.configuration = configuration
        self.root.generate()
        table = self.root.table("messages")
        project = load_project(configuration)
        read = {row["uid"]: tuple(read_codes(project, row)) for row in table if row["uid"] != "STOP"}
        return list(table[0]), {**read, "withdrawn": sum(row["uid"] == "STOP" for row in table)}

    def add_to_coda(self) -> None:
        """Run stage 4."""
        parser = argparse.ArgumentParser()
        coda_add.add_arguments(parser)
        arguments = ["--credentials", self.root.credentials, "--data-root", self.root.path]
        arguments += ["--pipeline-configuration", self.root.configuration]
        coda_add.run(parser.parse_args([str(argument) for argument in arguments]))


def read_codes(project: Project, row: dict[str, str]) -> list[tuple[str, ...]]:
    """What a row of messages.csv says of the episode and of the gender, by codes' ids and kinds."""
    found = []
    for plan in (project.coding_plans.rqa[0], project.coding_plans.demographic[0]):
        (configuration,) = plan.coding_configurations
        key, codes = configuration.analysis_file_key, configuration.code_scheme.codes
        if configuration.coding_mode is CodingMode.SINGLE:
            given = [each for each in codes if each.string_value == row[key]]
        else:
            given = [each for each in codes if row[f"{key}_{each.string_value}"] == "1"]
        found += [tuple(sorted((each.code_id, str(each.code_type), str(each.control_code)) for each in given))]
    return found


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_does_to_labels_what_the_manual_says(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    labels, columns, in_coda, safe = rows()[name]
    project = Labelled(tmp_path)
    header, before = project.generate(project.root.configuration)
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        new_header, after = project.generate(make_project(tmp_path / "new", CHANGES[name]))
    warned = [
        text
        for text in map(logging.LogRecord.getMessage, caplog.records)
        if "Coded Coda Files" in text or "message(s)" in text
    ]
    assert (after == before and not warned) == (labels.startswith("stay"))
    assert labels.startswith("stay") == safe.startswith("yes")
    # What is lost is told; what means something else can't be known from the labels.
    assert bool(warned) == ("count" in labels)
    assert ("NC" in labels) == any("count as not coded (NC)" in text for text in warned)
    assert (new_header == header) == columns.startswith("stay")
    assert (sorted(new_header) == sorted(header)) == (columns.startswith("stay") or columns == "another order")
    caplog.clear()
    try:
        project.add_to_coda()
    except ConfigurationError as error:
        assert in_coda.startswith("stage 4 stops"), error
    else:
        assert not in_coda.startswith("stage 4 stops")
    assert ("stage 4 warns" in in_coda) == ("only Coda has it" in caplog.text)
    assert ("new, empty dataset" in in_coda) == project.coda.has_dataset("EXAMPLE_sex")


def test_the_table_has_just_these_rows():
    assert list(rows()) == list(CHANGES)


def test_two_schemes_with_one_id_in_two_datasets_do_no_harm(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """As a project that copied a file has had it from its first label on."""
    project = Labelled(tmp_path)
    _, before = project.generate(project.root.configuration)
    shared = set_scheme("gender", SchemeID="Scheme-episode1")
    path = project.root.path / "Coded Coda Files" / "EXAMPLE_gender.json"
    path.write_text(path.read_text().replace("Scheme-gender", "Scheme-episode1"))
    with caplog.at_level(logging.WARNING):
        _, after = project.generate(make_project(tmp_path / "new", shared))
    assert after == before
    assert json.loads(path.read_text())[0]["Labels"][0]["SchemeID"] == "Scheme-episode1"
    assert "message(s)" not in caplog.text
