"""A small valid project, written so that every value has a line of its own, and ways to break it."""

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONTROL_CODES = ("NA", "NC", "NR", "CE", "WS", "STOP")
SCHEMES = {
    "episode": {"water": [], "school": []},
    "gender": {"man": ["man"], "woman": ["woman"]},
    "age": {"17": ["17"], "18": ["18"]},
    "age_category": {"10_to_17": ["10 to 17"], "18_to_35": ["18 to 35"]},
    "constituency": {"changamwe": ["changamwe"], "jomvu": ["jomvu"]},
    "county": {"mombasa": ["mombasa"]},
    "operator": {"safaricom": ["safaricom"]},
    "ws": {"episode_1": ["episode 1"], "gender": ["gender"], "age": ["age"], "location": ["location"]},
}
CONFIGURATION, PLANS = "pipeline_configuration.json", "coding_plans.json"
REMOVED: Any = object()


def make_scheme(name: str, codes: dict[str, list[str]]) -> dict[str, Any]:
    made: list[dict[str, Any]] = []
    for value, match_values in codes.items():
        made.append({"CodeID": f"code-{value}", "CodeType": "Normal", "MatchValues": match_values})
    for value in CONTROL_CODES:
        made.append({"CodeID": f"code-{value}", "CodeType": "Control", "ControlCode": value})
    for number, code in enumerate(made, 1):
        value = code["CodeID"].removeprefix("code-")
        code |= {"DisplayText": value, "NumericValue": number, "StringValue": value, "VisibleInCoda": True}
    return {"SchemeID": f"Scheme-{name}", "Name": name, "Version": "0.0.0.1", "Codes": made}


