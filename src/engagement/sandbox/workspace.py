"""The workspace at one round: every row of the API, and the meanings that only the sandbox knows."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from engagement.sandbox.answers import Meaning
from engagement.sandbox.archives import InventedArchive, make_archives
from engagement.sandbox.asked_again import make_runs_asked_again
from engagement.sandbox.chance import uuid_for
from engagement.sandbox.contact_changes import ContactChanges
from engagement.sandbox.outage import arrived_part
from engagement.sandbox.participants import InventedParticipant, Role, make_participants
from engagement.sandbox.rows import (
    ApiRow,
    archived_run_row,
    contact_row,
    deleted_contact_row,
    flow_row,
    message_row,
    run_row,
    workspace_row,
)
from engagement.sandbox.runs import InventedRun, RunState, make_runs, state_of_run
from engagement.sandbox.season import FLOWS, end_of_round, live_since
from engagement.sources.urns import first_urn, identities_of

DEFAULT_SEED = 20260803
_OVERLAP = 10  # every tenth archived run can still be read live


@dataclass(frozen=True)
class InventedWorkspace:
    """The data of the sandbox's RapidPro in one round.

    `meanings` has the meaning of every text of the season; `uuid_mappings` the uuid for each URN in the uuid table.
    """

    token: str
    workspace: ApiRow
    flows: tuple[ApiRow, ...]
    runs: tuple[ApiRow, ...]
    contacts: tuple[ApiRow, ...]
    deleted_contacts: tuple[ApiRow, ...]
    messages: tuple[ApiRow, ...]
    groups: tuple[ApiRow, ...]
    fields: tuple[ApiRow, ...]
    archives: tuple[InventedArchive, ...]
    test_contact_uuids: tuple[str, ...]
    meanings: Mapping[str, Meaning]
    uuid_mappings: Mapping[str, str]


def make_workspace(seed: int, round_number: int, changes: ContactChanges | None = None) -> InventedWorkspace:
    """Build the workspace as at the end of a round.

    It depends only on seed, round, and what was written to contacts.
    """
    now = end_of_round(round_number)
    participants, runs = make_season(seed)
    if changes is not None:
        runs = (*runs, *make_runs_asked_again(seed, participants, round_number, changes))
    numbered = [
        (number, state)
        for number, run in enumerate(runs, 1)
        if (arrived := arrived_part(run)) and (state := state_of_run(arrived, now))
    ]
    group = {"uuid": uuid_for(seed, "group"), "name": "Listeners", "query": None, "status": "ready"}
    present = [participant for participant in participants if participant.joined_on <= now]
    deleted = {participant.uuid for participant in present if _is_deleted(participant, now)}
    archived = [(number, state) for number, state in numbered if _is_archived(state, now)]
    messages = _messages(seed, numbered)
    return InventedWorkspace(
        token=f"demo-{uuid_for(seed, 'token')}",
        workspace=workspace_row(seed),
        flows=tuple(
            flow_row(seed, flow, [state for _, state in numbered if state.run.flow == flow.name]) for flow in FLOWS
        ),
        runs=tuple(
            run_row(seed, number, state, state.run.participant.uuid not in deleted)
            for number, state in numbered
            if not _is_archived(state, now) or number % _OVERLAP == 0
        ),
        contacts=_contacts(present, numbered, group, deleted),
        deleted_contacts=tuple(
            deleted_contact_row(participant, participant.deleted_on)
            for participant in present
            if participant.deleted_on and participant.uuid in deleted
        ),
        messages=tuple(row for time, row in messages if time >= live_since(now)),
        groups=({**group, "count": len(present) - len(deleted)},),
        fields=(
            {"key": "joined_on", "label": "Joined On", "value_type": "datetime", "pinned": False},
            {"key": "remark", "label": "Remark", "value_type": "text", "pinned": False},
        ),
        archives=(
            *make_archives(
                "run",
                [(state.modified_on, archived_run_row(seed, number, state)) for number, state in archived],
                live_since(now),
            ),
            *make_archives("message", messages, live_since(now)),
        ),
        test_contact_uuids=tuple(participant.uuid for participant in participants if participant.role is Role.TEST),
        meanings=_meanings(runs),
        uuid_mappings={
            identities_of(urn)[-1]: f"avf-phone-uuid-{uuid_for(seed, 'participant', participant.number)}"
            for participant in participants
            if (urn := first_urn(participant.urns)) is not None
        },
    )


@functools.lru_cache(maxsize=1)
def make_season(seed: int) -> tuple[tuple[InventedParticipant, ...], tuple[InventedRun, ...]]:
    """Create the audience and all that it sends in the season, what gets lost on the way included."""
    participants = make_participants(seed)
    return participants, make_runs(seed, participants)


def _is_deleted(participant: InventedParticipant, now: datetime) -> bool:
    return participant.deleted_on is not None and participant.deleted_on <= now


def _is_archived(state: RunState, now: datetime) -> bool:
    return state.exited_on is not None and state.modified_on < live_since(now)


def _contacts(
    present: Sequence[InventedParticipant], numbered: Sequence[tuple[int, RunState]], group: ApiRow, deleted: set[str]
) -> tuple[ApiRow, ...]:
    modified_on = {participant.uuid: participant.joined_on for participant in present}
    for _, state in numbered:
        uuid = state.run.participant.uuid
        times = [state.run.created_on, *(result.time for result in state.results)]
        modified_on[uuid] = max(modified_on[uuid], *times)
    return tuple(
        contact_row(participant, modified_on[participant.uuid], group)
        for participant in present
        if participant.uuid not in deleted
    )


def _messages(seed: int, numbered: Sequence[tuple[int, RunState]]) -> list[tuple[datetime, ApiRow]]:
    sent = sorted(
        ((result.time, number, state, result) for number, state in numbered for result in state.results),
        key=lambda message: message[:2],
    )
    # In time order, so a message keeps its id when later rounds add more.
    return [(time, message_row(seed, number, state, result)) for number, (time, _, state, result) in enumerate(sent, 1)]


def _meanings(runs: Sequence[InventedRun]) -> Mapping[str, Meaning]:
    meanings: dict[str, dict[str, tuple[str, ...]]] = {}
    for run in runs:
        for result in run.results:
            if result.answer.text is not None:
                of_text = meanings.setdefault(result.answer.text, {})
                for dataset, codes in result.answer.meaning.items():
                    of_text.setdefault(dataset, codes)
    return meanings
