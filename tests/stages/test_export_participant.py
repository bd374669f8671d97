"""What a person gets who asks what is held of them."""

import json

from faults import NOW, in_server, run_stage
from forgotten_person import ONLY_THEIRS, PERSON, UID


def export(project, output, *who):
    arguments = [str(project.configuration), str(project.data_root), str(project.credentials)]
    return run_stage(["export-participant", *arguments, *who, "--output", str(output)], now=NOW)


def read_labelled(project):
    return json.loads((project.data_root / "Coded Coda Files" / "EXAMPLE_s01e01.json").read_text())


def test_everything_of_a_person_is_exported_for_its_user_alone(seasons, tmp_path):
    project, *_ = seasons
    project.put_back("before")
    ended = in_server(export, project, tmp_path / "export", "--uid", UID)
    assert ended.status == 0, ended.told
    folder = tmp_path / "export"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == {
        "everything.csv": 0o600, "everything.html": 0o600, "everything.json": 0o600,
    }  # fmt: skip
    document = json.loads((folder / "everything.json").read_text())
    assert document["uids"] == [UID]
    runs = document["held"]["Raw Data"]
    assert {run["content"]["avf_phone_id"] for run in runs} == {UID}
    texts = [item["content"] for item in document["held"]["Coda files"] if item["file"].startswith("Coded")]
    assert next(text["Labels"] for text in texts if text["Text"] == ONLY_THEIRS)
    assert ONLY_THEIRS in (folder / "everything.html").read_text()
    assert ONLY_THEIRS in (folder / "everything.csv").read_text()
    others = [f"avf-phone-uuid-{number:04}" for number in range(1, 13) if number != PERSON]
    coders = {one["Origin"]["Name"] for text in read_labelled(project) for one in text["Labels"]}
    assert coders
    for path in folder.iterdir():
        text = path.read_text()
        assert [text[text.index(name) - 80 :][:160] for name in (*others, *coders) if name in text] == []


def test_an_export_never_goes_into_the_data_root(seasons):
    project, *_ = seasons
    ended = in_server(export, project, project.data_root / "export", "--uid", UID)
    assert ended.status == 2
    assert "outside" in ended.told
