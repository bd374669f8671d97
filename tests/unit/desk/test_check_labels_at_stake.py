"""What check advises where labels could be lost, and how many it says there are."""

import json
from pathlib import Path

import pytest

from checked_project import Edit, plans, scheme, write_small_project
from engagement.__main__ import main
from example_project import coda_message, label


def coded(scheme_id: str, code_id: str) -> dict:
    return {**label("x", "y"), "SchemeID": scheme_id, "CodeID": code_id}


def write_labels(folder: Path) -> Path:
    """A data root in which coders labelled ages, genders and answers to the episode."""
    labels = {
        "age": [[coded("Scheme-age", "code-17"), coded("Scheme-age_category", "code-10_to_17")], [coded("Scheme-age-1", "code-18")]],
        "gender": [[coded("Scheme-gender", "code-man")], [coded("Scheme-gender", "code-NA")], [coded("Scheme-age", "code-man")],
                   [coded("Scheme-gender", "SPECIAL-MANUALLY_UNCODED"), coded("Scheme-gender", "code-man")]],
        "episode": [[coded("Scheme-episode", "code-water")], []],
    }  # fmt: skip
    coded_files = folder / "Coded Coda Files"
    coded_files.mkdir(parents=True)
    for dataset, messages in labels.items():
        found = [coda_message(f"{dataset} {number}", *given) for number, given in enumerate(messages)]
        (coded_files / f"SMALL_{dataset}.json").write_text(json.dumps(found))
    return folder


# An edit, where its problem is told, and what is said of the labels.
CASES = [
    (scheme("age_category", "$.SchemeID", "Scheme-age"), "$.SchemeID", "under 'Scheme-age': 2 message(s) of 'SMALL_age'; 1 message(s) of 'SMALL_gender'."),
    (scheme("gender", "$.SchemeID", "Scheme-age"), "$.SchemeID", "under 'Scheme-age': 2 message(s) of 'SMALL_age'; 1 message(s) of 'SMALL_gender'."),
    (scheme("age_category", "$.SchemeID", "Scheme-age-2"), "$.SchemeID", "under 'Scheme-age-2': no message."),
    (scheme("gender", "$.Codes[1].CodeID", "code-man"), "$.Codes[1].CodeID", "under 'Scheme-gender': 'code-man' on 1 message(s) of 'SMALL_gender'."),
    (scheme("gender", "$.Codes[3].ControlCode", "NA"), "$.Codes[3].ControlCode", "under 'Scheme-gender': 'code-NA' on 1 message(s) of 'SMALL_gender'."),
    (scheme("gender", "$.Codes[1].ControlCode", "NS"), "$.Codes[1].ControlCode", "under 'Scheme-gender': no message."),
    (scheme("gender", "$.Codes[2].StringValue", "NS"), "$.Codes[2].StringValue", "under 'Scheme-gender': 'code-NA' on 1 message(s) of 'SMALL_gender'."),
    (plans("$.DemographicCodingPlans[0].CodaFilename", "SMALL_episode.json"), "CodaFilename: the dataset", "in 'SMALL_episode': 1 message(s) under 'Scheme-episode'."),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "at", "said"), CASES)
def test_the_labels_that_the_wrong_remedy_would_lose_are_counted(
    tmp_path: Path, capsys, edit: Edit, at: str, said: str
):
    path, data_root = write_small_project(tmp_path / "project"), write_labels(tmp_path / "root")
    edit.apply(path.parent)
    main(["check", str(path)])
    (alone,) = [line for line in capsys.readouterr().out.splitlines() if at in line]
    main(["check", str(path), "--data-root", str(data_root)])
    (line,) = [line for line in capsys.readouterr().out.splitlines() if at in line]
    # Without a data root it says on what it depends.
    assert "label" in alone or "coders mean" in alone
    assert line == f"{alone} Labelled {said}"


def test_a_damaged_file_is_told_and_the_others_are_counted(tmp_path: Path, capsys):
    path, data_root = write_small_project(tmp_path / "project"), write_labels(tmp_path / "root")
    (data_root / "Coded Coda Files" / "SMALL_gender.json").write_text("[")
    scheme("age_category", "$.SchemeID", "Scheme-age").apply(path.parent)
    assert main(["check", str(path), "--data-root", str(data_root)]) == 10
    assert (
        "Labelled under 'Scheme-age': 2 message(s) of 'SMALL_age'; SMALL_gender.json can't be read."
        in capsys.readouterr().out
    )


def test_an_id_is_not_to_be_set_back_where_it_would_lose_labels_of_another_dataset(tmp_path: Path, capsys):
    path, data_root = write_small_project(tmp_path / "project"), write_labels(tmp_path / "root")
    for dataset, scheme_id in (("age", "Scheme-ws-before"), ("episode", "Scheme-ws")):
        given = [coda_message(f"{dataset} {number}", coded(scheme_id, "code-location")) for number in range(3)]
        (data_root / "Coded Coda Files" / f"SMALL_{dataset}.json").write_text(json.dumps(given))
    (data_root / "Coded Coda Files" / "SMALL_gender.json").unlink()
    main(["check", str(path), "--data-root", str(data_root)])
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "Scheme-ws-before" in line]
    assert (
        "set SchemeID in ws.json back to 'Scheme-ws-before', unless messages of other datasets are labelled under 'Scheme-ws'."
        in line
    )
    assert line.endswith("Labelled under 'Scheme-ws': 3 message(s) of 'SMALL_episode'.")
