"""The commands that suggest labels by hand, and that show what suggestions would have been worth."""

import argparse
import importlib.util
import json
import shutil
from pathlib import Path

import pytest
from tests.suggestion_examples import make_messages, make_scheme_document

from engagement.desk import suggest_labels
from engagement.foundation.errors import ConfigurationError, InputError, MachineError, PipelineError, UsageError


def run(folder: Path, *options: str) -> None:
    parser = argparse.ArgumentParser()
    suggest_labels.add_arguments(parser)
    paths = ["--coda-file", "coded.json", "--code-scheme", "topic.json", "--output", "suggested.json"]
    given = [str(folder / one) if one.endswith(".json") else one for one in (*paths, *options)]
    suggest_labels.run(parser.parse_args(given))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "coded.json").write_text(json.dumps(make_messages(240, 60)), encoding="utf-8")
    (tmp_path / "topic.json").write_text(json.dumps(make_scheme_document()), encoding="utf-8")
    return tmp_path


def test_the_output_is_the_input_with_suggestions_and_the_same_every_time(folder: Path):
    (folder / "suggested.json").write_text("an older one, much longer " * 100_000)
    run(folder, "--report", "report.json")
    before, after = (json.loads((folder / name).read_text()) for name in ("coded.json", "suggested.json"))
    assert [{**one, "Labels": []} for one in after] == [{**one, "Labels": []} for one in before]
    assert after[:240] == before[:240]
    assert sum(bool(one["Labels"]) for one in after[240:]) > 40
    report = json.loads((folder / "report.json").read_text())
    assert set(report["messages"]) == {one["MessageID"] for one in before[240:]}
    first = (folder / "suggested.json").read_bytes()
    shutil.copy(folder / "suggested.json", folder / "coded.json")
    run(folder)
    assert (folder / "suggested.json").read_bytes() == first
    assert sorted(path.name for path in folder.iterdir()) == [
        "coded.json",
        "report.json",
        "suggested.json",
        "topic.json",
    ]


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("coded.json", None, UsageError),
        ("coded.json", "[{", InputError),
        ("coded.json", '{"a": 1}', InputError),
        ("coded.json", '[{"Text": "a"}]', InputError),
        ("topic.json", None, PipelineError),
        ("topic.json", "[", (ConfigurationError, InputError)),
        ("topic.json", '{"SchemeID": "Scheme-topic"}', (ConfigurationError, InputError)),
    ],
)
def test_bad_input_is_told_and_the_output_stays(folder: Path, name: str, content: str | None, error):
    (folder / "suggested.json").write_text("of yesterday")
    (folder / name).unlink() if content is None else (folder / name).write_text(content)
    with pytest.raises(error, match=name):
        run(folder)
    assert (folder / "suggested.json").read_text() == "of yesterday"


def test_without_the_library_one_line_says_how_to_get_it(folder: Path, monkeypatch: pytest.MonkeyPatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "sklearn" else find(name))
    with pytest.raises(MachineError, match="PIPELINE_SUGGESTIONS=yes") as caught:
        run(folder)
    assert "\n" not in str(caught.value)
    assert not (folder / "suggested.json").exists()
