"""Results of suggestions, as stage 3 noted them of each dataset and scheme."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from engagement.foundation.errors import InputError
from engagement.foundation.files import read_json

FOLDER = "Suggestions"
"""The folder in Outputs/ that stage 3 writes them to."""

HEADER = (
    "Dataset", "Scheme", "Labelled", "Unlabelled", "Suggested", "Why None", "Target %",
    "Blind Precision %", "Blind Precision Low %", "Blind Precision High %",
    "Kept %", "Kept Low %", "Kept High %", "Coders Follow", "Codes with Few Examples",
)  # fmt: skip
_REMEDY = "Run stage 3 again."
_MOST_CODES = 10


class SuggestionResult(NamedTuple):
    """Suggestions of one dataset under one scheme; the cells of a row of suggestions.csv."""

    dataset: str
    scheme: str
    labelled: int
    unlabelled: int
    suggested: int
    why_none: str
    target: str
    blind: tuple[str, str, str]
    kept: tuple[str, str, str]
    are_followed: bool
    few_examples: tuple[str, ...]

    def cells(self) -> list[object]:
        """Return the cells, in the order of `HEADER`."""
        follow = "yes" if self.are_followed else "no"
        return [*self[:7], *self.blind, *self.kept, follow, "; ".join(self.few_examples)]

    def say_blind(self) -> str:
        """Tell the precision on messages that coders saw without a suggestion; empty if it is not known."""
        return _say(self.blind)

    def say_kept(self) -> str:
        """Tell the share of suggestions that coders ticked unchanged; empty if it is not known."""
        return _say(self.kept)

    def say(self) -> str:
        """Tell it in one line.

        >>> SuggestionResult("d", "Theme", 250, 40, 30, "", "90.0", ("92.0", "81.2", "96.8"), ("", "", ""), False, ("roads",)).say()
        'd, Theme: 30 of 40 texts suggested; right without being seen: 92.0 % (81.2 to 96.8); too few examples: roads'
        """
        parts = [f"{self.suggested} of {self.unlabelled} texts suggested"]
        if self.why_none:
            parts.append(f"no more, as {self.why_none}")
        if self.say_blind():
            parts.append(f"right without being seen: {self.say_blind()}")
        if self.say_kept():
            parts.append(f"kept: {self.say_kept()}")
        if self.are_followed:
            parts.append("CODERS FOLLOW: they keep more than they agree with unaided")
        # Before the first label this would only list the scheme.
        if self.few_examples and self.labelled:
            more = len(self.few_examples) - _MOST_CODES
            names = ", ".join(self.few_examples[:_MOST_CODES]) + (f" and {more} more" if more > 0 else "")
            parts.append(f"too few examples: {names}")
        return f"{self.dataset}, {self.scheme}: {'; '.join(parts)}"


def result_file(outputs: Path, dataset: str) -> Path:
    """Return the file with a dataset's results; there is none if no plan asks for suggestions."""
    return outputs / FOLDER / f"{dataset}.json"


def result_files(outputs: Path) -> list[Path]:
    """List the files with results in Outputs/; none where nothing was suggested."""
    return sorted((outputs / FOLDER).glob("*.json"))


def read_results(outputs: Path, datasets: Iterable[str]) -> list[SuggestionResult]:
    """Read the results of these datasets, in their order.

    Raises
    ------
    InputError
        A file is damaged.
    """
    paths = [result_file(outputs, dataset) for dataset in datasets]
    return [result for path in paths if path.exists() for result in _read(path)]


def _read(path: Path) -> Sequence[SuggestionResult]:
    document = read_json(path, InputError, what="results of suggestions", remedy=_REMEDY)
    try:
        return [_read_scheme(str(document["dataset"]), scheme) for scheme in document["schemes"]]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError(f"{path}: not what stage 3 wrote; expected results of suggestions. {_REMEDY}") from None


def _read_scheme(dataset: str, scheme: Mapping[str, Any]) -> SuggestionResult:
    return SuggestionResult(
        dataset,
        str(scheme["scheme"]),
        int(scheme["labelled"]),
        int(scheme["unlabelled"]),
        int(scheme["suggested"]),
        scheme["why_none"] or "",
        _percentage(scheme["target"]),
        _interval(scheme["blind_precision"]),
        _interval(scheme["kept_by_coders"]),
        bool(scheme["coders_follow"]),
        tuple(map(str, scheme["few_examples"])),
    )


def _interval(interval: Mapping[str, float] | None) -> tuple[str, str, str]:
    if interval is None:
        return "", "", ""
    return _percentage(interval["share"]), _percentage(interval["low"]), _percentage(interval["high"])


def _percentage(share: float) -> str:
    return f"{100 * share:.1f}"


def _say(interval: tuple[str, str, str]) -> str:
    share, low, high = interval
    return f"{share} % ({low} to {high})" if share else ""
