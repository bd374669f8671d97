"""Remove messages that are over age, and move the cut that keeps fetches from taking them again.

    Runs/retention/raw_texts_journal.json   the cut, and what there was, while it is being removed

The order is such that a run may be killed at any moment, and repeated: Coda and its files are found by Raw Data, so they come first. The
cut comes last. A fetch before that may bring some of it back, never less than what is still young; it is removed again.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engagement.configuration import Project
from engagement.configuration.double_coding import second_dataset
from engagement.configuration.kept_project import find_kept_stop_ids
from engagement.custody.retention.aged_files import remove_from_files
from engagement.custody.retention.journals import RemovalJournal, retention_folder
from engagement.custody.retention.raw_ages import FileAges, RawAges
from engagement.custody.retention.removal import RetentionRequest, add_receipt, has_receipt
from engagement.custody.retention.texts import FoundTexts, raw_files, read_texts
from engagement.labelling.datasets.datasets import coded_file
from engagement.pipeline.coding.lost_labels import find_stop_ids
from engagement.pipeline.coding.wrong_scheme import SEPARATOR
from engagement.pipeline.outputs.message_counts import count_without, expect_fewer
from engagement.pipeline.outputs.places import current_outputs
from engagement.provenance import read_traced_data
from engagement.services.coda.format import read_message_documents
from engagement.services.coda.protocol import CodaDatabase
from engagement.sources.message_cut import LineAges, MessageCut, read_cut, texts_that_stay, write_cut
from engagement.sources.rapidpro.state.removal import count_old_waiting

MESSAGE = "message"
_REMEDY = "Download the dataset again: run stage 1 with --full."


@dataclass
class AgedMessages:
    """What a cut removes: counts by flow and by episode, the oldest time, and how much is younger.

    `next` is the time of the oldest that a later cut removes.
    `raw_ages` tells the next cut which files it need not read.
    """

    cut: MessageCut
    raw_ages: RawAges
    flows: dict[str, int] = field(default_factory=dict)
    episodes: Counter[str] = field(default_factory=Counter)
    oldest: datetime | None = None
    younger: int = 0
    next: datetime | None = None

    @property
    def count(self) -> int:
        """How many lines go."""
        return sum(self.flows.values())

    def note_next(self, time: datetime | None) -> None:
        """Note the time of what stays for now."""
        if time is not None:
            self.next = min(time, self.next or time)


def choose_cut(project: Project, data_root: Path, now: datetime) -> MessageCut | None:
    """Choose the cut as of now; None without RawTexts, or if it did not move.

    It is the beginning of a day where the project is.
    """
    retention = project.configuration.retention
    if retention is None or retention.raw_texts is None:
        return None
    before = begin_of_day(retention.raw_texts.before(now.astimezone(project.configuration.time_zone)))
    last = read_cut(data_root)
    if last is not None and before <= last.before:
        return None
    return MessageCut(before, _find_stops(project, data_root))


def begin_of_day(there: datetime) -> datetime:
    """Return the beginning of a day where the project is, in UTC."""
    return there.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(UTC)


def _find_stops(project: Project, data_root: Path) -> frozenset[str]:
    """Digest the texts that anybody labelled STOP, and the parts of those that were joined."""
    plans = project.coding_plans.all
    stop_ids = find_stop_ids(one.code_scheme for plan in plans for one in plan.coding_configurations)
    stop_ids |= find_kept_stop_ids(data_root)
    datasets = {plan.coda_dataset for plan in plans if plan.coda_dataset is not None}
    texts = set()
    for path in (coded_file(data_root, name) for one in datasets for name in (one, second_dataset(one))):
        for message in read_message_documents(path, _REMEDY) if path.exists() else ():
            if any(label.get("CodeID") in stop_ids for label in message.get("Labels", ())):
                texts.add(str(message["Text"]))
    return texts_that_stay(texts, SEPARATOR)


def find_aged(project: Project, data_root: Path, cut: MessageCut) -> AgedMessages:
    """Count the lines of Raw Data that a cut removes, and the runs that still wait for their contact.

    A file that did not change, and of which none is over age by its note, is not read.
    """
    ages = LineAges(cut, project.configuration)
    found = AgedMessages(cut, RawAges(data_root, ages))
    fields = {plan.raw_field for plan in project.coding_plans.rqa}
    remappings = project.configuration.rapid_pro_key_remappings
    episodes = {one.rapid_pro_key: one.pipeline_key for one in remappings if one.pipeline_key in fields}
    for path in raw_files(data_root):
        known = found.raw_ages.find_young(path)
        if known is not None:
            found.younger += known.count_younger(cut.before)
            found.note_next(known.oldest_time)
            continue
        read = FileAges.begin(path)
        for record in read_traced_data(path):
            times = [time for time in ages.times_of(record.values) if time is not None]
            read.add(max(times, default=None), ages.keeps(record.values))
            if not ages.removes(record.values):
                found.younger += not times or max(times) >= cut.before
                if not ages.keeps(record.values):
                    found.note_next(max(times, default=None))
                continue
            found.flows[path.stem] = found.flows.get(path.stem, 0) + 1
            found.episodes.update(episodes[key] for key in episodes.keys() & record.values.keys())
            found.oldest = min(max(times), found.oldest or cut.before)
        found.raw_ages.add(path, read)
    for path in sorted((data_root / "State" / "fetch").glob("*.sqlite")):
        waiting = count_old_waiting(path, cut)
        if waiting:
            found.flows[f"{path.stem}, without a contact"] = waiting
    return found


def is_begun(data_root: Path) -> bool:
    """Check if an earlier removal was begun and not completed."""
    return _journal(data_root).exists()


def go_on(project: Project, data_root: Path, coda: CodaDatabase, now: str) -> dict[str, Any] | None:
    """Complete a removal that was killed; return its receipt, None if it had been written."""
    journal = _journal(data_root)
    document = journal.read()
    if document is None:
        return None
    if has_receipt(data_root, document):
        journal.drop()
        return None
    later = _find_stops(project, data_root).difference(document["Stays"])
    if later:
        document = _keep_later_stops(project, data_root, document, later)
    return _complete(project, data_root, coda, document, now)


def _keep_later_stops(
    project: Project, data_root: Path, document: Mapping[str, Any], later: frozenset[str]
) -> dict[str, Any]:
    """Let messages stay that a coder labelled STOP since, if they are still there."""
    before, stays = datetime.fromisoformat(document["Before"]), frozenset(document["Stays"])
    then = LineAges(MessageCut(before, stays), project.configuration)
    now = LineAges(MessageCut(before, stays | later), project.configuration)
    flows = Counter(document["Flows"])
    for path in raw_files(data_root):
        flows[path.stem] -= sum(then.removes(one.values) and now.keeps(one.values) for one in read_traced_data(path))
    return {**document, "Stays": sorted(stays | later), "Flows": dict(+flows)}


def remove_aged(
    project: Project, data_root: Path, coda: CodaDatabase, aged: AgedMessages, request: RetentionRequest
) -> dict[str, Any] | None:
    """Remove what is over age, and move the cut; return the receipt, None if only the cut moved."""
    period = request.periods["RawTexts"]
    aged.raw_ages.write()
    if not aged.count:
        write_cut(data_root, aged.cut, period)
        return None
    document = {
        "By": request.user,
        "Begun": request.now,
        "Before": aged.cut.before.isoformat(),
        "Stays": sorted(aged.cut.stays),
        "Expected": count_without(current_outputs(data_root), aged.episodes),
        "Periods": {"RawTexts": period},
        "Flows": aged.flows,
        "Oldest": None if aged.oldest is None else aged.oldest.isoformat(),
    }
    _journal(data_root).write(document)
    return _complete(project, data_root, coda, document, request.now)


def _complete(
    project: Project, data_root: Path, coda: CodaDatabase, document: Mapping[str, Any], now: str
) -> dict[str, Any]:
    cut = MessageCut(datetime.fromisoformat(document["Before"]), frozenset(document["Stays"]))
    ages = LineAges(cut, project.configuration)
    texts = read_texts(project, data_root, ages.removes)
    # Of a removal that was killed, its first try alone saw all of them.
    document = {"Shared": sum(map(len, texts.shared.values())), **document}
    _journal(data_root).write({key: value for key, value in document.items() if key != "Version"})
    retention = project.configuration.retention
    if retention is not None and retention.uuid_table is not None:
        # Imported only where it is asked for.
        from engagement.custody.retention.silent_people import note_messages_that_go

        note_messages_that_go(data_root, ages)
    for dataset, own in _with_second(texts):
        if own and coda.has_dataset(dataset):
            coda.remove_messages(dataset, own)
    # Before anything is gone from Raw Data: stage 3 would say that it was lost.
    expect_fewer(current_outputs(data_root), document["Expected"])
    remove_from_files(data_root, _with_second(texts), texts.own, ages)
    write_cut(data_root, cut, document["Periods"]["RawTexts"])
    receipt = {key: document[key] for key in ("By", "Begun", "Before", "Periods")}
    receipt |= {"Completed": now, "Removed": [_summarise(document)]}
    receipt["Remains"] = list(_say_what_remains(project, document["Shared"]))
    add_receipt(data_root, receipt)
    _journal(data_root).drop()
    return receipt


def _with_second(texts: FoundTexts) -> list[tuple[str, frozenset[str]]]:
    """List datasets, second coders' too, with the ids of the messages to remove."""
    return [(name, own) for dataset, own in texts.own.items() for name in (dataset, second_dataset(dataset))]


