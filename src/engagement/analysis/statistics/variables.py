"""Who counts in the statistics: the demographics of participants, and the themes of episodes.

Only Normal codes are values and themes. NA, NC, NR, NS, CE, WS, NIC and Meta codes are missing values, and so is a
value that was guessed rather than answered. Participants who withdrew consent have no row in the season's tables.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy

from engagement.analysis.tables.coded_table import CodedTable, Codes, Mask, Numbers
from engagement.analysis.tables.distributions import tabulated
from engagement.analysis.tables.season import Season
from engagement.configuration import CodingConfiguration
from engagement.configuration.origin_plans import is_origin_plan
from engagement.configuration.statistics_checks import find_demographics


@dataclass(frozen=True, eq=False)
class Variable:
    """A demographic: the values of its scheme in order, and each participant's as a position in them.

    A participant without a value has the position after the last.
    """

    name: str
    values: tuple[str, ...]
    positions: Numbers

    @property
    def missing(self) -> int:
        """The position of participants without a value."""
        return len(self.values)

    @property
    def is_known(self) -> Mask:
        """Participants with a value; shape (participants,), bool."""
        return self.positions < self.missing

    @property
    def counts(self) -> Numbers:
        """The number of participants with each value, then of those without; shape (values + 1,)."""
        return numpy.bincount(self.positions, minlength=len(self.values) + 1)

    @property
    def reference(self) -> int:
        """The position of the value that most participants have: the first of equals."""
        return int(self.counts[:-1].argmax())


@dataclass(frozen=True, eq=False)
class EpisodeThemes:
    """A dataset of an episode's themes. Its relevant participants are the base of their shares."""

    name: str
    themes: tuple[str, ...]
    relevant: Mask
    _codes: Codes
    _positions: tuple[int, ...]
    _crossed: dict[str, Numbers] = field(default_factory=dict)

    def have(self, theme: int) -> Mask:
        """Tell which participants have a theme, by its position in `themes`; shape (participants,), bool."""
        found: Mask = self._codes.holds[self._codes.numbers, self._positions[theme]]
        return found

    def count(self) -> list[int]:
        """Count the participants with each theme."""
        counts: list[int] = self._codes.count()[list(self._positions)].tolist()
        return counts

    def cross(self, variable: Variable) -> Numbers:
        """Count relevant participants with each theme and value; the last value is the missing one.

        The last row counts all relevant participants. Shape (themes + 1, values + 1).
        """
        if variable.name not in self._crossed:
            width, numbers = variable.missing + 1, self._codes.numbers[self.relevant].astype(numpy.int64)
            pairs = numpy.bincount(
                numbers * width + variable.positions[self.relevant], minlength=len(self._codes.holds) * width
            ).reshape(-1, width)
            # Floats multiply faster, and are exact for whole numbers up to 2**53.
            holds = self._codes.holds[:, list(self._positions)].astype(float)
            found = numpy.vstack([holds.T @ pairs, pairs.sum(axis=0)]).astype(numpy.int64)
            self._crossed[variable.name] = found
        return self._crossed[variable.name]


def read_demographics(season: Season) -> tuple[Variable, ...]:
    """Return the variables that break down themes: of demographic, then of follow-up plans, then origins."""
    origins = tuple(coding for plan, coding in season.questions if is_origin_plan(plan))
    codings = find_demographics(season.project.coding_plans) + origins
    return tuple(read_variable(season.individuals, coding) for coding in codings)


def read_variable(individuals: CodedTable, coding: CodingConfiguration) -> Variable:
    """Read the values of a coding."""
    values = tuple(code.string_value for code in coding.code_scheme.codes if code.is_normal)
    return Variable(str(coding.analysis_file_key), values, individuals.codes(coding).first_values())


def find_episodes(season: Season) -> tuple[EpisodeThemes, ...]:
    """Return the datasets of episodes that have distributions of themes, in the order of the plans."""
    episodes = []
    for coding in tabulated(season.project.coding_plans.rqa):
        codes = season.individuals.codes(coding)
        normal = [position for position, code in enumerate(coding.code_scheme.codes) if code.is_normal]
        name = str(coding.analysis_file_key)
        themes = tuple(coding.code_scheme.codes[position].string_value for position in normal)
        episodes.append(EpisodeThemes(name, themes, codes.relevant_individual, codes, tuple(normal)))
    return tuple(episodes)
