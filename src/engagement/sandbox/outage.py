"""The evening on which the telecom's link to RapidPro was down: SMS were received, and never arrived.

Other channels were not affected, and nobody was asked the next question of a survey whose answer was lost.
"""

import dataclasses
from datetime import UTC, datetime

from engagement.sandbox.runs import InventedResult, InventedRun

# In the first hours after the repeat of the third episode.
OUTAGE_BEGINS = datetime(2026, 10, 10, 15, 20, tzinfo=UTC)
OUTAGE_ENDS = datetime(2026, 10, 10, 17, 45, tzinfo=UTC)


def sends_sms(run: InventedRun) -> bool:
    """Tell whether a run's participant writes through the telecom."""
    return bool(run.participant.urns) and run.participant.urns[0].startswith("tel:")


def sent_results(run: InventedRun) -> tuple[InventedResult, ...]:
    """Return the answers that were sent: up to the first one that was lost."""
    position = _first_lost(run)
    return run.results if position is None else run.results[: position + 1]


def arrived_part(run: InventedRun) -> InventedRun | None:
    """Return what RapidPro has of a run; None if it never began."""
    if sends_sms(run) and "activation" in run.flow and OUTAGE_BEGINS <= run.created_on < OUTAGE_ENDS:
        return None
    position = _first_lost(run)
    if position is None:
        return run
    return dataclasses.replace(run, results=run.results[:position], completed_on=None)


def _first_lost(run: InventedRun) -> int | None:
    if not sends_sms(run):
        return None
    lost = (number for number, result in enumerate(run.results) if OUTAGE_BEGINS <= result.time < OUTAGE_ENDS)
    return next(lost, None)
