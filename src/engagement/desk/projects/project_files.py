"""A proposal -> a folder with the three kinds of configuration files, checked before it is named."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from engagement.configuration import PlanKind, load_project
from engagement.configuration.field_names import PARTICIPANT_KEY, UID_FIELD
from engagement.configuration.flow_choices import Identity
from engagement.configuration.raw_keys import category_of
from engagement.desk.projects.plans import TIME_OF_EPISODES, JsonObject, ProposedPlans
from engagement.desk.projects.questions import AnswerFlow, ProjectQuestion
from engagement.foundation.errors import UsageError
from engagement.foundation.files import explain_os_errors, make_directory
from engagement.labelling.code_books.scheme_files import scheme_document, write_document

CONFIGURATION_FILE, PLANS_FILE = "pipeline_configuration.json", "coding_plans.json"


@dataclass(frozen=True)
class ProjectSettings:
    """Facts of a project besides its flows. Dates carry an offset; the end is the moment after the last."""

    name: str
    domain: str
    token_file_url: str
    firebase_credentials_url: str
    uuid_table: str
    start_date: datetime
    end_date: datetime
    time_zone: str
    test_contact_uuids: tuple[str, ...] = ()
    coda_users: tuple[str, ...] = ()
    is_anonymous: bool = False


def make_pipeline_configuration(
    settings: ProjectSettings, flows: Sequence[AnswerFlow], plans: ProposedPlans
) -> JsonObject:
    """Make the pipeline configuration as JSON."""
    remappings: list[JsonObject] = [{"RapidProKey": PARTICIPANT_KEY, "PipelineKey": UID_FIELD}]
    for question in plans.questions:
        remappings += _remappings_of(question)
    document: JsonObject = {
        "PipelineName": settings.name,
        "RawDataSources": [
            {
                "SourceType": "RapidPro",
                "Domain": settings.domain,
                "TokenFileURL": settings.token_file_url,
                "ContactsFileName": "contacts",
                "ActivationFlowNames": [flow.name for flow in flows if flow.is_activation],
                "SurveyFlowNames": [flow.name for flow in flows if not flow.is_activation],
                "TestContactUUIDs": list(settings.test_contact_uuids),
            }
        ],
        "PhoneNumberUuidTable": {
            "FirebaseCredentialsFileURL": settings.firebase_credentials_url,
            "TableName": settings.uuid_table,
        },
        "RapidProKeyRemappings": remappings,
        "ProjectStartDate": settings.start_date.isoformat(),
        "ProjectEndDate": settings.end_date.isoformat(),
        "TimeZone": settings.time_zone,
        "FilterTestMessages": True,
        "MoveWSMessages": True,
        "CodingPlansFile": PLANS_FILE,
    }
    if settings.is_anonymous:
        document["RawDataSources"][0]["Identity"] = str(Identity.CONTACT)
    if settings.coda_users:
        document["CodaUsers"] = list(settings.coda_users)
    if plans.drawn_levels:
        maps = [{"Level": level, "CodedField": f"{level}_coded"} for level in plans.drawn_levels]
        document["AutomatedAnalysis"] = {"Maps": maps}
    return document


def _remappings_of(question: ProjectQuestion) -> list[JsonObject]:
    name, remappings = question.name, []
    for flow, key in question.asked_in:
        result = f"{category_of(key)} ({{}}) - {flow}"
        answer: JsonObject = {"RapidProKey": result.format("Text"), "PipelineKey": f"{name}_raw"}
        if question.kind is PlanKind.RQA:
            remappings += [
                answer | {"IsActivationMessage": True},
                {"RapidProKey": result.format("Run ID"), "PipelineKey": f"{name}_run_id"},
                {"RapidProKey": result.format("Time"), "PipelineKey": TIME_OF_EPISODES},
            ]
        else:
            remappings += [answer, {"RapidProKey": result.format("Time"), "PipelineKey": f"{name}_time"}]
    return remappings


def write_project_folder(folder: Path, configuration: JsonObject, plans: ProposedPlans) -> None:
    """Write the folder beside its place, load it as a stage does, and move it there.

    Raises
    ------
    UsageError
        The name is taken; nothing is changed.
    ConfigurationError
        The proposal is not a valid project; nothing is left behind.
    """
    if folder.exists() or folder.is_symlink():
        raise UsageError(f"{folder}: it is there already; expected a new folder. Choose another name or directory.")
    make_directory(folder.parent)
    building = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(building, ignore_errors=True)
    try:
        make_directory(building / "code_schemes")
        write_document(building / CONFIGURATION_FILE, configuration)
        write_document(building / PLANS_FILE, plans.document)
        for name, scheme in plans.schemes.items():
            write_document(building / "code_schemes" / name, scheme_document(scheme))
        load_project(building / CONFIGURATION_FILE)
        with explain_os_errors(folder):
            building.rename(folder)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
