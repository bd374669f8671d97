"""Problems of an old folder: all that can't be read, told at once."""

from collections.abc import Sequence

from engagement.desk.project_import.evaluation.python_values import Unknown
from engagement.foundation.errors import ConfigurationError, listing


class ImportProblems:
    """What of an old folder can't be read, each once, with file and line.

    >>> problems = ImportProblems()
    >>> problems.add("src/plans.py", 7, "no code scheme; expected one. Name it.")
    >>> problems.lines
    ['src/plans.py:7: no code scheme; expected one. Name it.']
    """

    def __init__(self) -> None:
        self._lines: dict[str, None] = {}

    @property
    def lines(self) -> Sequence[str]:
        """Return the problems in the order in which they were found."""
        return list(self._lines)

    def add(self, file: str, line: int | None, text: str) -> None:
        """Note a problem of a file, or of one of its lines."""
        self._lines[f"{file}:{line}: {text}" if line is not None else f"{file}: {text}"] = None

    def add_unknown(self, unknown: Unknown, what: str) -> None:
        """Note a value that is needed and can't be read."""
        remedy = "Mend the file" if unknown.is_whole_file else "Write it out as a constant,"
        self.add(unknown.file, unknown.line, f"{unknown.what}; expected {what}. {remedy} in a copy of the folder.")

    def take(self, other: "ImportProblems") -> None:
        """Add the problems of another."""
        self._lines |= other._lines

    def refuse(self, where: str) -> None:
        """Stop if there is any problem.

        Raises
        ------
        ConfigurationError
            With all of them.
        """
        if self._lines:
            raise ConfigurationError(f"{where}: {listing(self.lines)}")
