"""What a stage's container needs, found out from invented configurations."""

import json

import pytest

from engagement.desk.container_plan import plan_container
from engagement.foundation.errors import ConfigurationError, UsageError
from example_project import write_project

PROXIES = [
    f"environment {name}" for name in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
]
EMULATOR_VARIABLES = ("FIRESTORE_EMULATOR_HOST", "STORAGE_EMULATOR_HOST", "DRIVE_EMULATOR_HOST", "FORMS_EMULATOR_HOST")
EMULATORS = [f"environment {name}" for name in EMULATOR_VARIABLES]


@pytest.fixture(autouse=True)
def no_emulators(monkeypatch):
    for name in EMULATOR_VARIABLES:
        monkeypatch.delenv(name, raising=False)


class Project:
    """A project's folder, and credentials of both kinds beside it."""

    def __init__(self, folder):
        self.folder = folder
        self.embedded = folder / "embedded"
        self.configuration = folder / "project" / "pipeline_configuration.json"
        self.coding_plans = folder / "project" / "coding_plans.json"
        self.embedded_credentials = self.write(folder / "embedded.json", {"type": "embedded", "directory": "embedded"})
        google = {"type": "service_account", "project_id": "invented", "client_email": "me@example.org"}
        google |= {"private_key": "invented", "token_uri": "https://example.org/token"}
        self.google_credentials = self.write(folder / "google.json", google)
        self.document = {
            "RawDataSources": [
                {
                    "SourceType": "RapidPro",
                    "Domain": "rapidpro.example.org",
                    "TokenFileURL": "gs://keys/token.txt",
                    "ContactsFileName": "contacts",
                    "ActivationFlowNames": ["e01"],
                }
            ],
            "PhoneNumberUuidTable": {"FirebaseCredentialsFileURL": "gs://keys/firebase.json", "TableName": "T"},
            "RapidProKeyRemappings": [{"RapidProKey": "avf_phone_id", "PipelineKey": "uid"}],
            "ProjectStartDate": "2026-01-01T00:00:00+03:00",
            "ProjectEndDate": "2026-02-01T00:00:00+03:00",
            "FilterTestMessages": True,
            "MoveWSMessages": True,
            "CodingPlansFile": "coding_plans.json",
        }
        self.write(self.coding_plans, {"CodeSchemesDir": "code_schemes"})

    @staticmethod
    def write(path, document):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))
        return path

    def keep_firebase_credentials(self, directory="../.."):
        path = self.embedded / "storage" / "keys" / "firebase.json"
        return self.write(path, {"type": "embedded", "directory": directory})

    def plan(self, stage, credentials, *options):
        self.write(self.configuration, self.document)
        # Options that only the stage knows are there as well.
        return plan_container(
            stage,
            [
                *["--user", "me", "--credentials", str(credentials), "--full"],
                *["--pipeline-configuration", str(self.configuration), "--data-root", "/data root"],
                *options,
            ],
        )


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def test_a_stage_on_the_embedded_services_has_no_network(project):
    project.keep_firebase_credentials()
    for stage in ("coda-get", "coda-add"):
        assert project.plan(stage, project.embedded_credentials) == [f"mount rw {project.embedded}", "network none"]


def test_fetching_from_a_server_elsewhere_needs_the_network(project):
    project.keep_firebase_credentials()
    assert project.plan("fetch-raw-data", project.embedded_credentials) == [
        f"mount rw {project.embedded}",
        "network bridge",
        *PROXIES,
    ]


@pytest.mark.parametrize("domain", ["http://127.0.0.1:8010", "http://localhost:8010", "http://[::1]:8010", "127.0.0.1"])
def test_fetching_from_this_machine_shares_its_network(project, domain):
    project.keep_firebase_credentials()
    project.document["RawDataSources"][0]["Domain"] = domain
    assert "network host" in project.plan("fetch-raw-data", project.embedded_credentials)


def test_writing_back_reaches_rapidpro_alone_and_only_where_it_is_configured(project):
    assert project.plan("write-back", project.embedded_credentials)[-1] == "network none"
    project.document["WriteBack"] = {"Withdrawn": {"Group": "stopped"}}
    lines = project.plan("write-back", project.embedded_credentials)
    assert lines == [f"mount rw {project.embedded}", "network bridge", *PROXIES]


def test_writing_back_is_shown_who_withdrew_in_other_projects(project, tmp_path):
    project.document["WriteBack"] = {"Withdrawn": {"Field": "stopped"}}
    project.document["WithdrawnElsewhere"] = {
        "DataRoots": [f"{tmp_path}/other show"],
        "Files": [f"{tmp_path}/gone.csv"],
    }
    mounts = [line for line in project.plan("write-back", project.google_credentials) if line.startswith("mount")]
    assert f"mount ro {tmp_path}/gone.csv" in mounts
    assert f"mount ro {tmp_path}/other show/State/outputs" in mounts


