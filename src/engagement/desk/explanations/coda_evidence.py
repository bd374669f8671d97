"""What the data root's Coda files say of a text: what cleaners proposed for it, and which labels coders gave it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from engagement.configuration import Code, CodeScheme, CodingPlan, CodingPlans, ControlCode
from engagement.foundation.errors import InputError
from engagement.foundation.files import read_json
from engagement.pipeline.coding.coded_datasets import (
    CODA_FILE_REMEDY,
    CodedDataset,
    Reading,
    check_coda_messages,
    message_id_of,
)
from engagement.pipeline.coding.labels import counts, newest_by_scheme_id

Document = Mapping[str, Any]


@dataclass(frozen=True)
class WrongSchemeMark:
    """The two labels that say an answer is of another dataset; `dataset_label` names it. Either can be missing."""

    ws_label: Document | None
    dataset_label: Document | None
    target: Code | None


class CodaEvidence:
    """The Coda files of a data root, each read when it is first asked for."""

    def __init__(self, data_root: Path, plans: CodingPlans) -> None:
        self._proposed, self._coded = data_root / "Outputs" / "Coda Files", data_root / "Coded Coda Files"
        self._ws_scheme = plans.ws_correct_dataset_scheme
        self._plans = plans
        self._files: dict[Path, dict[str, Document]] = {}

    def proposals(self, plan: CodingPlan, text: str) -> list[Document] | None:
        """The labels that cleaners proposed for a text; None where the dataset's file has no such text."""
        message = self._find(self._proposed, plan, text)
        return None if message is None else message["Labels"]

    def labels(self, plan: CodingPlan, text: str) -> list[Document] | None:
        """All labels that a text was given in Coda, newest first; None where the dataset has no such text."""
        message = self._find(self._coded, plan, text)
        return None if message is None else message["Labels"]

    def reading(self, plan: CodingPlan, text: str) -> Reading:
        """What stage 3 reads from the labels of a text."""
        message = self._find(self._coded, plan, text)
        return CodedDataset(plan, self._ws_scheme, [] if message is None else [message]).reading(text)

    def wrong_scheme_mark(self, plan: CodingPlan, text: str) -> WrongSchemeMark:
        """Which of a text's labels say "wrong scheme", and which dataset it belongs to."""
        labels = self.labels(plan, text) or []
        ws_labels = (
            label
            for configuration in plan.coding_configurations
            for label, code in _counting(labels, configuration.code_scheme)
            if code.control_code is ControlCode.WS
        )
        named = [] if self._ws_scheme is None else list(_counting(labels, self._ws_scheme))
        targets = [(label, code) for label, code in named if code.is_normal or code.control_code is ControlCode.NC]
        dataset_label, target = targets[0] if targets else (None, None)
        return WrongSchemeMark(next(ws_labels, None), dataset_label, target)

    @cached_property
    def plans_by_target(self) -> Mapping[str, CodingPlan]:
        """The plans by the id of the code that names their dataset in the wrong-scheme scheme."""
        return {plan.ws_code.code_id: plan for plan in self._plans.all if plan.ws_code is not None}

    def _find(self, folder: Path, plan: CodingPlan, text: str) -> Document | None:
        if plan.coda_filename is None:
            return None
        path = folder / plan.coda_filename
        if path not in self._files:
            document = read_json(path, InputError, what="a Coda file", remedy=CODA_FILE_REMEDY) if path.exists() else []
            self._files[path] = {message["MessageID"]: message for message in check_coda_messages(document, str(path))}
        return self._files[path].get(message_id_of(text))


def _counting(labels: list[Document], scheme: CodeScheme) -> Iterator[tuple[Document, Code]]:
    """The newest labels under a scheme and its copies, where they are checked and not taken off."""
    for scheme_id, label in newest_by_scheme_id(labels).items():
        code = scheme.codes_by_id.get(label["CodeID"])
        if scheme.owns(scheme_id) and counts(label) and code is not None:
            yield label, code
