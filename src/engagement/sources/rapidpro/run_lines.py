"""A RapidPro run -> the line of a raw data file: TracedData, keyed by the flow's name.

The hashed text is also the written text.
"""

import hashlib
import itertools
import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import msgspec

from engagement.provenance import Metadata, encode_fresh_chain
from engagement.provenance.chain_encoding import LineEncoder
from engagement.services.rapidpro.client import Run
from engagement.sources.encoded_lines import LineTemplate, OperatorUpdate, encode_instants, encode_texts
from engagement.sources.operator_labels import OperatorLabels
from engagement.sources.rapidpro.de_identify import ContactIdentity

# Part of the settings of lines: a new number here remakes all lines whose data differ.
_VERSION = 1
_OF_PARTICIPANT = ("avf_phone_id", "urn_type")
_RUN_TEXTS = (*_OF_PARTICIPANT, "run_exit_type")
_RESULT_TEXTS = ("Category", "Value", "Text", "Name")
_RUN_INSTANTS = ("run_created_on", "run_modified_on", "run_exited_on")


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
        self._encoder = LineEncoder(metadata)
        self._flow_name = flow_name
        self._created_key = f"run_created_on - {flow_name}"
        self._templates: dict[tuple[bool, tuple[str, ...]], LineTemplate] = {}

    def rendering(self) -> str:
        """Digest everything that lines depend on besides runs and contacts."""
        operators = self._operators.digest() if self._operators else ""
        made_with = [_VERSION, sorted(self._test_contacts), self._with_operator, operators]
        return hashlib.sha256(json.dumps(made_with).encode()).hexdigest()

    def make(self, runs: Sequence[tuple[Run, int | str, ContactIdentity]]) -> list[bytes]:
        """Make the lines, with their line ends, of runs with these ids and participants."""
        alike: dict[tuple[bool, tuple[str, ...]], list[int]] = {}
        for place, (run, _, _) in enumerate(runs):
            keys = tuple(run.values) if run.values else ()
            alike.setdefault((run.contact.uuid in self._test_contacts, keys), []).append(place)
        lines = [b""] * len(runs)
        for (is_test, keys), places in alike.items():
            some = runs if len(alike) == 1 else [runs[place] for place in places]
            for place, line in zip(places, self._make_alike(some, is_test, keys), strict=True):
                lines[place] = line
        if self._with_operator and self._operators is not None:
            self._operators.count([(who.urn_type, who.operator_raw) for _, _, who in runs])
        return lines

    def _make_alike(
        self, runs: Sequence[tuple[Run, int | str, ContactIdentity]], is_test: bool, keys: tuple[str, ...]
    ) -> list[bytes]:
        """Make the lines of runs with the same results."""
        template = self._templates.get((is_test, keys)) or self._add_template(is_test, keys)
        # In the order of `_add_template`.
        texts = _columns(encode_texts(_texts_of(runs)), len(_RUN_TEXTS) + len(_RESULT_TEXTS) * len(keys))
        instants = _columns(encode_instants(_instants_of(runs)), len(_RUN_INSTANTS) + len(keys))
        ids = [b"%d" % run_id if isinstance(run_id, int) else encode_texts([run_id])[0] for _, run_id, _ in runs]
        updates = [template.fill([*texts, *instants, ids, itertools.repeat(b"true")])]
        if self._with_operator:
            encode = self._operator_update.encode
            updates.append(
                [
                    encode(who.urn_type, who.operator_raw, created_on)
                    for (_, _, who), created_on in zip(runs, instants[0], strict=True)
                ]
            )
        return self._encoder.encode_all(updates)

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
                    self._operator_update.encode(
                        who.urn_type, who.operator_raw, json.dumps(data[self._created_key]).encode("ascii")
                    )
                )
            )
        if made == [update["Data"] for update in reversed(updates)]:
            return line
        return encode_fresh_chain((update, self._metadata) for update in made).encode("ascii") + b"\n"

    def _add_template(self, is_test: bool, result_keys: tuple[str, ...]) -> LineTemplate:
        """Make the template of runs with these results."""
        names = [key.title() for key in result_keys]
        texts = [*_RUN_TEXTS, *(f"{name} ({part})" for name in names for part in _RESULT_TEXTS)]
        instants = [*_RUN_INSTANTS, *(f"{name} (Time)" for name in names)]
        # If two results' names differ only in case the later counts, as in a dictionary.
        places = {self._key_of(part): place for place, part in enumerate([*texts, *instants])}
        run_id = len(texts) + len(instants)
        places |= {self._key_of(part): run_id for part in ("run_id", *(f"{name} (Run ID)" for name in names))}
        if is_test:
            places["test_run"] = run_id + 1
        template = self._templates[is_test, result_keys] = LineTemplate.of(places)
        return template

    def _key_of(self, part: str) -> str:
        return part if part in _OF_PARTICIPANT else f"{part} - {self._flow_name}"


def _columns(values: Sequence[bytes], count: int) -> list[Sequence[bytes]]:
    return [values[place::count] for place in range(count)]


def _texts_of(runs: Iterable[tuple[Run, int | str, ContactIdentity]]) -> list[str | None]:
    """Collect the texts of runs, in the order of their lines."""
    texts: list[str | None] = []
    for run, _, who in runs:
        texts += (who.uuid, who.urn_type, run.exit_type)
        if run.values:
            for result in run.values.values():
                value, text = result.value, result.input
                # Servers since the end of 2024 send no input; the value of an open question is the whole text.
                texts += (result.category, value, value if text is msgspec.UNSET else text, result.name)
    return texts


def _instants_of(runs: Iterable[tuple[Run, int | str, ContactIdentity]]) -> list[datetime | None]:
    """Collect the times of runs, in the order of their lines."""
    instants: list[datetime | None] = []
    for run, _, _ in runs:
        instants += (run.created_on, run.modified_on, run.exited_on)
        if run.values:
            instants += [result.time for result in run.values.values()]
    return instants
