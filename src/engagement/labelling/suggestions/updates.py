"""Suggestions for messages that Coda has and nobody has touched, at most once a night.

    State/coda/<instance>/<dataset>.suggestions.json      when a dataset last got suggestions

A suggestion that stage 3 no longer makes is taken back. What Coda has is known from the last download. It may have changed since, so
Coda is asked again at the moment of each write.
"""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from engagement.foundation.errors import count_of
from engagement.foundation.files import hold_directory
from engagement.labelling.datasets.datasets import coded_file, output_file
from engagement.labelling.datasets.known_messages import find_source_instance, read_state, write_state
from engagement.labelling.suggestions.examples import is_suggestion
from engagement.labelling.suggestions.results import result_file
from engagement.services.coda.format import MessageDocument, parse_time, read_message_file
from engagement.services.coda.labels import MANUALLY_UNCODED, is_label
from engagement.services.coda.protocol import CodaDatabase

log = logging.getLogger(__name__)

_NIGHT = timedelta(hours=12)

SuggestedLabels = dict[str, list[Mapping[str, Any]]]
"""Suggested labels of messages, by MessageID; none if those in Coda are to be taken back."""


def is_untouched(labels: Any) -> bool:
    """Tell whether nobody and nothing labelled a message, but for our own suggestions.

    >>> is_untouched([]), is_untouched([{"SchemeID": "s", "CodeID": "c", "Checked": False}]), is_untouched(None)
    (True, False, False)
    """
    return isinstance(labels, list) and all(
        is_label(label)
        and label["CodeID"] != MANUALLY_UNCODED
        and label.get("Checked") is False
        and isinstance(label.get("Origin"), dict)
        and label["Origin"].get("OriginType") == "External"
        and is_suggestion(label)
        for label in labels
    )


def choose_updates(
    candidates: Iterable[MessageDocument], in_coda: Iterable[MessageDocument], may_take_back: bool = False
) -> SuggestedLabels:
    """Choose the messages that are untouched in Coda, and have suggestions of other codes than there.

    With `may_take_back`, also those that have none any more.
    """
    labels_in_coda = {message["MessageID"]: message["Labels"] for message in in_coda}
    chosen = {}
    for message in candidates:
        suggested = [label for label in message["Labels"] if is_suggestion(label)]
        present = labels_in_coda.get(message["MessageID"])
        if (suggested or may_take_back) and is_untouched(present) and _codes_of(present or ()) != _codes_of(suggested):
            chosen[message["MessageID"]] = suggested
    return chosen


def _codes_of(labels: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    # Confidences change with every new label; they alone are not worth a write and a download of each message.
    return [(label["SchemeID"], label["CodeID"]) for label in labels]


def plan_update(coda: CodaDatabase, dataset: str, data_root: Path, now: datetime, remedy: str) -> SuggestedLabels:
    """Find new suggestions for messages that Coda has, without asking it; none if it got some tonight.

    Only results of stage 3 for the dataset say that a suggestion is not made any more: none are there if no plan asks for any, or before
    coding.
    """
    path, downloaded = output_file(data_root, dataset), coded_file(data_root, dataset)
    if not path.exists() or not downloaded.exists() or find_source_instance(data_root, dataset) != coda.instance:
        return {}
    last = read_state(_time_file(data_root, dataset, coda.instance)).get("Updated")
    if isinstance(last, str) and timedelta(0) <= now - parse_time(last) < _NIGHT:
        log.info("Coda %r: got suggestions within the last 12 hours; none were updated", dataset)
        return {}
    is_judged = result_file(data_root / "Outputs", dataset).exists()
    return choose_updates(read_message_file(path, remedy), read_message_file(downloaded, remedy), is_judged)


def update(coda: CodaDatabase, dataset: str, labels: SuggestedLabels, data_root: Path, now: datetime) -> int:
    """Give messages suggestions unless somebody touched them meanwhile; return how many got some."""
    replaced = coda.replace_labels(dataset, labels, is_untouched)
    path = _time_file(data_root, dataset, coda.instance)
    with hold_directory(path.parent):
        write_state(path, {"Updated": now.isoformat()})
    log.info(
        "Coda %r: new suggestions, or none any more, for %d of %s that nobody had labelled",
        dataset,
        replaced,
        count_of(len(labels), "message"),
    )
    return replaced


def _time_file(data_root: Path, dataset: str, instance: str) -> Path:
    return data_root / "State" / "coda" / instance / f"{dataset}.suggestions.json"
