"""What is said of documents, files and folders that are not what they should be."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from engagement.__main__ import main
from engagement.foundation.errors import InputError, PipelineError
from example_project import EPISODE_FLOW, DataRoot, coda_message, episode_run, label, uid_of, write_project
from hostile import RUNS, as_chain, ends_well, write


def changed_label(**changes: Any) -> list[dict[str, Any]]:
    return [coda_message("naag", {**label("gender", "woman"), **changes})]


# Each ended in a traceback once: what the file holds, and what stage 3 says of it (None: it is accepted).
FOUND_CODA_FILES = [
    (changed_label(SchemeID=True), "at $[0].Labels[0]: no SchemeID; expected a label"),
    (changed_label(CodeID=["gender-woman"]), "at $[0].Labels[0]: no CodeID; expected a label"),
    (changed_label(Origin="Ali"), None),
    (changed_label(Origin={"Name": "\ud83d"}), None),
    (changed_label(Confidence=2**70), None),
    (changed_label(DateTimeUTC="@nan@"), None),
    (changed_label(DateTimeUTC="0001-01-01T00:00:00+03:00"), None),
    ([{**coda_message("naag"), "MessageID": ["a"]}], "at $[0]: no MessageID; expected a message"),
    ([{**coda_message("naag"), "SequenceNumber": "@digits@"}], "a number without end"),
    (["@deep@"], "lists within lists without end"),
]


@pytest.mark.parametrize(("messages", "said"), FOUND_CODA_FILES)
def test_coda_files_that_ended_in_a_traceback(root: DataRoot, messages: list[Any], said: str | None):
    root.write_runs(*RUNS)
    path = root.path / "Coded Coda Files" / "EXAMPLE_gender.json"
    path.write_bytes(write(messages))
    try:
        if said is None:
            root.generate()
            arguments = ["explain", str(root.path), uid_of("a"), "--pipeline-configuration", str(root.configuration)]
            ends_well(lambda: main(arguments))
            return
        with pytest.raises(InputError) as refused:
            root.generate()
        assert said in str(refused.value)
    finally:
        path.unlink()


EPISODE = json.loads(RUNS[1])[-1]["Data"]
TEXT_KEY, TIME_KEY = (f"Rqa_S01E01_Raw ({part}) - {EPISODE_FLOW.format(1)}" for part in ("Text", "Time"))
FOUND_RUNS = [
    ({**EPISODE, TEXT_KEY: ["biyo"]}, "the value of 'rqa_s01e01_raw' is not a text"),
    ({**EPISODE, TEXT_KEY: 25}, "the value of 'rqa_s01e01_raw' is not a text"),
    ({**EPISODE, TIME_KEY: "0001-01-01T00:00:00+03:00"}, "'sent_on' is not a time"),
    ({**EPISODE, "avf_phone_id": {"avf_phone_id": "a"}}, "line 1: no 'avf_phone_id'"),
    ({**EPISODE, "avf_phone_id": "a\ud83d"}, "line 1: no 'avf_phone_id'"),
    ({**EPISODE, "operator_raw": ["25261"]}, "the value of 'operator_raw' is not a text"),
    ({**EPISODE, "operator_coded": {"CodeID": {"a": 1}}}, None),
]


@pytest.mark.parametrize(("data", "said"), FOUND_RUNS)
def test_runs_that_ended_in_a_traceback(root: DataRoot, data: dict[str, Any], said: str | None):
    root.write_runs(*RUNS)
    root.write_flow(EPISODE_FLOW.format(1), as_chain([data]).decode())
    if said is None:
        root.generate()
        return
    with pytest.raises(InputError) as refused:
        root.generate()
    assert said in str(refused.value)


def test_a_line_of_lists_without_end_is_told(root: DataRoot):
    root.write_runs(*RUNS)
    root.write_flow(EPISODE_FLOW.format(1), write([{"Data": "@deep@", "avf_phone_id": "a"}]).decode() + "\n")
    with pytest.raises(InputError, match="nested too deeply"):
        root.generate()


@pytest.mark.parametrize("depth", [40, 300, 900, 980, 20_000])
def test_coda_files_of_lists_within_lists_are_told(root: DataRoot, depth: int):
    root.write_runs(*RUNS)
    deep = "[" * depth + "]" * depth
    labels = f'[{{"SchemeID": "s", "CodeID": "c", "Origin": {deep}}}]'
    path = root.path / "Coded Coda Files" / "EXAMPLE_gender.json"
    path.write_text(f'[{{"MessageID": "m", "Text": "x", "Labels": {labels}}}]')
    try:
        with pytest.raises(InputError, match="EXAMPLE_gender.json: (1 problem|lists within lists)"):
            root.generate()
    finally:
        path.unlink()


def test_a_flow_of_a_name_that_no_file_can_have_is_told(tmp_path: Path):
    def change(document: dict[str, Any]) -> None:
        document["RawDataSources"][0]["ActivationFlowNames"] = ["f" * 300]

    root = DataRoot(tmp_path, write_project(tmp_path / "configuration", change))
    with pytest.raises(
        PipelineError, match="is too long for the name of a file; expected 200 bytes at most"
    ) as refused:
        root.generate()
    assert refused.value.exit_status == 10


def test_a_configuration_that_is_a_pipe_is_told_and_not_waited_for(tmp_path: Path):
    root = DataRoot(tmp_path, write_project(tmp_path / "configuration"))
    root.configuration.unlink()
    os.mkfifo(root.configuration)
    with pytest.raises(PipelineError, match="a pipe or a device and not a file") as refused:
        root.generate()
    assert refused.value.exit_status == 10


def test_outputs_on_another_disk_are_made_there_night_after_night(tmp_path: Path):
    root = DataRoot(tmp_path, write_project(tmp_path / "configuration"))
    root.write_runs(*RUNS)
    disk = tmp_path / "other disk"
    (disk / "Outputs of P").mkdir(parents=True)
    root.outputs.symlink_to(disk / "Outputs of P")
    for _ in range(2):
        root.generate(full=True)
        assert root.outputs.is_symlink()
        assert (disk / "Outputs of P" / "messages.csv").exists()
        assert [path.name for path in disk.iterdir()] == ["Outputs of P"]
        assert not list(root.path.glob("*.partial"))
    root.generate()
    (disk / "Outputs of P").rename(disk / "away")
    with pytest.raises(PipelineError, match="where there is no folder"):
        root.generate()


def test_bad_raw_data_are_told_as_that_by_the_stage(root: DataRoot, capsys):
    """Whatever part files are missing then."""
    root.write_runs(*RUNS, episode_run("c", "biyo", time="yesterday"))
    arguments = ["--user", "tester@example.org", "--credentials", str(root.credentials)]
    arguments += ["--pipeline-configuration", str(root.configuration), "--data-root", str(root.path)]
    assert main(["generate-outputs", *arguments]) == 11
    assert "'sent_on' is not a time; expected ISO 8601 with an offset" in capsys.readouterr().err
