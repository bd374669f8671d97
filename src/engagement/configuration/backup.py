"""Backup: who can read the archives of the data root, and how long they are kept.

Stage 6 reads this part alone, so an archive is made even if the rest of the configuration is broken.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from pydantic import model_validator

from engagement.configuration.age_recipients import AgeRecipient
from engagement.configuration.json_text import read_document
from engagement.configuration.model import Model, key
from engagement.configuration.parsing import parse_model
from engagement.configuration.problems import Problems
from engagement.configuration.value_types import refuse


class KeptArchives(Model):
    """How many archives stay, by the time in UTC in their names.

    Days, weeks and months without an archive don't count.
    """

    daily: int | None = key("Daily", "days of which the last archive stays", 7, None, ge=1)
    weekly: int | None = key("Weekly", "weeks, from Monday on, of which the last archive stays", 8, None, ge=1)
    monthly: int | None = key("Monthly", "months of which the last archive stays", 12, None, ge=1)

    @model_validator(mode="after")
    def _keep_some(self) -> Self:
        if self.daily is None and self.weekly is None and self.monthly is None:
            raise refuse("says nothing; expected 'Daily', 'Weekly' or 'Monthly'. Add one, or remove 'Keep'.")
        return self


class Backup(Model):
    """Who can read the archives of the data root, and how long they are kept."""

    encrypt: tuple[AgeRecipient, ...] = key(
        "Encrypt",
        "recipients of age that archives are encrypted to; each of them alone can read them. Without it they are plain",
        ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"],
        (),
    )
    keep: KeptArchives | None = key(
        "Keep", "which archives stay on this machine; without it all, unless a run has --keep-days", {}, None
    )
    drill_every_nights: int | None = key(
        "DrillEveryNights",
        "after so many nights, the end of a run restores the newest archive and compares; without it never",
        7,
        None,
        ge=1,
    )


def load_backup(path: Path) -> Backup:
    """Read this part of a pipeline configuration; nobody and nothing if it has none.

    Raises
    ------
    ConfigurationError
        The file is no JSON, or this part has problems.
    """
    content: Any = read_document(path, "a pipeline configuration").content
    part = content.get("Backup") if isinstance(content, Mapping) else None
    if part is None:
        return Backup.model_validate({})
    settings, found = parse_model(Backup, part)
    problems = Problems()
    problems.add(path, [replace(problem, at=f"$.Backup{(problem.at or '$')[1:]}") for problem in found])
    problems.refuse()
    return settings  # type: ignore[return-value]  # a part without problems is one
