"""What is no answer stands apart: guessed zones, people who live elsewhere, and what the phone number tells."""

from pathlib import Path

import pytest

from engagement.analysis.charts.charts import describe_charts
from engagement.analysis.charts.drawing import BarChart
from engagement.analysis.maps.maps import draw_maps
from engagement.analysis.report.tables import make_values_table
from engagement.analysis.tables.season import Season, load_season
from engagement.configuration import CodingConfiguration, load_project
from example_project import DataRoot, coda_message, episode_run, label, survey_run, write_project
from picture_season import write_squares

# Where participants say they live, by the scheme and code that coders ticked.
PLACES = {
    "hodan": ("sub_district", "hodan"),
    "xamar": ("district", "mogadishu"),  # in Mogadishu, but who knows where
    "banaadir": ("region", "banadir"),  # the same: Mogadishu's own region
    "baidoa": ("district", "baidoa"),  # in no sub-district of Mogadishu
    "bay": ("region", "bay"),  # nor here; of its districts none is known
    "waa maxay": ("zone", "NC"),  # not coded at any level
}


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Season:
    """One participant for each place, three silent customers of golis, and one of an operator that tells no zone."""
    folder = tmp_path_factory.mktemp("values")

    def change(configuration: dict) -> None:
        zone = {"Level": "zone", "CodedField": "zone_coded", "Boundaries": "zones.geojson"}
        configuration["AutomatedAnalysis"] = {"Maps": [zone]}

    def without_themes(schemes: dict) -> None:
        schemes["episode2"]["Codes"] = [code for code in schemes["episode2"]["Codes"] if code["CodeType"] != "Normal"]

    root = DataRoot(folder, write_project(folder / "configuration", change, change_schemes=without_themes))
    write_squares(folder / "configuration" / "zones.geojson", ("nez", "nwz", "scz"))
    people = [*PLACES, "silent 1", "silent 2", "silent 3"]
    root.write_runs(
        *(episode_run(name, "biyo", run_id=number, operator="golis") for number, name in enumerate(people)),
        episode_run("unknown", "biyo", run_id=90, operator="NC"),
        *(survey_run(place, 100 + number, location=place) for number, place in enumerate(PLACES)),
    )
    root.write_coded("s01e01", coda_message("biyo", label("episode1", "water")))
    root.write_coded("location", *(coda_message(place, label(*code)) for place, code in PLACES.items()))
    root.generate()
    return load_season(load_project(root.configuration), root.path)


@pytest.fixture(scope="module")
def charts(season: Season) -> dict[str, BarChart]:
    return {one.name: one.chart for one in describe_charts(season)}


def coding_of(season: Season, key: str) -> CodingConfiguration:
    return next(coding for _, coding in season.questions if coding.analysis_file_key == key)


def origins_of(season: Season, key: str) -> dict[tuple[str, str], int]:
    table = season.value_origins
    rows = table[(table["Dataset"] == key) & (table["Participants"] > 0)]
    return {(row.Value, row.Origin): row.Participants for row in rows.itertuples()}


def test_a_guessed_zone_is_no_answer(season: Season):
    assert origins_of(season, "zone") == {
        ("scz", "answer"): 5, ("nez", "operator"): 3, ("NA", "no answer"): 1, ("NC", "not coded"): 1,
    }  # fmt: skip


def test_who_lives_elsewhere_is_not_uncoded(season: Season):
    assert origins_of(season, "sub_district") == {
        ("hodan", "answer"): 1, ("NC", "elsewhere"): 2, ("NC", "not coded"): 3, ("NA", "no answer"): 4,
    }  # fmt: skip
    # A region without a district told is not coded by district: everybody lives in one.
    assert origins_of(season, "district")["NC", "not coded"] == 3
    assert ("NC", "elsewhere") not in origins_of(season, "district")


def test_the_operator_is_what_the_number_tells(season: Season, charts: dict[str, BarChart]):
    assert origins_of(season, "operator") == {("golis", "phone number"): 9, ("NC", "not coded"): 1}
    assert "9 participants, as the number or channel tells" in charts["demographics_operator"].subtitle


def test_the_origins_of_a_value_add_up_to_the_distribution(season: Season):
    table = season.demographic_distributions
    table = table.assign(Dataset=table["Dataset"].where(table["Dataset"] != "").ffill())
    counts = {tuple(row[:2]): row[2] for row in table.itertuples(index=False, name=None)}
    sums = season.value_origins.groupby(["Dataset", "Value"])["Participants"].sum()
    for key, count in sums.items():
        assert counts[key] == count, key


def test_the_chart_draws_guesses_apart_and_takes_no_share_of_them(charts: dict[str, BarChart]):
    chart = charts["demographics_zone"]
    assert (
        chart.subtitle == "n = 5 participants answered, 3 guessed from the operator; shares are of those who answered"
    )
    answered, guessed = ({k: v for k, v in zip(chart.labels, bars.texts, strict=True) if v} for bars in chart.series)
    # There is no percentage of five.
    assert answered["scz"] == "5*"
    assert answered["nez"] == "0"
    assert guessed == {"nez": "3*"}
    assert guessed.keys() <= set(chart.labels)
    assert chart.series[1].is_guess


def test_the_chart_tells_elsewhere_from_not_coded(charts: dict[str, BarChart]):
    chart = charts["demographics_sub_district"]
    values = dict(zip(chart.labels, chart.series[0].values, strict=True))
    assert (values["elsewhere"], values["NC"], values["hodan"]) == (2, 3, 1)
    assert chart.asides[chart.labels.index("elsewhere")]
    assert "Elsewhere: the place that they named has none of these." in chart.notes


def test_the_report_has_a_column_of_guesses(season: Season):
    table = make_values_table(season, coding_of(season, "zone"), is_episode=False)
    assert "Guessed from the operator" in [column.name for column in table.columns]
    assert "5 participants answered, 3 guessed from the operator" in table.caption
    other = make_values_table(season, coding_of(season, "gender"), is_episode=False)
    assert "Guessed from the operator" not in [column.name for column in other.columns]


def test_a_map_shows_nobody_where_their_operator_is_strong(season: Season, tmp_path: Path):
    (drawn,) = draw_maps(season, tmp_path)
    assert "n = 5 participants whose zone is known. scz 5." in drawn.text_alternative
    assert "guessed from the operator 3" in drawn.text_alternative


def test_shares_leave_guesses_out(season: Season):
    table = season.share_intervals
    rows = table[(table["Dataset"] == "rqa_s01e01") & (table["Theme"] == "water") & (table["Breakdown"] == "zone")]
    found = {(row.Value, row.Origin): (row.Participants, row.Base) for row in rows.itertuples()}
    assert found == {("scz", "answer"): (5, 5), ("nez", "operator"): (3, 3)}
    total = table[(table["Dataset"] == "rqa_s01e01") & (table["Theme"] == "water") & (table["Breakdown"] == "")]
    assert total.to_dict("records") == [
        {"Dataset": "rqa_s01e01", "Theme": "water", "Breakdown": "", "Value": "", "Origin": "answer", "Participants": 10,
         "Base": 10, "Share %": "100.0", "Low %": "72.2", "High %": "100.0", "Note": ""},
    ]  # fmt: skip
    zone = table[(table["Dataset"] == "zone") & (table["Theme"] == "scz")]
    assert zone[["Participants", "Base", "Note"]].to_numpy().tolist() == [[5, 5, "small base"]]


def test_a_scheme_without_answers_has_no_chart(charts: dict[str, BarChart]):
    assert not [name for name in charts if name.startswith("themes_rqa_s01e02")]
    assert "themes_rqa_s01e01" in charts
