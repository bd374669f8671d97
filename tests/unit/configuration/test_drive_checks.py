"""What goes to Drive, and what the gate is told, is checked when the configuration is read."""

import re

import pytest

from engagement.__main__ import main
from engagement.configuration import load_project
from engagement.foundation.errors import ConfigurationError
from example_project import DataRoot, write_project

DRIVE = {
    "DriveCredentialsFileURL": "gs://keys/drive.json",
    "ProductionUploadPath": "Season/production.csv",
    "MessagesUploadPath": "Season/messages.csv",
    "IndividualsUploadPath": "Season/individuals.csv",
}


def write_with(folder, upload=(), **disclosure):
    return write_project(
        folder, lambda document: document.update(DriveUpload={**DRIVE, **dict(upload)}, Disclosure=disclosure)
    )


def test_paths_of_files_in_folders_and_columns_of_the_plans_are_right(tmp_path):
    path = write_with(
        tmp_path,
        {"ProductionUploadPath": "/Shared drive/2026//production.csv", "AutomatedAnalysisDir": "Season"},
        KAnonymity=3,
        Columns=["gender", "age_category", "location_raw", "rqa_s01e01_water"],
    )
    assert load_project(path).configuration.drive_upload is not None


@pytest.mark.parametrize("path", ["messages.csv", "/messages.csv", "Season/../messages.csv", "./messages.csv", "//"])
def test_a_path_that_is_no_file_in_a_folder_is_refused(tmp_path, path):
    told = f"at $.DriveUpload.MessagesUploadPath: '{path}' is no file in a folder"
    with pytest.raises(ConfigurationError, match=re.escape(told)):
        load_project(write_with(tmp_path, {"MessagesUploadPath": path}))


@pytest.mark.parametrize("path", ["/", "Season/..", "."])
def test_an_analysis_that_has_no_folder_is_refused(tmp_path, path):
    told = f"at $.DriveUpload.AutomatedAnalysisDir: '{path}' is no folder"
    with pytest.raises(ConfigurationError, match=re.escape(told)):
        load_project(write_with(tmp_path, {"AutomatedAnalysisDir": path}))


def test_two_tables_in_one_file_are_refused(tmp_path):
    told = (
        "at $.DriveUpload.IndividualsUploadPath: '/Season//messages.csv' is already at $.DriveUpload.MessagesUploadPath"
    )
    with pytest.raises(ConfigurationError, match=re.escape(told)):
        load_project(write_with(tmp_path, {"IndividualsUploadPath": "/Season//messages.csv"}))


@pytest.mark.parametrize("column", ["gendr", "uid", "consent_withdrawn", "age_coded"])
def test_a_column_that_no_plan_makes_is_refused(tmp_path, column):
    told = f"at $.Disclosure.Columns[1]: '{column}' is no column of answers in individuals.csv"
    with pytest.raises(ConfigurationError, match=re.escape(told)) as refused:
        load_project(write_with(tmp_path, KAnonymity=2, Columns=["age", column]))
    assert column != "gendr" or "nearest: 'gender'" in str(refused.value)


def test_k_anonymity_over_no_columns_is_refused_and_not_taken_for_protection(tmp_path):
    with pytest.raises(ConfigurationError, match=r"at \$\.Disclosure\.Columns: none beside KAnonymity"):
        load_project(write_with(tmp_path, KAnonymity=5))


def test_stage_3_stops_before_it_makes_anything(tmp_path, capsys):
    root = DataRoot(tmp_path, write_with(tmp_path / "configuration", KAnonymity=2, Columns=["gendre"]))
    arguments = ["--user", "me", "--credentials", str(root.credentials), "--data-root", str(root.path)]
    assert main(["generate-outputs", *arguments, "--pipeline-configuration", str(root.configuration)]) == 10
    assert "$.Disclosure.Columns[0]: 'gendre'" in capsys.readouterr().err
    assert not root.outputs.exists()
