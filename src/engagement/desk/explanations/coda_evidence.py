"""Look up texts in the data root's Coda files: cleaners' proposals, and coders' labels."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from engagement.configuration import CodeScheme, CodingPlan, CodingPlans
from engagement.foundation.errors import InputError
from engagement.foundation.files import read_json
from engagement.labelling.datasets.adjudications import apply_decisions, read_decisions
from engagement.pipeline.coding.coded_datasets import (
    CODA_FILE_REMEDY,
    CodedDataset,
    Reading,
    check_coda_messages,
    message_id_of,
)

LabelDocument = Mapping[str, Any]


class CodaEvidence:
    """The Coda files of a data root, each read on first use."""

    def __init__(self, data_root: Path, plans: CodingPlans) -> None:
        self._data_root = data_root
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

    def _find(self, folder: Path, plan: CodingPlan, text: str) -> Mapping[str, Any] | None:
        if plan.coda_filename is None:
            return None
        path = folder / plan.coda_filename
        if path not in self._files:
            document = read_json(path, InputError, what="a Coda file", remedy=CODA_FILE_REMEDY) if path.exists() else []
            messages = check_coda_messages(document, str(path))
            if folder == self._coded:
                decisions = read_decisions(self._data_root, str(plan.coda_dataset))
                messages = apply_decisions(messages, decisions, [one.code_scheme for one in plan.coding_configurations])
            self._files[path] = {message["MessageID"]: message for message in messages}
        return self._files[path].get(message_id_of(text))
