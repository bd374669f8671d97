"""A small project with outputs to select contacts from: ten people, one who withdrew, one tester."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engagement.configuration import load_project
from engagement.configuration.contact_selections import ContactSelection
from engagement.delivery.selections.people import People, read_people
from engagement.delivery.selections.selecting import Selected, select_participants
from example_project import DataRoot, coda_message, episode_run, label, survey_run, uid_of, write_project
from fake_rapidpro import TOKEN, WORKSPACE, Workspace

NOW = datetime(2026, 4, 29, 12, tzinfo=UTC)
# Each writes to the first episode on 1 April; who also wrote to the second one, on 22 April.
PEOPLE = ("amina", "bashir", "caasha", "daahir", "ebla", "faarax", "gacal", "hodan", "idil", "tester")
SECOND = ("bashir", "caasha", "idil")
WOMEN, MEN = ("amina", "caasha", "ebla", "hodan", "idil", "tester"), ("bashir", "daahir", "faarax")
WATER = ("amina", "bashir", "caasha", "daahir")
IN_BAY = ("amina", "bashir", "gacal")
NOWHERE = "caasha"
WITHDREW = "idil"
OPERATORS = {"bashir": "25290", "caasha": "25290"}


def contact_uuid(name: str) -> str:
    """The invented contact of an invented participant."""
    return f"00000000-0000-4000-8000-{PEOPLE.index(name):012d}"


def operator_of(name: str) -> str:
    """The mobile operator that the fetch coded."""
    return "golis" if name in OPERATORS else "hormud"


def write_selections(folder: Path, *selections: dict[str, Any], **more: Any) -> Path:
    """Write the project with these selections; a meta code 'opt_in' is in the first episode's scheme."""

    def change(document: Any) -> None:
        document.update(Contacts=list(selections), **more)
        document["RawDataSources"][0]["TestContactUUIDs"] = [contact_uuid("tester")]

    def add_opt_in(schemes: Any) -> None:
        code = {"CodeID": "episode1-opt_in", "CodeType": "Meta", "MetaCode": "opt_in", "DisplayText": "opt in",
                "NumericValue": 900, "StringValue": "opt_in", "VisibleInCoda": True}  # fmt: skip
        schemes["episode1"]["Codes"].append(code)

    return write_project(folder / "configuration", change, change_schemes=add_opt_in)


def make_data_root(folder: Path, *selections: dict[str, Any], **more: Any) -> DataRoot:
    """Make the project, its raw data, labels and outputs."""
    root = DataRoot(folder, write_selections(folder, *selections, **more))
    lines = [
        episode_run(name, f"answer of {name}", run_id=number, operator=operator_of(name))
        for number, name in enumerate(PEOPLE)
    ]
    lines += [
        episode_run(
            name, f"more of {name}", 2, time="2026-04-22T10:00:00+03:00", run_id=50 + number, operator=operator_of(name)
        )
        for number, name in enumerate(SECOND)
    ]
    lines += [
        survey_run(
            name, run_id=100 + number, gender="naag" if name in WOMEN else "nin" if name in MEN else None,
            location=None if name == NOWHERE else "baidoa" if name in IN_BAY else "mogadishu",
        )
        for number, name in enumerate(PEOPLE)
    ]  # fmt: skip
    root.write_runs(*lines)
    codes = {name: "water" if name in WATER else "roads" for name in PEOPLE} | {"ebla": "opt_in"}
    root.write_coded(
        "s01e01", *(coda_message(f"answer of {name}", label("episode1", code)) for name, code in codes.items())
    )
    root.write_coded(
        "gender", coda_message("naag", label("gender", "woman")), coda_message("nin", label("gender", "man"))
    )
    root.write_coded("location", *(coda_message(name, label("district", name)) for name in ("baidoa", "mogadishu")))
    root.write_coded("s01e02", coda_message(f"more of {WITHDREW}", label("episode2", "STOP")))
    contacts = root.path / "Contacts"
    contacts.mkdir(exist_ok=True)
    (contacts / f"{WORKSPACE}.jsonl").write_text(
        "".join(
            json.dumps({"contact": contact_uuid(name), "operator_raw": OPERATORS.get(name, "25261"),
                        "participant": uid_of(name), "urn_type": "tel"}, separators=(",", ":")) + "\n"
            for name in PEOPLE
        )
    )  # fmt: skip
    root.generate()
    return root


def people_of(root: DataRoot) -> People:
    """Read the participants."""
    return read_people(load_project(root.configuration), root.path, NOW)


def select(root: DataRoot, **keys: Any) -> Selected:
    """Select by keys as in the configuration."""
    return select_participants(ContactSelection.model_validate_json(json.dumps({"Name": "a", **keys})), people_of(root))


def names_of(selected: Selected) -> list[str]:
    """The invented names of a selection, in order."""
    return [uid.removeprefix(uid_of("")) for uid in selected.uids]


def number_of(name: str) -> str:
    """The invented phone number of an invented participant."""
    return f"+{OPERATORS.get(name, '25261')}5550{PEOPLE.index(name):03}"


def make_workspace() -> Workspace:
    """A RapidPro with everybody's contact."""
    people = [
        {"uuid": contact_uuid(name), "name": f"Zzyzx {name}", "urns": [f"tel:{number_of(name)}"], "status": "active",
         "fields": {}, "groups": [], "modified_on": f"2026-04-0{1 + number % 9}T10:00:00.000000Z"}
        for number, name in enumerate(PEOPLE)
    ]  # fmt: skip
    return Workspace([], contacts=people)


def use_server(root: DataRoot, domain: str) -> None:
    """Let the project's source be a server on this machine, with embedded credentials."""
    document = json.loads(root.configuration.read_text())
    document["RawDataSources"][0] |= {"Domain": domain, "TokenFileURL": "gs://keys/token.txt"}
    document["PhoneNumberUuidTable"]["FirebaseCredentialsFileURL"] = "gs://keys/firebase.json"
    root.configuration.write_text(json.dumps(document))
    keys = root.credentials.parent / "embedded" / "storage" / "keys"
    keys.mkdir(parents=True, exist_ok=True)
    (keys / "token.txt").write_text(TOKEN)
    (keys / "firebase.json").write_text('{"type": "embedded", "directory": "../.."}')
