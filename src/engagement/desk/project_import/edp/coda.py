"""What an engagement-database project says of its datasets in Coda."""

from typing import Any, Final

from engagement.desk.project_import.edp.arguments import ArgumentReader, describe, scheme_path
from engagement.desk.project_import.edp.plans import CodaDataset
from engagement.desk.project_import.migration import Migration
from engagement.desk.project_import.scheme_files import SchemeFile

_USERS: Final = (
    "a file of people who may label. Put their e-mail addresses into CodaUsers, for datasets that stage 4 makes."
)
_OF_SYNC: Final = {
    "project_users_file_url": ("to_decide", _USERS),
    "default_ws_dataset": (
        "to_decide", "wrong-scheme answers that named no dataset of the project went there. Here they stay where they are.",
    ),
    "set_dataset_from_ws_string_value": (
        "to_decide", "the StringValue of the WS scheme's code named the dataset. Here WSCode does: check it in each plan.",
    ),
}  # fmt: skip
_OF_DATASET: Final = {
    "dataset_users_file_url": ("to_decide", _USERS),
    "update_users_and_code_schemes": (
        "to_decide", "whether users and schemes in Coda were renewed. Here stage 4 adds messages, and makes new datasets only; "
        "schemes in Coda are its administrator's.",
    ),
}  # fmt: skip


def read_coda(
    coda_sync: ArgumentReader | None, ws_scheme: SchemeFile | None, migration: Migration
) -> dict[str, CodaDataset]:
    """Return the datasets in Coda by the dataset of the engagement database that they label."""
    if coda_sync is None:
        return {}
    client = coda_sync.take_call("coda")
    if client is not None:
        migration.changed(
            "coda credentials_file_url",
            f"stages 1 and 4 get Coda's credentials on their command line; they were {client.take_text('credentials_file_url')!r}.",
        )
        client.tell_rest(migration, {})
    found: dict[str, CodaDataset] = {}
    sync = coda_sync.take_call("sync_config")
    for dataset in sync.take_calls("dataset_configurations") if sync is not None else []:
        name, coda_id = dataset.take("engagement_db_dataset"), dataset.take("coda_dataset_id")
        if isinstance(name, str) and isinstance(coda_id, str):
            ws_code = _read_ws_code(dataset, coda_id, ws_scheme, migration)
            kept = found.setdefault(name, CodaDataset(coda_id, ws_code))
            if kept.coda_id == coda_id:
                _read_schemes(dataset, kept, migration)
            else:
                migration.to_decide(
                    f"coda_sync: {coda_id}",
                    f"answers of {name!r} were labelled in {kept.coda_id!r} too. A plan has one dataset in Coda: labels in "
                    f"{kept.coda_id!r} count. If {coda_id!r} has the labels, name it in CodaFilename.",
                )
                dataset.take("code_scheme_configurations")
        else:
            migration.to_decide(f"coda_sync ({dataset.place})", "the names of this dataset can't be read.")
        dataset.tell_rest(migration, _OF_DATASET)
    if sync is not None:
        sync.take("ws_correct_dataset_code_scheme")
        sync.tell_rest(migration, _OF_SYNC)
    coda_sync.tell_rest(migration, {})
    return found


def _read_schemes(dataset: ArgumentReader, coda: CodaDataset, migration: Migration) -> None:
    for scheme in dataset.take_calls("code_scheme_configurations"):
        path = scheme_path(scheme.take("code_scheme"))
        auto_coder, copies = scheme.take("auto_coder"), scheme.take("coda_code_schemes_count")
        scheme.tell_rest(migration, {})
        if path is None:
            migration.to_decide(f"{coda.coda_id} ({scheme.place})", "the name of its code scheme can't be read.")
            continue
        if copies is not None and not isinstance(copies, int):
            migration.to_decide(
                f"coda_code_schemes_count ({scheme.place})",
                f"it can't be read, so that 1 was taken. It was {describe(copies)}: with more, set the CodingMode to MULTIPLE.",
            )
        coda.copies[path] = copies if isinstance(copies, int) else 1
        if auto_coder is not None:
            coda.cleaners[path] = auto_coder


def _read_ws_code(
    dataset: ArgumentReader, coda_id: str, ws_scheme: SchemeFile | None, migration: Migration
) -> str | None:
    match_value, string_value = dataset.take("ws_code_match_value"), dataset.take("ws_code_string_value")
    if isinstance(match_value, str):
        return match_value
    if match_value is not None:
        migration.to_decide(
            f"ws_code_match_value of {coda_id}",
            f"it can't be read, so that answers can't be moved there. It was {describe(match_value)}: add the WSCode to its plan.",
        )
    if string_value is None:
        return None
    codes: list[dict[str, Any]] = ws_scheme.document["Codes"] if ws_scheme is not None else []
    values = next((code.get("MatchValues") for code in codes if code.get("StringValue") == string_value), None)
    if values:
        migration.changed(
            f"ws_code_string_value of {coda_id}",
            f"{string_value!r}; now WSCode {values[0]!r}, a match value of its code.",
        )
        return str(values[0])
    migration.to_decide(
        f"ws_code_string_value of {coda_id}",
        f"no code with {describe(string_value)} and a match value is in the WS scheme, so answers can't be moved there. Give the "
        "code a match value, and the plan this WSCode.",
    )
    return None
