"""How far coders agree, kept for the analysis: State/agreement/<RawField>.json.

Only numbers are kept: no text, no message, no name of a coder.
"""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from engagement.configuration import CodingPlan
from engagement.foundation.errors import InputError
from engagement.foundation.files import make_directory, read_json, write_json
from engagement.labelling.agreement.agreement import Agreement, Estimate
from engagement.labelling.agreement.places import results_folder
from engagement.labelling.agreement.report import Reliability

_VERSION = 1


def result_path(data_root: Path, raw_field: str) -> Path:
    """Return the path of the result of an episode."""
    return results_folder(data_root) / f"{raw_field}.json"


def keep_result(data_root: Path, plan: CodingPlan, reliability: Reliability) -> Path:
    """Replace the result of an episode, and return its path."""
    path = result_path(data_root, plan.raw_field)
    make_directory(path.parent)
    write_json(
        path,
        {
            "version": _VERSION,
            "overall": asdict(reliability.overall),
            "by_code": {row.code: asdict(row.agreement) for row in reliability.by_code},
        },
    )
    return path


def read_result(data_root: Path, plan: CodingPlan) -> Iterator[tuple[str | None, Agreement]]:
    """Read the result of an episode: all codes together (None), then each code; nothing if there is none.

    Raises
    ------
    InputError
        The file is damaged, or of another version.
    """
    path = result_path(data_root, plan.raw_field)
    if not path.exists():
        return
    document = read_json(path, InputError, what="how far coders agree")
    try:
        if document["version"] != _VERSION:
            raise ValueError
        yield None, _agreement_of(document["overall"])
        for code, numbers in document["by_code"].items():
            yield code, _agreement_of(numbers)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError(
            f"{path}: not a result of this version's icr; expected what it writes with --data-root. Run icr again, or remove it."
        ) from None


def _agreement_of(numbers: dict[str, dict[str, float | None] | int]) -> Agreement:
    """Turn a part of the document back into what was measured."""
    estimates = {name: Estimate(**value) for name, value in numbers.items() if isinstance(value, dict)}
    messages = numbers["messages"]
    if not isinstance(messages, int):
        raise TypeError
    return Agreement(messages=messages, **estimates)
