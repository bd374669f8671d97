"""The project's datasets as stages 1 and 4 need them, kept for a night with nothing new.

Then neither makes the models of the configuration. Of each dataset, what its labels that count for nothing were told as is kept,
too, by the digest of the file that they are in.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from engagement.configuration.known_facts import digest_project_files, facts_path, keep_facts, recall_facts
from engagement.foundation.files import digest_file
from engagement.foundation.heard_warnings import hear_warnings
from engagement.labelling.datasets.datasets import Datasets, coded_file, find_datasets
from engagement.services.coda.format import CodeSchemeDocument, MessageDocument

if TYPE_CHECKING:
    from engagement.configuration import CodingPlans

log = logging.getLogger(__name__)


class ToldLabels(msgspec.Struct, frozen=True):
    """What was told of the labels in a coded file with this SHA-256."""

    digest: str
    texts: list[str]


class DatasetFacts(msgspec.Struct, frozen=True):
    """Datasets of a project without second coders and renewed suggestions, which need the models."""

    names: tuple[str, ...]
    users: tuple[str, ...]
    code_schemes: dict[str, list[CodeSchemeDocument]]
    shown_schemes: dict[str, list[CodeSchemeDocument]]
    is_reading_noted: bool
    told: dict[str, ToldLabels] = {}


class KnownDatasets:
    """The project's datasets, from what is known of them or from its files.

    Call `tell_warnings` once, at the end, and `keep` once all went well.
    """

    def __init__(self, data_root: Path, configuration: Path | None):
        self._data_root = data_root
        self._configuration = configuration
        self._note = facts_path(data_root, "datasets")
        self._plans: CodingPlans | None = None
        self._is_read = False
        self._files: dict[str, str] = {}
        self._told: dict[str, ToldLabels] = {}
        known = None if configuration is None else recall_facts(self._note, configuration, DatasetFacts)
        if known is None:
            self.datasets = self._load()
        else:
            self._files, self._warnings, self._told = known.files, known.warnings, dict(known.facts.told)
            self.datasets = Datasets(
                known.facts.names,
                known.facts.users,
                known.facts.code_schemes,
                known.facts.shown_schemes,
                is_reading_noted=known.facts.is_reading_noted,
            )

    def find_lost_labels(self, dataset: str, messages: Sequence[MessageDocument]) -> list[str]:
        """Tell of the labels in a dataset's coded file that count for nothing; `messages` are the file's."""
        if self._configuration is None:
            return []
        digest = digest_file(coded_file(self._data_root, dataset))
        told = self._told.get(dataset)
        if told is None or told.digest != digest:
            # Imported here, as it needs the models.
            from engagement.pipeline.coding.lost_labels import find_lost_labels

            if not self._is_read:
                self.datasets = self._load()
            first = self.datasets.second.get(dataset, dataset)
            lost = find_lost_labels(first, self._plans, messages) if self._plans is not None else ()
            told = self._told[dataset] = ToldLabels(digest, [labels.text for labels in lost])
        return told.texts

    def tell_warnings(self) -> None:
        """Warn as reading the project's files did, unless they were read this time."""
        if not self._is_read:
            for warning in self._warnings:
                log.warning("%s", warning)

    def keep(self) -> None:
        """Keep what the next run need not read the project's files for."""
        datasets = self.datasets
        if self._configuration is None or not self._is_read:
            return
        if datasets.double_coding is None and not datasets.are_suggestions_updated:
            facts = DatasetFacts(
                datasets.names,
                datasets.users,
                dict(datasets.code_schemes),
                dict(datasets.shown_schemes),
                datasets.is_reading_noted,
                self._told,
            )
            keep_facts(self._note, self._configuration, self._files, self._warnings, facts)

    def _load(self) -> Datasets:
        files = {} if self._configuration is None else digest_project_files(self._configuration)
        if files != self._files:
            # Somebody changed them since: what was told is of another project.
            self._files, self._told = files, {}
        with hear_warnings() as heard:
            datasets = find_datasets(self._data_root, self._configuration)
            self._warnings = heard.list_all()
        self._plans, self._is_read = datasets.plans, True
        return datasets
