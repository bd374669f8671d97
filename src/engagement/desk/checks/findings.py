"""Findings of a check: errors, warnings and failed questions, each at its place."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from engagement.configuration.json_text import find_lines
from engagement.configuration.problems import Problem, Problems, give_lines
from engagement.desk.checks.labels_at_stake import LabelsAtStake
from engagement.foundation.errors import ConfigurationError, PipelineError


class Findings:
    """All findings, in the order they were found."""

    def __init__(self, errors: Problems) -> None:
        self._errors = errors
        self._warnings = Problems()
        self._lines: dict[Path, Mapping[str, int]] = {}
        self.failures: list[PipelineError] = []

    @property
    def error_count(self) -> int:
        """The number of errors."""
        return sum(map(len, self._errors.by_file.values()))

    @property
    def warning_count(self) -> int:
        """The number of warnings."""
        return sum(map(len, self._warnings.by_file.values()))

    def add_errors(self, path: Path, problems: Iterable[Problem]) -> None:
        """Note an error in a JSON file."""
        self._errors.add(path, give_lines(problems, lambda: self._lines_of(path)))

    def add_warnings(self, path: Path, problems: Iterable[Problem]) -> None:
        """Note an oddity in a JSON file."""
        self._warnings.add(path, give_lines(problems, lambda: self._lines_of(path)))

    @contextlib.contextmanager
    def noted(self, path: Path, at: str) -> Iterator[None]:
        """Note the outcome of a question: a configuration error at its place in a file, or a failure."""
        try:
            yield
        except ConfigurationError as error:
            self.add_errors(path, [Problem(at, str(error))])
        except PipelineError as error:
            self.failures.append(error)

    def lines(self, labels: LabelsAtStake | None = None) -> Iterator[str]:
        """Return each finding as a line of text: errors, warnings, failed questions.

        With `labels`, also say how many of them the wrong remedy would lose.
        """
        for word, problems in (("ERROR", self._errors), ("WARNING", self._warnings)):
            for path, found in problems.by_file.items():
                # From top to bottom, as people work through a file.
                for problem in sorted(found, key=lambda problem: problem.line or 0):
                    stake = "" if labels is None or problem.at_stake is None else labels.say(problem.at_stake)
                    yield f"{word}: {', '.join(filter(None, (str(path), problem.place)))}: {problem.text}{stake}"
        for failure in self.failures:
            yield f"FAILED: {failure}"

    def of(self, path: Path) -> "FindingsOfFile":
        """Collect the findings in one file."""
        return FindingsOfFile(self, path)

    def _lines_of(self, path: Path) -> Mapping[str, int]:
        if path not in self._lines:
            self._lines[path] = find_lines(path.read_text(encoding="utf-8"))
        return self._lines[path]


class FindingsOfFile:
    """Notes the findings in one JSON file."""

    def __init__(self, findings: Findings, path: Path) -> None:
        self._findings = findings
        self._path = path

    def add_errors(self, problems: Iterable[Problem]) -> None:
        """Note an error."""
        self._findings.add_errors(self._path, problems)

    def add_warnings(self, problems: Iterable[Problem]) -> None:
        """Note an oddity."""
        self._findings.add_warnings(self._path, problems)

    def noted(self, at: str) -> contextlib.AbstractContextManager[None]:
        """Note the outcome of a question, at a JSON path."""
        return self._findings.noted(self._path, at)
