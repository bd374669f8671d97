"""Suggestions of a run of stage 3: into Coda files, and beside them for coders and the report.

Outputs/Suggestions/<dataset>.json        what is suggested under each scheme, why not more, and how sure that is
Outputs/Suggestions/<dataset>.csv         messages that coders should look at first, by id
State/suggestions/<dataset>.json          the same with the suggestions, by message id: used again while nothing changed
State/suggestions/<dataset>-<scheme>.npz  models; see `kept_models`

Nothing of texts that only people who withdrew wrote is learnt, and such texts get no suggestion.
"""

import functools
import hashlib
import importlib.metadata
import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engagement.configuration import CodingConfiguration, CodingMode, CodingPlan
from engagement.configuration.suggestion_settings import Suggestions
from engagement.foundation.errors import InputError, count_of
from engagement.foundation.files import digest_file, make_directory, read_json, write_csv, write_json
from engagement.foundation.own_code import describe_own_code
from engagement.labelling.datasets.adjudications import adjudications_file, apply_decisions, read_decisions
from engagement.labelling.suggestions.examples import LabelledTexts, read_labelled_texts
from engagement.labelling.suggestions.results import FOLDER
from engagement.pipeline.coding.coded_datasets import CODA_FILE_REMEDY, check_coda_messages
from engagement.pipeline.coding.labels import is_ticked
from engagement.pipeline.outputs.coda_files import CodaTexts

if TYPE_CHECKING:
    from engagement.labelling.suggestions.models import Learnt

log = logging.getLogger(__name__)

_PERHAPS_CONTROL, _TEACHES = "perhaps STOP or WS", "teaches most"
_is_plain = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}").fullmatch
_HEADER = ("Message ID", "Scheme", "Why")

_Message = Mapping[str, Any]


class DatasetSuggester:
    """Adds suggestions to the messages of datasets, and writes down what was suggested, and why."""

    def __init__(
        self, data_root: Path, outputs: Path, texts: Mapping[str, CodaTexts], second: Mapping[str, Path]
    ) -> None:
        """`outputs` is the next Outputs/.

        `texts` are those of all datasets, by raw field; `second` are files of second coders' labels, by dataset.
        """
        self._root = data_root
        self._second = second
        self._state = data_root / "State" / "suggestions"
        self._coded = data_root / "Coded Coda Files"
        self._folder = outputs / FOLDER
        self._texts = texts

    def forget_others(self, plans: Sequence[CodingPlan]) -> None:
        """Remove what was kept of datasets and schemes that have no suggestions any more."""
        names = {
            name
            for plan in plans
            for one in plan.coding_configurations
            if one.suggestions is not None
            for name in (f"{plan.coda_dataset}.json", _name_model(plan, one))
        }
        for path in self._state.glob("*"):
            if path.name not in names:
                path.unlink()

    def add(self, plan: CodingPlan, messages: list[_Message]) -> list[_Message]:
        """Add suggestions to a dataset's messages, from coders' labels in Coded Coda Files/."""
        chosen = [one for one in plan.coding_configurations if one.suggestions is not None]
        dataset = str(plan.coda_dataset)
        if not chosen:
            return messages
        digest = self._digest(plan, chosen, messages)
        kept = self._state / f"{dataset}.json"
        found = _read_kept(kept, digest)
        if found is None:
            found = {"digest": digest, **self._suggest(plan, chosen, messages)}
            write_json(make_directory(self._state) / kept.name, found, indent=None)
        self._write_beside(dataset, found)
        labels = found["labels"]
        return [
            {**message, "Labels": [*message["Labels"], *new]} if (new := labels.get(message["MessageID"])) else message
            for message in messages
        ]

    def _suggest(self, plan: CodingPlan, chosen: Sequence[CodingConfiguration], messages: list[_Message]) -> _Message:
        # Learning needs large libraries.
        from engagement.labelling.suggestions.suggestions import SuggestionSettings, describe, make_labels, suggest

        known = list(self._gather(plan, messages))
        created = {message["MessageID"]: message["CreationDateTimeUTC"] for message in messages}
        path = self._second.get(str(plan.coda_dataset))
        second = () if path is None else _read_coda_file(path)
        labels: dict[str, list[_Message]] = {}
        schemes, read_first = [], []
        for one in chosen:
            scheme, wanted = one.code_scheme, one.suggestions or Suggestions()
            is_multiple = one.coding_mode is CodingMode.MULTIPLE
            others = _find_others(plan, one)
            again = {message["MessageID"]: message["Labels"] for message in _leave_out(second, others)}
            labelled = read_labelled_texts(_leave_out(known, others), scheme, is_multiple, second=again)
            path = self._state / _name_model(plan, one)
            settings = SuggestionSettings(wanted.precision, wanted.minimum_labelled, wanted.blind_share)
            used: list[Path] = []
            found = suggest(labelled, settings, functools.partial(_learn, path, used))
            if not used:
                # What people had written who withdrew since may still be in it.
                path.unlink(missing_ok=True)
            for message_id in found.suggested:
                labels.setdefault(message_id, []).extend(make_labels(found, message_id, created[message_id]))
            named = [code.string_value for code in scheme.codes if code.code_id in found.few_examples]
            identity = {"scheme": scheme.name, "scheme_id": scheme.scheme_id, "target": wanted.precision}
            schemes.append({**describe(found), **identity, "few_examples": named})
            read_first += [(message_id, scheme.name, _PERHAPS_CONTROL) for message_id in found.look_first]
            read_first += [(message_id, scheme.name, _TEACHES) for message_id in found.teach_most]
            _log(str(plan.coda_dataset), schemes[-1])
        # What may withdraw a participant comes before everything else, whatever its scheme.
        read_first.sort(key=lambda row: row[2] != _PERHAPS_CONTROL)
        return {"labels": labels, "schemes": schemes, "read_first": read_first}

    def _gather(self, plan: CodingPlan, messages: list[_Message]) -> Iterator[_Message]:
        """Join coders' labels with the pipeline's proposals, of all texts that somebody who stays wrote.

        What was decided between coders counts more than their labels.
        """
        own, path = self._texts.get(plan.raw_field, CodaTexts()), self._coded / str(plan.coda_filename)
        decisions = read_decisions(self._root, str(plan.coda_dataset))
        schemes = [one.code_scheme for one in plan.coding_configurations]
        labelled_messages = apply_decisions(_read_coda_file(path), decisions, schemes)
        coded = {message["MessageID"]: message for message in labelled_messages}
        for message in messages:
            labelled = coded.pop(message["MessageID"], None)
            if message["Text"] in own.staying:
                before = () if labelled is None else labelled["Labels"]
                yield {**message, "Labels": [*before, *message["Labels"]]}
        # Answers that coders moved to other datasets still teach which answers to move.
        elsewhere = self._staying()
        for message in coded.values():
            text = message.get("Text")
            is_moved = isinstance(text, str) and text in elsewhere and text not in own.first_written
            if is_moved and any(map(is_ticked, message["Labels"])):
                yield message

    def _staying(self) -> Set[str]:
        return frozenset().union(*(texts.staying for texts in self._texts.values()))

    def _digest(self, plan: CodingPlan, chosen: Sequence[CodingConfiguration], messages: list[_Message]) -> str:
        """Digest all that decides a dataset's suggestions."""
        own, dataset = self._texts.get(plan.raw_field, CodaTexts()), str(plan.coda_dataset)
        paths = (
            self._coded / str(plan.coda_filename), self._second.get(dataset), adjudications_file(self._root, dataset)
        )  # fmt: skip
        files = [digest_file(path) if path is not None and path.exists() else None for path in paths]
        digest = hashlib.sha256()
        maker = [describe_own_code(), *((name, importlib.metadata.version(name)) for name in ("scipy", "scikit-learn"))]
        digest.update(repr((maker, plan, chosen, files)).encode())
        for message in messages:
            is_staying = message["Text"] in own.staying
            digest.update(json.dumps([message["MessageID"], message["Labels"], is_staying]).encode())
            digest.update(message["CreationDateTimeUTC"].encode())
        for text in sorted(self._staying() - own.first_written.keys()):
            digest.update(json.dumps(text).encode())
        return digest.hexdigest()

    def _write_beside(self, dataset: str, found: _Message) -> None:
        make_directory(self._folder)
        write_json(self._folder / f"{dataset}.json", {"dataset": dataset, "schemes": found["schemes"]})
        write_csv(self._folder / f"{dataset}.csv", _HEADER, found["read_first"])


