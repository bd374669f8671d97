"""Problems in the files of a configuration: place, what was found, what was expected, what to do."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engagement.foundation.errors import ConfigurationError, listing


@dataclass(frozen=True)
class AtStake:
    """Labels at stake if a problem is mended the wrong way: of a scheme, of its codes, or of a dataset."""

    scheme_id: str | None = None
    code_ids: tuple[str, ...] = ()
    dataset: str | None = None


@dataclass(frozen=True)
class Problem:
    """A problem in a file. `at` is the JSON path, None for the file as a whole; lines count from 1.

    >>> print(Problem("$.TimeZone", "missing; expected a time zone. Add it.", 12))
    line 12, at $.TimeZone: missing; expected a time zone. Add it.
    """

    at: str | None
    text: str
    line: int | None = None
    column: int | None = None
    at_stake: AtStake | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.text}" if self.place else self.text

    @property
    def place(self) -> str:
        """Describe the place in the file; empty for the file as a whole."""
        parts = [f"line {self.line}"] if self.line is not None else []
        parts += [f"column {self.column}"] if self.column is not None else []
        parts += [f"at {self.at}"] if self.at is not None else []
        return ", ".join(parts)


class ProblemsError(ConfigurationError):
    """All problems of a configuration, by file."""

    def __init__(self, by_file: Mapping[Path, Sequence[Problem]]) -> None:
        super().__init__("\n".join(_set_out(path, problems) for path, problems in by_file.items()))
        self.by_file = by_file


def _set_out(path: Path, problems: Sequence[Problem]) -> str:
    """Write a file's problems as text; a single problem with the whole file needs no list."""
    if len(problems) == 1 and problems[0].at is None:
        return f"{', '.join(filter(None, (str(path), problems[0].place)))}: {problems[0].text}"
    return f"{path}: {listing(list(map(str, problems)))}"


class Problems:
    """Problems by file, in the order in which the files were read."""

    def __init__(self) -> None:
        self._by_file: dict[Path, list[Problem]] = {}

    @property
    def by_file(self) -> Mapping[Path, Sequence[Problem]]:
        """The problems found so far, without files that have none."""
        return self._by_file

    def add(self, path: Path, problems: Iterable[Problem]) -> None:
        """Note problems of a file, each once."""
        for problem in problems:
            known = self._by_file.setdefault(path, [])
            if problem not in known:
                known.append(problem)

    def add_error(self, error: ProblemsError) -> None:
        """Note why a file is unreadable."""
        for path, problems in error.by_file.items():
            self.add(path, problems)

    def refuse(self) -> None:
        """Raise one ProblemsError with all problems, if there are any."""
        if self._by_file:
            raise ProblemsError(self._by_file)


def give_lines(problems: Iterable[Problem], find_lines: Callable[[], Mapping[str, int]]) -> list[Problem]:
    """Add the lines to problems. Calls `find_lines` only if there are any.

    A missing key gets the line of the object that lacks it.
    """
    found = list(problems)
    lines = find_lines() if found else {}
    return [
        problem
        if problem.at is None or problem.line is not None
        else replace(problem, line=_line_of(problem.at, lines))
        for problem in found
    ]


def _line_of(at: str, lines: Mapping[str, int]) -> int | None:
    while at not in lines and len(at) > 1:
        at = at[: max(at.rfind("."), at.rfind("["), 1)]
    return lines.get(at)
