"""Rows of the REST API v2 as RapidPro 7 writes them, with real field names, order and time formats."""

import functools
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from engagement.sandbox.chance import uuid_for
from engagement.sandbox.participants import InventedParticipant, Role
from engagement.sandbox.runs import InventedResult, RunState
from engagement.sandbox.season import InventedFlow

ApiRow = dict[str, Any]


def api_time(moment: datetime) -> str:
    """Write a time like the API: "Z", and no fraction if it is zero.

    >>> api_time(datetime(2026, 8, 5, 15, tzinfo=UTC)), api_time(datetime(2026, 8, 5, 15, 0, 0, 120000, tzinfo=UTC))
    ('2026-08-05T15:00:00Z', '2026-08-05T15:00:00.120000Z')
    """
    return archive_time(moment).removesuffix("+00:00") + "Z"


def archive_time(moment: datetime) -> str:
    """Write a time like archives, with the offset "+00:00"."""
    return moment.astimezone(UTC).isoformat()


def workspace_row(seed: int) -> ApiRow:
    """Build the row of the workspace itself."""
    return {
        "uuid": uuid_for(seed, "workspace"),
        "name": "Demo Workspace",
        "country": "SO",
        "languages": ["som", "swa", "eng"],
        "primary_language": "som",
        "timezone": "Africa/Mogadishu",
        "date_style": "day_first",
        "credits": {"used": 0, "remaining": 0},
        "anon": False,
    }


def flow_row(seed: int, flow: InventedFlow, states: Sequence[RunState]) -> ApiRow:
    """Build a flow's row; `states` are those of its own runs."""
    exits = [state.exit_type or "active" for state in states]
    return {
        "uuid": uuid_for(seed, "flow", flow.name),
        "name": flow.name,
        "type": "message",
        "archived": False,
        "labels": [],
        "expires": int(flow.expires_after.total_seconds() // 60),
        "runs": {kind: exits.count(kind) for kind in ("active", "completed", "interrupted", "expired")},
        "results": [
            {
                "key": key,
                "name": result_name(key),
                "categories": ["All Responses"],
                "node_uuids": [_node(seed, flow.name, key)],
            }
            for key in flow.results
        ],
        "parent_refs": [],
        "created_on": api_time(flow.created_on),
        "modified_on": api_time(flow.created_on),
    }


def result_name(key: str) -> str:
    """Name a result like its flow's author.

    >>> result_name("rqa_s01e01")
    'Rqa_S01E01'
    """
    return key.title()


def contact_row(participant: InventedParticipant, modified_on: datetime, group: ApiRow) -> ApiRow:
    """Build a contact's row; `group` is the row of the group of all contacts except test contacts."""
    return {
        "uuid": participant.uuid,
        "name": participant.name,
        "language": participant.language,
        "urns": list(participant.urns),
        "groups": [] if participant.role is Role.TEST else [{"uuid": group["uuid"], "name": group["name"]}],
        "fields": {"joined_on": api_time(participant.joined_on), "remark": None},
        "blocked": participant.is_blocked,
        "stopped": False,
        "created_on": api_time(participant.joined_on),
        "modified_on": api_time(modified_on),
        "last_seen_on": api_time(modified_on),
    }


def deleted_contact_row(participant: InventedParticipant, deleted_on: datetime) -> ApiRow:
    """Build a deleted contact's row: only its uuid is left."""
    return {
        "uuid": participant.uuid,
        "name": None,
        "language": None,
        "urns": [],
        "groups": [],
        "fields": {},
        "blocked": None,
        "stopped": None,
        "created_on": api_time(participant.joined_on),
        "modified_on": api_time(deleted_on),
        "last_seen_on": None,
    }


def run_row(seed: int, number: int, state: RunState, contact_exists: bool) -> ApiRow:
    """Build a run's row; `number` is its id."""
    participant = state.run.participant
    return {
        "id": number,
        "uuid": state.run.uuid,
        "flow": {"uuid": uuid_for(seed, "flow", state.run.flow), "name": state.run.flow},
        "contact": {
            "uuid": participant.uuid,
            "urn": _bare_urn(participant.urns[0]) if participant.urns and contact_exists else None,
            "name": participant.name if contact_exists else None,
        },
        "start": None,
        "responded": bool(state.results),
        "path": [
            {"node": _node(seed, state.run.flow, result.key), "time": api_time(result.time)} for result in state.results
        ],
        "values": {result.key: _value(seed, state.run.flow, result) for result in state.results},
        "created_on": api_time(state.run.created_on),
        "modified_on": api_time(state.modified_on),
        "exited_on": None if state.exited_on is None else api_time(state.exited_on),
        "exit_type": state.exit_type,
    }


def message_row(seed: int, number: int, state: RunState, result: InventedResult) -> ApiRow:
    """Build the row of the message behind a result."""
    participant = state.run.participant
    return {
        "id": number,
        "broadcast": None,
        "contact": {"uuid": participant.uuid, "name": participant.name},
        "urn": _bare_urn(participant.urns[0]) if participant.urns else None,
        "channel": {"uuid": uuid_for(seed, "channel"), "name": "Demo Channel"},
        "direction": "in",
        "type": "flow",
        "status": "handled",
        "archived": False,
        "visibility": "visible",
        "text": result.answer.text or "",
        "labels": [],
        "attachments": [],
        "created_on": api_time(result.time),
        "sent_on": None,
        "modified_on": api_time(result.time),
        "media": None,
        "quick_replies": [],
    }


def archived_run_row(seed: int, number: int, state: RunState) -> ApiRow:
    """Build a run's archive line: no start and no contact URN, except in its events."""
    row = run_row(seed, number, state, contact_exists=True)
    participant = state.run.participant
    row["contact"] = {"uuid": participant.uuid, "name": participant.name}
    row["path"] = [{**step, "time": _to_archive(step["time"])} for step in row["path"]]
    row["values"] = {key: {**value, "time": _to_archive(value["time"])} for key, value in row["values"].items()}
    row["events"] = [
        {
            "type": "msg_received",
            "msg": {
                "uuid": uuid_for(seed, "message", state.run.uuid, result.key),
                "urn": _bare_urn(participant.urns[0]) if participant.urns else None,
                "text": result.answer.text or "",
            },
            "created_on": archive_time(result.time),
        }
        for result in state.results
    ]
    for key in ("created_on", "modified_on", "exited_on"):
        row[key] = row[key] and _to_archive(row[key])
    row["submitted_by"] = None
    del row["start"]
    return row


def _value(seed: int, flow: str, result: InventedResult) -> ApiRow:
    text = result.answer.text
    return {
        "value": text,
        "category": None if text is None else "All Responses",
        "node": _node(seed, flow, result.key),
        "time": api_time(result.time),
        "input": text,
        "name": result_name(result.key),
    }


@functools.cache
def _node(seed: int, flow: str, key: str) -> str:
    return uuid_for(seed, "node", flow, key)


def _bare_urn(urn: str) -> str:
    return urn.partition("#")[0]


def _to_archive(time: str) -> str:
    return time.removesuffix("Z") + "+00:00"