def _read_coda_file(path: Path) -> Sequence[_Message]:
    document = read_json(path, InputError, what="a Coda file", remedy=CODA_FILE_REMEDY) if path.exists() else []
    return check_coda_messages(document, str(path))


def _name_model(plan: CodingPlan, one: CodingConfiguration) -> str:
    """Name the file of a scheme's model; a scheme's id that is no file name is hashed."""
    scheme_id = one.code_scheme.scheme_id
    name = scheme_id if _is_plain(scheme_id) else hashlib.sha256(scheme_id.encode()).hexdigest()[:16]
    return f"{plan.coda_dataset}-{name}.npz"


def _learn(path: Path, used: list[Path], labelled: LabelledTexts) -> "Learnt":
    from engagement.labelling.suggestions.kept_models import learn_if_changed

    used.append(path)
    return learn_if_changed(path, labelled)


def _find_others(plan: CodingPlan, one: CodingConfiguration) -> Set[str]:
    """Find other schemes of the plan whose ids look like those of copies of this one."""
    scheme = one.code_scheme
    others = {other.code_scheme.scheme_id for other in plan.coding_configurations} - {scheme.scheme_id}
    return frozenset(filter(scheme.owns, others))


def _leave_out(messages: Sequence[_Message], scheme_ids: Set[str]) -> Sequence[_Message]:
    if not scheme_ids:
        return messages
    return [
        {**message, "Labels": [label for label in message["Labels"] if label["SchemeID"] not in scheme_ids]}
        for message in messages
    ]


def _read_kept(path: Path, digest: str) -> _Message | None:
    """Read what the last run suggested; None if anything changed since, or the file is damaged."""
    try:
        found = read_json(path, InputError) if path.exists() else None
    except InputError:
        return None
    return found if isinstance(found, dict) and found.get("digest") == digest else None


def _log(dataset: str, described: _Message) -> None:
    log.info(
        "Suggestions for %r, scheme %r: %d of %s without a label%s",
        dataset,
        described["scheme"],
        described["suggested"],
        count_of(described["unlabelled"], "text"),
        f"; {described['why_none']}" if described["why_none"] else "",
    )
    if described["coders_follow"]:
        log.warning(
            "Suggestions for %r, scheme %r: coders keep them more often than they agree unaided; have some labelled twice",
            dataset,
            described["scheme"],
        )
