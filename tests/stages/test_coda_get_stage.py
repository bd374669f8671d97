"""Stage 1 end to end, from an embedded Coda folder."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from coda_examples import (
    START,
    code_scheme,
    kill_stage_at_each_write,
    label,
    make_credentials,
    make_project,
    message,
    read,
    run_stage,
    write,
)
from engagement.foundation.errors import InputError, UsageError
from engagement.labelling.datasets.known_datasets import KnownDatasets
from engagement.services.coda.embedded import FolderCoda

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2] / "src")}


class Place:
    """A data root, and an embedded Coda folder whose clock stands still until it is moved."""

    def __init__(self, directory):
        self.directory = directory
        self.data_root = directory / "data root"
        self.credentials = make_credentials(directory, "embedded")
        self.configuration = make_project(directory / "configuration")
        self.file = self.data_root / "Coded Coda Files" / "show.json"
        self.now = START
        self.coda = FolderCoda(directory / "embedded", clock=lambda: self.now)

    def create(self, messages=()):
        self.coda.create_dataset("show", ["coder@example.org"], [code_scheme()])
        self.coda.add_messages("show", messages)

    def arguments(self, *options):
        files = ["--credentials", self.credentials, "--data-root", self.data_root]
        return [*files, "--pipeline-configuration", self.configuration, *options]

    def get(self, *options):
        run_stage("coda_get", *self.arguments(*options))
        return read(self.file)


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_the_file_holds_all_messages_by_their_numbers(place):
    place.create([message(3), message(1), message(2)])
    assert [(item["SequenceNumber"], item["Text"]) for item in place.get()] == [
        (0, "jawaab 3"),
        (1, "jawaab 1"),
        (2, "jawaab 2"),
    ]


def test_a_second_get_changes_nothing(place):
    place.create([message(1), message(2)])
    place.get()

    def state():
        status = place.file.stat()
        return place.file.read_bytes(), status.st_ino, status.st_mtime_ns

    before = state()
    place.get()
    assert state() == before
    place.get("--full")
    assert state() == before


def test_only_messages_updated_since_are_read(place):
    place.create([message(1), message(2)])
    place.get()
    # A change that Coda did not stamp is invisible to an incremental get, and only to that.
    path = place.directory / "embedded" / "coda" / "show.json"
    stored = read(path)
    stored[0]["Labels"] = [label("code-water")]
    stored[0]["LastUpdated"] = (START - timedelta(days=1)).isoformat()
    write(path, stored)
    assert [len(item["Labels"]) for item in place.get()] == [0, 0]
    assert [len(item["Labels"]) for item in place.get("--full")] == [1, 0]


def test_labels_made_at_the_very_moment_of_the_newest_one_are_not_missed(place):
    place.create([message(number) for number in range(3)])
    place.coda.save_labels("show", [message(0, [label("code-health")])])
    place.get()
    # The clock has not moved: same LastUpdated as the newest that the file has.
    place.coda.save_labels("show", [message(2, [label("code-water")])])
    assert [len(item["Labels"]) for item in place.get()] == [1, 0, 1]


def test_labels_in_every_segment_arrive(place):
    place.create([message(number) for number in range(2600)])
    place.get()
    place.now += timedelta(hours=1)
    place.coda.save_labels("show", [message(7, [label("code-health")]), message(2555, [label("code-water")])])
    labelled = [item["Text"] for item in place.get() if item["Labels"]]
    assert labelled == ["jawaab 7", "jawaab 2555"]


def test_a_message_without_last_updated_is_part_of_the_first_download_and_stays(place):
    place.create([message(1), message(2)])
    path = place.directory / "embedded" / "coda" / "show.json"
    stored = read(path)
    del stored[0]["LastUpdated"]
    stored[1]["SequenceNumber"] = None
    write(path, stored)
    texts = [item["Text"] for item in place.get()]
    assert texts == ["jawaab 1", "jawaab 2"]
    assert [item["Text"] for item in place.get()] == texts


def test_a_message_deleted_in_coda_goes_with_a_full_get_only(place):
    place.create([message(1), message(2)])
    place.get()
    path = place.directory / "embedded" / "coda" / "show.json"
    write(path, read(path)[:1])
    assert len(place.get()) == 2
    assert len(place.get("--full")) == 1
    write(path, [])
    assert place.get("--full") == []


def test_keys_that_are_not_known_survive(place):
    place.create([message(1, [{**label("code-health"), "Confidence": 0.5, "Comment": {"a": 1}}], Extra=[1])])
    [item] = place.get()
    assert item["Extra"] == [1]
    assert item["Labels"][0]["Comment"] == {"a": 1}


def test_a_dataset_that_does_not_exist_yet_is_an_information_line(place, caplog):
    caplog.set_level("INFO")
    run_stage("coda_get", *place.arguments())
    assert "'show': does not exist yet" in caplog.text
    assert not place.file.exists()


def test_a_dataset_without_messages_gives_an_empty_file(place):
    place.create()
    assert place.get() == []


def test_a_file_from_another_coda_is_not_mixed_with_this_one(place, tmp_path):
    place.create([message(1)])
    place.get()
    other = FolderCoda(tmp_path / "other", clock=lambda: START - timedelta(days=9))
    other.create_dataset("show", [], [])
    other.add_messages("show", [message(2)])
    place.credentials = make_credentials(tmp_path, "other")
    assert [item["Text"] for item in place.get()] == ["jawaab 2"]


def test_files_of_two_codas_are_not_mixed_when_the_change_is_killed_either(tmp_path):
    places = [Place(tmp_path / str(count)) for count in range(6)]
    for place in places:
        place.create([message(1)])
        place.get()
        other = FolderCoda(place.directory / "other", clock=lambda: START - timedelta(days=9))
        other.create_dataset("show", [], [])
        other.add_messages("show", [message(2)])
        place.credentials = make_credentials(place.directory, "other")
    # That the file is nobody's now, the messages, of which moment they are, where they came from, then what is known of the
    # project.
    assert kill_stage_at_each_write(True, "coda_get", [place.arguments() for place in places]) == 5
    for place in places:
        assert [item["Text"] for item in place.get()] == ["jawaab 2"]


def test_a_file_that_an_earlier_pipeline_left_is_continued(place):
    place.create([message(1), message(2)])
    left = [{**message(1), "SequenceNumber": 0, "LastUpdated": (START - timedelta(days=1)).isoformat(), "Old": True}]
    write(place.file, left)
    assert [item.get("Old") for item in place.get()] == [None, None]


@pytest.mark.parametrize("after", [False, True])
def test_a_get_that_is_killed_at_any_write_is_completed_by_the_next(tmp_path, after):
    places = [Place(tmp_path / str(count)) for count in range(5)]
    for place in places:
        place.create([message(1), message(2)])
    # The messages, of which moment they are, where they came from, then what is known of the project.
    assert kill_stage_at_each_write(after, "coda_get", [place.arguments() for place in places]) == 4
    for place in places:
        assert [item["Text"] for item in place.get()] == ["jawaab 1", "jawaab 2"]


def test_a_damaged_previous_file_is_named_and_a_full_get_replaces_it(place):
    place.create([message(1)])
    place.get()
    place.file.write_text('[{"MessageID":')
    with pytest.raises(InputError, match="line 1, column 15: not JSON.* Run this with --full"):
        place.get()
    assert len(place.get("--full")) == 1


def test_a_damaged_coda_folder_is_named(place):
    place.create([message(1)])
    (place.directory / "embedded" / "coda" / "show.json").write_text('[\n{"MessageID": 1}')
    with pytest.raises(InputError, match=r"embedded/coda/show\.json, line 2"):
        place.get()


def test_a_broken_document_of_a_coda_folder_is_set_aside(place, caplog):
    place.create([message(1)])
    path = place.directory / "embedded" / "coda" / "show.json"
    write(path, [{"MessageID": 1}, *read(path)])
    assert len(place.get()) == 1
    assert "show.json, message 1: 'MessageID' should be" in caplog.text


def test_a_missing_configuration_is_a_usage_error(place):
    place.configuration.unlink()
    with pytest.raises(UsageError, match="no such file"):
        run_stage("coda_get", *place.arguments())


def test_labels_with_a_code_that_their_scheme_lacks_are_warned_of(place, caplog):
    place.create([message(1, [label("code-lost")]), message(2, [label("code-health")])])
    place.get()
    assert "Coda 'show': 1 message(s) have the label 'code-lost', which scheme 'show' (show.json) lacks" in caplog.text
    caplog.clear()
    run_stage("coda_get", "--credentials", place.credentials, "--data-root", place.data_root)
    assert "lacks" not in caplog.text  # without a configuration nobody knows


def test_labels_of_a_scheme_that_no_plan_has_are_warned_of(place, caplog):
    place.create([message(1, [label("code-health", "Scheme-old")]), message(2, [label("code-health")])])
    place.get()
    assert "Coda 'show': 1 message(s) are labelled under scheme 'Scheme-old'" in caplog.text


def test_every_dataset_of_the_coding_plans_is_downloaded(tmp_path):
    place = Place(tmp_path)
    place.configuration = make_project(tmp_path / "many", datasets=("show", "gender", "age"))
    for dataset in ("show", "gender", "age"):
        place.coda.create_dataset(dataset, [], [])
        place.coda.add_messages(dataset, [message(1)])
    place.get()
    names = sorted(path.name for path in place.file.parent.iterdir())
    assert names == ["age.json", "gender.json", "show.json"]


def test_no_text_is_in_the_log(place, caplog):
    caplog.set_level("DEBUG")
    place.create([message(1)])
    place.get()
    assert "downloaded 1 of 1 message" in caplog.text
    assert "jawaab" not in caplog.text


def get_quietly(place):
    """Run the stage with nothing new; returns what it logged. It makes no models of the configuration."""
    program = (
        "import sys\n"
        "from engagement.__main__ import main\n"
        "assert main(sys.argv[1:]) == 0\n"
        "sys.exit('pydantic' in sys.modules)"
    )
    command = [sys.executable, "-c", program, "coda-get", *map(str, place.arguments())]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT).stderr


def test_a_known_project_is_read_without_its_models_and_says_the_same(place, caplog):
    place.create([message(1, [label("code-lost")]), message(2, [label("code-health")])])
    path = place.configuration.parent / "code_schemes" / "show.json"
    scheme = read(path)
    odd = {
        **scheme["Codes"][-1],
        "CodeID": "code-odd",
        "CodeType": "Control",
        "ControlCode": "ODD",
        "NumericValue": -77,
    }
    odd |= {"StringValue": "odd", "DisplayText": "odd"}
    write(path, {**scheme, "Codes": [*scheme["Codes"], odd]})
    place.get()
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert sum("'ODD'" in warning for warning in warnings) == 1
    said = get_quietly(place)
    assert [said.count(warning) for warning in warnings] == [1] * len(warnings)
    assert said.count("Coda 'show': 1 message(s) have the label 'code-lost'") == 1
    # With the models they are said once, too.
    place.now += timedelta(hours=1)
    place.coda.save_labels("show", [message(2, [label("code-lost")])])
    caplog.clear()
    place.get()
    assert caplog.text.count("'ODD'") == 1


def test_labels_that_are_new_or_corrected_are_told_of_a_known_project(place, caplog):
    place.create([message(1, [label("code-lost")]), message(2), message(3)])
    place.get()
    place.now += timedelta(hours=1)
    place.coda.save_labels("show", [message(2, [label("code-lost")])])
    caplog.clear()
    place.get()
    assert "2 message(s) have the label 'code-lost'" in caplog.text
    place.now += timedelta(hours=1)
    place.coda.save_labels("show", [message(1), message(2)])
    caplog.clear()
    place.get()
    assert "code-lost" not in caplog.text
    get_quietly(place)


def test_a_code_that_a_known_project_gets_is_known_at_once(place, caplog):
    place.create([message(1, [label("code-lost")])])
    place.get()
    path = place.configuration.parent / "code_schemes" / "show.json"
    scheme = read(path)
    code = {
        **scheme["Codes"][0],
        "CodeID": "code-lost",
        "DisplayText": "lost",
        "StringValue": "lost",
        "NumericValue": 77,
    }
    write(path, {**scheme, "Codes": [*scheme["Codes"], code]})
    caplog.clear()
    place.get()
    assert "code-lost" not in caplog.text


def test_what_is_kept_is_of_the_project_that_was_read_even_if_it_changes_meanwhile(place):
    place.create([message(1, [label("code-lost")])])
    place.get()
    known = KnownDatasets(place.data_root, place.configuration)
    document = read(place.configuration)
    write(place.configuration, {**document, "CodaUsers": ["another@example.org"]})
    write(place.file, [])
    assert known.datasets.users == ("coder@example.org",)
    assert known.find_lost_labels("show", []) == []
    known.keep()
    assert KnownDatasets(place.data_root, place.configuration).datasets.users == ("another@example.org",)
