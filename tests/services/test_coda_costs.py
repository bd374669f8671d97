"""What is told beforehand that Coda will cost is what the stages are billed for, on the Firestore emulator."""

import logging
import re
import uuid

import pytest

from coda_examples import code_scheme, label, make_project, message, run_stage, write
from engagement.services.coda.costs import reads_to_add, reads_to_download
from engagement.services.coda.protocol import open_coda
from engagement.services.credentials import GoogleCredentials

# The scheme of the dataset, and that of answers to another question.
CODE_SCHEMES = 2


@pytest.fixture
def place(firestore_emulator, monkeypatch, tmp_path, caplog):
    """Runs a stage on a Coda of its own, and gives how many documents the stage read."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
    caplog.set_level(logging.INFO)
    project = f"t-{uuid.uuid4().hex[:12]}"
    credentials = write(tmp_path / "key.json", {"type": "service_account", "project_id": project})
    arguments = ["--credentials", credentials, "--data-root", tmp_path / "data root"]
    arguments += ["--pipeline-configuration", make_project(tmp_path / "configuration")]

    class Place:
        coda = open_coda(GoogleCredentials(project, {"project_id": project}))

        def create(self, count):
            self.coda.create_dataset("show", ["coder@example.org"], [code_scheme(name="show")])
            self.coda.add_messages("show", [message(number) for number in range(count)])

        def put_output(self, count, *labels):
            messages = [message(number, labels) for number in range(count)]
            write(tmp_path / "data root" / "Outputs" / "Coda Files" / "show.json", messages)

        def run(self, stage):
            caplog.clear()
            run_stage(stage, *arguments)
            (reads,) = re.findall(r"Coda: read ([\d,]+) documents?", caplog.text)
            return int(reads.replace(",", ""))

    return Place()


@pytest.mark.parametrize(("known", "new"), [(0, 0), (0, 3), (10, 1), (2490, 20), (2600, 40)])
def test_adding_costs_at_most_what_is_told(place, known, new):
    place.create(known)
    place.run("coda_get")
    place.put_output(known + new)
    told = reads_to_add(known, new, CODE_SCHEMES, with_labels=False)
    read = place.run("coda_add")
    assert read <= told <= read + CODE_SCHEMES + 3
    assert told <= new + 20


def test_labels_that_are_checked_cost_the_code_schemes_once(place):
    place.create(5)
    place.run("coda_get")
    place.put_output(8, label("code-health"))
    read = place.run("coda_add")
    assert read <= reads_to_add(5, 3, CODE_SCHEMES, with_labels=True) <= read + CODE_SCHEMES + 3


def test_a_dataset_that_has_to_be_made_costs_no_more_than_is_told(place):
    place.put_output(30)
    assert place.run("coda_add") <= reads_to_add(0, 30, CODE_SCHEMES, with_labels=False)


@pytest.mark.parametrize("count", [0, 30, 2600])
def test_a_get_costs_at_least_what_is_told(place, count):
    place.create(count)
    place.run("coda_get")
    # Messages of the last seconds come again: see the tests of what a download reads.
    read = place.run("coda_get")
    assert reads_to_download(count) <= read <= reads_to_download(count) + count
