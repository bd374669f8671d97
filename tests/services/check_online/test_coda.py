"""What Coda says of a project: one suite on Firestore's emulator and on the folder."""

import json
import uuid

import pytest
from google.cloud import firestore

from engagement.configuration import load_project
from engagement.labelling.datasets.datasets import code_schemes_of
from engagement.services.coda.protocol import open_coda
from engagement.services.credentials import EmbeddedCredentials, GoogleCredentials
from online_desk import GENDER


@pytest.fixture(params=["embedded", "google"])
def coda_credentials(request, tmp_path, monkeypatch):
    if request.param == "embedded":
        return EmbeddedCredentials(tmp_path / "other coda")
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", request.getfixturevalue("firestore_emulator"))
    project = f"t-{uuid.uuid4().hex[:12]}"
    return GoogleCredentials(project, {"project_id": project})


def test_datasets_with_their_schemes_and_users_are_right(desk, coda_credentials):
    desk.fill_coda(open_coda(coda_credentials))
    assert desk.ask(coda_credentials=(coda_credentials,)) == []


def test_datasets_that_stage_4_can_make_are_no_finding(desk, coda_credentials):
    assert desk.ask(coda_credentials=(coda_credentials,)) == []


def test_datasets_that_nobody_can_make_are_errors(desk, coda_credentials):
    desk.change(lambda document: document.pop("CodaUsers"))
    lines = desk.ask(coda_credentials=(coda_credentials,))
    assert len(lines) == 9
    assert all(line.startswith("ERROR: coding_plans.json, at ") for line in lines)
    instance = open_coda(coda_credentials).instance
    assert (
        f"ERROR: coding_plans.json, at {GENDER}: Coda {instance} has no dataset 'DEMO_gender'; expected it, or CodaUsers "
        "in the pipeline configuration to make it with. Have it made, or add them."
    ) in lines


def test_how_schemes_differ_who_may_not_label_and_what_is_lacking_is_told(desk, coda_credentials):
    coda = open_coda(coda_credentials)
    project = load_project(desk.path)
    gender = next(plan for plan in project.coding_plans.all if plan.coda_dataset == "DEMO_gender")
    own, ws_scheme = code_schemes_of(gender, project.coding_plans)
    codes = [{**code, "DisplayText": "male"} if code["StringValue"] == "man" else code for code in own["Codes"]]
    coda.create_dataset("DEMO_gender", ["asha@example.org"], [{**own, "Codes": codes}])
    coda.create_dataset("DEMO_age", [], code_schemes_of(project.coding_plans.demographic[1], project.coding_plans))
    assert coda.read_users("DEMO_gender") == ["asha@example.org"]
    assert coda.read_users("DEMO_location") == []
    place = f"coding_plans.json, at {GENDER}: "
    where = f"in Coda {coda.instance}"
    assert desk.ask(coda_credentials=(coda_credentials,)) == [
        f"ERROR: {place}dataset 'DEMO_gender' {where}, scheme {own['SchemeID']!r}, code {codes[0]['CodeID']!r}: DisplayText is "
        "'male' in Coda, 'man' here; expected the same code book in both. Put the code book that coders are to use into both: a code that has "
        "labels keeps its CodeID and its meaning.",
        f"WARNING: {place}dataset 'DEMO_gender' {where} lacks the code scheme {ws_scheme['SchemeID']!r}, so that nobody can "
        "label with it; expected it there. Have it added in Coda.",
        f"WARNING: {place}'nuur@example.org' of CodaUsers may not label dataset 'DEMO_gender' {where}; expected all of them to. "
        "Add them in Coda, or remove them from CodaUsers.",
        f"WARNING: coding_plans.json, at $.DemographicCodingPlans[1].CodaFilename: nobody may label dataset 'DEMO_age' "
        f"{where}; expected users. Add them in Coda.",
    ]


def test_codes_and_schemes_that_somebody_added_in_coda_are_told_also_those_of_an_earlier_segment(
    desk, coda_credentials
):
    coda = open_coda(coda_credentials)
    project = load_project(desk.path)
    gender = next(plan for plan in project.coding_plans.all if plan.coda_dataset == "DEMO_gender")
    own, ws_scheme = code_schemes_of(gender, project.coding_plans)
    added = {**own["Codes"][0], "CodeID": "code-added", "DisplayText": "rather not say"}
    edited = {**own, "Codes": [*own["Codes"], added]}
    other = {"SchemeID": "Scheme-mood", "Name": "Mood", "Codes": [added]}
    coda.create_dataset("DEMO_gender", ["asha@example.org", "nuur@example.org"], [edited, ws_scheme, other])
    add_segment(coda_credentials, [own, ws_scheme])
    error, warning = desk.ask(coda_credentials=(coda_credentials,))
    assert error.startswith(
        f"ERROR: coding_plans.json, at {GENDER}: dataset 'DEMO_gender' in Coda {coda.instance}, scheme "
    )
    assert "code 'code-added': only Coda has it, as 'rather not say'; answers that coders give it count as not" in error
    assert "scheme 'Scheme-mood' ('Mood'): only Coda has it; labels under it count for nothing" in warning


def test_a_code_scheme_that_is_none_any_more_is_told_and_no_bug(desk, coda_credentials):
    open_coda(coda_credentials).create_dataset("DEMO_gender", ["asha@example.org", "nuur@example.org"], [])
    add_segment(
        coda_credentials, [{"SchemeID": "Scheme-broken", "Name": "Broken", "Codes": [{"DisplayText": "no id"}]}]
    )
    (line,) = desk.ask(coda_credentials=(coda_credentials,))
    assert line.startswith("FAILED: ")
    assert "DEMO_gender_2" in line
    assert "expected a" in line


def add_segment(credentials, code_schemes):
    """Give the dataset of genders a second segment with other code schemes, as an edit in Coda leaves them."""
    if isinstance(credentials, EmbeddedCredentials):
        segment = credentials.directory / "coda" / "DEMO_gender_2"
        segment.with_name(f"{segment.name}.json").write_text("[]")
        segment.with_name(f"{segment.name}.users.json").write_text('["asha@example.org", "nuur@example.org"]')
        segment.with_name(f"{segment.name}.code_schemes.json").write_text(json.dumps(code_schemes))
        return
    client = firestore.Client(project=credentials.project_id)
    client.document("segment_counts", "DEMO_gender").set({"segment_count": 2})
    client.document("datasets", "DEMO_gender_2").set({"users": ["asha@example.org", "nuur@example.org"]})
    for scheme in code_schemes:
        client.document("datasets", "DEMO_gender_2", "code_schemes", scheme["SchemeID"]).set(scheme)


def test_the_two_instances_of_coda_are_each_asked(desk, coda_credentials):
    desk.change(lambda document: document.pop("CodaUsers"))
    lines = desk.ask(coda_credentials=(EmbeddedCredentials(desk.embedded), coda_credentials))
    assert len(lines) == 9
    assert all(f"Coda {open_coda(coda_credentials).instance} has no dataset" in line for line in lines)
