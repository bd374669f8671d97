"""Invented Coda messages and code schemes, a project around them, and the two stages run in processes that can be killed."""

import argparse
import hashlib
import importlib
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engagement.services.coda.protocol import open_coda
from faults import KILLED, PROCESSES, start_server

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
# The messages that fill a segment with the fixture `small_segments`.
FEW = 25


def message(number, labels=(), **more):
    """Message `number`, which was created that many minutes after the start."""
    text = f"jawaab {number}"
    return {
        "MessageID": hashlib.sha256(text.encode()).hexdigest(),
        "Text": text,
        "CreationDateTimeUTC": (START + timedelta(minutes=number)).isoformat(),
        "Labels": list(labels),
        **more,
    }


def label(code, scheme="Scheme-theme", checked=True):
    return {
        "SchemeID": scheme,
        "CodeID": code,
        "DateTimeUTC": "2026-03-02T08:00:00+00:00",
        "Checked": checked,
        "Origin": {"OriginID": "coder@example.org", "Name": "A Coder", "OriginType": "Manual"},
    }


def code(code_id, number, control_code=None):
    kind = {"CodeType": "Normal"} if control_code is None else {"CodeType": "Control", "ControlCode": control_code}
    return {
        "CodeID": code_id,
        "DisplayText": code_id,
        "NumericValue": number,
        "StringValue": code_id.replace("-", "_"),
        "VisibleInCoda": True,
        **kind,
    }


def code_scheme(scheme_id="Scheme-theme", name="Theme"):
    controls = [code(f"code-{control}", -number, control) for number, control in enumerate(_CONTROLS, start=1)]
    return {
        "SchemeID": scheme_id,
        "Name": name,
        "Version": "0.0.0.1",
        "Codes": [code("code-health", 1), code("code-water", 2), *controls],
    }


_CONTROLS = ("NA", "NS", "NC", "NR", "CE", "WS", "STOP")

WS_SCHEME = {
    "SchemeID": "Scheme-ws",
    "Name": "WS - Correct Dataset",
    "Version": "0.0.0.1",
    "Codes": [
        {**code("code-show", 1), "MatchValues": ["show"]},
        {**code("code-gender", 2), "MatchValues": ["gender"]},
        code("code-ws-NC", -1, "NC"),
        code("code-ws-CE", -2, "CE"),
    ],
}


def write(path, document):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def make_credentials(directory, embedded):
    return write(directory / f"{embedded}.json", {"type": "embedded", "directory": embedded})


def make_project(directory, datasets=("show",), users=("coder@example.org",), **more):
    """Write a pipeline configuration with a coding plan for each dataset."""
    plan = {"RawFieldFoldStrategy": "concatenate"}
    plans = [
        {
            **plan,
            "RawField": f"{dataset}_raw",
            "TimeField": f"{dataset}_time",
            "CodaFilename": f"{dataset}.json",
            "CodingConfigurations": [
                {"CodingMode": "MULTIPLE", "CodeScheme": f"{dataset}.json", "CodedField": f"{dataset}_coded"}
            ],
        }
        for dataset in datasets
    ]
    for dataset in datasets:
        scheme = code_scheme("Scheme-theme" if dataset == "show" else f"Scheme-{dataset}", dataset)
        write(directory / "code_schemes" / f"{dataset}.json", scheme)
    write(directory / "code_schemes" / "ws.json", WS_SCHEME)
    write(
        directory / "coding_plans.json",
        {"CodeSchemesDir": "code_schemes", "WSCorrectDatasetScheme": "ws.json", "RQACodingPlans": plans},
    )
    return write(
        directory / "pipeline_configuration.json",
        {
            "PipelineName": "invented",
            "RawDataSources": [
                {
                    "SourceType": "RapidPro",
                    "Domain": "localhost",
                    "TokenFileURL": "gs://invented/token.txt",
                    "ContactsFileName": "contacts",
                    "ActivationFlowNames": ["show_activation"],
                }
            ],
            "PhoneNumberUuidTable": {"FirebaseCredentialsFileURL": "gs://invented/firebase.json", "TableName": "t"},
            "RapidProKeyRemappings": [
                {"RapidProKey": "avf_phone_id", "PipelineKey": "uid"},
                *(remapping(dataset, part) for dataset in datasets for part in ("raw", "time")),
            ],
            "ProjectStartDate": "2026-03-01T00:00:00+03:00",
            "ProjectEndDate": "2026-06-01T00:00:00+03:00",
            "FilterTestMessages": True,
            "MoveWSMessages": True,
            "CodingPlansFile": "coding_plans.json",
            "CodaUsers": list(users),
            **more,
        },
    )


def remapping(dataset, part):
    key = f"{dataset}_{part}"
    return {"RapidProKey": f"{key} - show_activation", "PipelineKey": key, "IsActivationMessage": part == "raw"}


def run_stage(name, *command_line):
    """Run a stage in this process."""
    stage = importlib.import_module(f"engagement.stages.{name}")
    parser = argparse.ArgumentParser()
    stage.add_arguments(parser)
    stage.run(parser.parse_args([str(argument) for argument in command_line]))


def kill_stage_at_each_write(after, name, command_lines):
    """Run a stage once for each command line, in processes of their own: the first dies just before (or just after) it moves
    its first file in place, the next at its second, and so on. Returns how many died; the others had ended before.
    """
    receiver, sender = PROCESSES.Pipe(duplex=False)
    process = _start(_kill_at_each_write, sender, after, name, command_lines)
    process.join()
    exit_statuses = receiver.recv()
    died = exit_statuses.count(KILLED)
    # Those that ran to their end come last, and the last one has: so no write was left out.
    assert exit_statuses == [KILLED] * died + [0] * (len(command_lines) - died)
    assert died < len(command_lines)
    return died


def start_stage(name, *command_line):
    """Start a stage in a process of its own."""
    return _start(run_stage, name, *command_line)


def start_adding(credentials, dataset, messages, emulator=None):
    """Start a process that adds messages to a dataset of the Coda that the credentials belong to."""
    return _start(_add, credentials, dataset, messages, emulator)


def _start(function, *arguments):
    start_server()
    process = PROCESSES.Process(target=function, args=arguments)
    process.start()
    return process


def _add(credentials, dataset, messages, emulator):
    if emulator is not None:
        os.environ["FIRESTORE_EMULATOR_HOST"] = emulator
    open_coda(credentials).add_messages(dataset, messages)


def _kill_at_each_write(sender, after, name, command_lines):
    importlib.import_module(f"engagement.stages.{name}")
    exit_statuses = []
    for count, command_line in enumerate(command_lines, start=1):
        child = os.fork()
        if child == 0:
            try:
                _die_at_write(count, after, name, *command_line)
                os._exit(0)
            finally:
                os._exit(1)
        exit_statuses.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    sender.send(exit_statuses)


def _die_at_write(count, after, name, *command_line):
    move, moved = os.replace, 0

    def counted_move(source, target):
        nonlocal moved
        moved += 1
        if moved == count and not after:
            os._exit(KILLED)
        move(source, target)
        if moved == count:
            os._exit(KILLED)

    os.replace = counted_move
    run_stage(name, *command_line)


def coda_folder_state(directory: Path):
    """Every file in an embedded Coda folder, without the times of the changes."""
    state = {}
    for path in sorted(directory.glob("*.json")):
        document = read(path)
        if path.name.count(".") == 1:
            document = [{key: value for key, value in item.items() if key != "LastUpdated"} for item in document]
        state[path.name] = document
    return state
