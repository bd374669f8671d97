"""Decisions on messages that two coders labelled differently.

They are in <data-root>/Adjudications/<dataset>.json.

A decision is what counts; the labels of both coders stay in Coda and in Coded Coda Files/ as they are. One file is replaced
whole, so a killed command leaves the decisions of before.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engagement.configuration import CodeScheme
from engagement.foundation.errors import InputError
from engagement.foundation.files import hold_directory, make_directory, read_json, write_json
from engagement.pipeline.coding.labels import (
    MANUALLY_UNCODED,
    code_of,
    counting_labels,
    newest_by_scheme_id,
    withdraws,
)

ADJUDICATION = "adjudication"
"""How the OriginID of a decision begins."""

_VERSION = 1


@dataclass(frozen=True)
class Decision:
    """A decision on a message under one scheme: ids of codes, by whom, when (ISO 8601, UTC).

    `seen` is the time of the first coder's newest label that was known then; None in older files.
    """

    message_id: str
    scheme_id: str
    code_ids: tuple[str, ...]
    by: str
    time: str
    seen: str | None = None


def adjudications_file(data_root: Path, dataset: str) -> Path:
    """Return the file with the decisions on a dataset."""
    return data_root / "Adjudications" / f"{dataset}.json"


def read_decisions(data_root: Path, dataset: str) -> dict[tuple[str, str], Decision]:
    """Read the decisions on a dataset, by message and scheme; none without a file.

    Raises
    ------
    InputError
        The file is damaged.
    """
    path = adjudications_file(data_root, dataset)
    if not path.exists():
        return {}
    document = read_json(path, InputError, what="decisions on labels")
    try:
        if document["Version"] != _VERSION:
            raise ValueError
        decisions = [Decision(**{**one, "code_ids": tuple(one["code_ids"])}) for one in document["Decisions"]]
    except (KeyError, TypeError, ValueError):
        raise InputError(
            f"{path}: not what `adjudicate` writes; expected decisions on labels. Restore the file from an archive, or remove it "
            "and adjudicate again."
        ) from None
    return {(one.message_id, one.scheme_id): one for one in decisions}


def keep_decisions(data_root: Path, dataset: str, decisions: Iterable[Decision]) -> int:
    """Add decisions, in place of earlier ones; return how many are new or different."""
    path = adjudications_file(data_root, dataset)
    make_directory(path.parent)
    with hold_directory(path.parent):
        before = read_decisions(data_root, dataset)
        changed = {
            (one.message_id, one.scheme_id): one
            for one in decisions
            if (known := before.get((one.message_id, one.scheme_id))) is None or known.code_ids != one.code_ids
        }
        if changed:
            kept = before | changed
            write_json(path, {"Version": _VERSION, "Decisions": [asdict(kept[key]) for key in sorted(kept)]})
    return len(changed)


def remove_decisions(data_root: Path, dataset: str, message_ids: Collection[str]) -> None:
    """Remove the decisions on some messages."""
    before = read_decisions(data_root, dataset)
    kept = [one for _, one in sorted(before.items()) if one.message_id not in message_ids]
    if len(kept) < len(before):
        path = adjudications_file(data_root, dataset)
        with hold_directory(path.parent):
            write_json(path, {"Version": _VERSION, "Decisions": [asdict(one) for one in kept]})


def apply_decisions(
    messages: Sequence[Mapping[str, Any]],
    decisions: Mapping[tuple[str, str], Decision],
    schemes: Sequence[CodeScheme],
) -> Sequence[Mapping[str, Any]]:
    """Put decisions before the labels of their messages, newest first, as if they had been made in Coda."""
    if not decisions:
        return messages
    by_message: dict[str, list[Decision]] = {}
    for one in decisions.values():
        by_message.setdefault(one.message_id, []).append(one)
    own = {scheme.scheme_id: scheme for scheme in schemes}
    return [
        {**message, "Labels": _decide(message["Labels"], by_message[message["MessageID"]], own)}
        if message["MessageID"] in by_message
        else message
        for message in messages
    ]


def _decide(
    labels: Sequence[Mapping[str, Any]], decisions: Sequence[Decision], schemes: Mapping[str, CodeScheme]
) -> list[Mapping[str, Any]]:
    decided: list[Mapping[str, Any]] = []
    for one in decisions:
        scheme = schemes.get(one.scheme_id)
        if scheme is None or not _was_stopped_since(labels, one, scheme):
            # Of a scheme that the plan has no more it counts for nothing, and is reported as coders' own labels are.
            decided += _make_labels(labels, one, scheme)
    return [*decided, *labels]


def _was_stopped_since(labels: Sequence[Mapping[str, Any]], decision: Decision, scheme: CodeScheme) -> bool:
    """Tell whether a coder found a withdrawal after the decision: no decision takes that back."""
    known = decision.time if decision.seen is None else decision.seen
    for label in counting_labels(newest_by_scheme_id(labels), scheme):
        code = code_of(scheme, label)
        if code is not None and withdraws(code) and str(label.get("DateTimeUTC", "")) > known:
            return True
    return False


def _make_labels(
    labels: Sequence[Mapping[str, Any]], decision: Decision, scheme: CodeScheme | None
) -> Iterator[Mapping[str, Any]]:
    """Make a label of each code, under the scheme and its copies in turn; take off other copies."""
    owned = (label["SchemeID"] for label in labels if scheme is not None and scheme.owns(label["SchemeID"]))
    in_use = sorted(owned, key=lambda name: (len(name), name))
    ids = [decision.scheme_id, *(f"{decision.scheme_id}-{number}" for number in range(1, len(decision.code_ids)))]
    given = dict(zip(ids, decision.code_ids, strict=False))
    for scheme_id in dict.fromkeys([*given, *in_use]):
        yield {
            "Checked": True,
            "CodeID": given.get(scheme_id, MANUALLY_UNCODED),
            "DateTimeUTC": decision.time,
            "Origin": {"Name": decision.by, "OriginID": f"{ADJUDICATION}:{decision.by}", "OriginType": "Manual"},
            "SchemeID": scheme_id,
        }
