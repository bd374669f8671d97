"""Coders' labels from Coda: read once for each dataset and looked up by text.

The newest label of a scheme comes first in the array; it counts if it is checked and not un-coded. A scheme can be applied several
times; the ids of its copies are its own id followed by a number.
"""

import hashlib
import json
import logging
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy

from engagement.configuration import Code, CodeScheme, CodingMode, CodingPlan, CodingPlans, ControlCode
from engagement.foundation.errors import InputError, listing
from engagement.pipeline.coding.labels import (
    Label,
    code_of,
    counting_labels,
    is_wrong_scheme,
    make_coder_label,
    names_dataset,
    newest_by_scheme_id,
    withdraws,
)
from engagement.pipeline.coding.lost_labels import LabelCensus, LostLabels, describe_lost_labels

log = logging.getLogger(__name__)

# Of a message, its labels and their origins there are four.
_DEEPEST = 30
CODA_FILE_REMEDY = "Run stage 1 with --full, which downloads it again."
"""What to do about a damaged file in Coded Coda Files/."""

# The number of texts whose readings are remembered, so that memory does not grow with the number of texts.
_MOST_TEXTS = 50_000
_MESSAGE_ID = re.compile("[0-9a-f]{64}")
# The start of a message's id, and the start of the hash of its labels.
LABELS = numpy.dtype([("id", "<u8"), ("digest", "<u8")])


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Coders' labels of one text in one dataset, with one object for each message that they labelled.

    `labels` holds the coders' labels that count, for each coding configuration of the plan in order (none: not reviewed).
    `target` is the code of the dataset that the text belongs to, if a coder named one in the WS scheme. `ws_label` and
    `dataset_label` are the JSON of the two labels that say "wrong scheme" and name that dataset.
    """

    labels: tuple[tuple[Label, ...], ...]
    ws_label: Mapping[str, Any] | None = None
    dataset_label: Mapping[str, Any] | None = None
    target: Code | None = None
    has_stop: bool = False

    @property
    def is_ws(self) -> bool:
        """True if a coder marked the scheme as wrong."""
        return self.ws_label is not None

    @property
    def is_labelled(self) -> bool:
        """True if a coder labelled it under any of the plan's schemes."""
        return any(self.labels)

    @property
    def moves(self) -> bool:
        """True if coders marked the scheme as wrong and named the dataset that the text belongs to."""
        return self.is_ws and self.target is not None

    @property
    def contradicts_itself(self) -> bool:
        """True if coders did only one of the two: marked the scheme as wrong, or named another dataset."""
        return self.is_ws != (self.target is not None)


def message_id_of(text: str) -> str:
    """Return the id of a message in Coda: the SHA-256 of its text, as hex."""
    # JSON escapes can yield lone surrogates; they can't be encoded strictly, and must not stop anything.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def start_of_id(message_id: str) -> int:
    """Return the first 8 of the 32 bytes of a message's id: enough to tell a run's texts apart."""
    return int(message_id[:16], 16)


class CodedDataset:
    """The coded messages of a plan's dataset; without a Coda file nothing is coded yet."""

    def __init__(self, plan: CodingPlan, ws_scheme: CodeScheme | None, messages: Iterable[Mapping[str, Any]]) -> None:
        self.plan = plan
        self._nothing = Reading(tuple(() for _ in plan.coding_configurations))
        self._by_id: dict[str, Reading] = {}
        self._by_text: dict[str, tuple[str, Reading]] = {}
        self._census = LabelCensus(plan, ws_scheme)
        digests = []
        for message in messages:
            message_id = message["MessageID"]
            newest = newest_by_scheme_id(message["Labels"])
            self._census.note(message_id, newest)
            self._by_id[message_id] = self._read(newest, ws_scheme) if newest else self._nothing
            if message["Labels"] and _is_message_id(message_id):
                digest = hashlib.sha256(_encode(message["Labels"])).digest()[:8]
                digests.append((start_of_id(message_id), int.from_bytes(digest)))
        self.labels = numpy.array(digests, LABELS)
        # Most datasets have none, and then no text has to be looked up to find one.
        self.has_stops = any(reading.has_stop for reading in self._by_id.values())

    def reading(self, text: str) -> Reading:
        """Look up coders' labels of a text."""
        return self.find(text)[1]

    def find(self, text: str) -> tuple[str, Reading]:
        """Look up a text's message id and coders' labels of it."""
        found = self._by_text.get(text)
        if found is None:
            if len(self._by_text) >= _MOST_TEXTS:
                self._by_text.clear()
            message_id = message_id_of(text)
            found = self._by_text[text] = message_id, self._by_id.get(message_id, self._nothing)
        return found

    def message_ids(self) -> dict[int, str]:
        """Return the ids of the messages in Coda, by their starts."""
        return {start_of_id(message_id): message_id for message_id in self._by_id if _is_message_id(message_id)}

    def __contains__(self, text: str) -> bool:
        """Return whether the dataset has the text in Coda."""
        return message_id_of(text) in self._by_id

    def _read(self, newest: Mapping[str, Mapping[str, Any]], ws_scheme: CodeScheme | None) -> Reading:
        own_ids = {configuration.code_scheme.scheme_id for configuration in self.plan.coding_configurations}
        counted, ws_label, has_stop = [], None, False
        for configuration in self.plan.coding_configurations:
            scheme = configuration.code_scheme
            given = list(counting_labels(newest, scheme, own_ids))
            codes = [code_of(scheme, label) or scheme.control(ControlCode.NC) for label in given]
            if ws_label is None:
                ws_label = next((g for c, g in zip(codes, given, strict=True) if is_wrong_scheme(c)), None)
            has_stop = has_stop or any(map(withdraws, codes))
            if configuration.coding_mode is CodingMode.SINGLE:
                pairs = [(c, g) for c, g in zip(codes, given, strict=True) if g["SchemeID"] == scheme.scheme_id]
            else:
                pairs = list(zip(codes, given, strict=True))
            counted.append(_without_repeats(make_coder_label(scheme, code, label) for code, label in pairs))
        target, dataset_label = _find_target(newest, ws_scheme)
        return Reading(tuple(counted), ws_label, dataset_label, target, has_stop)

    def warn_of_lost_labels(self, plans: CodingPlans) -> list[LostLabels]:
        """Log each kind of label that counts for nothing, once, and return them; `plans` are the project's."""
        found = list(describe_lost_labels(self._census, self.plan, plans))
        for lost in found:
            log.warning("Coda %r: %s", self.plan.coda_dataset, lost.text)
        return found


