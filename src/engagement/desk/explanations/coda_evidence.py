"""Look up texts in the data root's Coda files: cleaners' proposals, and coders' labels."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engagement.configuration import Code, CodeScheme, CodingPlan, CodingPlans
from engagement.foundation.errors import InputError
from engagement.foundation.files import read_json
from engagement.pipeline.coding.coded_datasets import (
    CODA_FILE_REMEDY,
    CodedDataset,
    Reading,
    check_coda_messages,
    message_id_of,
)
from engagement.pipeline.coding.labels import (
    code_of,
    counting_labels,
    is_wrong_scheme,
    names_dataset,
    newest_by_scheme_id,
)

LabelDocument = Mapping[str, Any]


@dataclass(frozen=True)
class WrongSchemeMark:
    """Two labels that move an answer to another dataset; `dataset_label` names it. Either can be missing."""

    ws_label: LabelDocument | None
    dataset_label: LabelDocument | None


class CodaEvidence:
    """The Coda files of a data root, each read on first use."""

    def __init__(self, data_root: Path, plans: CodingPlans) -> None:
        self._proposed, self._coded = data_root / "Outputs" / "Coda Files", data_root / "Coded Coda Files"
        self._ws_scheme = plans.ws_correct_dataset_scheme
        self._files: dict[Path, dict[str, Mapping[str, Any]]] = {}
        self._readings: dict[tuple[str, str], Reading] = {}

    def proposals(self, plan: CodingPlan, text: str) -> list[LabelDocument] | None:
        """Find the labels that cleaners proposed for a text; None if the dataset's file lacks the text."""
        message = self._find(self._proposed, plan, text)
        return None if message is None else message["Labels"]

    def labels(self, plan: CodingPlan, text: str) -> list[LabelDocument] | None:
        """Find all labels of a text in Coda, newest first; None if the dataset lacks the text."""
        message = self._find(self._coded, plan, text)
        return None if message is None else message["Labels"]

    def known_schemes(self, plan: CodingPlan) -> list[CodeScheme]:
        """List the schemes whose labels count in a plan's dataset."""
        schemes = [configuration.code_scheme for configuration in plan.coding_configurations]
        return schemes if self._ws_scheme is None else [*schemes, self._ws_scheme]

    def dataset(self, plan: CodingPlan, texts: Iterable[str]) -> CodedDataset:
        """Read the labels of some texts as stage 3 does."""
        found = (self._find(self._coded, plan, text) for text in dict.fromkeys(texts))
        return CodedDataset(plan, self._ws_scheme, [message for message in found if message is not None])

    def reading(self, plan: CodingPlan, text: str) -> Reading:
        """Read the labels of a text as stage 3 does."""
        key = plan.raw_field, text
        if key not in self._readings:
            self._readings[key] = self.dataset(plan, [text]).reading(text)
        return self._readings[key]

    def wrong_scheme_mark(self, plan: CodingPlan, text: str) -> WrongSchemeMark:
        """Find the labels of a text that say "wrong scheme" and name the right dataset."""
        newest = newest_by_scheme_id(self.labels(plan, text) or [])
        schemes = (configuration.code_scheme for configuration in plan.coding_configurations)
        marks = (self._first(newest, scheme, is_wrong_scheme) for scheme in schemes)
        return WrongSchemeMark(
            next((mark for mark in marks if mark is not None), None),
            None if self._ws_scheme is None else self._first(newest, self._ws_scheme, names_dataset),
        )

    @staticmethod
    def _first(
        newest: Mapping[str, LabelDocument], scheme: CodeScheme, is_meant: Callable[[Code], bool]
    ) -> LabelDocument | None:
        """Find the first label that counts under a scheme and has such a code."""
        labels = counting_labels(newest, scheme)
        return next((label for label in labels if (code := code_of(scheme, label)) and is_meant(code)), None)

    def _find(self, folder: Path, plan: CodingPlan, text: str) -> Mapping[str, Any] | None:
        if plan.coda_filename is None:
            return None
        path = folder / plan.coda_filename
        if path not in self._files:
            document = read_json(path, InputError, what="a Coda file", remedy=CODA_FILE_REMEDY) if path.exists() else []
            self._files[path] = {message["MessageID"]: message for message in check_coda_messages(document, str(path))}
        return self._files[path].get(message_id_of(text))
