"""What charts and tables of traffic say of messages that are unlabelled, outside all ranges, or of a week that is not over."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from engagement.analysis.charts.charts import Chart, describe_charts
from engagement.analysis.charts.engagement import (
    RELEVANT_IS_NOT_THE_SAME,
    chart_engagement,
    chart_ranges,
    chart_weeks,
)
from engagement.analysis.figures.figures import draw_figures
from engagement.analysis.report.figures import draw_figure
from engagement.analysis.report.tables import PageTable, make_engagement_tables, make_traffic_tables, tabulate_chart
from engagement.analysis.tables.season import Season, load_season
from engagement.configuration import load_project
from example_project import DataRoot, coda_message, episode_run, label, write_project


def texts_of_tables(tables: list[PageTable]) -> list[str]:
    return [cell.text for table in tables for row in table.rows for cell in row]


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Season:
    """Five messages about the turn of the year, one of them unlabelled, and three that one of two overlapping ranges holds."""
    folder = tmp_path_factory.mktemp("traffic")

    def change(configuration: dict) -> None:
        configuration["ProjectEndDate"] = "2028-01-01T00:00:00+03:00"
        configuration["AutomatedAnalysis"] = {
            "TrafficLabels": [
                {"StartDate": "2026-12-28T00:00:00+03:00", "EndDate": "2027-01-04T00:00:00+03:00", "Label": "New year"},
                {
                    "StartDate": "2026-12-29T00:00:00+03:00",
                    "EndDate": "2027-06-01T00:00:00+03:00",
                    "Label": "Half a year",
                },
            ]
        }

    root = DataRoot(folder, write_project(folder / "configuration", change))
    days = ("2026-12-20", "2026-12-28", "2026-12-30", "2027-01-05", "2027-01-12")
    root.write_runs(*(episode_run(f"p{n}", f"biyo {n}", 1, f"{day}T12:00:00+03:00", n) for n, day in enumerate(days)))
    root.write_coded("s01e01", *(coda_message(f"biyo {n}", label("episode1", "water")) for n in range(4)))
    root.generate()
    loaded = load_season(load_project(root.configuration), root.path)
    return replace(loaded, source=replace(loaded.source, timestamp="2027-01-13T02:00:00.000000+00:00"))


def texts_of(season: Season, chart) -> dict[str, tuple[str, ...]]:
    return dict(zip(chart.labels, zip(*(bars.texts for bars in chart.series), strict=True), strict=True))


def test_unlabelled_messages_do_not_look_irrelevant(season: Season):
    chart = chart_weeks(season)
    assert [bars.name for bars in chart.series] == ["Messages with opt-ins", "Messages labelled", "Messages relevant"]
    assert texts_of(season, chart)["11 Jan †"] == ("1", "0", "0")


def test_a_year_is_told_where_it_changes_and_a_week_that_is_not_over_is_marked(season: Season):
    chart = chart_weeks(season)
    assert chart.labels == ("14 Dec 2026", "21 Dec", "28 Dec", "4 Jan 2027", "11 Jan †")
    assert "† not over when the outputs were made: more messages may come" in chart.notes
    assert texts_of_tables(make_traffic_tables(season)).count("not over: more may come") == 2
    over = replace(season, source=replace(season.source, timestamp="2027-06-02T02:00:00.000000+00:00"))
    assert not [name for name in (*chart_weeks(over).labels, *chart_ranges(over).labels) if "†" in name]
    assert not [text for text in texts_of_tables(make_traffic_tables(over)) if "not over" in text]


CALENDAR = (
    "Start,Kind,Episode,Station\n"
    "2026-12-14T00:00:00+03:00,broadcast,s01e01,Radio\n"
    "2027-01-10T23:59:00+03:00,advert,,\n"
    # At another place's time of day, and nine hours later in Mogadishu: the next week.
    "2027-01-10T18:30:00-06:00,broadcast,s01e02,Radio\n"
    "2026-12-13T23:00:00+03:00,advert,before,\n"
    "2027-01-18T00:00:00+03:00,advert,after,\n"
)


@pytest.fixture(scope="module")
def announced(season: Season) -> Season:
    """The season with a calendar of five events, two of them outside its weeks."""
    (season.project.path.parent / "calendar.csv").write_text(CALENDAR)
    changed, statistics = replace(season), season.settings.statistics
    statistics = statistics.model_copy(update={"broadcast_calendar_file": "calendar.csv"})
    object.__setattr__(changed, "settings", season.settings.model_copy(update={"statistics": statistics}))
    return changed


def test_broadcasts_and_adverts_stand_above_their_weeks(announced: Season):
    chart = chart_weeks(announced)
    assert [(mark.place, mark.kind, mark.row) for mark in chart.marks] == [
        (-0.5, "broadcast", 0), (3.4999, "advert", 1), (3.5208, "broadcast", 0),
    ]  # fmt: skip
    assert (
        "Broadcasts and adverts: ▼ broadcast (2); ● advert (1). A rise after one does not prove that it was the cause. "
        "2 of the calendar before or after these weeks." in chart.notes
    )
    assert (
        "When: broadcast s01e01, Mon 14 Dec 00:00; advert, Sun 10 Jan 23:59; broadcast s01e02, Mon 11 Jan 03:30."
        in (chart.notes)
    )
    rows = {row[0].text: row[-1].text for row in tabulate_chart(chart).rows}
    assert rows["14 Dec 2026"] == "broadcast s01e01, Mon 14 Dec 00:00"
    assert rows["4 Jan 2027"] == "advert, Sun 10 Jan 23:59"
    assert rows["11 Jan †"] == "broadcast s01e02, Mon 11 Jan 03:30"
    assert rows["21 Dec"] == ""


def test_the_page_the_picture_and_its_data_show_them(announced: Season, tmp_path: Path):
    (described,) = [one for one in describe_charts(announced) if one.name == "traffic_by_week"]
    figure = draw_figure(Chart(tmp_path / "traffic_by_week.png", "", "", described.section, described.chart))
    signs = [(text.text, text.x, text.title) for text in figure.texts if text.kind == "sign"]
    assert signs[0] == ("▼", "8%", "broadcast s01e01, Mon 14 Dec 00:00")
    assert [sign for sign, _, _ in signs] == ["▼", "●", "▼"]
    rows = {text.y for text in figure.texts if text.kind == "sign"}
    assert len(rows) == 2
    # Signs are above every bar, and lines go down to the axis.
    assert max(rows) < min(bar.y for bar in figure.bars if bar.kind == "series0" and bar.title)
    assert len([line for line in figure.lines if line.kind == "moment"]) == 3
    draw_figures(tmp_path, {"graphs/traffic_by_week": described.chart}, "svg", 1)
    picture = (tmp_path / "graphs" / "traffic_by_week.svg").read_text()
    assert "▼ broadcast (2)" in picture
    plain = replace(described.chart, marks=())
    draw_figures(tmp_path / "plain", {"graphs/traffic_by_week": plain}, "svg", 1)
    assert picture.count("<path") > (tmp_path / "plain" / "graphs" / "traffic_by_week.svg").read_text().count("<path")
    with (tmp_path / "graphs" / "traffic_by_week.csv").open(newline="") as file:
        moments = [row for row in csv.DictReader(file) if row["Kind"] == "moment"]
    assert [(row["Label"], row["Series"], row["Value"]) for row in moments][1] == (
        "advert, Sun 10 Jan 23:59",
        "advert",
        "",
    )


def test_a_copy_of_the_configuration_without_its_calendar_is_told(announced: Season, caplog: pytest.LogCaptureFixture):
    (announced.project.path.parent / "calendar.csv").rename(announced.project.path.parent / "moved.csv")
    try:
        assert chart_weeks(announced).marks == ()
        assert "calendar.csv: not there; the traffic chart has no broadcasts" in caplog.text
    finally:
        (announced.project.path.parent / "moved.csv").rename(announced.project.path.parent / "calendar.csv")


def test_without_a_calendar_nothing_is_marked(season: Season):
    chart = chart_weeks(season)
    assert chart.marks == ()
    assert not [note for note in chart.notes if "roadcast" in note]


def test_messages_outside_all_ranges_are_counted(season: Season):
    chart = chart_ranges(season)
    assert chart.subtitle == "n = 5 messages with opt-ins, 4 of them in these ranges"
    assert texts_of(season, chart) == {
        "New year": ("2", "2", "2"), "Half a year †": ("3", "2", "2"), "outside all ranges": ("1", "1", "1"),
    }  # fmt: skip
    assert "Ranges overlap: a message in several counts in each." in chart.notes
    assert "outside all ranges" in texts_of_tables(make_traffic_tables(season))
    # The CSV keeps its rows.
    assert list(season.traffic["Label"]) == ["New year", "Half a year"]


def test_it_is_said_that_messages_and_participants_are_relevant_by_different_rules(season: Season):
    for what in ("Messages", "Participants"):
        assert RELEVANT_IS_NOT_THE_SAME in chart_engagement(season, what).notes
    assert RELEVANT_IS_NOT_THE_SAME in make_engagement_tables(season)[0].notes


def test_one_is_not_many(tmp_path: Path):
    root = DataRoot(tmp_path)
    root.write_runs(episode_run("only", "biyo"))
    root.generate()
    loaded = load_season(load_project(root.configuration), root.path)
    assert chart_weeks(loaded).subtitle.startswith("n = 1 message with opt-ins")
