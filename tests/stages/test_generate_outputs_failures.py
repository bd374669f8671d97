"""Stage 3 on bad input, a full disk and kill -9: one clear message, and the old outputs stay as they were."""

import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engagement.foundation.errors import ConfigurationError, InputError
from example_project import EPISODE_FLOW, DataRoot, coda_message, episode_run, label, survey_run, write_project

# As the run scripts start a stage: compiled files that a full disk cuts short would break every later start.
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(Path(__file__).resolve().parents[2] / "src"),
    "PYTHONDONTWRITEBYTECODE": "1",
}


@pytest.fixture
def data_root(tmp_path: Path) -> DataRoot:
    root = DataRoot(tmp_path)
    root.write_runs(*(episode_run(f"p{n}", f"jawaab {n}", run_id=n) for n in range(20)), survey_run("p1", gender="nin"))
    root.generate()
    return root


def digests(root: DataRoot) -> dict[str, str]:
    return {
        str(path.relative_to(root.path)): hashlib.sha256(path.read_bytes()).hexdigest()
        for pattern in ("Outputs*/**/*", "State/**/*")
        for path in sorted(root.path.glob(pattern))
        if path.is_file()
    }


def command(root: DataRoot, *options: str) -> list[str]:
    return [
        sys.executable, "-m", "engagement", "generate-outputs", "--user", "tester", "--credentials", str(root.credentials),
        "--pipeline-configuration", str(root.configuration), "--data-root", str(root.path), *options,
    ]  # fmt: skip


def run(root: DataRoot, *options: str, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(root, *options), env=ENVIRONMENT, capture_output=True, text=True, check=False, **more)


def break_chain(root: DataRoot) -> None:
    path = root.path / "Raw Data" / f"{EPISODE_FLOW.format(1)}.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    lines[6] = lines[6].replace("jawaab", "jawaap")
    path.write_text("".join(lines))


def cut_json(root: DataRoot) -> None:
    (root.path / "Coded Coda Files" / "EXAMPLE_gender.json").write_text('[{"MessageID": "a",\n "Labels" []}]')


def garble_json(root: DataRoot) -> None:
    (root.path / "Coded Coda Files" / "EXAMPLE_gender.json").write_bytes(b'[{"MessageID": "\xe9"}]')


def make_object(root: DataRoot) -> None:
    (root.path / "Coded Coda Files" / "EXAMPLE_gender.json").write_text("{}")


def damage_labels(root: DataRoot) -> None:
    (root.path / "Coded Coda Files" / "EXAMPLE_gender.json").write_text(
        '[{"Labels": []}, {"MessageID": "a", "Labels": [{}]}]'
    )


def remove_flows(root: DataRoot) -> None:
    for number in (1, 2):
        (root.path / "Raw Data" / f"{EPISODE_FLOW.format(number)}.jsonl").unlink()


DOWNLOAD = "Run stage 1 with --full"
BAD_INPUT = [
    (
        break_chain,
        ["s01e1_activation.jsonl, line 7: update 1 of 1, key 'Rqa_S01E01_Raw (Category) - s01e1_activation'"],
    ),
    (cut_json, ["EXAMPLE_gender.json, line 2, column 11: not JSON", DOWNLOAD]),
    (garble_json, ["EXAMPLE_gender.json: a Coda file could not be read: it is not UTF-8 text", DOWNLOAD]),
    (damage_labels, ["at $[0]: no MessageID", "at $[1].Labels[0]: no SchemeID and no CodeID", DOWNLOAD]),
    (make_object, ["EXAMPLE_gender.json: not a list of messages; expected a JSON array.", DOWNLOAD]),
    (remove_flows, ["no 's01e1_activation.jsonl'", "no 's01e2_activation.jsonl'", "Fetch the raw data"]),
]


