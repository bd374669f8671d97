"""A season of people of every kind, some of whom may be left out as if they had never been.

They write by SMS, sit in a listening group, were recovered after an outage, or do two of these with linked ids. Many write what others
write too. Suggestions are learnt from what coders label.
"""

import json
import random
import uuid
from collections.abc import Collection
from pathlib import Path

from chain_project import ChainProject
from engagement.services.uuid_tables.embedded import EmbeddedUuidTable
from example_project import EPISODE_FLOW, SURVEY_FLOW
from fake_rapidpro import Workspace, contact, run
from suggested_season import THEMES, WORDS

GROUP, LOST = "groups_s01e01", "lost_s01e01"
FLOW = EPISODE_FLOW.format(1)
PEOPLE, LATE = range(48), range(48, 56)
# Each of these wrote by SMS; the second is their id in the other list.
LINKED = {0: 60, 1: 61, 2: 70, 3: 71}
IN_GROUP = (4, 5, 6, 60, 61, 62, 63)
RECOVERED = (6, 7, 8, 70, 71, 72, 73)


def uid(person: int) -> str:
    """A participant's id."""
    return f"avf-phone-uuid-{uuid.uuid5(uuid.NAMESPACE_OID, digits(person))}"


def digits(person: int) -> str:
    """A participant's phone number."""
    return f"2526170{person:05}"


def all_of(person: int) -> set[int]:
    """A person's ids, linked ones included."""
    return {person, *(LINKED.get(person, person),), *(first for first, other in LINKED.items() if other == person)}


def text_of(person: int, way: str = "") -> str:
    """What they write: one in three writes what others write too."""
    chooser = random.Random(f"{person}{way}")
    words = WORDS[THEMES[person % 3]].split()
    if person % 3 == 0:
        return " ".join(words[: 2 + person // 3 % 2])
    return " ".join([*chooser.sample(words, 3), f"qof{person}{way}"])


def add_people(workspace: Workspace, people: Collection[int], without: Collection[int]) -> None:
    for person in sorted(set(people) - set(without)):
        workspace.contacts.append(contact(person, f"tel:+{digits(person)}"))
        workspace.runs.append(run(person, FLOW, of=person, rqa_s01e01_raw=text_of(person)))
        if person % 2:
            answers = {"gender": "naag" if person % 4 == 1 else f"nin {person}"}
            workspace.runs.append(run(500 + person, SURVEY_FLOW, of=person, modified=person, **answers))
        if person % 5 == 0:
            # A second answer, which stage 3 joins with the first.
            workspace.runs.append(
                run(800 + person, FLOW, of=person, modified=person, rqa_s01e01_raw=f"mar kale {person}")
            )


class RandomPeopleProject(ChainProject):
    """The project in a folder; `without` are people who never were."""

    def __init__(self, folder: Path, domain: str, without: Collection[int]):
        super().__init__(folder, domain, LinkedParticipants=["linked.csv"], DriveUpload=None)
        numbers = {digits(person): uid(person) for person in range(100)}
        EmbeddedUuidTable(self.embedded, "EXAMPLE").import_mappings(numbers)
        document = json.loads(self.configuration.read_text())
        document["RawDataSources"] += _SOURCES
        for part, key in (("Text", "raw"), ("Time", "sent_on"), ("Run ID", "run_id")):
            name = key if key == "sent_on" else f"rqa_s01e01_{key}"
            remapping = {"RapidProKey": f"Answer ({part}) - {GROUP}", "PipelineKey": name}
            document["RapidProKeyRemappings"].append(
                remapping | ({"IsActivationMessage": True} if key == "raw" else {})
            )
        for key, name in (("message", "rqa_s01e01_raw"), ("received_on", "sent_on"), ("run_id", "rqa_s01e01_run_id")):
            remapping = {"RapidProKey": key, "PipelineKey": name}
            document["RapidProKeyRemappings"].append(
                remapping | ({"IsActivationMessage": True} if key == "message" else {})
            )
        self.configuration.write_text(json.dumps(document))
        plans = self.configuration.with_name("coding_plans.json")
        content = json.loads(plans.read_text())
        content["RQACodingPlans"][0]["CodingConfigurations"][0]["Suggestions"] = {
            "MinimumLabelled": 30,
            "Precision": 0.5,
        }
        plans.write_text(json.dumps(content))
        rows = [f"{uid(first)},{uid(other)}\n" for first, other in LINKED.items()]
        self.configuration.with_name("linked.csv").write_text("uid,uid_2\n" + "".join(rows))
        files = self.embedded / "storage" / "files"
        files.mkdir()
        group = [
            f"+{digits(person)},{20 + person % 8}/03/2026 10:00,{text_of(person, 'g')}\n"
            for person in IN_GROUP
            if person not in without
        ]
        (files / f"{GROUP}.csv").write_text("Phone,When,What\n" + "".join(group))
        lost = [f"{uid(person)},0{1 + person % 9}/04/2026 10:00:00,{text_of(person, 'r')}\n" for person in RECOVERED
                if person not in without]  # fmt: skip
        (files / f"{LOST}.csv").write_text("Sender,ReceivedOn,Message\n" + "".join(lost))


_SOURCES = [
    {"SourceType": "RecoveryCSV", "ActivationFlowURLs": [f"gs://files/{LOST}.csv"]},
    {
        "SourceType": "Spreadsheet",
        "Country": "SO",
        "Tables": [
            {
                "FlowName": GROUP,
                "URLs": [f"gs://files/{GROUP}.csv"],
                "PhoneNumberColumn": "Phone",
                "TimeColumns": ["When"],
                "TimeZone": "Africa/Mogadishu",
                "EpisodeQuestions": [{"Field": "Answer", "Column": "What"}],
            }
        ],
    },
]
