"""Withdrawals that a changed configuration would undo: STOP labels whose scheme or code no plan has.

The participant was withdrawn before, and would be in the outputs, and in Drive, again. So stage 3 stops before it replaces anything.
Accepted ones are remembered in State/, message by message, so that a new one stops the next run again.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engagement.foundation.errors import InputError, count_of, listing
from engagement.foundation.files import make_directory, read_json, write_json

if TYPE_CHECKING:
    from engagement.pipeline.coding.lost_labels import LostLabels

_FILE = "accepted lost withdrawals.json"

log = logging.getLogger(__name__)


def refuse_lost_withdrawals(
    data_root: Path, lost: Mapping[str, Sequence["LostLabels"]], stop_ids: Collection[str], is_accepted: bool
) -> None:
    """Refuse STOP labels that count for nothing, by dataset, unless accepted now or before.

    `stop_ids` are the ids of known STOP codes.

    Raises
    ------
    InputError
        Names each dataset with the scheme, the code if that is unknown, and the number of messages.
    """
    accepted = _read_accepted(data_root)
    new: dict[str, list[str]] = {}
    problems = []
    for dataset, found in lost.items():
        for labels in found:
            stops = [one for one in labels.find_stops(stop_ids) if one not in accepted.get(dataset, ())]
            if stops:
                new.setdefault(dataset, []).extend(stops)
                unknown = "" if labels.code_id is None else f", code {labels.code_id!r}"
                problems.append(
                    f"dataset {dataset!r}, scheme {labels.scheme_id!r}{unknown}: {count_of(len(stops), 'message')} labelled STOP"
                )
    if not new:
        return
    if not is_accepted:
        raise InputError(
            f"Coded Coda Files: withdrawals of consent would be undone; expected each STOP to be of a scheme and code that the plans "
            f"have. {listing(problems)}\nNothing was replaced or uploaded. The warnings say which SchemeID or code to put back; or have "
            "the messages labelled STOP under a scheme that the plan has. With --accept-lost-withdrawals their participants are in "
            "the outputs again."
        )
    log.warning("Withdrawals of consent are undone, as --accept-lost-withdrawals was given: %s", "; ".join(problems))
    _keep_accepted(
        data_root, {name: sorted({*accepted.get(name, ()), *new.get(name, ())}) for name in {**accepted, **new}}
    )


def accepted_path(data_root: Path) -> Path:
    """Return the file of the withdrawals that were accepted as lost; it need not exist."""
    return data_root / "State" / _FILE


def _read_accepted(data_root: Path) -> Mapping[str, Any]:
    path = accepted_path(data_root)
    try:
        document = read_json(path) if path.exists() else {}
    except InputError:
        document = None
    if isinstance(document, dict) and all(isinstance(ids, list) for ids in document.values()):
        return document
    log.warning("%s: can't be read, so nothing counts as accepted", path)
    return {}


def _keep_accepted(data_root: Path, accepted: Mapping[str, Sequence[str]]) -> None:
    path = accepted_path(data_root)
    make_directory(path.parent)
    write_json(path, dict(accepted))
