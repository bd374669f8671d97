"""The copy of the configuration beside what was made with it."""

import json
from pathlib import Path

import pytest

from engagement.configuration import load_project
from engagement.configuration.kept_project import find_kept_configuration, keep_project
from engagement.foundation.errors import InputError
from example_project import Document, write_project


def test_the_copy_is_the_same_project(tmp_path: Path):
    project = load_project(write_project(tmp_path / "configuration"))
    keep_project(project, tmp_path / "root")
    kept = load_project(find_kept_configuration(tmp_path / "root"))
    assert kept.coding_plans == project.coding_plans
    assert kept.configuration == project.configuration


def test_it_stays_as_it_was_when_the_configuration_changes_and_is_renewed_whole(tmp_path: Path):
    path = write_project(tmp_path / "configuration")
    project = load_project(path)
    keep_project(project, tmp_path / "root")

    def drop_follow_ups(plans: Document) -> None:
        del plans["RQACodingPlans"][1]

    def remap_less(configuration: Document) -> None:
        configuration["RapidProKeyRemappings"] = [
            r for r in configuration["RapidProKeyRemappings"] if "s01e02" not in r["PipelineKey"]
        ]

    write_project(tmp_path / "configuration", change_configuration=remap_less, change_plans=drop_follow_ups)
    assert load_project(find_kept_configuration(tmp_path / "root")).coding_plans == project.coding_plans
    changed = load_project(path)
    keep_project(changed, tmp_path / "root")
    assert load_project(find_kept_configuration(tmp_path / "root")).coding_plans == changed.coding_plans
    folder = find_kept_configuration(tmp_path / "root").parent
    assert "episode2.json" not in {file.name for file in folder.rglob("*")}


def test_plans_and_schemes_that_lie_elsewhere_are_kept_too(tmp_path: Path):
    path = write_project(tmp_path / "configuration")
    (tmp_path / "shared" / "schemes").mkdir(parents=True)
    plans = json.loads((path.parent / "coding_plans.json").read_text())
    plans["CodeSchemesDir"] = "schemes"
    for scheme in (path.parent / "code_schemes").iterdir():
        scheme.rename(tmp_path / "shared" / "schemes" / scheme.name)
    (tmp_path / "shared" / "schemes" / "places").mkdir()
    (tmp_path / "shared" / "schemes" / "zone.json").rename(tmp_path / "shared" / "schemes" / "places" / "zone.json")
    text = json.dumps(plans).replace('"zone.json"', '"places/zone.json"')
    (path.parent / "coding_plans.json").unlink()
    (tmp_path / "shared" / "coding_plans.json").write_text(text)
    configuration = json.loads(path.read_text())
    path.write_text(json.dumps({**configuration, "CodingPlansFile": "../shared/coding_plans.json"}))
    project = load_project(path)
    keep_project(project, tmp_path / "root")
    kept = load_project(find_kept_configuration(tmp_path / "root"))
    assert [plan.raw_field for plan in kept.coding_plans.all] == [plan.raw_field for plan in project.coding_plans.all]
    zones = [
        [c.code_scheme for c in plans.all[4].coding_configurations]
        for plans in (kept.coding_plans, project.coding_plans)
    ]
    assert zones[0] == zones[1]


def test_without_a_copy_it_is_said_what_to_do(tmp_path: Path):
    with pytest.raises(InputError, match="--pipeline-configuration"):
        find_kept_configuration(tmp_path)


def test_addresses_that_anybody_could_write_to_are_not_copied(tmp_path: Path):
    def add_webhook(configuration: Document) -> None:
        configuration["Notify"] = {"WebhookURL": "https://hooks.example.org/secret"}

    project = load_project(write_project(tmp_path / "configuration", change_configuration=add_webhook))
    assert project.configuration.notify is not None
    keep_project(project, tmp_path / "root")
    assert "secret" not in find_kept_configuration(tmp_path / "root").read_text()
