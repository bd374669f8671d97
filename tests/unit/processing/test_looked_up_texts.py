"""Texts that are looked up: a look-up changes nothing, and each participant has all those that decided about them."""

import json
from pathlib import Path

import pytest

from changing_season import Season
from engagement.configuration import CodingPlan, Project, load_project
from engagement.pipeline.coding.coded_datasets import CodedDataset, Reading, message_id_of
from engagement.processing.processor import Processor
from engagement.processing.records.raw_runs import Runs
from engagement.provenance import decode
from example_project import SURVEY_FLOW, DataRoot, coda_message, label, write_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return load_project(write_project(tmp_path / "configuration"))


class WatchedDataset(CodedDataset):
    """A dataset that writes down which texts are asked for."""

    def __init__(self, project: Project, plan: CodingPlan, messages: list) -> None:
        super().__init__(plan, project.coding_plans.ws_correct_dataset_scheme, messages)
        self.asked: set[str] = set()

    def find(self, text: str) -> tuple[str, Reading]:
        self.asked.add(text)
        return super().find(text)


def read_coded(root: DataRoot, plan: CodingPlan) -> list:
    path = root.path / "Coded Coda Files" / str(plan.coda_filename)
    return json.loads(path.read_text()) if path.exists() else []


@pytest.mark.parametrize("is_coded", [True, False])
def test_each_participant_has_all_texts_that_were_looked_up_for_them(tmp_path: Path, project: Project, is_coded: bool):
    season = Season(5, participants=150)
    for _ in range(600):
        season.change_label()
    root = DataRoot(tmp_path)
    season.write(root)
    plans = project.coding_plans.all
    datasets = {
        plan.raw_field: WatchedDataset(project, plan, read_coded(root, plan))
        for plan in plans
        if plan.coda_filename is not None
    }
    processor = Processor(project, datasets, "tester@example.org", "2026-04-01T00:00:00.000000+00:00", {}, is_coded)
    moved = 0
    for name, lines in season.runs.items():
        runs = Runs()
        for line in lines:
            (runs.survey if SURVEY_FLOW in line else runs.activation).append(decode(line.encode()))
        participant = processor.process(name, runs)
        for number, plan in enumerate(plans):
            if plan.raw_field in datasets:
                assert datasets[plan.raw_field].asked <= participant.looked_up[number]
                datasets[plan.raw_field].asked.clear()
        moved += any(message.plan is not message.sent_to for message in participant.messages)
    assert moved >= 3


def test_a_look_up_changes_nothing_that_another_one_finds(project: Project):
    plan = project.coding_plans.rqa[0]
    dataset = CodedDataset(plan, None, [coda_message("biyo", label("episode1", "water"))])
    assert dataset.find("biyo") == dataset.find("biyo")
    assert dataset.find("rajo") == (message_id_of("rajo"), dataset.reading("kaliya"))
    assert ("biyo" in dataset, "rajo" in dataset, len(dataset.message_ids())) == (True, False, 1)
