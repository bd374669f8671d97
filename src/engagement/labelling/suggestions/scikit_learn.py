"""scikit-learn, which learns suggestions: installed only where a project asks for these."""

import importlib.util

from engagement.foundation.errors import MachineError


def expect_scikit_learn() -> None:
    """Check that it is installed.

    Raises
    ------
    MachineError
        It is not.
    """
    if importlib.util.find_spec("sklearn") is None:
        raise MachineError(
            "scikit-learn is not installed; expected it for suggested labels. Run the script again with PIPELINE_SUGGESTIONS=yes, "
            "which installs it, or install it with 'pipenv sync --categories suggestions'."
        )
