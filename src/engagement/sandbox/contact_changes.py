"""Writes to contacts, groups and fields, answered as RapidPro's serializers of versions 6 to 8 do.

A refused write changes nothing, not even for the contacts of an action that could have been changed.
"""

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engagement.sandbox.rows import ApiRow

_MOST_CONTACTS = 100
_MOST_FIELDS = 100
_LONGEST_NAME = 64
_KEY = re.compile(r"[a-z][a-z0-9_]{0,35}")
_RESERVED_KEYS = (
    "blocked",
    "created_on",
    "groups",
    "id",
    "language",
    "name",
    "status",
    "stopped",
    "tel",
    "urns",
    "uuid",
)
_ACTIONS = ("add", "remove", "block", "unblock", "interrupt", "archive_messages", "delete")


class RefusedWriteError(Exception):
    """A write that RapidPro refuses with a status and a JSON answer."""

    def __init__(self, status: int, answer: ApiRow):
        super().__init__(str(status))
        self.status = status
        self.answer = answer


@dataclass
class ContactChanges:
    """Everything written so far: changed contacts by uuid, and the groups and fields that were made.

    `set_on` has the time at which each contact's fields, by key, got their first value.
    """

    contacts: dict[str, ApiRow] = field(default_factory=dict)
    set_on: dict[str, dict[str, str]] = field(default_factory=dict)
    groups: list[ApiRow] = field(default_factory=list)
    fields: list[ApiRow] = field(default_factory=list)


class WritableContacts:
    """Contacts that take writes; their rows, by uuid, are changed in place.

    `changed` is called for each contact whose row changed, with the time of the change in it.
    """

    def __init__(
        self,
        contacts: dict[str, ApiRow],
        groups: list[ApiRow],
        fields: list[ApiRow],
        now: Callable[[], str],
        changed: Callable[[ApiRow], None],
    ):
        self._contacts = contacts
        self._groups = groups
        self._fields = fields
        self._now = now
        self._changed = changed

    def post(self, endpoint: str, query: Mapping[str, str], document: Any) -> tuple[int, ApiRow | None]:
        """Carry out a write; returns the status, and the answer if it has one.

        Raises
        ------
        RefusedWriteError
            RapidPro would refuse it.
        """
        if not isinstance(document, dict):
            raise RefusedWriteError(400, {"detail": "JSON parse error"})
        match endpoint:
            case "contacts":
                return self._write_contact(query, document)
            case "contact_actions":
                self._act(document)
                return 204, None
            case "groups":
                return 201, self._make_group(document)
            case "fields":
                return 201, self._make_field(document)
        raise RefusedWriteError(405, {"detail": 'Method "POST" not allowed.'})

    def _write_contact(self, query: Mapping[str, str], document: ApiRow) -> tuple[int, ApiRow]:
        values = document.get("fields", {})
        if len(values) > _MOST_FIELDS:
            raise _refused("fields", f"This field can only contain up to {_MOST_FIELDS} keys.")
        known = {row["key"] for row in self._fields}
        for key, value in values.items():
            if key not in known:
                raise _refused("fields", f"Invalid contact field key: {key}")
            if not isinstance(value, str | None):
                raise _refused("fields", "Not a valid string.")
        status = 200
        if "uuid" in query:
            row = self._contacts.get(query["uuid"])
            if row is None:
                raise RefusedWriteError(404, {"detail": "Not found."})
        else:
            # A URN that no contact has makes a new one.
            urns = [query["urn"]] if "urn" in query else list(document.get("urns", ()))
            row = next((found for found in self._contacts.values() if set(urns) & set(found["urns"])), None)
            if row is None:
                status, row = 201, {"uuid": str(uuid.uuid4()), "name": None, "urns": urns, "groups": [], "fields": {}}
                self._contacts[row["uuid"]] = row
        had = dict(row.get("fields") or {})
        now = {**had, **{key: value or None for key, value in values.items()}}
        if status == 201 or any(now[key] != had.get(key) for key in now):
            self._change(row, self._now(), fields=now)
        return status, row

    def _act(self, document: ApiRow) -> None:
        action, uuids = document.get("action"), document.get("contacts") or []
        if not uuids:
            raise _refused("contacts", "Contacts can't be empty.")
        if len(uuids) > _MOST_CONTACTS:
            raise _refused("contacts", f"This field can only contain up to {_MOST_CONTACTS} items.")
        missing = next((one for one in uuids if one not in self._contacts), None)
        if missing is not None:
            raise _refused("contacts", f"No such object: {missing}")
        if action not in _ACTIONS:
            raise _refused("action", f'"{action}" is not a valid choice.')
        rows = [self._contacts[one] for one in uuids]
        time = self._now()
        if action in ("add", "remove"):
            self._change_group(document.get("group"), rows, action == "add", time)
        elif action in ("block", "unblock"):
            for row in rows:
                groups = [] if action == "block" else row.get("groups", [])
                self._change(row, time, blocked=action == "block", groups=groups)

    def _change_group(self, named: str | None, rows: list[ApiRow], is_adding: bool, time: str) -> None:
        group = next((row for row in self._groups if named in (row["uuid"], row["name"])), None)
        if group is None:
            raise _refused("group", f"No such object: {named}")
        if group.get("query"):
            raise _refused("group", f"Contact group must not be query based: {named}")
        inactive = [row["uuid"] for row in rows if row.get("blocked") or row.get("stopped")]
        if is_adding and inactive:
            raise _refused("non_field_errors", f"Non-active contacts cannot be added to groups: {', '.join(inactive)}")
        reference = {"uuid": group["uuid"], "name": group["name"]}
        for row in rows:
            others = [other for other in row.get("groups", []) if other["uuid"] != group["uuid"]]
            if is_adding == (len(others) == len(row.get("groups", []))):
                self._change(row, time, groups=[*others, reference] if is_adding else others)

    def _make_group(self, document: ApiRow) -> ApiRow:
        name = document.get("name")
        if not isinstance(name, str) or not name.strip():
            raise _refused("name", "This field is required.")
        if len(name) > _LONGEST_NAME or '"' in name:
            raise _refused("name", "Name contains illegal characters.")
        if any(row["name"].casefold() == name.casefold() for row in self._groups):
            raise _refused("name", "This field must be unique.")
        row = {"uuid": str(uuid.uuid4()), "name": name, "query": None, "status": "ready", "count": 0}
        self._groups.append(row)
        return row

    def _make_field(self, document: ApiRow) -> ApiRow:
        name = str(document.get("name") or document.get("label") or "")
        key = re.sub(r"[^a-z0-9]+", "_", name.lower().strip()).strip("_")
        if _KEY.fullmatch(key) is None or key in _RESERVED_KEYS:
            raise _refused("name", f'Generated key "{key}" is invalid or a reserved name.')
        if any(row["key"] == key for row in self._fields):
            raise _refused("name", "This field must be unique.")
        row = {"key": key, "name": name, "label": name, "type": "text", "value_type": "text", "pinned": False}
        self._fields.append(row)
        return row

    def _change(self, row: ApiRow, time: str, **values: Any) -> None:
        row.update(values, modified_on=time)
        self._changed(row)


def _refused(key: str, reason: str) -> RefusedWriteError:
    return RefusedWriteError(400, {key: [reason]})
