"""Participants who are one person, in full runs and in those that build on the last one."""

import csv
import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from engagement.__main__ import main
from engagement.delivery.selections.withdrawn import find_withdrawn
from engagement.foundation.errors import ConfigurationError, InputError
from example_project import DataRoot, coda_message, episode_run, label, survey_run, uid_of, write_project
from incremental_runs import outputs_of, read_processed

FILE = "linked.csv"
NAMES = tuple(str(uuid.uuid5(uuid.NAMESPACE_DNS, f"person {number}")) for number in range(16))
STRANGER = str(uuid.uuid5(uuid.NAMESPACE_DNS, "nobody"))


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")


def link(root: DataRoot, *rows: tuple[str, ...], header: tuple[str, ...] = ("uid", "uid_2", "uid_3", "Name")) -> None:
    with (root.configuration.parent / FILE).open("w", newline="") as target:
        lines = csv.writer(target)
        lines.writerow(header)
        lines.writerows([*map(uid_of, names), *[""] * (3 - len(names)), "Zzyzx"][: len(header)] for names in rows)


def fill(root: DataRoot) -> None:
    root.write_runs(
        *(
            episode_run(name, f"answer {n}", run_id=n, time=f"2026-04-01T10:{n:02}:00+03:00")
            for n, name in enumerate(NAMES)
        ),
        survey_run(NAMES[1], gender="naag"),
    )
    texts = [coda_message(f"answer {n}", label("episode1", "water")) for n in range(15)]
    root.write_coded("s01e01", *texts, coda_message("answer 15", label("episode1", "STOP")))


def make(folder: Path, configuration: Path | None = None, **more: Any) -> DataRoot:
    folder.mkdir(exist_ok=True)
    document = {"LinkedParticipants": [FILE], **more}
    root = DataRoot(folder, configuration or write_project(folder / "configuration", lambda one: one.update(document)))
    fill(root)
    return root


def texts_of(root: DataRoot, name: str, table: str = "messages") -> list[str]:
    rows: list[Mapping[str, str]] = root.table(table)
    return sorted(row["rqa_s01e01_raw"] for row in rows if row["uid"] == uid_of(name))


