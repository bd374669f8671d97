"""STOP once is STOP everywhere: whether a participant withdrew their consent."""

from collections.abc import Iterable, Sequence

from engagement.pipeline.coding.coded_datasets import CodedDataset


def has_withdrawn(texts: Sequence[Iterable[str]], datasets: Sequence[CodedDataset | None]) -> bool:
    """Whether a coder found STOP in any of a participant's texts; both are those of the plans, in their order."""
    return any(
        _says_stop(text, dataset)
        for texts_of_plan, dataset in zip(texts, datasets, strict=True)
        if dataset is not None
        for text in texts_of_plan
    )


def _says_stop(text: str, dataset: CodedDataset) -> bool:
    return text != "" and dataset.reading(text).has_stop
