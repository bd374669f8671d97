"""A small invented project, and the raw runs and coded messages to try it on."""

import argparse
import csv
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from engagement.provenance import Metadata, encode_fresh_chain
from engagement.stages import generate_outputs

CONTROL_CODES = ("NA", "NS", "NC", "NR", "NIC", "STOP", "WS", "CE")
META_CODES = ("greeting", "question")
EPISODE_FLOW, SURVEY_FLOW = "s01e{}_activation", "s01_demographics"
METADATA = Metadata("tests", "2026-04-01T00:00:00.000000+00:00", "tester@example.org")

Document = dict[str, Any]


def make_scheme(name: str, normal: Sequence[str], controls: Sequence[str] = CONTROL_CODES) -> Document:
    """A code scheme whose code ids are `<name>-<value>`; each Normal code matches its own value with spaces for `_`."""
    codes: list[Document] = []
    for kind, values in (("Normal", normal), ("Control", controls), ("Meta", META_CODES)):
        for value in values:
            code = {
                "CodeID": f"{name}-{value}",
                "CodeType": kind,
                "DisplayText": value,
                "NumericValue": len(codes) + 1,
                "StringValue": value,
                "VisibleInCoda": True,
            }
            if kind == "Normal":
                code["MatchValues"] = [value.replace("_", " ")]
            else:
                code[f"{kind}Code"] = value
            codes.append(code)
    return {"SchemeID": f"Scheme-{name}", "Name": name, "Version": "0.0.0.1", "Codes": codes}


SCHEMES = {
    "episode1": ["water", "school", "roads"],
    "episode2": ["hope", "worry"],
    "gender": ["man", "woman"],
    "age": [str(age) for age in range(5, 100)],
    "age_category": ["10_to_14", "15_to_17", "18_to_35", "36_to_54", "55_to_99"],
    "sub_district": ["hodan", "waaberi"],
    "district": ["mogadishu", "baidoa", "afgooye"],
    "region": ["banadir", "bay", "lower_shabelle"],
    "state": ["banadir", "south_west_state"],
    "zone": ["nez", "nwz", "scz"],
    "operator": ["hormud", "golis"],
    "ws": ["episode_1", "episode_2", "gender", "age", "location", "elsewhere"],
}


def make_schemes() -> dict[str, Document]:
    """Every code scheme of the example project, by file name without its ending."""
    return {name: make_scheme(name, normal) for name, normal in SCHEMES.items()}


def _single(scheme: str, key: str | None = None, **more: Any) -> Document:
    name = key or scheme
    return {"CodingMode": "SINGLE", "CodeScheme": f"{scheme}.json", "CodedField": f"{name}_coded",
            "AnalysisFileKey": name, **more}  # fmt: skip


def make_coding_plans() -> Document:
    """The coding plans: two episodes, gender, age, location and the operator."""
    episodes = [
        {
            "RawField": f"rqa_s01e0{number}_raw",
            "TimeField": "sent_on",
            "RunIDField": f"rqa_s01e0{number}_run_id",
            "CodaFilename": f"EXAMPLE_s01e0{number}.json",
            "ICRFilename": f"s01e0{number}.csv",
            "WSCode": f"episode {number}",
            "RawFieldFoldStrategy": "concatenate",
            "CodingConfigurations": [
                {"CodingMode": "MULTIPLE", "CodeScheme": f"episode{number}.json",
                 "CodedField": f"rqa_s01e0{number}_coded", "AnalysisFileKey": f"rqa_s01e0{number}"}
            ],
        }
        for number in (1, 2)
    ]  # fmt: skip

    def survey(name: str, configurations: list[Document], **more: Any) -> Document:
        return {
            "RawField": f"{name}_raw", "TimeField": f"{name}_time", "CodaFilename": f"EXAMPLE_{name}.json",
            "WSCode": name, "RawFieldFoldStrategy": "assert_equal", "CodingConfigurations": configurations, **more,
        }  # fmt: skip

    return {
        "CodeSchemesDir": "code_schemes",
        "WSCorrectDatasetScheme": "ws.json",
        "OperatorScheme": "operator.json",
        "RQACodingPlans": episodes,
        "DemographicCodingPlans": [
            survey("gender", [_single("gender", Cleaner="somali.gender")]),
            survey("age", [_single("age", Cleaner="somali.age"), _single("age_category")],
                   CodeImputationFunction="age_category"),
            survey("location", [_single(level) for level in ("sub_district", "district", "region", "state", "zone")],
                   CodeImputationFunction="somalia_location"),
            {"RawField": "operator_raw", "RawFieldFoldStrategy": "assert_equal",
             "CodingConfigurations": [_single("operator")]},
        ],
        "FollowUpCodingPlans": [],
    }  # fmt: skip