def make_plans() -> dict[str, Any]:
    def coding(scheme: str, mode: str = "SINGLE", **more: Any) -> dict[str, Any]:
        return {"CodingMode": mode, "CodeScheme": f"{scheme}.json", "CodedField": f"{scheme}_coded",
                "AnalysisFileKey": scheme, **more}  # fmt: skip

    def survey(name: str, *codings: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {"RawField": f"{name}_raw", "TimeField": f"{name}_time", "CodaFilename": f"SMALL_{name}.json",
                "WSCode": name, "RawFieldFoldStrategy": "assert_equal", **more, "CodingConfigurations": list(codings)}  # fmt: skip

    episode = {"RawField": "episode_raw", "TimeField": "sent_on", "RunIDField": "episode_run_id",
               "CodaFilename": "SMALL_episode.json", "ICRFilename": "episode.csv", "WSCode": "episode 1",
               "RawFieldFoldStrategy": "concatenate", "CodingConfigurations": [coding("episode", "MULTIPLE")]}  # fmt: skip
    operator = {"RawField": "operator_raw", "RawFieldFoldStrategy": "assert_equal",
                "CodingConfigurations": [coding("operator")]}  # fmt: skip
    return {
        "CodeSchemesDir": "code_schemes",
        "WSCorrectDatasetScheme": "ws.json",
        "OperatorScheme": "operator.json",
        "RQACodingPlans": [episode],
        "DemographicCodingPlans": [
            survey("gender", coding("gender", Cleaner="swahili.gender")),
            survey("age", coding("age"), coding("age_category"), CodeImputationFunction="age_category"),
            survey("location", coding("constituency"), coding("county"), CodeImputationFunction="kenya_location"),
            operator,
        ],
    }


def make_configuration() -> dict[str, Any]:
    remappings: list[dict[str, Any]] = [
        {"RapidProKey": "avf_phone_id", "PipelineKey": "uid"},
        {"RapidProKey": "Answer (Text) - show", "PipelineKey": "episode_raw", "IsActivationMessage": True},
        {"RapidProKey": "Answer (Time) - show", "PipelineKey": "sent_on"},
        {"RapidProKey": "Answer (Run ID) - show", "PipelineKey": "episode_run_id"},
    ]
    for name in ("gender", "age", "location"):
        remappings.append({"RapidProKey": f"{name.title()} (Text) - survey", "PipelineKey": f"{name}_raw"})
        remappings.append({"RapidProKey": f"{name.title()} (Time) - survey", "PipelineKey": f"{name}_time"})
    return {
        "PipelineName": "SMALL",
        "RawDataSources": [
            {
                "SourceType": "RapidPro",
                "Domain": "rapidpro.example.org",
                "TokenFileURL": "gs://small-keys/token.txt",
                "ContactsFileName": "small_contacts",
                "ActivationFlowNames": ["show"],
                "SurveyFlowNames": ["survey"],
                "TestContactUUIDs": ["6f1a4c1e-2f0b-4b7e-9a57-0d3c6a1b2c3d"],
            }
        ],
        "PhoneNumberUuidTable": {"FirebaseCredentialsFileURL": "gs://small-keys/firebase.json", "TableName": "SMALL"},
        "RapidProKeyRemappings": remappings,
        "ProjectStartDate": "2026-03-01T00:00:00+03:00",
        "ProjectEndDate": "2026-06-01T00:00:00+03:00",
        "FilterTestMessages": True,
        "MoveWSMessages": True,
        "CodingPlansFile": PLANS,
    }


@functools.cache
def small_files() -> dict[str, str]:
    """The project's files by their names in its folder: the same for all tests."""
    schemes = {f"code_schemes/{name}.json": make_scheme(name, codes) for name, codes in SCHEMES.items()}
    files = {CONFIGURATION: make_configuration(), PLANS: make_plans(), **schemes}
    return {name: encode(document) for name, document in files.items()}


def write_small_project(folder: Path) -> Path:
    """Write the project; returns the pipeline configuration's path."""
    (folder / "code_schemes").mkdir(parents=True)
    for name, text in small_files().items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder / CONFIGURATION


def encode(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def write(path: Path, document: Any) -> None:
    path.write_text(encode(document), encoding="utf-8")


@dataclass(frozen=True)
class Edit:
    """A change of one file of the project."""

    file: str
    change: Callable[[Path], object]

    def apply(self, folder: Path) -> None:
        self.change(folder / self.file)


def put(file: str, place: str, value: Any, key: str | None = None) -> Edit:
    """Set the value at a JSON path like "$.A[0].B", or take it away (REMOVED); with `key` the key is renamed as well."""

    def change(path: Path) -> None:
        document = json.loads(path.read_text(encoding="utf-8"))
        steps = [
            int(step) if step.isdecimal() else step for step in place.replace("[", ".").replace("]", "").split(".")[1:]
        ]
        if not steps:
            write(path, value)
            return
        inner = document
        for step in steps[:-1]:
            inner = inner[step]
        last = steps[-1]
        if key is not None:
            renamed = {key if name == last else name: value if name == last else old for name, old in inner.items()}
            inner.clear()
            inner.update(renamed)
        elif value is REMOVED:
            del inner[last]
        elif isinstance(inner, list) and last == len(inner):
            inner.append(value)
        else:
            inner[last] = value
        write(path, document)

    return Edit(file, change)


def configuration(place: str, value: Any, key: str | None = None) -> Edit:
    return put(CONFIGURATION, place, value, key)


def plans(place: str, value: Any, key: str | None = None) -> Edit:
    return put(PLANS, place, value, key)


def scheme(name: str, place: str, value: Any, key: str | None = None) -> Edit:
    return put(f"code_schemes/{name}.json", place, value, key)


def text(file: str, old: str, new: str) -> Edit:
    """Replace text as a person with an editor does."""

    def change(path: Path) -> None:
        content = path.read_text(encoding="utf-8")
        assert old in content
        path.write_text(content.replace(old, new, 1), encoding="utf-8")

    return Edit(file, change)


def content(file: str, new: bytes | None) -> Edit:
    """Replace a whole file, or take it away."""
    return Edit(file, lambda path: path.unlink() if new is None else path.write_bytes(new))


def drive(**changes: Any) -> Edit:
    """Let the outputs go to Drive."""
    settings = {
        "DriveCredentialsFileURL": "gs://small-keys/drive.json",
        "ProductionUploadPath": "Small/production.csv",
        "MessagesUploadPath": "Small/messages.csv",
        "IndividualsUploadPath": "Small/individuals.csv",
        **changes,
    }
    return configuration("$.DriveUpload", {name: value for name, value in settings.items() if value is not REMOVED})


def second_episode(**changes: Any) -> Edit:
    """Add a plan for a second episode."""
    coding = {"CodingMode": "MULTIPLE", "CodeScheme": "episode.json", "CodedField": "second_coded",
              "AnalysisFileKey": "second"}  # fmt: skip
    plan = {**make_plans()["RQACodingPlans"][0], "RawField": "second_raw", "CodaFilename": "SMALL_second.json",
            "ICRFilename": "second.csv", "WSCode": "episode 2", "CodingConfigurations": [coding], **changes}  # fmt: skip
    return plans("$.RQACodingPlans[1]", plan)


@dataclass(frozen=True)
class Case:
    """A way to go wrong, and every line that is said of it."""

    name: str
    edits: tuple[Edit, ...]
    lines: list[str]


def case(name: str, *parts: Edit | str) -> Case:
    """Edits of the project, then the lines."""
    edits = tuple(part for part in parts if isinstance(part, Edit))
    return Case(name, edits, [part for part in parts if isinstance(part, str)])


def write_broken_project(folder: Path, broken: Case) -> Path:
    """Write the project with a case's edits; returns the pipeline configuration's path."""
    path = write_small_project(folder)
    for edit in broken.edits:
        edit.apply(folder)
    return path