@pytest.mark.parametrize(("damage", "messages"), BAD_INPUT)
@pytest.mark.parametrize("partitions", [1, 3])
def test_bad_input_is_named_and_the_old_outputs_stay(data_root: DataRoot, damage, messages: list[str], partitions: int):
    before = digests(data_root)
    damage(data_root)
    with pytest.raises(InputError) as error:
        data_root.generate(partitions=partitions, jobs=2)
    for message in messages:
        assert str(error.value).count(message) == 1, str(error.value)
    assert "jawaa" not in str(error.value)
    assert digests(data_root) == before


def test_forked_processes_make_the_same_tables_and_name_the_same_bad_input(data_root: DataRoot):
    # In a process of their own: the tests' processes can have threads, and work alone then.
    tables = sorted((data_root.path / "Outputs").glob("*.csv"))
    alone = [table.read_bytes() for table in tables]
    several = ["--full", "--partitions", "5", "--jobs", "3"]
    result = run(data_root, *several)
    assert result.returncode == 0, result.stderr
    assert "Working on 1 process" not in result.stderr
    assert len(tables) >= 3
    assert [table.read_bytes() for table in tables] == alone
    break_chain(data_root)
    result = run(data_root, *several)
    assert result.returncode == 11
    assert "s01e1_activation.jsonl, line 7: update 1 of 1" in result.stderr
    assert "Traceback" not in result.stderr


def test_labels_of_unknown_codes_are_counted_and_named_without_their_texts(data_root: DataRoot, caplog):
    data_root.write_coded(
        "gender", coda_message("nin", label("gender", "unheard")), coda_message("x", label("gender", "unheard"))
    )
    data_root.generate()
    said = (
        "Coda 'EXAMPLE_gender': 2 message(s) have the label 'gender-unheard', which scheme 'gender' (gender.json) lacks"
    )
    assert said in caplog.text
    assert hashlib.sha256(b"nin").hexdigest() in caplog.text
    assert {row["gender"] for row in data_root.table("messages") if row["gender_raw"] == "nin"} == {"NC"}


def test_a_coded_file_that_no_plan_reads_is_named_with_the_nearest_dataset(data_root: DataRoot, caplog):
    data_root.write_coded("gendr", coda_message("nin", label("gender", "man")))
    (data_root.path / "Coded Coda Files" / "EXAMPLE_old.json").write_text("not even JSON")
    data_root.generate()
    said = [record.getMessage() for record in caplog.records if "no plan has the CodaFilename" in record.getMessage()]
    assert [line.rpartition("/")[2].split(":")[0] for line in said] == ["EXAMPLE_gendr.json", "EXAMPLE_old.json"]
    assert "expected one, perhaps 'EXAMPLE_gender.json'" in said[0]
    caplog.clear()
    # Of names that are as near, the dataset without a file is the one that was renamed.
    data_root.write_coded("s01e01")
    data_root.write_coded("s01e03")
    data_root.generate()
    assert (
        "'EXAMPLE_s01e03.json', so that its labels count for nothing; expected one, perhaps 'EXAMPLE_s01e02.json'"
        in caplog.text
    )


def test_code_of_the_projects_own_is_run_only_when_allowed(tmp_path: Path):
    def name_own_cleaner(plans: dict) -> None:
        plans["DemographicCodingPlans"][0]["CodingConfigurations"][0]["Cleaner"] = "our_cleaners:clean_gender"

    configuration = write_project(tmp_path / "configuration", change_plans=name_own_cleaner)
    root = DataRoot(tmp_path, configuration)
    root.write_runs(episode_run("a", "biyo"), survey_run("a", gender="kani waa tijaabo"))
    with pytest.raises(ConfigurationError, match="our_cleaners:clean_gender.*--allow-project-code"):
        root.generate()
    with pytest.raises(ConfigurationError, match="can't be loaded"):
        root.generate(allow_project_code=True)
    (configuration.parent / "our_cleaners.py").write_text("def clean_gender(text):\n    return 'man'\n")
    root.generate(allow_project_code=True)
    assert root.coda_file("gender")[0]["Labels"][0]["CodeID"] == "gender-man"
    assert root.coda_file("gender")[0]["Labels"][0]["Origin"]["OriginID"] == "our_cleaners:clean_gender"


