"""A RapidPro run -> the line of a raw data file: TracedData, keyed by the flow's name.

The hashed text is also the written text.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from json.encoder import encode_basestring_ascii as _encode

import msgspec

from engagement.provenance import Metadata, encode_fresh_chain
from engagement.provenance.chain_encoding import encode_line
from engagement.services.rapidpro.client import Run
from engagement.sources.encoded_lines import LineTemplate, OperatorUpdate, encode_instants, escape_marks
from engagement.sources.operator_labels import OperatorLabels
from engagement.sources.rapidpro.de_identify import ContactIdentity

# Part of the settings of lines: a new number here remakes all lines whose data differ.
_VERSION = 1
_RESULT_PARTS = ("Category", "Value", "Text", "Name", "Time", "Run ID")


class RunLines:
    """Makes the lines of one flow. `operators` is None if runs get no operator label."""

    def __init__(
        self,
        flow_name: str,
        test_contacts: Collection[str],
        operators: OperatorLabels | None,
        with_operator: bool,
        metadata: Metadata,
    ):
        self._test_contacts = frozenset(test_contacts)
        self._operators = operators
        self._operator_update = OperatorUpdate(operators)
        self._with_operator = with_operator
        self._metadata = metadata
        self._flow_name = flow_name
        parts = ("run_id", "run_created_on", "run_modified_on", "run_exited_on", "run_exit_type")
        self._run_keys = ("avf_phone_id", "urn_type", *(f"{part} - {flow_name}" for part in parts))
        self._created_key = f"run_created_on - {flow_name}"
        self._templates: dict[tuple[bool, tuple[str, ...]], LineTemplate] = {}

    def rendering(self) -> str:
        """Digest everything that lines depend on besides runs and contacts."""
        operators = self._operators.digest() if self._operators else ""
        made_with = [_VERSION, sorted(self._test_contacts), self._with_operator, operators]
        return hashlib.sha256(json.dumps(made_with).encode()).hexdigest()

    def make(self, runs: Sequence[tuple[Run, int | str, ContactIdentity]]) -> list[bytes]:
        """Make the lines, with their line ends, of runs with these ids and participants."""
        times = iter(encode_instants(_instants_of(run for run, _, _ in runs)))
        return [self._make(run, run_id, who, times) for run, run_id, who in runs]

    def _make(self, run: Run, run_id: int | str, who: ContactIdentity, times: Iterator[str]) -> bytes:
        is_test = run.contact.uuid in self._test_contacts
        results = run.values or {}
        encoded_id = str(run_id) if isinstance(run_id, int) else _encode(run_id)
        created_on = next(times)
        values = [
            _encode(who.uuid),
            _encode(who.urn_type),
            encoded_id,
            created_on,
            next(times),
            next(times),
            "null" if run.exit_type is None else _encode(run.exit_type),
        ]
        for result in results.values():
            value = "null" if result.value is None else _encode(result.value)
            text = result.input
            if text is None:
                text = "null"
            # Servers since the end of 2024 send no input; the value of an open question is the whole text.
            elif text is msgspec.UNSET or text == result.value:
                text = value
            else:
                text = _encode(text)
            values += (
                "null" if result.category is None else _encode(result.category),
                value,
                text,
                "null" if result.name is None else _encode(result.name),
                next(times),
                encoded_id,
            )
        if is_test:
            values.append("true")
        updates = [escape_marks(self._template(is_test, tuple(results)).fill(values))]
        if self._with_operator:
            updates.append(self._operator_update.encode(who.urn_type, who.operator_raw, created_on))
            if self._operators is not None:
                self._operators.count(who.urn_type, who.operator_raw)
        return encode_line(updates, self._metadata)

    def make_again(self, line: bytes, contact: str, who: ContactIdentity) -> bytes:
        """Make the line of a run as of now; returns the same line if nothing in its data differs."""
        updates = json.loads(line)
        data = {key: value for key, value in updates[-1]["Data"].items() if key != "test_run"}
        if contact in self._test_contacts:
            data["test_run"] = True
        data |= {"avf_phone_id": who.uuid, "urn_type": who.urn_type}
        made = [data]
        if self._with_operator:
            made.append(
                json.loads(
                    self._operator_update.encode(who.urn_type, who.operator_raw, json.dumps(data[self._created_key]))
                )
            )
        if made == [update["Data"] for update in reversed(updates)]:
            return line
        return encode_fresh_chain((update, self._metadata) for update in made).encode("ascii") + b"\n"

    def _template(self, is_test: bool, result_keys: tuple[str, ...]) -> LineTemplate:
        template = self._templates.get((is_test, result_keys))
        if template is None:
            keys = [*self._run_keys]
            for key in result_keys:
                keys += [f"{key.title()} ({part}) - {self._flow_name}" for part in _RESULT_PARTS]
            if is_test:
                keys.append("test_run")
            template = self._templates[is_test, result_keys] = LineTemplate.of(keys)
        return template


def _instants_of(runs: Iterable[Run]) -> Iterator[datetime | None]:
    """Collect the times of runs, in the order of their lines."""
    for run in runs:
        yield run.created_on
        yield run.modified_on
        yield run.exited_on
        if run.values:
            for result in run.values.values():
                yield result.time
