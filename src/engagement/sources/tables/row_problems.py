"""Problems with rows: all are counted, the first are shown, and nothing is used if there is one."""

from dataclasses import dataclass, field

from engagement.foundation.errors import InputError

_MOST = 20


@dataclass
class RowProblems:
    """Problems of one file, which `where` names. Their texts never show a cell."""

    where: str
    count: int = 0
    shown: list[str] = field(default_factory=list)

    def add(self, problem: str) -> None:
        """Note a problem with its place."""
        self.count += 1
        if len(self.shown) < _MOST:
            self.shown.append(problem)

    def refuse(self) -> None:
        """Refuse the file if there was a problem.

        Raises
        ------
        InputError
            Names the first 20, and the count of all.
        """
        if self.count:
            lines = [f"{self.where}: {self.count} problem(s):", *(f"  {problem}" for problem in self.shown)]
            if self.count > _MOST:
                lines.append(f"  … and {self.count - _MOST} more")
            raise InputError("\n".join(lines))
