"""Fields of an engagement-database project: one name each, made from the name of its raw dataset."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PlannedDataset:
    """A dataset that the analysis reads: its raw field, and whether it is an answer to an episode."""

    raw_field: str
    is_answer: bool

    @property
    def base(self) -> str:
        """Return the raw field without its ending.

        >>> PlannedDataset("gender_raw", False).base
        'gender'
        """
        return self.raw_field.removesuffix("_raw")

    @property
    def time_field(self) -> str:
        """Return the field of the time: one for all episodes, and one for each question about participants."""
        return "sent_on" if self.is_answer else f"{self.base}_time"

    @property
    def run_id_field(self) -> str:
        """Return the field of the run id."""
        return f"{self.base}_run_id"