def test_linked_ids_are_one_participant_of_the_first_id(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    root = make(tmp_path)
    link(root, (NAMES[0], NAMES[1]), (NAMES[5], NAMES[3], STRANGER))
    raw = {path: path.read_bytes() for path in (root.path / "Raw Data").iterdir()}
    root.generate()
    assert texts_of(root, NAMES[0]) == ["answer 0", "answer 1"]
    assert texts_of(root, NAMES[0], "individuals") == ["answer 0;answer 1"]
    assert texts_of(root, NAMES[5]) == ["answer 3", "answer 5"]
    assert [texts_of(root, name) for name in (NAMES[1], NAMES[3])] == [[], []]
    # What is answered by one id is known of the other's messages.
    assert {row["gender_raw"] for row in root.table("messages") if row["uid"] == uid_of(NAMES[0])} == {"naag"}
    assert "LinkedParticipants: 3 id(s) count for another; 1 in the files wrote nothing that was fetched" in caplog.text
    assert raw == {path: path.read_bytes() for path in (root.path / "Raw Data").iterdir()}
    index = (root.outputs / "messages_index.csv").read_text()
    assert uid_of(NAMES[1]) not in index
    assert "Zzyzx" not in caplog.text


def test_stop_of_one_id_is_stop_of_all(tmp_path: Path):
    root = make(tmp_path)
    link(root, (NAMES[4], NAMES[15]))
    root.generate()
    for path in root.outputs.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert not [name for name in (NAMES[4], NAMES[15]) if name.encode() in content]
    withdrew = {uid_of(NAMES[4]), uid_of(NAMES[15])}
    # For those who write back, and for other projects that know the other id alone.
    assert find_withdrawn(root.path, [*withdrew, uid_of(NAMES[0])]) == withdrew


def test_a_changed_file_changes_only_these_participants_and_leaves_what_a_full_run_leaves(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    root = make(tmp_path)
    full = make(tmp_path / "full", root.configuration)
    counts = []
    for rows in (
        (),
        ((NAMES[0], NAMES[1]),),
        ((NAMES[1], NAMES[0]),),  # the other one counts
        ((NAMES[1], NAMES[0]), (NAMES[4], NAMES[15])),  # who withdrew under another id
        ((NAMES[4], NAMES[15], NAMES[2]),),
        ((NAMES[4], NAMES[15], NAMES[2]),),
        (),
    ):
        link(root, *rows)
        root.generate(partitions=1 + len(counts) % 3, accept_lost_withdrawals=True)
        counts.append(read_processed(caplog))
        full.generate(full=True, accept_lost_withdrawals=True)
        assert outputs_of(root) == outputs_of(full), rows
    assert counts == ["no run left notes here", 1, 1, 1, 3, 0, 3]
    assert texts_of(root, NAMES[4]) == ["answer 4"]


def test_ids_of_those_who_withdrew_are_parted_only_when_that_is_accepted(tmp_path: Path):
    root = make(tmp_path)
    link(root, (NAMES[4], NAMES[15]), (NAMES[0], NAMES[1]))
    root.generate()
    before = outputs_of(root)
    link(root, (NAMES[0], NAMES[1]))
    with pytest.raises(InputError, match="1 id of people who withdrew consent would no longer be linked"):
        root.generate()
    assert outputs_of(root) == before
    # The other id may count, and who did not withdraw may be parted.
    link(root, (NAMES[15], NAMES[4]))
    root.generate()
    assert texts_of(root, NAMES[4]) == []
    link(root)
    root.generate(accept_lost_withdrawals=True)
    assert texts_of(root, NAMES[4]) == ["answer 4"]


def test_a_new_message_of_another_id_processes_the_person(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    root = make(tmp_path)
    link(root, (NAMES[0], NAMES[1]))
    root.generate()
    flow = root.path / "Raw Data" / "s01e2_activation.jsonl"
    flow.write_text(episode_run(NAMES[1], "more", 2, run_id=77))
    root.generate()
    assert read_processed(caplog) == 1
    assert {row["uid"] for row in root.table("messages") if row["rqa_s01e02_raw"] == "more"} == {uid_of(NAMES[0])}


def test_a_test_participant_is_one_under_any_id(tmp_path: Path):
    root = make(tmp_path, TestParticipantUUIDs=[uid_of(NAMES[7])])
    link(root, (NAMES[6], NAMES[7]))
    root.generate()
    assert texts_of(root, NAMES[6]) == []


def test_listening_groups_count_the_person(tmp_path: Path):
    root = make(tmp_path, ListeningGroups=[{"Name": "mothers", "Files": ["mothers.csv"]}])
    (root.configuration.parent / "mothers.csv").write_text(f"uid\n{uid_of(NAMES[1])}\n")
    link(root, (NAMES[0], NAMES[1]))
    root.generate()
    found = {row["uid"] for row in root.table("individuals") if row["listening_group_mothers"] == "true"}
    assert found == {uid_of(NAMES[0])}


def test_explain_and_diff_follow(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    root = make(tmp_path)
    link(root, (NAMES[0], NAMES[1]))
    root.generate()
    options = ["--pipeline-configuration", str(root.configuration)]
    assert main(["explain", str(root.path), uid_of(NAMES[1]), *options]) == 0
    assert f"Participant {uid_of(NAMES[0])}" in capsys.readouterr().out
    other = root.configuration.with_name("other.json")
    document = json.loads(root.configuration.read_text())
    other.write_text(json.dumps(document | {"NoiseMinimumLength": 3}))
    assert main(["diff", str(root.configuration), str(other), "--data-root", str(root.path), "--jobs", "1"]) == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"uid,uid_2\n{uid_of(NAMES[0])},{uid_of(NAMES[1])}\n{uid_of(NAMES[1])},{uid_of(NAMES[2])}\n", "row 3: id 1 is in linked.csv, row 2 as well"),
        (f"uid,uid_2\n{uid_of(NAMES[0])},{uid_of(NAMES[1])}\n{uid_of(NAMES[1])},{uid_of(NAMES[0])}\n", "row 3: id 2 is in linked.csv, row 2 as well"),
        (f"uid,uid_2\n{uid_of(NAMES[0])},{uid_of(NAMES[0])}\n", "row 2: id 2 is in the row twice"),
        (f"uid,uid_2\n{uid_of(NAMES[0])},\n", "row 2: one id alone"),
        (f"uid,uid_2\n{uid_of(NAMES[0])},+252615000001\n", "row 2: id 2 looks like a phone number"),
        (f"uid,uid_2\n{uid_of(NAMES[0])},avf-phone-uuid-hello\n", "row 2: id 2 has no uuid behind its prefix"),
        (f"uid,Name\n{uid_of(NAMES[0])},Zzyzx\n", "row 1: 1 columns whose names begin with 'uid'"),
        (None, "no such file"),
    ],
)  # fmt: skip
def test_a_file_that_is_in_doubt_is_refused_before_anything_is_written(
    tmp_path: Path, content: str | None, said: str, capsys: pytest.CaptureFixture[str]
):
    root = make(tmp_path)
    if content is not None:
        (root.configuration.parent / FILE).write_text(content)
    with pytest.raises(ConfigurationError) as error:
        root.generate()
    assert said in str(error.value)
    assert not [shown for shown in ("252615000001", "Zzyzx", *NAMES) if shown in str(error.value)]
    assert not root.outputs.exists()
    assert main(["check", str(root.configuration)]) == 10
    assert "$.LinkedParticipants: " in capsys.readouterr().out
