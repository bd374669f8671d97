"""A RapidPro run -> the line of a raw data file: TracedData, keyed by the flow's name.

There are millions of runs, and the runs of one flow have the same few sets of keys. So the keys are sorted and encoded once a
set, each value is encoded once, and the hashed text is also the written text.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii as _encode
from operator import itemgetter

import msgspec

from engagement.provenance import HIDDEN, Metadata, encode_fresh_chain, encode_json, text_value
from engagement.provenance.chain_encoding import encode_line
from engagement.services.rapidpro.client import Run
from engagement.sources.rapidpro.de_identify import ContactIdentity
from engagement.sources.rapidpro.operator_labels import OperatorLabels

# Part of the settings of lines: a new number here remakes all lines whose data differ.
_VERSION = 1
_TIME = "the time of the label"
_MARK, _TEXT_OF_MARK = encode_json(HIDDEN), encode_json(text_value(HIDDEN))
_encode_list = msgspec.json.Encoder().encode
_RESULT_PARTS = ("Category", "Value", "Text", "Name", "Time", "Run ID")


@dataclass(frozen=True)
class _Template:
    """JSON for one set of keys, sorted: a format, and a function that puts encoded values in order."""

    form: str
    reorder: Callable[[Sequence[str]], object]

    @classmethod
    def of(cls, keys: Sequence[str]) -> "_Template":
        # If two results' names differ only in case the later counts, as in a dictionary.
        positions = {key: position for position, key in enumerate(keys)}
        in_order = sorted(positions)
        form = ", ".join(f"{_encode(key)}: ".replace("%", "%%") + "%s" for key in in_order)
        return cls("{" + form + "}", itemgetter(*(positions[key] for key in in_order)))

    def fill(self, values: Sequence[str]) -> str:
        return self.form % self.reorder(values)


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
        self._with_operator = with_operator
        self._metadata = metadata
        self._flow_name = flow_name
        parts = ("run_id", "run_created_on", "run_modified_on", "run_exited_on", "run_exit_type")
        self._run_keys = ("avf_phone_id", "urn_type", *(f"{part} - {flow_name}" for part in parts))
        self._created_key = f"run_created_on - {flow_name}"
        self._templates: dict[tuple[bool, tuple[str, ...]], _Template] = {}
        self._operator_parts: dict[tuple[str, str], list[str]] = {}

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
        data = self._template(is_test, tuple(results)).fill(values)
        # Checked once a run: in practice nobody sends the mark itself as a text.
        updates = [data.replace(_MARK, _TEXT_OF_MARK) if _MARK in data else data]
        if self._with_operator:
            updates.append(self._encode_operator(who, created_on))
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
            made.append(json.loads(self._encode_operator(who, json.dumps(data[self._created_key]))))
        if made == [update["Data"] for update in reversed(updates)]:
            return line
        return encode_fresh_chain((update, self._metadata) for update in made).encode("ascii") + b"\n"

    def _template(self, is_test: bool, result_keys: tuple[str, ...]) -> _Template:
        template = self._templates.get((is_test, result_keys))
        if template is None:
            keys = [*self._run_keys]
            for key in result_keys:
                keys += [f"{key.title()} ({part}) - {self._flow_name}" for part in _RESULT_PARTS]
            if is_test:
                keys.append("test_run")
            template = self._templates[is_test, result_keys] = _Template.of(keys)
        return template

    def _encode_operator(self, who: ContactIdentity, labelled_at: str) -> str:
        """Encode the participant's operator, labelled at a time that is JSON already."""
        key = (who.urn_type, who.operator_raw)
        parts = self._operator_parts.get(key)
        if parts is None:
            data: dict[str, object] = {"operator_raw": who.operator_raw}
            if self._operators is not None:
                data["operator_coded"] = self._operators.label(who.urn_type, who.operator_raw, _TIME)
            parts = self._operator_parts[key] = json.dumps(data, sort_keys=True).split(f'"{_TIME}"')
        return labelled_at.join(parts)


def encode_instants(instants: Iterable[datetime | None]) -> list[str]:
    """Encode instants as JSON in UTC, as in raw data files.

    >>> encode_instants([datetime.fromisoformat("2026-03-01T12:00:00.5+03:00"), None])
    ['"2026-03-01T09:00:00.500000+00:00"', 'null']
    """
    # A whole page at once: ten times as fast as isoformat, and the same except for the spelling of UTC.
    in_utc = [at if at is None or at.tzinfo is UTC else at.astimezone(UTC) for at in instants]
    return _encode_list(in_utc)[1:-1].decode().replace("Z", "+00:00").split(",") if in_utc else []


def _instants_of(runs: Iterable[Run]) -> Iterator[datetime | None]:
    """Collect the times of runs, in the order of their lines."""
    for run in runs:
        yield run.created_on
        yield run.modified_on
        yield run.exited_on
        if run.values:
            for result in run.values.values():
                yield result.time
