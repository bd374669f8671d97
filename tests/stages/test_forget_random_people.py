"""Whoever is forgotten, the next night leaves what a project has in which they never were."""

import json
import os
import random
from pathlib import Path

import fake_rapidpro
from chain_project import differences
from engagement.custody.backups.restore import restore_archive
from engagement.pipeline.coding.coded_datasets import message_id_of
from engagement.services.coda.embedded import FolderCoda
from example_project import SURVEY_FLOW, label
from fake_rapidpro import Workspace
from faults import NOW, in_server, run_stage
from forgotten_person import FIRST, SECOND, THIRD, comparable, run_night
from random_people import (
    FLOW,
    LATE,
    LINKED,
    PEOPLE,
    RandomPeopleProject,
    add_people,
    all_of,
    text_of,
    uid,
)
from suggested_season import THEMES, WORDS

SEED = os.environ.get("FORGET_SEED", "20261128")
DATASET = "EXAMPLE_s01e01"


def choose(seed: str) -> set[int]:
    """Somebody of each kind: linked, in a group, recovered, by SMS with their own text, by SMS with a text of others."""
    chooser = random.Random(seed)
    own, others = [[one for one in range(9, len(PEOPLE)) if bool(one % 3) == is_own] for is_own in (True, False)]
    chosen = [chooser.choice(kind) for kind in (list(LINKED), (4, 5, 62, 63), (6, 7, 8, 72, 73), own, others)]
    return set().union(*map(all_of, chosen))


def label_by_words(project: RandomPeopleProject) -> None:
    """Let coders label by the words of a text alone, whoever else wrote what."""
    coda = FolderCoda(project.embedded, clock=lambda: NOW)
    labelled = []
    for message in coda.read_messages(DATASET):
        theme = next((one for one in THEMES if set(WORDS[one].split()) & set(message["Text"].split())), None)
        if theme is not None:
            labelled.append({**message, "Labels": [label("episode1", theme)]})
    assert len(labelled) > 35
    coda.save_labels(DATASET, labelled)


def begin(project: RandomPeopleProject) -> None:
    run_night(project, FIRST)
    label_by_words(project)
    run_night(project, SECOND)


def forget_and_go_on(project: RandomPeopleProject, asked: list[int]) -> str:
    ended = run_stage(project.arguments(6, SECOND), now=NOW)
    assert ended.status == 0, ended.told
    file = project.folder.parent / "asked.csv"
    file.write_text("uid\n" + "".join(f"{uid(person)}\n" for person in asked))
    places = [str(project.configuration), str(project.data_root), str(project.credentials)]
    ended = run_stage(
        ["forget", *places, "--file", str(file), "--user", "me", "--backups-dir", str(project.backups)], now=NOW
    )
    assert ended.status == 0, ended.told
    return ended.told


def make(folder: Path, without: set[int], then) -> tuple[RandomPeopleProject, dict[str, object], object]:
    """Run two nights, let something happen, and run a third with new people; return what all of it left."""
    workspace = Workspace([FLOW, SURVEY_FLOW], page_size=50)
    add_people(workspace, PEOPLE, without)
    with fake_rapidpro.serve(workspace) as address:
        project = RandomPeopleProject(folder / "a project", address, without)
        in_server(begin, project)
        happened = then(project)
        add_people(workspace, LATE, without)
        in_server(run_night, project, THIRD)
        return project, without_files_of_origin(comparable(project, address)), happened


def without_files_of_origin(found: dict[str, object]) -> dict[str, object]:
    """Leave out digests of what differs by intention: of the sheet, which still names them, and of Coda's numbers."""
    for name, content in found.items():
        if "/fetch/Spreadsheet" in name and isinstance(content, dict):
            content.pop("notes")
        elif "/State/suggestions/" in name and name.endswith(".json") and isinstance(content, bytes):
            found[name] = {**json.loads(content), "digest": ""}
    return found


def files_with(folder: Path, needles: set[bytes]) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in files if any(needle in path.read_bytes() for needle in needles)]


def test_the_next_night_is_as_if_random_people_had_never_been(tmp_path: Path):
    gone = choose(SEED)
    asked = sorted(person for person in gone if person not in LINKED.values())
    _, never, _ = make(tmp_path / "never", gone, lambda project: None)
    project, found, told = make(tmp_path / "with", set(), lambda project: in_server(forget_and_go_on, project, asked))
    assert f"Participant {len(asked)} of {len(asked)}\n" in told
    assert "rewritten: " in told
    assert differences(found, never) == []
    texts = {text_of(person, way) for person in gone for way in ("", "g", "r") if person % 3}
    needles = {name.encode() for person in gone for name in (uid(person), f'"contact-{person}"')}
    needles |= {text.encode() for text in texts} | {message_id_of(text).encode() for text in texts}
    assert files_with(project.data_root, needles) == []
    (archive,) = project.backups.glob("data-*.tar.gz")
    restore_archive(archive, tmp_path / "restored")
    assert files_with(tmp_path / "restored", needles) == []
    # There was something to learn from, before and after.
    assert json.loads((project.data_root / "State" / "suggestions" / f"{DATASET}.json").read_text())["labels"]
    receipts = [path.read_text() for path in (project.data_root / "Forgotten" / "receipts").glob("*.json")]
    assert len(receipts) == len(asked)
    assert all("suggestions in Coda on other people's texts" in receipt for receipt in receipts)
