"""Draw what arrived and what is missing, by the hour or by the day."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from engagement.analysis.charts.charts import texts_of
from engagement.analysis.charts.drawing import BarChart, Bars, draw_bar_chart
from engagement.analysis.pictures.fonts import find_fonts
from engagement.analysis.pictures.pictures import draw_afresh
from engagement.desk.recovery.comparison import Outage
from engagement.foundation.errors import count_of

_MOST_HOURS = 72
_MOST_OUTAGES = 5
_SECONDS_AN_HOUR, _SECONDS_A_DAY = 3600, 86_400


def draw_traffic(path: Path, hours: Mapping[datetime, Counter[str]], outages: Sequence[Outage], pipeline: str) -> None:
    """Draw a chart into a new file."""
    chart = describe_traffic(hours, outages, pipeline)
    draw_afresh({path: chart}, draw_bar_chart, find_fonts(texts_of(chart)), 1)


def describe_traffic(hours: Mapping[datetime, Counter[str]], outages: Sequence[Outage], pipeline: str) -> BarChart:
    """Describe the chart: an hour without messages is there, too."""
    first, last = min(hours), max(hours)
    by_hour = (last - first).total_seconds() / _SECONDS_AN_HOUR < _MOST_HOURS
    step = _SECONDS_AN_HOUR if by_hour else _SECONDS_A_DAY
    begin = first if by_hour else first.replace(hour=0)
    zone = first.tzinfo
    # Counted in real time: where clocks change, a day has 23 or 25 hours, and its label stays right.
    count = int((last.timestamp() - begin.timestamp()) // step) + 1
    moments = [datetime.fromtimestamp(begin.timestamp() + number * step, zone) for number in range(count)]
    form = "%d %b %H:%M" if by_hour else "%d %b %Y"
    labels = [f"{moment:{form}}" for moment in moments]
    of_label: dict[str, Counter[str]] = {label: Counter() for label in labels}
    for hour, counts in hours.items():
        of_label.setdefault(f"{hour:{form}}", Counter()).update(counts)
    arrived = [counts["matched"] + counts["late"] + counts["recovered"] for counts in of_label.values()]
    missing = [counts["missing"] for counts in of_label.values()]
    notes = [
        f"Nothing arrived from {outage.first.astimezone(zone):%Y-%m-%d %H:%M} to {outage.last.astimezone(zone):%Y-%m-%d %H:%M}: "
        f"{count_of(outage.messages, 'message')}."
        for outage in outages[:_MOST_OUTAGES]
    ]
    return BarChart(
        f"Messages that the telecom received, and what {pipeline} has of them",
        f"By the {'hour' if by_hour else 'day'}",
        "Messages",
        tuple(of_label),
        tuple(
            Bars(name, tuple(values), tuple(str(value) if value else "" for value in values))
            for name, values in (("Arrived", arrived), ("Missing", missing))
        ),
        notes=tuple(notes),
        is_upright=True,
    )
