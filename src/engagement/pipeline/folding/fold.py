"""Fold the messages of one participant into one record."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engagement.configuration import CodingConfiguration, CodingPlan, FoldStrategy, RawFieldFoldStrategy
from engagement.configuration.field_names import CONSENT_FIELD, UID_FIELD
from engagement.pipeline.coding.coded_datasets import message_id_of
from engagement.pipeline.coding.codings import Coding, Field, append_fields, make_coding, make_field
from engagement.pipeline.coding.labels import Label, Labels
from engagement.pipeline.folding.strategies import (
    LABEL_STRATEGIES,
    TEXT_SEPARATOR,
    TEXT_STRATEGIES,
    FoldCase,
    FoldError,
)
from engagement.pipeline.messages.message import Message
from engagement.provenance import Metadata, TracedData, encode_json

_STAYS = make_field(CONSENT_FIELD, "false")
# The number of folds that are remembered for each plan.
_MOST_KNOWN = 20_000


@dataclass(slots=True)
class Individual:
    """One participant: the record, and the text and the coding under each plan in order."""

    record: TracedData
    texts: list[str | None]
    codings: list[Coding]


class Folder:
    """Folds the messages of each participant of a project."""

    def __init__(self, plans: tuple[CodingPlan, ...], metadata: Metadata) -> None:
        self._plans = plans
        self._metadata = metadata
        self._encoded_fields = [encode_json(plan.raw_field) for plan in plans]
        # By plan, the results of earlier folds: the same few combinations of codings come up again and again.
        self._known: list[dict[tuple[Coding, ...], Coding]] = [{} for _ in plans]

    def fold(self, uid: str, messages: Sequence[Message]) -> tuple[Individual, list[str]]:
        """Fold the messages of one participant: at least one, in order.

        Returns the individual, and a line for each field whose values should be equal but are not, naming participant, field and
        both values; texts are named by their message ids. The individual's record does not repeat the messages' histories: it
        names their newest SHAs.
        """
        problems: list[str] = []
        fields: list[Field] = [make_field(UID_FIELD, uid), _STAYS]
        texts = [
            _fold_text(uid, plan, present, problems)
            if (present := [text for text in column if text is not None])
            else None
            for plan, column in zip(
                self._plans, zip(*(message.texts for message in messages), strict=True), strict=True
            )
        ]
        for plan, name, text in zip(self._plans, self._encoded_fields, texts, strict=True):
            if text is not None:
                fields.append((plan.raw_field, text, f"{name}: {encode_json(text)}".encode()))
        codings = [
            self._fold_codings(uid, number, column, problems)
            for number, column in enumerate(zip(*(message.codings for message in messages), strict=True))
        ]
        for coding in codings:
            fields += coding.fields
        fields.append(make_field("folded_from", [message.record.newest_sha for message in messages]))
        record = TracedData()
        append_fields(record, fields, self._metadata)
        return Individual(record, texts, codings), problems

    def _fold_codings(self, uid: str, number: int, codings: Sequence[Coding], problems: list[str]) -> Coding:
        first = codings[0]
        if len(codings) == 1 or (codings.count(first) == len(codings) and first.is_single):
            # Every strategy folds a label with itself to that label.
            return first
        # In every strategy a repeated coding changes nothing; but a single one would not be folded with itself.
        different = tuple(dict.fromkeys(codings))
        if len(different) == 1:
            different = (first, first)
        known = self._known[number]
        folded = known.get(different)
        if folded is None:
            plan, problems_before = self._plans[number], len(problems)
            labels = tuple(
                _try_to_fold(uid, configuration, [coding.labels[position] for coding in different], problems)
                for position, configuration in enumerate(plan.coding_configurations)
            )
            folded = make_coding(plan, labels)
            if len(problems) == problems_before:
                if len(known) >= _MOST_KNOWN:
                    known.clear()
                known[different] = folded
        return folded


def _try_to_fold(uid: str, configuration: CodingConfiguration, values: Sequence[Labels], problems: list[str]) -> Labels:
    try:
        return fold_labels(configuration, values)[0]
    except FoldError as error:
        problems.append(f"participant {uid}, field {configuration.coded_field!r}: {error.first!r} and {error.second!r}")
        return values[0]


def fold_labels(configuration: CodingConfiguration, values: Sequence[Labels]) -> tuple[Labels, tuple[FoldCase, ...]]:
    """Fold the labels of a participant's messages, at least one, in one field.

    Returns the labels, and every case that decided.

    Raises
    ------
    FoldError
        They should be equal and are not.
    """
    strategy = LABEL_STRATEGIES[configuration.fold_strategy]
    folded = values[0]
    cases: dict[FoldCase, None] = {FoldCase.ONE_MESSAGE: None} if len(values) == 1 else {}
    for labels in values[1:]:
        folded, case = strategy(configuration.code_scheme, folded, labels)
        cases[case] = None
    # A value that stayed is no news beside a case that changed something.
    told: tuple[FoldCase, ...] = tuple(case for case in cases if case is not FoldCase.SAME) or tuple(cases)
    return tuple(_prefer_answer(label, values) if label.guessed_from else label for label in folded), told


def _prefer_answer(guess: Label, values: Sequence[Labels]) -> Label:
    """Take a guess for an answer if any answer of the participant confirms it."""
    is_answered = any(label == guess and label.guessed_from is None for labels in values for label in labels)
    return replace(guess, guessed_from=None) if is_answered else guess


def _fold_text(uid: str, plan: CodingPlan, texts: Sequence[str], problems: list[str]) -> str | None:
    try:
        return fold_texts(plan, texts)[0]
    except FoldError as error:
        first, second = (message_id_of(str(value))[:12] for value in (error.first, error.second))
        problems.append(
            f"participant {uid}, field {plan.raw_field!r}: the texts with message ids {first}… and {second}…"
        )
        return texts[0]


def fold_texts(plan: CodingPlan, texts: Sequence[str]) -> tuple[str | None, tuple[FoldCase, ...]]:
    """Fold the texts under one plan, if any, and return the case that decided.

    Raises
    ------
    FoldError
        They should be equal and are not.
    """
    if plan.raw_field_fold_strategy is RawFieldFoldStrategy.CONCATENATE:
        # The same result as folding in pairs, in one step: thousands of texts of one participant are normal.
        return TEXT_SEPARATOR.join(texts) if texts else None, (FoldCase.TEXTS_JOINED,)
    folded: str | None = None
    for text in texts:
        folded = TEXT_STRATEGIES[FoldStrategy.ASSERT_EQUAL](folded, text)
    return folded, (FoldCase.TEXTS_EQUAL,)