def test_the_uuid_table_is_reached_where_its_rows_go_and_lists_of_who_stays_are_mounted(project, tmp_path):
    project.document["Retention"] = {"RawTexts": "P3Y", "UuidTable": "P3Y"}
    project.document["WithdrawnElsewhere"] = {"DataRoots": ["../elsewhere"], "Files": ["../lists/stopped.csv"]}
    project.write(project.configuration, project.document)
    project.keep_firebase_credentials()
    mounts = [f"mount ro {tmp_path}/elsewhere/State/outputs", f"mount ro {tmp_path}/lists/stopped.csv"]
    given = ["apply-retention", "--pipeline-configuration", str(project.configuration)]
    assert plan_container(given[0], [*given[1:], "--dry-run"]) == [*mounts, "network none"]
    key = str(project.embedded_credentials)
    both = ["--credentials", key, "--uuid-table-credentials", key]
    assert plan_container(given[0], [*given[1:], *both]) == [*mounts, f"mount rw {project.embedded}", "network none"]
    both[-1] = str(project.google_credentials)
    assert "network bridge" in plan_container(given[0], [*given[1:], *both])
    del project.document["Retention"]["UuidTable"]
    project.write(project.configuration, project.document)
    assert plan_container(given[0], given[1:]) == ["network none"]


def test_a_cluster_is_reached_over_this_machines_network(project):
    assert "network none" in project.plan("generate-outputs", project.embedded_credentials)
    on_cluster = project.plan("generate-outputs", project.embedded_credentials, "--scheduler", "tcp://10.0.0.5:8786")
    assert "network host" in on_cluster


def test_google_needs_the_network_and_the_emulators_variables(project):
    expected = ["network bridge", *EMULATORS, *PROXIES]
    for stage in ("coda-get", "fetch-raw-data", "coda-add"):
        assert project.plan(stage, project.google_credentials) == expected


@pytest.mark.parametrize(
    ("address", "network"),
    [("127.0.0.1:8080", "host"), ("http://localhost:9023", "host"), ("firestore:8080", "bridge")],
)
def test_an_emulator_on_this_machine_shares_its_network(project, monkeypatch, address, network):
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", address)
    assert f"network {network}" in project.plan("coda-get", project.google_credentials)
    project.keep_firebase_credentials()
    assert "network none" in project.plan("coda-get", project.embedded_credentials)


def test_boundaries_outside_of_the_configurations_folder_are_mounted_for_the_maps(project, tmp_path):
    project.document["AutomatedAnalysis"] = {
        "Maps": [
            {"Level": "region", "CodedField": "region_coded", "Boundaries": "regions.json"},
            {"Level": "district", "CodedField": "district_coded", "Boundaries": f"{tmp_path}/shapes/districts.shp"},
            {"Level": "state", "CodedField": "state_coded"},
        ]
    }
    network = ["network none"]
    assert project.plan("automated-analysis", project.google_credentials) == [f"mount ro {tmp_path}/shapes", *network]
    assert project.plan("generate-analysis-graphs", project.google_credentials) == network


def test_files_of_the_statistics_outside_of_the_configurations_folder_are_mounted(project, tmp_path):
    project.document["AutomatedAnalysis"] = {
        "Statistics": {
            "BroadcastCalendarFile": "calendar.csv",
            "PopulationMarginsFile": f"{tmp_path}/census/margins.csv",
        }
    }
    mounted = [f"mount ro {tmp_path}/census/margins.csv", "network none"]
    assert project.plan("automated-analysis", project.google_credentials) == mounted


@pytest.mark.parametrize("stage", ["generate-outputs", "automated-analysis", "generate-analysis-graphs"])
def test_stages_that_write_outputs_need_nothing_but_for_drive(project, stage):
    assert project.plan(stage, project.google_credentials) == ["network none"]
    project.document["DriveUpload"] = {
        "DriveCredentialsFileURL": "gs://keys/firebase.json",
        "ProductionUploadPath": "a",
        "MessagesUploadPath": "b",
        "IndividualsUploadPath": "c",
    }
    assert "network bridge" in project.plan(stage, project.google_credentials)
    project.keep_firebase_credentials()
    assert project.plan(stage, project.embedded_credentials) == [
        f"mount rw {project.embedded}",
        "network none",
    ]


def test_files_on_this_machine_are_mounted_read_only(project):
    project.keep_firebase_credentials()
    project.document["RawDataSources"] = [
        {"SourceType": "RecoveryCSV", "ActivationFlowURLs": ["file:///data/my%20recovery.csv"]},
        {"SourceType": "GCloudBucket", "SurveyFlowURLs": ["file:///data/survey.jsonl", "gs://bucket/more.jsonl"]},
    ]
    assert project.plan("fetch-raw-data", project.embedded_credentials) == [
        "mount ro /data/my recovery.csv",
        "mount ro /data/survey.jsonl",
        f"mount rw {project.embedded}",
        "network none",
    ]