def _find_target(
    newest: Mapping[str, Mapping[str, Any]], ws_scheme: CodeScheme | None
) -> tuple[Code | None, Mapping[str, Any] | None]:
    """Find the code of the dataset that coders named, and the label that names it."""
    if ws_scheme is not None:
        for label in counting_labels(newest, ws_scheme):
            code = code_of(ws_scheme, label)
            if code is not None and names_dataset(code):
                return code, label
    return None, None


def _encode(labels: Sequence[Mapping[str, Any]]) -> bytes:
    try:
        return msgspec.json.encode(labels)
    except (UnicodeEncodeError, OverflowError, msgspec.MsgspecError):
        # Half characters, and numbers longer than 64 bits.
        return json.dumps(labels).encode()


def _is_message_id(message_id: str) -> bool:
    """Tell whether an id can be that of a text: nothing is ever found under any other id."""
    return _MESSAGE_ID.fullmatch(message_id) is not None


def _without_repeats(labels: Iterable[Label]) -> tuple[Label, ...]:
    distinct = tuple(dict.fromkeys(labels))
    # NC adds nothing beside another label.
    coded = tuple(label for label in distinct if label.code.control_code is not ControlCode.NC)
    return coded or distinct


def check_coda_messages(document: Any, where: str) -> Sequence[Mapping[str, Any]]:
    """Check the shape of those parts of a Coda file that labels are read from.

    Raises
    ------
    InputError
        Lists every place that does not fit the format; never shows texts.
    """
    if not isinstance(document, list):
        raise InputError(f"{where}: not a list of messages; expected a JSON array. {CODA_FILE_REMEDY}")
    problems = []
    for position, message in enumerate(document):
        if not isinstance(message, dict) or not isinstance(message.get("MessageID"), str):
            problems.append(f"at $[{position}]: no MessageID; expected a message")
            continue
        labels = message.get("Labels")
        if not isinstance(labels, list):
            problems.append(f"at $[{position}].Labels: not a list; expected the message's labels")
            continue
        for number, label in enumerate(labels):
            missing = [key for key in ("SchemeID", "CodeID") if not _has_text(label, key)]
            if missing:
                problems.append(f"at $[{position}].Labels[{number}]: no {' and no '.join(missing)}; expected a label")
    problems.extend(
        f"at $[{position}]: nested too deeply; expected a message"
        for position, message in enumerate(document)
        if _is_deeper_than(message, _DEEPEST)
    )
    ids = [message.get("MessageID") for message in document if isinstance(message, dict)]
    repeated = [key for key, n in Counter(key for key in ids if isinstance(key, str)).items() if n > 1]
    problems.extend(f"message id {key!r} appears more than once; expected once" for key in repeated)
    if problems:
        raise InputError(f"{where}: {listing(problems)}\n{CODA_FILE_REMEDY}")
    return document


def _is_deeper_than(value: Any, levels: int) -> bool:
    """Tell whether lists and objects are nested in more levels than this."""
    if not isinstance(value, (dict, list)):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper_than(one, levels - 1) for one in inner if isinstance(one, (dict, list)))


def _has_text(label: Any, key: str) -> bool:
    return isinstance(label, dict) and isinstance(label.get(key), str)