def make_configuration() -> Document:
    """The pipeline configuration: two activation flows and one survey flow of one workspace."""
    remappings: list[Document] = [{"RapidProKey": "avf_phone_id", "PipelineKey": "uid"}]
    for number in (1, 2):
        result = f"Rqa_S01E0{number}_Raw ({{}}) - {EPISODE_FLOW.format(number)}"
        remappings += [
            {
                "RapidProKey": result.format("Text"),
                "PipelineKey": f"rqa_s01e0{number}_raw",
                "IsActivationMessage": True,
            },
            {"RapidProKey": result.format("Run ID"), "PipelineKey": f"rqa_s01e0{number}_run_id"},
            {"RapidProKey": result.format("Time"), "PipelineKey": "sent_on"},
        ]
    for name in ("gender", "age", "location"):
        for part, ending in (("Value", "raw"), ("Time", "time")):
            key = f"{name.title()} ({part}) - {SURVEY_FLOW}"
            remappings.append({"RapidProKey": key, "PipelineKey": f"{name}_{ending}"})
    return {
        "PipelineName": "EXAMPLE",
        "RawDataSources": [
            {
                "SourceType": "RapidPro",
                "Domain": "rapidpro.example.org",
                "TokenFileURL": "gs://example-credentials/token.txt",
                "ContactsFileName": "example_contacts",
                "ActivationFlowNames": [EPISODE_FLOW.format(1), EPISODE_FLOW.format(2)],
                "SurveyFlowNames": [SURVEY_FLOW],
                "TestContactUUIDs": [],
            }
        ],
        "PhoneNumberUuidTable": {
            "FirebaseCredentialsFileURL": "gs://example-credentials/firebase.json",
            "TableName": "EXAMPLE",
        },
        "RapidProKeyRemappings": remappings,
        "ProjectStartDate": "2026-03-01T00:00:00+03:00",
        "ProjectEndDate": "2026-06-01T00:00:00+03:00",
        "FilterTestMessages": True,
        "MoveWSMessages": True,
        "CodingPlansFile": "coding_plans.json",
    }


def write_project(
    folder: Path,
    change_configuration: Callable[[Document], object] | None = None,
    change_plans: Callable[[Document], object] | None = None,
    change_schemes: Callable[[dict[str, Document]], object] | None = None,
) -> Path:
    """Write the example project, changed as asked; returns the pipeline configuration's path."""
    documents = make_configuration(), make_coding_plans(), make_schemes()
    for document, change in zip(documents, (change_configuration, change_plans, change_schemes), strict=True):
        if change is not None:
            change(document)
    configuration, plans, schemes = documents
    (folder / "code_schemes").mkdir(parents=True, exist_ok=True)
    (folder / "coding_plans.json").write_text(json.dumps(plans))
    for name, scheme in schemes.items():
        (folder / "code_schemes" / f"{name}.json").write_text(json.dumps(scheme))
    path = folder / "pipeline_configuration.json"
    path.write_text(json.dumps(configuration))
    return path


def uid_of(name: str) -> str:
    """The uid of an invented participant."""
    return f"avf-phone-uuid-{name}"


def _result(category: str, flow: str, text: str | None, time: str, run_id: int) -> Document:
    parts = {"Category": "All Responses", "Name": category, "Run ID": run_id, "Text": text, "Time": time, "Value": text}
    return {f"{category} ({part}) - {flow}": value for part, value in parts.items()}


def episode_run(name: str, text: str | None, number: int = 1, time: str = "2026-04-01T10:00:00+03:00", run_id: int = 1,
                operator: str | None = None, **more: Any) -> str:  # fmt: skip
    """One line of an activation flow: a participant's answer to an episode; without a text the run has no answer."""
    flow = EPISODE_FLOW.format(number)
    data = {"avf_phone_id": uid_of(name), "urn_type": "tel", f"run_id - {flow}": run_id, **more}
    if text is not None:
        data |= _result(f"Rqa_S01E0{number}_Raw", flow, text, time, run_id)
    updates = [(data, METADATA)]
    if operator is not None:
        label = {"CodeID": f"operator-{operator}", "SchemeID": "Scheme-operator", "Checked": False, "DateTimeUTC": time}
        updates.append(({"operator_raw": "25261", "operator_coded": label}, METADATA))
    return encode_fresh_chain(updates) + "\n"


