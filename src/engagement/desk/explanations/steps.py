"""Parts of an explanation: steps in plain words, each also as facts for programs."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engagement.pipeline.coding.cleaning.phone_numbers import mask_phone_numbers


class StepKind(enum.StrEnum):
    """Kinds of steps."""

    ANSWER = "answer"
    NO_ANSWER = "no answer"
    MOVED_HERE = "wrong-scheme move to here"
    MOVED_AWAY = "wrong-scheme move away"
    TIME_RANGE = "time range"
    AUTOMATIC = "automatic label"
    LABEL = "label"
    IMPUTED = "imputation"
    FOLDED = "folding"
    CONSENT = "consent"
    IDENTITY = "identity"
    NOTE = "note"


@dataclass(frozen=True)
class StoryStep:
    """One step on the way to a cell; `about` names its coding, if any."""

    kind: StepKind
    says: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    about: str | None = None

    def document(self) -> dict[str, Any]:
        """The step as JSON values."""
        return {"step": str(self.kind), "says": self.says, **self.facts}


@dataclass(frozen=True)
class StorySection:
    """The steps to some cells of one row.

    `files` are the CSVs that hold the row, `rows` the numbers of the messages it covers, from 1.
    """

    title: str
    files: Sequence[str]
    cells: Mapping[str, str]
    steps: Sequence[StoryStep]
    rows: Sequence[int] = ()

    def document(self) -> dict[str, Any]:
        """The section as JSON values, without phone numbers."""
        return {
            "title": self.title,
            "files": list(self.files),
            "messages": list(self.rows),
            "cells": {column: mask_phone_numbers(cell) for column, cell in self.cells.items()},
            "steps": [step.document() for step in self.steps],
        }
