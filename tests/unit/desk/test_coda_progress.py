"""The table of how far the coding is."""

import argparse
import csv
import io
from datetime import timedelta

import pytest

from coda_examples import START, WS_SCHEME, code_scheme, label, make_credentials, make_project, message, run_stage
from engagement.__main__ import main
from engagement.desk import coda_progress
from engagement.foundation.errors import UsageError
from engagement.services.coda.embedded import FolderCoda

EXPECTED = [
    ["Dataset", "Messages", "Labelled", "Wrong Scheme", "Not Coded", "Last Label Made"],
    ["show", "5", "3", "1", "1", "2026-03-02T08:30:00+00:00"],
    ["gender", "1", "0", "0", "0", ""],
    ["age", "", "", "", "", ""],
]


class Place:
    """Three datasets: one that is being labelled, one that nobody labelled, one that Coda lacks."""

    def __init__(self, directory):
        self.data_root = directory / "data root"
        self.credentials = make_credentials(directory, "embedded")
        self.configuration = make_project(directory / "configuration", datasets=("show", "gender", "age"))
        self.folder = directory / "embedded" / "coda"
        self.coda = FolderCoda(directory / "embedded", clock=lambda: START)
        self.coda.create_dataset("show", [], [code_scheme(), WS_SCHEME])
        self.coda.create_dataset("gender", [], [code_scheme("Scheme-gender")])
        latest = {**label("code-WS"), "DateTimeUTC": "2026-03-02T11:30:00+03:00"}
        proposed = {**label("code-health", checked=False), "DateTimeUTC": "2026-04-01T00:00:00+00:00"}
        labels = [[label("code-health")], [latest], [label("code-NC")], [proposed], []]
        self.coda.add_messages("show", [message(number, each) for number, each in enumerate(labels)])
        self.coda.add_messages("gender", [message(1)])

    def show(self, *options):
        parser = argparse.ArgumentParser()
        coda_progress.add_arguments(parser)
        arguments = ["--credentials", self.credentials, *options]
        coda_progress.run(parser.parse_args([str(argument) for argument in arguments]))


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_the_csv_has_a_row_a_dataset_and_empty_cells_where_there_is_nothing(place, capsys):
    place.show("--pipeline-configuration", place.configuration, "--csv")
    assert list(csv.reader(io.StringIO(capsys.readouterr().out))) == EXPECTED


def test_the_table_has_the_same_cells_in_columns(place, capsys):
    place.show("--pipeline-configuration", place.configuration)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:] == [
        "show            5         3             1          1  2026-03-02T08:30:00+00:00",
        "gender          1         0             0          0  -",
        "age             -         -             -          -  -",
    ]
    assert lines[0] == "Dataset  Messages  Labelled  Wrong Scheme  Not Coded  Last Label Made"


def test_with_a_data_root_what_changed_since_the_download_is_counted_in(place, capsys):
    run_stage(
        "coda_get",
        *["--credentials", place.credentials, "--data-root", place.data_root],
        *["--pipeline-configuration", place.configuration],
    )
    before = sorted((path, path.stat().st_mtime_ns) for path in place.data_root.rglob("*"))
    place.coda.save_labels("show", [message(4, [label("code-water")])])
    place.show("--data-root", place.data_root, "--csv")
    assert "show,5,4,1,1,2026-03-02T08:30:00+00:00\n" in capsys.readouterr().out
    assert sorted((path, path.stat().st_mtime_ns) for path in place.data_root.rglob("*")) == before


def test_a_download_of_another_coda_is_not_counted(place, capsys, tmp_path):
    other = make_credentials(tmp_path, "other")
    coda = FolderCoda(tmp_path / "other", clock=lambda: START + timedelta(days=9))
    coda.create_dataset("show", [], [])
    coda.add_messages("show", [message(77)])
    files = ["--data-root", place.data_root, "--pipeline-configuration", place.configuration]
    run_stage("coda_get", "--credentials", other, *files)
    place.show(*files, "--csv")
    assert list(csv.reader(io.StringIO(capsys.readouterr().out))) == EXPECTED


def test_labels_that_the_configuration_does_not_know_are_warned_of_beside_the_table(place, capsys, caplog):
    place.coda.save_labels("show", [message(4, [label("code-health", "Scheme-old")]), message(0, [label("code-lost")])])
    place.show("--pipeline-configuration", place.configuration, "--csv")
    assert "show,5,4,1,1," in capsys.readouterr().out
    assert "Coda 'show': 1 message(s) are labelled under scheme 'Scheme-old'" in caplog.text
    assert "Coda 'show': 1 message(s) have the label 'code-lost'" in caplog.text


def test_the_datasets_have_to_be_known_from_somewhere(place):
    with pytest.raises(UsageError, match="neither --pipeline-configuration nor --data-root was given"):
        place.show()


def test_it_is_a_command(place, capsys):
    arguments = ["--credentials", str(place.credentials), "--pipeline-configuration", str(place.configuration)]
    assert main(["coda-progress", *arguments]) == 0
    assert "Last Label Made" in capsys.readouterr().out


def test_credentials_that_are_no_service_account_are_a_usage_error(place, tmp_path, capsys):
    key = tmp_path / "key.json"
    key.write_text('{"type": "authorized_user"}')
    arguments = ["--credentials", str(key), "--pipeline-configuration", str(place.configuration)]
    assert main(["coda-progress", *arguments]) == 2
    assert "'type' is 'authorized_user'; expected 'service_account' or 'embedded'" in capsys.readouterr().err
