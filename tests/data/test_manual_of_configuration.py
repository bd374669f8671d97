"""The examples of configurations/README.md: each section is followed to the letter on a copy of the demo, and checked."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from engagement.__main__ import main
from engagement.provenance import Metadata, encode_fresh_chain
from example_project import coda_message
from manual_pages import ROOT, TEXTS, Block, blocks, command_lines

PAGE = "configurations/README.md"
BLOCKS = list(blocks(PAGE))
SECTIONS = list(dict.fromkeys(block.section for block in BLOCKS))
EDIT = re.compile(r"[Ii]n `(?P<file>\S+\.json)`, (?P<verb>add|change)(?: (?:to|in) `(?P<path>[^`]+)`)?:$")
SAVE = re.compile(r"Save this as `(?P<file>[^`]+)`:$")
TRIAL = Path("configurations/trial")
CONFIGURATION = TRIAL / "pipeline_configuration.json"
# What reads or writes nothing but the copy; the others are only parsed, with all commands of the manual.
FOLLOWED = {"check", "diff", "scheme", "new-project"}
# What commands print when their example took effect.
SAYS = {
    "Add an episode": [("diff", "s01e04_raw")],
    "Add a demographic question": [("diff", "disabled")],
    "Write your own cleaner": [("diff", "woman")],
    "Write your own imputation function": [("diff", "community_effort")],
    "Rename a code, retire a code": [("scheme diff", "cost_of_water"), ("scheme diff", "1 message")],
    "Answers that came too early or too late": [("diff", "s01e01_raw")],
}
METADATA = Metadata("tests", "2026-08-20T00:00:00.000000+00:00", "tester@example.org")


def raw_run(flow: str, run_id: int, **answers: str) -> str:
    """A line of raw data; answers by result."""
    data: dict[str, Any] = {"avf_phone_id": "avf-phone-uuid-a", "urn_type": "tel", f"run_id - {flow}": run_id}
    for result, text in answers.items():
        parts = {"Text": text, "Value": text, "Time": "2026-08-26T10:00:00+03:00", "Run ID": run_id}
        data |= {f"{result} ({part}) - {flow}": value for part, value in parts.items()}
    return encode_fresh_chain([(data, METADATA)]) + "\n"


@pytest.fixture(scope="module")
def data_root(tmp_path_factory) -> Path:
    """What the demo's flows hold of one invented participant."""
    root = tmp_path_factory.mktemp("data root")
    (root / "Raw Data").mkdir()
    (root / "Coded Coda Files").mkdir()
    flows = {f"demo_s01e0{number}_activation": {f"Rqa_S01E0{number}": "biyo"} for number in (1, 2, 3)}
    flows |= {
        "demo_s01_demographics": {"Gender": "dubartii", "Age": "24", "Disabled": "haa"},
        "demo_s01_evaluation": {"Show_Helpful": "haa"},
    }
    for number, (flow, answers) in enumerate(flows.items()):
        (root / "Raw Data" / f"{flow}.jsonl").write_text(raw_run(flow, number, **answers))
    scheme = json.loads((ROOT / "configurations/demo/code_schemes/s01e01.json").read_text())
    label = {"SchemeID": scheme["SchemeID"], "CodeID": scheme["Codes"][3]["CodeID"], "Checked": True,
             "DateTimeUTC": "2026-08-27T08:00:00+00:00",
             "Origin": {"OriginID": "coder@example.org", "Name": "Coder", "OriginType": "Manual"}}  # fmt: skip
    (root / "Coded Coda Files" / "DEMO_s01e01.json").write_text(json.dumps([coda_message("biyo", label)]))
    return root


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like the clone's, in which the reader has done what stands before the examples."""
    for name in ("demo", "schema"):
        shutil.copytree(ROOT / "configurations" / name, tmp_path / "configurations" / name)
    shutil.copytree(tmp_path / "configurations/demo", tmp_path / TRIAL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def edit(block: Block, step: re.Match[str]) -> None:
    """Add members or elements, or change those that are there."""
    file = TRIAL / step["file"]
    holder: Any = {"document": json.loads(file.read_text())}
    *path, last = re.findall(r"[^.\[\]]+", f"document.{step['path'] or ''}")
    whole = holder
    for key in path:
        holder = holder[int(key) if key.isdecimal() else key]
    last = int(last) if last.isdecimal() else last
    found, is_new = holder[last], step["verb"] == "add"
    if isinstance(found, list):
        given = json.loads(f"[{block.content}]")
        holder[last] = found + given if is_new else given
    else:
        given = json.loads("{" + block.content + "}")
        assert all((name not in found) == is_new for name in given), block
        found.update(given)
    file.write_text(json.dumps(whole["document"]))


def follow(section: str, data_root: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Do what a section says, in order; returns what each command printed."""
    printed = {}
    for block in BLOCKS:
        if block.section != section:
            continue
        step, save = EDIT.search(block.lead), SAVE.search(block.lead)
        if block.language == "bash":
            for command in command_lines(block.content):
                arguments = [argument.replace("<data-root>", str(data_root)) for argument in command.arguments]
                if command.name in FOLLOWED and "--rapid-pro-token-file" not in arguments:
                    arguments += ["--jobs", "1"] if command.name == "diff" else []
                    status = main([command.name, *arguments])
                    out, error = capsys.readouterr()
                    assert status == 0, (command, out, error)
                    printed[" ".join((command.name, *command.arguments))] = out
        elif step is not None:
            edit(block, step)
        else:
            assert save is not None, f"nothing says what to do with {block}"
            Path(save["file"]).parent.mkdir(parents=True, exist_ok=True)
            Path(save["file"]).write_text(block.content)
    return printed


@pytest.mark.parametrize("section", SECTIONS)
def test_an_example_works_as_it_stands(section: str, desk: Path, data_root: Path, capsys):
    printed = follow(section, data_root, capsys)
    assert main(["check", str(CONFIGURATION)]) == 0
    warnings = re.findall(r"^WARNING: .*$", capsys.readouterr().out, re.MULTILINE)
    # The page quotes a warning that its reader gets.
    quoted = re.findall(r"`check` warns: `([^`]+)`", section_text(section))
    assert len(warnings) == len(quoted)
    assert all(quote in warning for quote, warning in zip(quoted, warnings, strict=True)), warnings
    for command, piece in SAYS.get(section, ()):
        assert piece in next(out for name, out in printed.items() if name.startswith(command))


def section_text(section: str) -> str:
    """A section of the page on one line."""
    return " ".join(TEXTS[PAGE].partition(f"\n## {section}\n")[2].partition("\n## ")[0].split())


def test_what_comes_before_the_examples_is_what_the_tests_do():
    first = next(block.content.splitlines() for block in BLOCKS)
    assert first[1] == "cp -r configurations/demo configurations/trial"


def test_the_recovered_file_is_fetched(desk: Path, data_root: Path, capsys):
    follow("Messages that came another way", data_root, capsys)
    document = json.loads(CONFIGURATION.read_text())
    document["RawDataSources"] = [
        source for source in document["RawDataSources"] if source["SourceType"] == "RecoveryCSV"
    ]
    CONFIGURATION.write_text(json.dumps(document))
    bucket = desk / "embedded" / "storage" / "demo-recovered"
    bucket.mkdir(parents=True)
    shutil.copy(desk / "recovered" / "s01e02_recovered.csv", bucket)
    Path("credentials.json").write_text('{"type": "embedded", "directory": "embedded"}')
    arguments = ["--user", "me", "--credentials", "credentials.json", "--pipeline-configuration", str(CONFIGURATION)]
    assert main(["fetch-raw-data", *arguments, "--data-root", "new root"]) == 0
    assert len(Path("new root/Raw Data/s01e02_recovered.jsonl").read_text().splitlines()) == 2
