"""Content of a choropleth map: its places, their numbers and classes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engagement.analysis.maps.classes import class_of
from engagement.analysis.pictures.palette import NOBODY, NOT_CODED, class_colours


@dataclass(frozen=True)
class MapArea:
    """A shape (WKB as hex, degrees) with its name and count; no count for a shape without a code.

    On a map of shares, the count is a share of `base`.
    """

    name: str
    count: int | None
    shape: str
    base: int = 0


@dataclass(frozen=True)
class Inset:
    """Places drawn larger below the map; those that are also on the map are labelled only here."""

    title: str
    places: tuple[MapArea, ...]


@dataclass(frozen=True)
class MapPicture:
    """A choropleth map; `breaks` are the inclusive upper edges of the classes, starting with 0.

    Classes are participant counts or, with `are_shares`, whole percentages of each place's base; a base below the
    threshold has no share. `unit` names what the classes measure. With `are_outlines` there are names alone.
    """

    title: str
    subtitle: str
    places: tuple[MapArea, ...]
    breaks: tuple[int, ...]
    notes: tuple[str, ...]
    attribution: str
    are_tiles: bool
    small_count_threshold: int
    insets: tuple[Inset, ...] = ()
    unit: str = "Participants"
    are_shares: bool = False
    are_outlines: bool = False

    def value_of(self, place: MapArea) -> int | None:
        """Return the number behind a place's colour: its count, or its share in percent; None without one."""
        if place.count is None or not self.are_shares:
            return place.count
        return None if self.is_small(place) else share_in_percent(place.count, place.base)

    def is_small(self, place: MapArea) -> bool:
        """Tell whether a place's base is too small to show a share."""
        return self.are_shares and place.count is not None and place.base < self.small_count_threshold

    def write(self, place: MapArea) -> str:
        """Write a place's numbers for the map, with small counts marked."""
        if self.are_outlines:
            return ""
        is_marked = not self.are_shares and 0 < (place.count or 0) < self.small_count_threshold
        return self.say(place) + "*" * is_marked

    def say(self, place: MapArea) -> str:
        """Write a place's numbers for reading: the count, or the share and its base."""
        count = place.count or 0
        if not self.are_shares:
            return f"{count:,}"
        of = f"{count:,} of {place.base:,}"
        return of if self.is_small(place) else f"{100 * count / place.base:.0f} % ({of})"

    def texts(self) -> Iterator[str]:
        """All texts on the map."""
        yield from (self.title, self.subtitle, self.attribution, "…")
        yield from self.notes
        yield from (inset.title for inset in self.insets)
        yield from (place.name for place in self.every_place())

    def every_place(self) -> Iterator[MapArea]:
        """Give the places of the map, then those of each inset; some may be in both."""
        yield from self.places
        for inset in self.insets:
            yield from inset.places

    def colour_of(self, place: MapArea) -> str:
        """Return the colour of a place."""
        value = self.value_of(place)
        return NOT_CODED if value is None else self.colour_of_class(class_of(value, self.breaks))

    def colour_of_class(self, number: int) -> str:
        """Return the colour of a class."""
        return NOBODY if number == 0 else class_colours(len(self.breaks) - 1)[number - 1]


def share_in_percent(count: int, base: int) -> int:
    """Return a share in whole percents; 0 only for nobody, 100 only for everybody.

    >>> share_in_percent(0, 500), share_in_percent(1, 500), share_in_percent(499, 500)
    (0, 1, 99)
    """
    if count in (0, base):
        return 100 * bool(count)
    return min(99, max(1, round(100 * count / base)))
