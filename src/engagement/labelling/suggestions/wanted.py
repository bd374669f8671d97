"""Whether a project wants suggestions: one that does not imports nothing for them."""

import importlib.util
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from engagement.configuration import CodingPlan
from engagement.foundation.errors import MachineError
from engagement.pipeline.outputs.coda_files import CodaTexts
from engagement.pipeline.outputs.folder import Suggest


def are_suggestions_wanted(plans: Sequence[CodingPlan]) -> bool:
    """Tell whether any plan asks for suggestions.

    Raises
    ------
    MachineError
        One does, and the library to learn with is not installed.
    """
    if not any(one.suggestions is not None for plan in plans for one in plan.coding_configurations):
        return False
    if importlib.util.find_spec("sklearn") is None:
        raise MachineError(
            "scikit-learn is not installed; expected it, as coding plans have Suggestions. Run the stage with its run script, "
            "install it with 'pipenv sync --categories suggestions', or remove Suggestions from the plans."
        )
    return True


def find_suggester(
    plans: Sequence[CodingPlan], data_root: Path, outputs: Path, texts: Mapping[str, CodaTexts], is_coded: bool
) -> Suggest | None:
    """Find what adds suggestions to Coda files: nothing before coding, or if no plan asks for them.

    `outputs` is the next Outputs/. What was kept for plans that ask no more is removed.
    """
    if not are_suggestions_wanted(plans):
        shutil.rmtree(data_root / "State" / "suggestions", ignore_errors=True)
        return None
    if not is_coded:
        return None
    from engagement.labelling.suggestions.nightly import DatasetSuggester

    suggester = DatasetSuggester(data_root, outputs, texts)
    suggester.forget_others(plans)
    return suggester.add