def _summarise(document: Mapping[str, Any]) -> dict[str, Any]:
    flows = document["Flows"]
    names = [f"{flow}: {count:,}" for flow, count in sorted(flows.items())]
    return {"Kind": MESSAGE, "Count": sum(flows.values()), "Oldest": document["Oldest"], "Names": names}


def _say_what_remains(project: Project, shared: int) -> Iterator[str]:
    if shared:
        yield f"{shared:,} text(s) in Coda and its files that younger messages have, too"
    yield "messages of people who withdrew, by a text labelled STOP: that text's own"
    yield "Outputs/, State/analysis/ and copies on Drive, until the next run"
    yield "archives of the data root, until they are over age"
    for source in project.configuration.raw_data_sources:
        yield f"{source.source_type}: what the source itself keeps"


def _journal(data_root: Path) -> RemovalJournal:
    wanted = {"By": str, "Begun": str, "Before": str, "Stays": list, "Expected": dict, "Periods": dict, "Flows": dict}
    return RemovalJournal(retention_folder(data_root) / "raw_texts_journal.json", wanted)


def say_aged(aged: AgedMessages) -> Iterable[str]:
    """List what a cut removes: one line for all, and one for each flow."""
    if aged.count:
        yield (
            f"{aged.count:,} {MESSAGE}(s) from before {aged.cut.before.isoformat()}, with their texts in Coda; {aged.younger:,} younger ones stay:"
        )
        yield from (f"{flow}: {count:,}" for flow, count in sorted(aged.flows.items()))
