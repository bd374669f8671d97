"""Makers of a season's labels, in distinct texts of each dataset: label_origins.csv.

A proposal counts for nothing until a coder ticks it. A text that was labelled as proposed is told apart from one that
coders labelled by themselves: coders tend to follow what they see.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from engagement.analysis.tables.data_quality import list_texts
from engagement.foundation.errors import InputError
from engagement.foundation.files import read_json, write_csv
from engagement.pipeline.coding.coded_datasets import CODA_FILE_REMEDY, check_coda_messages, message_id_of
from engagement.pipeline.coding.labels import counts, is_ticked, newest_by_scheme_id, origin_of

if TYPE_CHECKING:
    from engagement.analysis.tables.season import Season

LABEL_ORIGINS = "label_origins.csv"
_SUGGESTION = "suggestion:"


class Maker(Enum):
    """The maker of a label that counts."""

    CODER = "Coders"
    CLEANER = "Cleaners"
    SUGGESTION = "Suggestions"
    RULE = "Rules"


class LabelOrigins(NamedTuple):
    """A row of label_origins.csv, in distinct texts; all but the last two add up to `texts`."""

    dataset: str
    texts: int
    coders: int
    cleaners: int
    suggestions: int
    rules: int
    unlabelled: int
    proposed: int


_HEADER = (
    "Dataset", "Distinct Texts", *(maker.value for maker in Maker), "Unlabelled", "Unlabelled with Proposal"
)  # fmt: skip


def write_label_origins(rows: Sequence[LabelOrigins], folder: Path) -> None:
    """Write label_origins.csv into a folder."""
    write_csv(folder / LABEL_ORIGINS, _HEADER, rows)


def count_label_origins(season: Season, data_root: Path) -> list[LabelOrigins]:
    """Count the texts of each dataset in Coda by who labelled them.

    Raises
    ------
    InputError
        A file in Coded Coda Files/ is damaged.
    """
    rows = []
    for plan in season.project.coding_plans.all:
        if plan.coda_filename is None:
            continue
        in_coda = _read_labels(data_root / "Coded Coda Files" / plan.coda_filename)
        labelled, unlabelled = list_texts(season.messages, plan)
        makers = Counter(find_maker(in_coda.get(message_id_of(text), ())) for text in labelled)
        proposed = sum(bool(_find_proposals(in_coda.get(message_id_of(text), ()))) for text in unlabelled)
        rows.append(
            LabelOrigins(
                str(plan.coda_dataset), len(labelled) + len(unlabelled),
                makers[Maker.CODER], makers[Maker.CLEANER], makers[Maker.SUGGESTION], makers[Maker.RULE],
                len(unlabelled), proposed,
            )
        )  # fmt: skip
    return rows


def find_maker(labels: Sequence[Mapping[str, Any]]) -> Maker:
    """Find who made the labels of a message that count, newest first.

    If none counts, the pipeline's rules coded it.

    One label that was not proposed is enough for a coder's own work.
    """
    proposals = _find_proposals(labels)
    counting = filter(counts, newest_by_scheme_id(labels).values())
    makers = {
        proposals.get((label["SchemeID"], label["CodeID"])) or _maker_of_origin(label) or Maker.CODER
        for label in counting
    }
    return next((maker for maker in (Maker.CODER, Maker.SUGGESTION, Maker.CLEANER) if maker in makers), Maker.RULE)


def _find_proposals(labels: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], Maker]:
    """Find what the pipeline proposed, by scheme and code."""
    proposed = ((label, _maker_of_origin(label)) for label in labels if not is_ticked(label))
    return {(label["SchemeID"], label["CodeID"]): maker for label, maker in proposed if maker is not None}


def _maker_of_origin(label: Mapping[str, Any]) -> Maker | None:
    """Tell what of the pipeline made a label; None for people's, and where the label does not say."""
    origin = origin_of(label)
    if origin.get("OriginType") not in ("External", "Automatic"):
        return None
    return Maker.SUGGESTION if str(origin.get("OriginID")).startswith(_SUGGESTION) else Maker.CLEANER


def _read_labels(path: Path) -> dict[str, Sequence[Mapping[str, Any]]]:
    """Read the labels of a dataset's messages by message id; none without a file."""
    return dict(_list_labels(path)) if path.exists() else {}


def _list_labels(path: Path) -> Iterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    document = read_json(path, InputError, what="a Coda file", remedy=CODA_FILE_REMEDY)
    for message in check_coda_messages(document, str(path)):
        yield message["MessageID"], message["Labels"]
