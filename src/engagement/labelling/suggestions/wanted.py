"""Whether a project wants suggestions: one that does not imports nothing for them."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engagement.configuration import CodingPlan
from engagement.configuration.double_coding import second_dataset
from engagement.labelling.datasets.datasets import coded_file
from engagement.labelling.suggestions.scikit_learn import expect_scikit_learn

if TYPE_CHECKING:
    from engagement.pipeline.outputs.coda_files import CodaTexts
    from engagement.pipeline.outputs.folder import Suggest


def are_suggestions_asked_for(plans: Sequence[CodingPlan]) -> bool:
    """Tell whether any plan asks for suggestions."""
    return any(one.suggestions is not None for plan in plans for one in plan.coding_configurations)


def are_suggestions_wanted(plans: Sequence[CodingPlan]) -> bool:
    """Tell whether any plan asks for suggestions, which then can be learnt.

    Raises
    ------
    MachineError
        One does, and the library to learn with is not installed.
    """
    if not are_suggestions_asked_for(plans):
        return False
    expect_scikit_learn()
    return True


def find_suggester(
    plans: Sequence[CodingPlan], data_root: Path, outputs: Path, texts: Mapping[str, "CodaTexts"], is_coded: bool
) -> "Suggest | None":
    """Find what adds suggestions to Coda files: nothing before coding, or if no plan asks for them.

    `outputs` is the next Outputs/. What was kept for plans that ask no more is removed.
    """
    if not are_suggestions_wanted(plans):
        shutil.rmtree(data_root / "State" / "suggestions", ignore_errors=True)
        return None
    if not is_coded:
        return None
    from engagement.labelling.suggestions.nightly import DatasetSuggester

    suggester = DatasetSuggester(data_root, outputs, texts, _find_second_files(plans, data_root))
    suggester.forget_others(plans)
    return suggester.add


def _find_second_files(plans: Sequence[CodingPlan], data_root: Path) -> dict[str, Path]:
    """Find the files of second coders' labels, by the dataset that they labelled again."""
    datasets = {plan.coda_dataset for plan in plans if plan.coda_dataset is not None}
    second = {name: second_dataset(name) for name in datasets}
    return {name: coded_file(data_root, other) for name, other in second.items() if other not in datasets}