def test_credentials_that_the_configuration_names_are_looked_at(project):
    path = project.folder / "elsewhere" / "firebase.json"
    project.document["PhoneNumberUuidTable"]["FirebaseCredentialsFileURL"] = f"file://{path}"
    assert f"look {path}" in project.plan("fetch-raw-data", project.embedded_credentials)
    project.write(path, {"type": "embedded", "directory": "tables"})
    lines = project.plan("fetch-raw-data", project.embedded_credentials)
    assert f"mount rw {path.parent / 'tables'}" in lines
    assert f"mount ro {path}" in lines
    assert not any(line.startswith("look") for line in lines)


def test_credentials_in_the_embedded_storage_are_looked_at(project):
    path = project.embedded / "storage" / "keys" / "firebase.json"
    assert f"look {path}" in project.plan("fetch-raw-data", project.embedded_credentials)


def test_coding_plans_and_schemes_outside_the_configurations_folder_are_mounted(project):
    project.document["CodingPlansFile"] = "../plans/coding_plans.json"
    plans = project.folder / "plans"
    assert project.plan("generate-outputs", project.google_credentials) == [
        f"look {plans}",
        f"mount ro {plans}",
        "network none",
    ]
    project.write(plans / "coding_plans.json", {"CodeSchemesDir": "../schemes"})
    assert project.plan("generate-outputs", project.google_credentials) == [
        f"mount ro {plans}",
        f"mount ro {project.folder / 'schemes'}",
        "network none",
    ]


def test_coda_stages_need_no_configuration(project):
    options = ["--credentials", str(project.embedded_credentials), "--data-root", "/data"]
    assert plan_container("coda-add", options) == [f"mount rw {project.embedded}", "network none"]
    with pytest.raises(UsageError, match="--pipeline-configuration"):
        plan_container("fetch-raw-data", options)


def test_a_backup_and_the_status_need_nothing_besides_their_mounts():
    options = ["--data-root", "/data root", "--backups-dir", "/back ups", "--run-id", "2026"]
    assert plan_container("backup-data-root", options) == ["network none"]
    assert plan_container("backup-data-root", ["--restore", "/a.tar.gz", "--into", "/data root"]) == ["network none"]
    assert plan_container("status", ["--max-age", "26", "/data root"]) == ["network none"]


def test_a_plan_of_a_run_only_looks(project):
    project.keep_firebase_credentials()
    project.document["MemoryProfileUploadURLPrefix"] = "file:///far%20away/logs/memory-"
    assert project.plan("plan-run", project.embedded_credentials) == [
        "mount ro /far away/logs",
        f"mount ro {project.embedded}",
        "network bridge",
        *PROXIES,
    ]
    assert "network bridge" in project.plan("plan-run", project.google_credentials)


def test_uploads_need_what_their_addresses_say(project):
    assert project.plan("upload-logs", project.google_credentials) == ["network none"]
    project.document["MemoryProfileUploadURLPrefix"] = "file:///far%20away/logs/memory-"
    assert project.plan("upload-logs", project.google_credentials) == ["mount rw /far away/logs", "network none"]
    project.document["DataArchiveUploadBucket"] = "gs://archives"
    assert project.plan("upload-logs", project.google_credentials) == [
        "mount rw /far away/logs",
        "network bridge",
        *EMULATORS,
        *PROXIES,
    ]
    assert project.plan("upload-logs", project.embedded_credentials) == [
        "mount rw /far away/logs",
        f"mount rw {project.embedded}",
        "network none",
    ]


def test_a_path_that_would_read_as_several_lines_is_refused(project):
    project.keep_firebase_credentials()
    project.document["RawDataSources"][0]["TokenFileURL"] = "file:///token%0Amount rw /etc"
    with pytest.raises(ConfigurationError, match="a line break"):
        project.plan("fetch-raw-data", project.embedded_credentials)


def test_a_broken_configuration_is_reported_as_one(project):
    del project.document["ProjectEndDate"]
    with pytest.raises(ConfigurationError, match="ProjectEndDate"):
        project.plan("generate-outputs", project.google_credentials)


def test_a_restore_drill_sees_what_the_configuration_names_elsewhere(tmp_path):
    group = {"Name": "weekly", "Files": ["../lists/attendance.csv"]}
    path = write_project(tmp_path / "configuration", lambda document: document.update(ListeningGroups=[group]))
    places = ["--data-root", "/data root", "--backups-dir", "/backups"]
    lines = plan_container("backup-data-root", ["--drill", *places, "--pipeline-configuration", str(path)])
    assert lines == [f"mount ro {tmp_path / 'lists' / 'attendance.csv'}", "network none"]
    assert plan_container("backup-data-root", ["--drill", *places]) == ["network none"]
