"""STOP once is STOP everywhere: whether a participant withdrew their consent."""

from collections.abc import Iterable, Mapping, Sequence

from engagement.coding.coded_datasets import CodedDataset
from engagement.configuration import CodingPlan
from engagement.messages.key_names import KeyNames
from engagement.messages.message import Message
from engagement.provenance import TracedData


def has_withdrawn_in_runs(
    runs: Iterable[TracedData], key_names: KeyNames, datasets: Mapping[str, CodedDataset]
) -> bool:
    """Whether a coder found STOP in any answer of any run of the participant, filtered, moved or overwritten later as it may be."""
    return any(_says_stop(plan, text, datasets) for run in runs for plan, text in key_names.answers_in(run))


def has_withdrawn_in_messages(
    messages: Iterable[Message], plans: Sequence[CodingPlan], datasets: Mapping[str, CodedDataset]
) -> bool:
    """Whether a coder found STOP in any answer of the participant's messages, in the dataset where it is now."""
    return any(
        _says_stop(plan, text, datasets)
        for message in messages
        for plan in plans
        if (text := message.record.values.get(plan.raw_field)) is not None
    )


def _says_stop(plan: CodingPlan, text: str, datasets: Mapping[str, CodedDataset]) -> bool:
    dataset = datasets.get(plan.raw_field)
    return dataset is not None and text != "" and dataset.reading(text).has_stop
