"""Note in MIGRATION.md what was taken over of an old data root, and what was not."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from engagement.configuration import PipelineConfiguration
from engagement.configuration.numbers_in_names import holds_phone_number
from engagement.desk.project_import.migration import Migration, paste_ready
from engagement.desk.project_import.old_data.old_data_root import CODED_FILES, RAW_DATA, TakenData
from engagement.desk.project_import.old_data.old_phone_numbers import NumberKind
from engagement.foundation.errors import count_of

_MOST_NAMES = 10


def note_taken_data(taken: TakenData, new: Path, configuration: PipelineConfiguration, migration: Migration) -> None:
    """Note runs, participants, numbers left out, datasets, and files that stay behind."""
    runs = sum(taken.runs.values())
    migration.done(
        f"{RAW_DATA}: {count_of(runs, 'run')} of {count_of(len(taken.runs), 'flow')} and {count_of(len(taken.participants), 'participant')} "
        f"verified, hash by hash, and taken over into {new}. The old data root was not changed."
    )
    for old, flow in taken.renamed.items():
        migration.changed(
            f"{RAW_DATA}/{old}.jsonl", f"now `{flow}.jsonl`: only the last ending of an address is cut off here."
        )
    if taken.missing:
        migration.to_decide(
            RAW_DATA,
            f"no runs of {_name(taken.missing)} in the old data root. Stage 2 fetches them; until then stage 3 stops, as it needs "
            "every flow's file.",
        )
    for kind, count in sorted(taken.masked.items()):
        is_raw = kind is not NumberKind.MESSAGE
        migration.dropped(
            RAW_DATA if is_raw else CODED_FILES,
            f"{count_of(count, 'value')} with a phone number: {kind}. Left out, as numbers never reach the disk here"
            + ("; the runs that held them have new hashes" if is_raw else "")
            + ". The old data root still holds them: remove it once you are content.",
        )
    _note_prefix(taken, configuration, migration)
    if taken.datasets is not None:
        migration.done(
            f"{CODED_FILES}: {count_of(len(taken.datasets.by_dataset), 'dataset')} taken over under today's names."
        )
        for dataset, paths in taken.datasets.by_dataset.items():
            old_names = ", ".join(path.name for path in paths)
            if old_names != f"{dataset}.json":
                migration.changed(old_names, f"taken over as `{dataset}.json`, as the dataset is called in Coda.")
    for what, text in _describe_left(taken.left):
        migration.dropped(what, text)
    table = configuration.phone_number_uuid_table.table_name
    migration.done(
        f"uuid table {table!r}: used as it is. Before its first fetch stage 2 looks up some of the participants in it, and refuses a "
        "table that knows none of them."
    )
    migration.to_decide(
        RAW_DATA,
        "does RapidPro still have all these runs? The first fetch (stage 2) asks for all of them once more and replaces each flow's file. "
        "It stops, and replaces nothing, if less than 90 % come; runs that it no longer has would go. For a flow that RapidPro no longer "
        "has in full, put its file into a bucket, and name it in a source of the type GCloudBucket instead.",
    )


def _note_prefix(taken: TakenData, configuration: PipelineConfiguration, migration: Migration) -> None:
    own = configuration.participant_prefix
    for prefix, count in taken.prefixes.most_common():
        if prefix == own:
            migration.done(f"`ParticipantPrefix`: {count_of(count, 'participant')} have {own!r}, as new ones will.")
        else:
            migration.to_decide(
                "ParticipantPrefix",
                f"ids of {count_of(count, 'participant')} begin with {prefix!r}, and new ones will begin with {own!r}. Old ids stay as "
                f"they are either way. To go on with the old beginning, add:{paste_ready({'ParticipantPrefix': prefix})}",
            )


def _describe_left(paths: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """Describe the files of the old Raw Data that were not taken over, by kind."""
    kinds: dict[str, list[str]] = {}
    for path in paths:
        kinds.setdefault(_kind_of(path), []).append(path.name)
    for kind, names in kinds.items():
        yield RAW_DATA, f"{count_of(len(names), 'file')} not taken over: {kind} ({_name(names)})."


def _kind_of(path: Path) -> str:
    name = path.name.casefold()
    if name.endswith(("_log.jsonl", "_log.json", ".log")) or "_raw_runs" in name:
        return "logs of raw exports, which hold phone numbers"
    if "contact" in name:
        return "contacts, which hold phone numbers; stage 2 makes its own list without them"
    if path.suffix.casefold() in (".csv", ".xlsx"):
        return "tables, whose columns such as `avf-phone-uuid` may hold phone numbers"
    if path.suffix == ".json" and path.name != "manifest.json":
        return "files of the first pipelines (.json, written with jsonpickle), whose hashes can't be verified"
    if path.suffix == ".jsonl":
        return "runs of flows that the imported configuration does not name"
    return "other files, which no stage reads"


def _name(names: Sequence[str]) -> str:
    shown = [f"`{name}`" for name in names if not holds_phone_number(name)][:_MOST_NAMES]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f"{' and ' if shown else ''}{more} more" if more else "")
