"""A RapidPro run -> the line of a raw data file: TracedData, keyed by the flow's name."""

import hashlib
import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from engagement.provenance import Metadata, encode_fresh_chain
from engagement.services.rapidpro import Run
from engagement.sources.de_identify import Participant
from engagement.sources.operators import OperatorLabels

# Part of what lines were made with: a new number here makes all lines anew whose data differ.
_VERSION = 1


class RunLines:
    """Makes the lines of one flow. `operators` is None for the flows whose runs get no operator: surveys."""

    def __init__(
        self,
        flow_name: str,
        test_contacts: Collection[str],
        operators: OperatorLabels | None,
        with_operator: bool,
        metadata: Metadata,
    ):
        self._flow_name = flow_name
        self._test_contacts = frozenset(test_contacts)
        self._operators = operators
        self._with_operator = with_operator
        self._metadata = metadata
        self._result_keys: dict[str, tuple[str, ...]] = {}
        self._created_key = f"run_created_on - {flow_name}"

    def rendering(self) -> str:
        """A digest of everything that lines are made with beside runs and contacts."""
        operators = self._operators.digest() if self._operators else ""
        made_with = [_VERSION, sorted(self._test_contacts), self._with_operator, operators]
        return hashlib.sha256(json.dumps(made_with).encode()).hexdigest()

    def make(self, run: Run, run_id: int | str, who: Participant) -> bytes:
        """The line of a run, with its line end."""
        return self._encode(self._data_of(run, run_id, who), run.contact.uuid, who)

    def make_again(self, line: bytes, contact: str, who: Participant) -> bytes:
        """The line of a run as it would be made now; the very same line if nothing in its data differs."""
        updates = json.loads(line)
        data = {key: value for key, value in updates[-1]["Data"].items() if key != "test_run"}
        made = self._encode(data, contact, who)
        same = [update["Data"] for update in updates] == [update["Data"] for update in json.loads(made)]
        return line if same else made

    def _encode(self, data: dict[str, object], contact: str, who: Participant) -> bytes:
        if contact in self._test_contacts:
            data["test_run"] = True
        updates: list[tuple[Mapping[str, object], Metadata]] = [(data, self._metadata)]
        if self._with_operator:
            updates.append((self._operator_of(who, str(data[self._created_key])), self._metadata))
        return encode_fresh_chain(updates).encode("ascii") + b"\n"

    def _operator_of(self, who: Participant, created_on: str) -> dict[str, object]:
        data: dict[str, object] = {"operator_raw": who.operator_raw}
        if self._operators is not None:
            data["operator_coded"] = self._operators.label(who, created_on)
        return data

    def _data_of(self, run: Run, run_id: int | str, who: Participant) -> dict[str, object]:
        flow = self._flow_name
        data: dict[str, object] = {
            "avf_phone_id": who.uuid,
            "urn_type": who.urn_type,
            f"run_id - {flow}": run_id,
            self._created_key: iso(run.created_on),
            f"run_modified_on - {flow}": iso(run.modified_on),
            f"run_exited_on - {flow}": None if run.exited_on is None else iso(run.exited_on),
            f"run_exit_type - {flow}": run.exit_type,
        }
        for key, result in (run.values or {}).items():
            category_key, value_key, text_key, name_key, time_key, run_id_key = self._keys_of(key)
            data[category_key] = result.category
            data[value_key] = result.value
            # Servers since the end of 2024 send no input; the value of an open question is the whole text.
            data[text_key] = result.input if isinstance(result.input, str | None) else result.value
            data[name_key] = result.name
            data[time_key] = iso(result.time)
            data[run_id_key] = run_id
        return data

    def _keys_of(self, result_key: str) -> tuple[str, ...]:
        keys = self._result_keys.get(result_key)
        if keys is None:
            parts = ("Category", "Value", "Text", "Name", "Time", "Run ID")
            keys = tuple(f"{result_key.title()} ({part}) - {self._flow_name}" for part in parts)
            self._result_keys[result_key] = keys
        return keys


def iso(instant: datetime) -> str:
    """An instant in UTC, as raw data files write it.

    >>> iso(datetime.fromisoformat("2026-03-01T12:00:00.5+03:00"))
    '2026-03-01T09:00:00.500000+00:00'
    """
    return (instant if instant.tzinfo is UTC else instant.astimezone(UTC)).isoformat()
