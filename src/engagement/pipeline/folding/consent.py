"""STOP once is STOP everywhere: whether a participant withdrew their consent."""

from collections.abc import Iterable, Mapping, Sequence

from engagement.pipeline.coding.coded_datasets import CodedDataset
from engagement.pipeline.messages.key_names import KeyNames
from engagement.pipeline.messages.message import Message
from engagement.provenance import TracedData


def has_withdrawn_in_runs(
    runs: Iterable[TracedData], key_names: KeyNames, datasets: Mapping[str, CodedDataset]
) -> bool:
    """Whether a coder found STOP in any answer of any run of the participant, filtered, moved or overwritten later as it may be."""
    return any(
        _says_stop(text, datasets.get(plan.raw_field)) for run in runs for plan, text in key_names.answers_in(run)
    )


def has_withdrawn_in_messages(messages: Sequence[Message], datasets: Sequence[CodedDataset | None]) -> bool:
    """Whether a coder found STOP in any answer of the participant's messages, in the dataset where it is now.

    `datasets` are those of the plans, in their order.
    """
    columns = zip(*(message.texts for message in messages), strict=True)
    # Messages share what was answered in surveys: each text is looked up once.
    return any(
        _says_stop(text, dataset)
        for texts, dataset in zip(columns, datasets, strict=False)
        for text in set(texts)
        if text is not None
    )


def _says_stop(text: str, dataset: CodedDataset | None) -> bool:
    return dataset is not None and text != "" and dataset.reading(text).has_stop