def test_two_projects_in_one_process_each_run_their_own_code(tmp_path: Path):
    def name_own_cleaner(plans: dict) -> None:
        plans["DemographicCodingPlans"][0]["CodingConfigurations"][0]["Cleaner"] = "same_name:clean_gender"

    for code in ("man", "woman"):
        configuration = write_project(tmp_path / code / "configuration", change_plans=name_own_cleaner)
        (configuration.parent / "same_name.py").write_text(f"def clean_gender(text):\n    return {code!r}\n")
        root = DataRoot(tmp_path / code, configuration)
        root.write_runs(episode_run("a", "biyo"), survey_run("a", gender="kani waa tijaabo"))
        root.generate(allow_project_code=True)
        assert root.coda_file("gender")[0]["Labels"][0]["CodeID"] == f"gender-{code}"


@pytest.mark.parametrize("limit", [0, 300, 2000, 9000])
@pytest.mark.parametrize("partitions", [1, 3])
def test_a_full_disk_leaves_the_old_outputs_as_they_were(data_root: DataRoot, limit: int, partitions: int):
    before = digests(data_root)
    # The kernel refuses to make a file longer than the limit, as it does on a full disk.
    done = run(
        data_root,
        "--partitions",
        str(partitions),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert done.returncode == 14, done.stderr
    assert "could not be" in done.stderr
    assert "Traceback" not in done.stderr
    assert digests(data_root) == before


def test_a_stage_killed_at_any_moment_leaves_whole_outputs_and_runs_again(data_root: DataRoot):
    data_root.write_runs(*(episode_run(f"p{n % 90}", f"jawaab {n}", run_id=n) for n in range(1500)))
    analysis = data_root.outputs / "Automated Analysis"
    analysis.mkdir()
    (analysis / "report.html").write_text("report")
    whole = {len(data_root.table("messages")), 1500}
    killed = 0
    for moment in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.9):
        process = subprocess.Popen(
            command(data_root, "--partitions", "4", "--jobs", "2"),
            env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        time.sleep(moment)
        killed += process.poll() is None
        os.killpg(process.pid, signal.SIGKILL) if process.poll() is None else None
        process.wait()
        assert len(data_root.table("messages")) in whole
        assert (analysis / "report.html").read_text() == "report"
    assert killed
    done = run(data_root)
    assert done.returncode == 0, done.stderr
    assert len(data_root.table("messages")) == 1500
    assert sorted(path.name for path in data_root.path.iterdir()) == [
        "Coded Coda Files",
        "Outputs",
        "Raw Data",
        "Runs",
        "State",
    ]
    assert sorted(path.name for path in (data_root.path / "State").iterdir()) == [
        "analysis",
        "known_project",
        "outputs",
        "project",
        "run_inputs",
    ]
    assert {path.name for path in data_root.outputs.iterdir()} >= {"messages.csv", "Automated Analysis", "ICR"}
    assert ".parts" not in {path.name for path in data_root.outputs.iterdir()}


def test_no_text_and_no_label_origin_reaches_the_log(data_root: DataRoot):
    data_root.write_coded("s01e01", coda_message("jawaab 3", label("episode1", "WS"), label("ws", "elsewhere")))
    done = run(data_root)
    assert done.returncode == 0
    assert done.stdout == ""
    assert "jawaab" not in done.stderr
    assert "nin" not in json.dumps(done.stderr.split())


def test_wrong_usage_exits_2(data_root: DataRoot):
    assert run(data_root, "--partitions", "0").returncode == 2
    assert run(data_root, "--mode", "everything").returncode == 2
    data_root.credentials.unlink()
    assert run(data_root).returncode == 2
