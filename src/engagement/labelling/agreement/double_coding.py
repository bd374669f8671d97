"""How far the two coders of a dataset agree, each blind to the other's labels."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from engagement.configuration import CodeScheme
from engagement.configuration.double_coding import second_dataset
from engagement.labelling.agreement.coding_sheets import CodedMessage, Codings
from engagement.labelling.agreement.report import CONFIDENCE, DRAWS, SEED, measure_reliability, show_estimate
from engagement.labelling.datasets.adjudications import read_decisions
from engagement.labelling.datasets.datasets import coded_file
from engagement.pipeline.coding.labels import code_of, counting_labels, newest_by_scheme_id, withdraws
from engagement.services.coda.format import MessageDocument, parse_time, read_message_file

_CODERS = ("first", "second")
_REMEDY = "Run stage 1 with --full."


@dataclass(frozen=True)
class TwiceCoded:
    """Messages that both coded under one scheme, and when the second label was made."""

    codings: Codings
    times: tuple[datetime | None, ...]

    def by_week(self) -> Iterator[tuple[str, Codings]]:
        """Part the messages by the ISO week of their second label, oldest first."""
        weeks: dict[str, list[CodedMessage]] = {}
        for message, time in zip(self.codings.messages, self.times, strict=True):
            if time is not None:
                year, week, _ = time.isocalendar()
                weeks.setdefault(f"{year}-W{week:02d}", []).append(message)
        for name in sorted(weeks):
            yield name, Codings(_CODERS, tuple(weeks[name]))


def read_twice_coded(data_root: Path, dataset: str, scheme: CodeScheme) -> TwiceCoded | None:
    """Read what stage 1 downloaded of both coders; None before anything was labelled twice.

    Raises
    ------
    InputError
        A file is damaged.
    """
    first, second = coded_file(data_root, dataset), coded_file(data_root, second_dataset(dataset))
    if not first.exists() or not second.exists():
        return None
    return compare_coders(read_message_file(first, _REMEDY), read_message_file(second, _REMEDY), scheme)


def find_missed_withdrawals(data_root: Path, dataset: str, scheme: CodeScheme) -> list[str]:
    """List the ids of messages that only the second coder took for a withdrawal; no decision either."""
    first, second = coded_file(data_root, dataset), coded_file(data_root, second_dataset(dataset))
    if not first.exists() or not second.exists():
        return []
    stops = {message["MessageID"] for message in read_message_file(second, _REMEDY) if _withdraws(message, scheme)}
    if not stops:
        return []
    decided = {
        message_id for message_id, scheme_id in read_decisions(data_root, dataset) if scheme_id == scheme.scheme_id
    }
    known = {message["MessageID"] for message in read_message_file(first, _REMEDY) if _withdraws(message, scheme)}
    return sorted(stops - known - decided)


def _withdraws(message: MessageDocument, scheme: CodeScheme) -> bool:
    counting = counting_labels(newest_by_scheme_id(message["Labels"]), scheme)
    return any(code is not None and withdraws(code) for code in (code_of(scheme, label) for label in counting))


def compare_coders(
    first: Sequence[MessageDocument], second: Sequence[MessageDocument], scheme: CodeScheme
) -> TwiceCoded | None:
    """Pair the labels of messages that both coded; None if there are none.

    A code stands by the name that outputs have for it, and none of the two saw the other's.
    """
    labels_of_first = {message["MessageID"]: message["Labels"] for message in first}
    messages, times = [], []
    for message in second:
        given = labels_of_first.get(message["MessageID"])
        codes, time = _read(message["Labels"], scheme)
        codes_of_first, _ = _read(given or [], scheme)
        if codes and codes_of_first:
            messages.append(CodedMessage(message["MessageID"], "", message["Text"], (codes_of_first, codes)))
            times.append(time)
    return TwiceCoded(Codings(_CODERS, tuple(messages)), tuple(times)) if messages else None


def _read(labels: Sequence[Mapping[str, Any]], scheme: CodeScheme) -> tuple[frozenset[str] | None, datetime | None]:
    """Return the codes of a coder, and when the newest was given."""
    counting = list(counting_labels(newest_by_scheme_id(labels), scheme))
    codes = {code.string_value for label in counting if (code := code_of(scheme, label)) is not None}
    times = [parse_time(label["DateTimeUTC"]) for label in counting if isinstance(label.get("DateTimeUTC"), str)]
    return (frozenset(codes) if codes else None), max(times, default=None)


def align_agreement(parts: Iterable[tuple[str, Codings]]) -> Iterator[str]:
    """Lay out a line for each part of the messages: their number, and how far coders agree."""
    yield f"  {'':<10}{'messages':>9}  {'agreement %':<22}{'alpha':<22}AC1"
    for name, codings in parts:
        found = measure_reliability(codings, DRAWS, SEED, CONFIDENCE).overall
        percent, alpha, ac1 = (
            show_estimate(found.percent_agreement, 100, 1), show_estimate(found.alpha), show_estimate(found.ac1)
        )  # fmt: skip
        yield f"  {name:<10}{found.messages:>9}  {percent:<22}{alpha:<22}{ac1}"
