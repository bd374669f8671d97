"""A submission -> a line of its flow's raw data file, and one of the survey's."""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from engagement.configuration.raw_keys import WRITTEN_PARTS, category_of
from engagement.provenance import Metadata
from engagement.provenance.chain_encoding import LineEncoder, replace_newest_update
from engagement.sources.encoded_lines import LineTemplate, OperatorUpdate, encode_instants, encode_texts
from engagement.sources.operator_labels import OperatorLabels
from engagement.sources.submissions.submission import Answer, Submission

# Quotation marks within texts have a backslash before them.
_HASH = re.compile(rb'"SHA": "([0-9a-f]{64})"')


class HeldLine(NamedTuple):
    """A line with its place in the file's order."""

    time: int
    key: str
    line: bytes


class SubmissionLines:
    """Makes the lines of one form. `operators` is None for a project without an operator scheme."""

    def __init__(self, flow: str, survey_flow: str | None, operators: OperatorLabels | None, metadata: Metadata):
        self._flow = flow
        self._survey_flow = survey_flow
        self._operators = operators
        self._operator_update = OperatorUpdate(operators)
        self._metadata = metadata
        self._encoder = LineEncoder(metadata)
        self._templates: dict[tuple[str, tuple[str, ...]], LineTemplate] = {}

    @property
    def labels(self) -> str:
        """All that the labels of operators depend on; a line with others needs `label_again`."""
        return "" if self._operators is None else self._operators.digest()

    def make(self, submission: Submission, uuid: str) -> tuple[bytes | None, bytes | None]:
        """Make the line of the answers to episodes, and of those to the survey; None without answers."""
        episode = survey = None
        if submission.episode:
            data, created_on = self._encode(self._flow, submission, uuid, submission.episode)
            who = submission.respondent
            update = self._operator_update.encode(who.urn_type, who.operator_raw, created_on)
            if self._operators is not None:
                self._operators.count([(who.urn_type, who.operator_raw)])
            episode = self._encoder.encode([data, update])
        if submission.survey and self._survey_flow is not None:
            data, _ = self._encode(self._survey_flow, submission, uuid, submission.survey)
            survey = self._encoder.encode([data])
        return episode, survey

    def label_again(self, line: bytes) -> bytes:
        """Label the operator of an episode's line as the scheme has it now; the answers stay as they came."""
        newest, *_, oldest = (update["Data"] for update in json.loads(line))
        urn_type, operator_raw = oldest["urn_type"], newest["operator_raw"]
        created_on = json.dumps(oldest[f"run_created_on - {self._flow}"]).encode("ascii")
        if self._operators is not None:
            self._operators.count([(urn_type, operator_raw)])
        update = self._operator_update.encode(urn_type, operator_raw, created_on)
        labelled = replace_newest_update(line, update, self._metadata)
        return line if hash_of(labelled) == hash_of(line) else labelled

    def warn_of_missing_operators(self) -> None:
        """Warn of operators without a code, of the lines made so far."""
        if self._operators is not None:
            self._operators.warn_of_missing()

    def _encode(self, flow: str, submission: Submission, uuid: str, answers: Sequence[Answer]) -> tuple[bytes, bytes]:
        fields = tuple(answer.field for answer in answers)
        template = self._templates.get((flow, fields))
        if template is None:
            if len(set(fields)) < len(fields):
                raise ValueError("two answers of one submission have the same Field")
            keys = ["avf_phone_id", "urn_type", f"run_id - {flow}", f"run_created_on - {flow}"]
            keys += [f"{category_of(field)} ({part}) - {flow}" for field in fields for part in WRITTEN_PARTS]
            template = self._templates[flow, fields] = LineTemplate.of({key: at for at, key in enumerate(keys)})
        times: list[datetime | None] = [submission.time, *(answer.time for answer in answers)]
        created_on, *encoded_times = encode_instants(times)
        in_submission = (uuid, submission.respondent.urn_type, submission.key)
        participant, channel, key, *texts = encode_texts([*in_submission, *(answer.text for answer in answers)])
        values = [participant, channel, key, created_on]
        for text, time in zip(texts, encoded_times, strict=True):
            values += (text, text, time, key)
        [data] = template.fill([[value] for value in values])
        return data, created_on


def hash_of(line: bytes) -> bytes:
    """Return the hash of all that a line holds, whoever brought it and when.

    The newest update comes first, and its hash covers the older ones.
    """
    match = _HASH.search(line)
    return b"" if match is None else match[1]
