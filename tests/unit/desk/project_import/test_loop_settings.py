"""Old write-back and listening groups become settings that can be pasted as they stand. All names are invented."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from engagement.configuration.contact_selections import ListeningGroup
from engagement.configuration.write_back import WriteBack
from engagement.desk.project_import.classic.listening_groups import tell_listening_groups
from engagement.desk.project_import.migration import Migration
from old_edp_projects import convert

TARGET = """rapid_pro_target=RapidProTarget(sync_config=EngagementDBToRapidProConfiguration(
    normal_datasets=[
        DatasetConfiguration(engagement_db_datasets=["age"], rapid_pro_contact_field=ContactField(key="garden_age", label="a")),
        DatasetConfiguration(engagement_db_datasets=["moon"], rapid_pro_contact_field=ContactField("garden_moon", "moon")),
    ],
    consent_withdrawn_dataset=DatasetConfiguration(
        engagement_db_datasets=["age"], rapid_pro_contact_field=ContactField("garden_stopped", "stopped")),
    write_mode=WriteModes.CONCATENATE_TEXTS, allow_clearing_fields=CLEARING))"""


def pasted(migration: Migration) -> dict[str, Any]:
    """The block of JSON that is to be pasted."""
    (block,) = re.findall(r"```json\n(.*?)```", "\n".join(migration.lines("To decide")), re.DOTALL)
    return json.loads(block)


@pytest.mark.parametrize("clears", [True, False])
def test_write_back_has_the_old_keys_beside_the_new_coded_fields(tmp_path: Path, clears: bool):
    project, migration = convert(tmp_path, more=TARGET.replace("CLEARING", str(clears)))
    wanted = pasted(migration)["WriteBack"]
    assert wanted == {
        "Withdrawn": {"Field": "garden_stopped"},
        "Demographics": [{"CodedField": "age_coded", "Field": "garden_age"}],
        **({"AllowClearing": True} if clears else {}),
    }
    WriteBack.model_validate_json(json.dumps(wanted))
    (plan,) = project.coding_plans["DemographicCodingPlans"]
    assert "age_coded" in [coding["CodedField"] for coding in plan["CodingConfigurations"]]
    assert "'garden_moon' of moon" in "\n".join(migration.lines("To decide"))
    # Nobody is written to before somebody says so.
    assert "WriteBack" not in project.configuration


@pytest.mark.parametrize(
    ("old", "groups"),
    [
        (["gs://farax/mothers_1.csv", "gs://farax/Listening-Group 2.csv"], {"mothers_1": ["mothers_1.csv"], "group_2": ["Listening-Group 2.csv"]}),
        ({"fathers": ["gs://farax/a.csv", "gs://farax/b.csv"]}, {"fathers": ["a.csv", "b.csv"]}),
        ({"1": "gs://farax/a.csv"}, {"group_1": ["a.csv"]}),
    ],
)  # fmt: skip
def test_listening_groups_name_the_old_files(old: object, groups: dict[str, list[str]]):
    migration = Migration()
    tell_listening_groups(old, migration)
    found = pasted(migration)["ListeningGroups"]
    assert {group["Name"]: group["Files"] for group in found} == {
        name: [f"attendance/{file}" for file in files] for name, files in groups.items()
    }
    for group in found:
        ListeningGroup.model_validate_json(json.dumps(group))


def test_listening_groups_that_can_not_be_read_are_told():
    migration = Migration()
    tell_listening_groups(7, migration)
    assert "could not be read" in "\n".join(migration.lines("To decide"))
