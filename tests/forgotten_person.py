"""Two seasons for tests of forgetting: one with a person, and one in which they never were."""

import io
import json
import os
import sys

import fake_rapidpro
from chain_project import ChainProject, add_night, make_workspace
from engagement.provenance import read_traced_data
from engagement.services.coda.embedded import FolderCoda
from engagement.services.uuid_tables.embedded import EmbeddedUuidTable
from example_project import label
from faults import NOW, in_server, run_stage

FIRST, SECOND, THIRD = (f"2026-04-0{day}T023000Z-unknown" for day in (3, 4, 5))
PERSON = 4
UID, CONTACT = f"avf-phone-uuid-{PERSON:04}", f"contact-{PERSON}"
ONLY_THEIRS = "biyo 2"
MOMENTS = int(os.environ.get("FAULT_MOMENTS", "6"))
OF_CODA = ("Coded Coda Files", "Outputs/Coda Files", "coda")
# Of this project alone, or digests of the files of Coda.
UNLIKE = ("State/run_inputs/", "Forgotten", ".", "State/coda", "State/outputs/labels.array")


def run_night(project, run_id, stages=(1, 2, 3, 4)):
    for stage in stages:
        ended = run_stage(project.arguments(stage, run_id), now=NOW)
        assert ended.status == 0, ended.told


def label_messages(project):
    coda = FolderCoda(project.embedded, clock=lambda: NOW)
    messages = coda.read_messages("EXAMPLE_s01e01")
    labelled = [
        {**message, "Labels": [label("episode1", "water")]} for message in messages if "biyo" in message["Text"]
    ]
    assert labelled
    coda.save_labels("EXAMPLE_s01e01", labelled)


def begin_season(project):
    run_night(project, FIRST)
    label_messages(project)
    run_night(project, SECOND)


def without_person(workspace):
    workspace.contacts = [one for one in workspace.contacts if one["uuid"] != CONTACT]
    workspace.runs = [one for one in workspace.runs if one["contact"]["uuid"] != CONTACT]
    return workspace


def forget(project, *options, who=("--uid", UID), prepare=lambda: None):
    arguments = [str(project.configuration), str(project.data_root), str(project.credentials)]
    return run_stage(["forget", *arguments, *who, "--user", "me", *options], prepare, now=NOW)


def make_seasons(folder):
    """A project with the person, and the contents of one in which they never were after a third night."""
    workspace, other = make_workspace(), without_person(make_workspace())
    with fake_rapidpro.serve(workspace) as address, fake_rapidpro.serve(other) as elsewhere:
        never = ChainProject(folder / "never" / "a project", elsewhere)
        in_server(begin_season, never)
        add_night(other, range(13, 19))
        in_server(run_night, never, THIRD)
        project = ChainProject(folder / "with" / "a project", address)
        in_server(begin_season, project)
        project.keep("before")
        add_night(workspace, range(13, 19))
        yield project, comparable(never, elsewhere), workspace


def comparable(project, address):
    """All that a night leaves, but for Forgotten/, addresses, and what Coda says of texts that others wrote too.

    Those keep the time of whoever wrote them first; numbers have a gap where Coda lost a message.
    """
    found = {}
    for name, content in project.contents().items():
        _, _, rest = name.partition("/")
        if rest.startswith((*UNLIKE, "storage", "uuid_tables")) or not name.startswith(("data root/", "embedded/")):
            continue
        if isinstance(content, bytes):
            content = content.replace(address.encode(), b"")
            if rest.startswith(OF_CODA) and rest.endswith(".json"):
                content = without_places(json.loads(content))
            elif rest.startswith("State/known_project/"):
                content = without_digests(json.loads(content)["facts"])
        elif rest == "State/outputs/notes.json":
            content["notes"].pop("labels.array")
        found[name] = content
    return found


def without_digests(facts):
    """What is known of a project, without digests of coded files, which have numbers and times."""
    told = {dataset: one["texts"] for dataset, one in facts.get("told", {}).items()}
    return {**facts, "told": told}


def without_places(document):
    """Messages without their numbers and times."""
    if isinstance(document, list):
        return [without_places(one) for one in document]
    if not isinstance(document, dict):
        return document
    left_out = ("SequenceNumber", "CreationDateTimeUTC", "DateTimeUTC", "LastUpdated")
    return {key: without_places(value) for key, value in document.items() if key not in left_out}


def names_of(project):
    """Name the files of the data root that hold the person's uid or contact, or a text that only they wrote."""
    needles = [UID.encode(), f'"{CONTACT}"'.encode(), ONLY_THEIRS.encode()]
    files = [path for path in project.data_root.rglob("*") if path.is_file()]
    return [str(path) for path in files if any(needle in path.read_bytes() for needle in needles)]


def address_of(project):
    return json.loads(project.configuration.read_text())["RawDataSources"][0]["Domain"]


def watch(changes):
    changes.watch()
    return changes


def what_is_left(project):
    """What is left of them, where the next run does not make everything again."""
    again = ("Outputs", "State/analysis", "State/drive")
    left = [name.partition("data root/")[2] for name in names_of(project)]
    return [name for name in left if not name.startswith(again) or "Coda Files" in name] + [
        path.name for path in (project.data_root / "Forgotten").glob("journal*")
    ]


def kept_bytes(project):
    """Every byte of what is held of others, but for databases and of what the next run makes again; chains have to verify."""
    folders = ("Raw Data", "Contacts", "Coded Coda Files", "Hand-overs", "Adjudications", "State/coda")
    files = [path for name in folders for path in sorted((project.data_root / name).rglob("*")) if path.is_file()]
    # Killed before it has a file's new digest, it makes stage 1 download the dataset in full, to the same result.
    files = [path for path in files if path.name != "download_moments.json"]
    for path in files:
        if path.parent.name == "Raw Data" and path.suffix == ".jsonl":
            assert list(read_traced_data(path))
    return {str(path): path.read_bytes() for path in [*files, *sorted((project.embedded / "coda").glob("*.json"))]}


def type_number(project, number, *options):
    """Forget whoever has a number."""

    def type_it():
        sys.stdin = io.StringIO(f"{number}\n")

    return forget(project, *options, who=("--phone-number-from-stdin",), prepare=type_it)


def rows_of(project):
    """The person's number in the uuid table, with its uid."""
    return EmbeddedUuidTable(project.embedded, "EXAMPLE").find([f"25261500{PERSON:04}"])
