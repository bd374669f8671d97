"""The messages of one participant become one record."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engagement.coding.coded_datasets import message_id_of
from engagement.coding.labels import Label
from engagement.coding.manual import documents_of
from engagement.configuration import CodingPlan, FoldStrategy, RawFieldFoldStrategy
from engagement.configuration.cross_checks import CONSENT_FIELD, UID_FIELD
from engagement.folding.strategies import LABEL_STRATEGIES, TEXT_STRATEGIES, FoldError
from engagement.messages.message import Message
from engagement.provenance import Metadata, TracedData


@dataclass(slots=True)
class Individual:
    """One participant: the record, and the labels of each coded field."""

    record: TracedData
    labels: dict[str, tuple[Label, ...]]


def fold_by_participant(
    uid: str, messages: Sequence[Message], plans: tuple[CodingPlan, ...], metadata: Metadata
) -> tuple[Individual, list[str]]:
    """Fold the messages of one participant, which are in their order and at least one.

    Returns the individual and every field whose values should be equal and are not, as lines that name participant, field
    and both values; texts are named by their message ids. The individual's record does not repeat the messages' histories: it names
    their newest SHAs.
    """
    problems: list[str] = []
    data: dict[str, Any] = {UID_FIELD: uid, CONSENT_FIELD: "false"}
    labels: dict[str, tuple[Label, ...]] = {}
    for plan in plans:
        text = _fold_text(uid, plan, messages, problems)
        if text is not None:
            data[plan.raw_field] = text
        for configuration in plan.coding_configurations:
            field = configuration.coded_field
            strategy = LABEL_STRATEGIES[configuration.fold_strategy]
            folded = messages[0].labels[field]
            for message in messages[1:]:
                try:
                    folded = strategy(configuration.code_scheme, folded, message.labels[field])
                except FoldError as error:
                    problems.append(f"participant {uid}, field {field!r}: {error.first!r} and {error.second!r}")
                    break
            labels[field] = folded
    data.update(documents_of(labels, plans))
    data["folded_from"] = [message.record.newest_sha for message in messages]
    return Individual(TracedData.start(data, metadata), labels), problems


def _fold_text(uid: str, plan: CodingPlan, messages: Sequence[Message], problems: list[str]) -> str | None:
    texts = [message.record.values.get(plan.raw_field) for message in messages]
    present = [text for text in texts if text is not None]
    if plan.raw_field_fold_strategy is RawFieldFoldStrategy.CONCATENATE:
        # As the strategy folds them two by two, in one step: thousands of texts of one participant are normal.
        return ";".join(present) if present else None
    folded: str | None = None
    for text in present:
        try:
            folded = TEXT_STRATEGIES[FoldStrategy.ASSERT_EQUAL](folded, text)
        except FoldError as error:
            first, second = (message_id_of(str(value))[:12] for value in (error.first, error.second))
            problems.append(
                f"participant {uid}, field {plan.raw_field!r}: the texts with message ids {first}… and {second}…"
            )
            break
    return folded
