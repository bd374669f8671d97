"""Remove messages from the files of datasets, and from what is known of Coda."""

from collections.abc import Collection, Iterator
from pathlib import Path

from engagement.foundation.files import read_json, write_json
from engagement.labelling.datasets.datasets import coded_file, output_file
from engagement.labelling.datasets.downloads import renew_digest
from engagement.labelling.datasets.known_messages import read_state, write_state
from engagement.services.coda.format import MessageDocument, read_message_documents

_REMEDY = "Download the dataset again: run stage 1 with --full."


def dataset_files(data_root: Path, dataset: str) -> Iterator[Path]:
    """List the files with a dataset's messages that are there."""
    yield from (path for path in (coded_file(data_root, dataset), output_file(data_root, dataset)) if path.exists())


def find_messages(path: Path, message_ids: Collection[str]) -> list[MessageDocument]:
    """Find messages in a dataset's file."""
    return [one for one in read_message_documents(path, _REMEDY) if _id_of(one) in message_ids]


def find_texts(path: Path, part: str) -> list[MessageDocument]:
    """Find messages whose text has a part, in a dataset's file."""
    messages = read_message_documents(path, _REMEDY)
    return [one for one in messages if isinstance(one, dict) and part in str(one.get("Text")) and "MessageID" in one]


def find_known_ids(data_root: Path, dataset: str, message_ids: Collection[str]) -> Iterator[tuple[Path, str]]:
    """Find messages that a dataset in Coda is known to have."""
    for path in sorted((data_root / "State" / "coda").glob(f"*/{dataset}.json")):
        yield from ((path, one) for one in read_state(path).get("MessageIDs", ()) if one in message_ids)


def remove_messages(data_root: Path, dataset: str, message_ids: Collection[str]) -> None:
    """Remove messages from a dataset's files; where their texts are, last of all.

    May be killed and repeated.
    """
    for path in {path for path, _ in find_known_ids(data_root, dataset, message_ids)}:
        write_state(path, {"MessageIDs": [one for one in read_state(path)["MessageIDs"] if one not in message_ids]})
    accepted = data_root / "State" / "accepted lost withdrawals.json"
    if accepted.exists():
        document = read_json(accepted)
        if message_ids and set(document.get(dataset, ())) & set(message_ids):
            write_json(accepted, {**document, dataset: [one for one in document[dataset] if one not in message_ids]})
    for path in dataset_files(data_root, dataset):
        messages = read_message_documents(path, _REMEDY)
        kept = [one for one in messages if _id_of(one) not in message_ids]
        if len(kept) == len(messages):
            continue
        if path == coded_file(data_root, dataset):
            # Else stage 1 would take it for a file that somebody changed.
            with renew_digest(data_root, dataset):
                write_json(path, kept)
        else:
            write_json(path, kept)


def _id_of(message: object) -> object:
    return message.get("MessageID") if isinstance(message, dict) else None