def survey_run(name: str, run_id: int = 100, time: str = "2026-04-02T10:00:00+03:00", **answers: str | None) -> str:
    """One line of the survey flow: a participant's answers by field (gender, age, location); None for a null answer."""
    data: Document = {"avf_phone_id": uid_of(name), "urn_type": "tel", f"run_id - {SURVEY_FLOW}": run_id}
    for field, text in answers.items():
        data |= _result(field.title(), SURVEY_FLOW, text, time, run_id)
    return encode_fresh_chain([(data, METADATA)]) + "\n"


def label(scheme: str, code: str, checked: bool = True, copy: str = "") -> Document:
    """A coder's label of the example project's schemes; `copy` is the suffix of a scheme's copy, like "-1"."""
    return {
        "SchemeID": f"Scheme-{scheme}{copy}",
        "CodeID": code if code.startswith("SPECIAL") else f"{scheme}-{code}",
        "DateTimeUTC": "2026-04-05T08:00:00.000000+00:00",
        "Checked": checked,
        "Origin": {"OriginID": "coder@example.org", "Name": "Coder", "OriginType": "Manual"},
    }


def wrong_scheme(scheme: str, target: str) -> list[Document]:
    """Labels that mark an answer as one to another dataset."""
    return [label(scheme, "WS"), label("ws", target)]


def coda_message(text: str, *labels: Document) -> Document:
    """A message of a Coda file; labels newest first."""
    return {
        "MessageID": hashlib.sha256(text.encode()).hexdigest(),
        "Text": text,
        "CreationDateTimeUTC": "2026-04-01T07:00:00.000000+00:00",
        "Labels": list(labels),
        "SequenceNumber": 0,
    }


class DataRoot:
    """A data root of the example project on which stage 3 can be run again and again."""

    def __init__(self, folder: Path, configuration: Path | None = None) -> None:
        self.path = folder / "data root"
        self.configuration = configuration or write_project(folder / "configuration")
        self.credentials = folder / "credentials.json"
        self.credentials.write_text(json.dumps({"type": "embedded", "directory": "embedded"}))
        (self.path / "Raw Data").mkdir(parents=True, exist_ok=True)
        (self.path / "Coded Coda Files").mkdir(exist_ok=True)
        for flow in (EPISODE_FLOW.format(1), EPISODE_FLOW.format(2), SURVEY_FLOW):
            self.write_flow(flow)

    @property
    def outputs(self) -> Path:
        return self.path / "Outputs"

    def write_flow(self, flow: str, *lines: str) -> None:
        """Write a flow's raw data."""
        (self.path / "Raw Data" / f"{flow}.jsonl").write_text("".join(lines))

    def write_runs(self, *lines: str) -> None:
        """Write raw data; each line goes to the flow it belongs to."""
        by_flow: dict[str, list[str]] = {EPISODE_FLOW.format(1): [], EPISODE_FLOW.format(2): [], SURVEY_FLOW: []}
        for line in lines:
            next(lines for flow, lines in by_flow.items() if f"run_id - {flow}" in line).append(line)
        for flow, found in by_flow.items():
            self.write_flow(flow, *found)

    def write_coded(self, dataset: str, *messages: Document) -> None:
        """Write what coders said in a dataset, e.g. "gender"."""
        path = self.path / "Coded Coda Files" / f"EXAMPLE_{dataset}.json"
        path.write_text(json.dumps(list(messages)))

    def generate(self, **options: Any) -> None:
        """Run stage 3."""
        arguments = {
            "user": "tester@example.org",
            "credentials": self.credentials,
            "pipeline_configuration": self.configuration,
            "data_root": self.path,
            "mode": "all-stages",
            "partitions": None,
            "jobs": 1,
            "scheduler": None,
            "tls_ca": None,
            "tls_cert": None,
            "tls_key": None,
            "allow_project_code": False,
            "upload_only": False,
            "accept_shrinkage": False,
            "accept_lost_withdrawals": False,
            "full": False,
        }
        generate_outputs.run(argparse.Namespace(**{**arguments, **options}))

    def table(self, name: str) -> list[Mapping[str, str]]:
        """The rows of an output, e.g. "messages"."""
        with (self.outputs / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def coda_file(self, dataset: str) -> list[Document]:
        """The messages of an output Coda file."""
        return json.loads((self.outputs / "Coda Files" / f"EXAMPLE_{dataset}.json").read_text())
