"""Messages that a second coder labels without seeing the first one's labels."""

from collections.abc import Iterator

from engagement.configuration.coding_plans import CodingPlans
from engagement.configuration.model import Model, key
from engagement.configuration.nearest import nearest
from engagement.configuration.problems import Problem
from engagement.configuration.value_types import EmailAddress, Text

_SECOND = "_second"
_PLACE = "$.DoubleCoding"


class DoubleCoding(Model):
    """Messages that two coders label, blind to each other, to tell what a code book is worth."""

    share: float | None = key("Share", "share of each dataset's messages", 0.1, None, gt=0, le=1)
    messages: int | None = key("Messages", "or the number of messages of each dataset", 200, None, ge=1)
    datasets: tuple[Text, ...] = key("Datasets", "datasets to code twice; without it all", ["demo_s01e01"], ())
    users: tuple[EmailAddress, ...] = key(
        "Users", "second coders, who label '<dataset>_second'", ["second.coder@example.org"], min_length=1
    )


def second_dataset(dataset: str) -> str:
    """Name the dataset in which second coders label messages of a dataset.

    >>> second_dataset("demo_s01e01")
    'demo_s01e01_second'
    """
    return f"{dataset}{_SECOND}"


def find_double_coding_problems(double_coding: DoubleCoding | None, plans: CodingPlans) -> Iterator[Problem]:
    """Find a sample of no size or of two, unknown datasets, and names that are taken."""
    if double_coding is None:
        return
    if (double_coding.share is None) == (double_coding.messages is None):
        found = (
            "neither Share nor Messages is there"
            if double_coding.share is None
            else "Share and Messages are both there"
        )
        yield Problem(
            _PLACE, f"{found}; expected one of the two. {'Add' if double_coding.share is None else 'Remove'} one."
        )
    known = [plan.coda_dataset for plan in plans.all if plan.coda_dataset is not None]
    for number, name in enumerate(double_coding.datasets):
        if name not in known:
            yield Problem(
                f"{_PLACE}.Datasets[{number}]",
                f"{name!r} is not a dataset of the coding plans; expected one{nearest(name, known)}",
            )
    for name in known:
        if second_dataset(name) in known and (name in double_coding.datasets or not double_coding.datasets):
            yield Problem(
                _PLACE,
                f"{second_dataset(name)!r} is a plan's dataset, and is what the second coders' one would be called; expected another "
                "name. Rename the plan's.",
            )
