"""Find the topic of a question by its name and the categories of its answers."""

import enum
from collections.abc import Iterable

# Categories of flows that are not answers.
_NO_ANSWERS = frozenset(
    {"other", "all responses", "has text", "no response", "timeout", "expired", "failure", "success"}
)


class Topic(enum.Enum):
    """Topics of questions. The first ones have cleaners and code schemes that come with the pipeline."""

    GENDER = enum.auto()
    AGE = enum.auto()
    LOCATION = enum.auto()
    URBAN_RURAL = enum.auto()
    YES_NO = enum.auto()
    CLOSED = enum.auto()
    OPEN = enum.auto()


_OF_RANGES = frozenset({"group", "category", "range", "bracket"})
# One of these words in a question's name gives its topic away.
_WORDS = {
    Topic.GENDER: {"gender", "sex"},
    Topic.AGE: {"age"},
    Topic.URBAN_RURAL: {"urban", "rural"},
    Topic.LOCATION: {
        "location",
        "district",
        "county",
        "constituency",
        "region",
        "place",
        "residence",
        "town",
        "village",
    },
    Topic.YES_NO: {"displaced", "idp", "disabled", "disability", "refugee"},
}


def themes_of(categories: Iterable[str]) -> list[str]:
    """Return the categories that are answers.

    >>> themes_of(["Yes", "No", "Other"])
    ['Yes', 'No']
    """
    return [category for category in categories if category.casefold().strip() not in _NO_ANSWERS]


def find_topic(name: str, categories: Iterable[str]) -> Topic:
    """Find the topic of a question.

    >>> find_topic("recently_displaced", ()), find_topic("household_language", ()), find_topic("useful", ["Yes", "No"])
    (<Topic.YES_NO: 5>, <Topic.OPEN: 7>, <Topic.YES_NO: 5>)
    """
    words = set(name.split("_"))
    for topic, telling in _WORDS.items():
        if telling & words and not (topic is Topic.AGE and _OF_RANGES & words):
            return topic
    themes = {theme.casefold() for theme in themes_of(categories)}
    if themes == {"yes", "no"}:
        return Topic.YES_NO
    return Topic.CLOSED if themes else Topic.OPEN
