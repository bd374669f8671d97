"""The tables of a small season, held against numbers that were worked out by hand."""

import json
from pathlib import Path

import pytest
from pyarrow.parquet import read_table

from engagement.analysis.tables.season import Season, load_season
from engagement.configuration import load_project
from engagement.foundation.errors import InputError
from engagement.pipeline.outputs.analysis_files import analysis_folder
from example_project import DataRoot, coda_message, episode_run, label, survey_run, write_project

# Texts of the first episode by what coders said of them.
WATER_AND_SCHOOL, WATER, GREETING, UNREVIEWED, WITHDRAWS = "biyo iyo dugsi", "biyo", "salaan", "lama arag", "jooji"


def season_of(root: DataRoot) -> Season:
    root.generate()
    return load_season(load_project(root.configuration), root.path)


def rows_of(table) -> list[tuple]:
    return list(table.itertuples(index=False, name=None))


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> DataRoot:
    """Six participants: five stay, and "gone" withdraws with two messages."""
    folder = tmp_path_factory.mktemp("season")

    def add_labels(configuration: dict) -> None:
        configuration["AutomatedAnalysis"] = {
            "TrafficLabels": [
                {"StartDate": "2026-04-05T00:00:00+03:00", "EndDate": "2026-04-06T00:00:00+03:00", "Label": "Sunday"},
                {"StartDate": "2026-04-01T00:00:00+03:00", "EndDate": "2026-05-01T00:00:00+03:00", "Label": "April"},
            ],
            "ImpactMessageCodes": ["greeting", "hope"],
        }

    root = DataRoot(folder, write_project(folder / "configuration", change_configuration=add_labels))
    root.write_runs(
        episode_run("both", WATER_AND_SCHOOL, 1, "2026-04-05T23:59:59+03:00", 1),
        episode_run("both", "rajo", 2, "2026-04-06T00:00:00+03:00", 2),
        episode_run("greets", GREETING, 1, "2026-04-05T00:00:00+03:00", 3),
        # One answer is coded, another not looked at yet: relevant, though not labelled to the end.
        episode_run("halfway", WATER, 1, "2026-04-07T12:00:00+03:00", 4),
        episode_run("halfway", UNREVIEWED, 1, "2026-04-08T12:00:00+03:00", 5),
        episode_run("unread", UNREVIEWED, 1, "2026-04-08T13:00:00+03:00", 6),
        episode_run("silent", "", 2, "2026-04-20T12:00:00+03:00", 7),
        episode_run("gone", WITHDRAWS, 1, "2026-04-05T12:00:00+03:00", 8),
        episode_run("gone", "rajo", 2, "2026-04-05T12:00:00+03:00", 9),
        survey_run("both", 101, gender="nin"),
        survey_run("greets", 102, gender="naag"),
        survey_run("halfway", 103, gender="nin"),
        survey_run("unread", 104, gender="waa maxay"),
        survey_run("gone", 105, gender="nin"),
    )
    root.write_coded(
        "s01e01",
        coda_message(WATER_AND_SCHOOL, label("episode1", "water"), label("episode1", "school", copy="-1")),
        coda_message(WATER, label("episode1", "water")),
        coda_message(GREETING, label("episode1", "greeting")),
        coda_message(WITHDRAWS, label("episode1", "STOP")),
    )
    root.write_coded("s01e02", coda_message("rajo", label("episode2", "hope")))
    root.write_coded(
        "gender", coda_message("nin", label("gender", "man")), coda_message("naag", label("gender", "woman"))
    )
    return root


@pytest.fixture(scope="module")
def season(data_root: DataRoot) -> Season:
    return season_of(data_root)


def test_engagement_counts(season: Season):
    assert list(season.engagement_counts.columns) == [
        "Dataset", "Total Messages", "Total Messages with Opt-Ins", "Total Labelled Messages", "Total Relevant Messages",
        "Total Participants", "Total Participants with Opt-Ins", "Total Relevant Participants",
    ]  # fmt: skip
    assert rows_of(season.engagement_counts) == [
        ("rqa_s01e01", "-", 5, 3, 2, "-", 4, 2),
        # An empty answer is one, and labelled as not coded.
        ("rqa_s01e02", "-", 2, 2, 1, "-", 2, 1),
        # The two plain totals count those who withdrew; "both" counts once.
        ("Total", 9, 7, 5, 3, 6, 5, 2),
    ]


def test_repeat_participations_have_a_row_for_each_number_of_episodes(season: Season):
    assert rows_of(season.repeat_participations) == [(1, 4, "80.0"), (2, 1, "20.0")]


def test_demographic_distributions_are_of_all_who_stay(season: Season):
    table = season.demographic_distributions
    assert list(table.columns) == ["Dataset", "Theme", "Total Participants", "Total Participants %"]
    gender = rows_of(table)[:10]
    assert gender == [
        ("gender", "Total Relevant Participants", 3, "100.0"),
        ("", "man", 2, "66.7"),
        ("", "woman", 1, "33.3"),
        ("", "NA", 1, ""),
        ("", "NS", 0, ""),
        ("", "NC", 0, ""),
        ("", "NR", 1, ""),
        ("", "NIC", 0, ""),
        ("", "WS", 0, ""),
        ("", "CE", 0, ""),
    ]
    assert "STOP" not in set(table["Theme"])
    # Nobody said where they are: there is no share of nothing.
    assert ("", "mogadishu", 0, "-") in rows_of(table)


def test_theme_distributions_are_broken_down_by_demographic_codes(season: Season):
    table = season.theme_distributions.set_index("Theme")
    columns = ["Dataset", "Total Participants", "Total Participants %", "gender:man", "gender:man %", "gender:woman",
               "gender:woman %", "gender:NR", "gender:NR %"]  # fmt: skip
    first = table.iloc[: list(table["Dataset"]).index("rqa_s01e02")]
    assert rows_of(first.loc[["Total Relevant Participants", "water", "school", "greeting", "NR"], columns]) == [
        ("rqa_s01e01", 2, "100.0", 2, "100.0", 0, "-", 0, "-"),
        ("", 2, "100.0", 2, "100.0", 0, "-", 0, "-"),
        ("", 1, "50.0", 1, "50.0", 0, "-", 0, "-"),
        ("", 1, "", 0, "", 1, "", 0, ""),
        ("", 2, "", 1, "", 0, "", 1, ""),
    ]
    assert not [name for name in season.theme_distributions.columns if "STOP" in name]


def test_weeks_are_those_of_the_projects_time_zone_and_empty_ones_are_there(season: Season):
    # 2026-04-06 is a Monday; the message of one second before belongs to the week that ends, whatever UTC says.
    assert rows_of(season.weekly_traffic) == [
        ("2026-W14", "2026-03-30", 2, 2, 1),
        ("2026-W15", "2026-04-06", 4, 2, 2),
        ("2026-W16", "2026-04-13", 0, 0, 0),
        ("2026-W17", "2026-04-20", 1, 1, 0),
    ]


def test_labelled_ranges_hold_their_start_and_not_their_end(season: Season):
    assert rows_of(season.traffic) == [
        ("2026-04-05T00:00:00+03:00", "2026-04-06T00:00:00+03:00", "Sunday", 2, 2, 1),
        ("2026-04-01T00:00:00+03:00", "2026-05-01T00:00:00+03:00", "April", 7, 5, 3),
    ]


def test_impact_messages_are_all_labelled_messages_with_the_configured_codes(season: Season):
    assert rows_of(season.impact_messages) == [
        ("rqa_s01e01", "episode1", "greeting", GREETING),
        ("rqa_s01e02", "episode2", "hope", "rajo"),
    ]


def test_codes_are_counted_and_crossed_by_their_values(season: Season):
    episode, gender = season.episodes[0][1], season.demographics[0]
    assert season.count_codes(episode)[["water", "school", "roads", "NR"]].to_dict() == {
        "water": 2,
        "school": 1,
        "roads": 0,
        "NR": 2,
    }
    crossed = season.cross_tabulate(episode, gender)
    assert crossed.loc["water", "man"] == 2
    assert crossed.loc["NR", "NR"] == crossed.loc["NR", "man"] == crossed.loc["greeting", "woman"] == 1
    # Nobody has two genders, so the cells of a theme add up to its count.
    assert crossed.sum(axis=1).to_dict() == season.count_codes(episode).to_dict()


def test_coding_progress_counts_distinct_texts_and_survey_answers_once_a_participant(season: Season):
    assert rows_of(season.coding_progress)[:3] == [
        ("EXAMPLE_s01e01", 5, 0, 4, 3, "75.0"),
        ("EXAMPLE_s01e02", 2, 1, 1, 1, "100.0"),
        ("EXAMPLE_gender", 4, 0, 3, 2, "66.7"),
    ]


def test_a_season_without_a_message_has_empty_tables(tmp_path: Path):
    season = season_of(DataRoot(tmp_path))
    assert rows_of(season.engagement_counts)[-1] == ("Total", 0, 0, 0, 0, 0, 0, 0)
    assert rows_of(season.repeat_participations) == [(1, 0, "-"), (2, 0, "-")]
    assert set(season.theme_distributions["Total Participants"]) == {0}
    for name in ("weekly_traffic", "sample_messages", "impact_messages", "coding_errors", "texts_with_phone_numbers"):
        assert rows_of(getattr(season, name)) == []


def test_no_share_passes_100_percent(season: Season):
    for table in (season.demographic_distributions, season.theme_distributions, season.repeat_participations):
        shares = [cell for name in table.columns if "%" in name for cell in table[name] if cell not in ("", "-")]
        assert shares
        assert max(map(float, shares)) <= 100


def test_code_schemes_that_changed_since_stage_3_are_refused(data_root: DataRoot, season: Season, tmp_path: Path):
    def rename(schemes: dict) -> None:
        schemes["episode1"]["Codes"][0]["CodeID"] = "episode1-renamed"

    def add_field(plans: dict) -> None:
        plans["RQACodingPlans"][0]["CodingConfigurations"][0]["CodedField"] = "another_coded"

    for number, (changes, words) in enumerate(
        [({"change_schemes": rename}, "'episode1-water'"), ({"change_plans": add_field}, "'codes:another_coded'")]
    ):
        project = load_project(write_project(tmp_path / str(number), **changes))
        changed = load_season(project, data_root.path)
        with pytest.raises(InputError, match=words):
            _ = changed.engagement_counts


def test_a_damaged_table_is_named(data_root: DataRoot, tmp_path: Path):
    root = DataRoot(tmp_path)
    root.generate()
    path = analysis_folder(root.path) / "messages.parquet"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match=r"messages\.parquet"):
        load_season(load_project(root.configuration), root.path)


def test_the_funnel_counts_everything_that_is_not_in_the_tables(season: Season):
    funnel = season.funnel
    assert (funnel.runs, funnel.participants, funnel.kept) == (14, 6, 9)
    assert (funnel.withdrawn_messages, funnel.withdrawn_participants) == (2, 1)
    assert funnel.messages == funnel.kept + sum(funnel.dropped.values())
    assert len(season.messages) == funnel.kept - funnel.withdrawn_messages


def test_nothing_of_those_who_withdrew_is_left_for_the_analysis(data_root: DataRoot, season: Season):
    uids = set(season.messages.column("uid")) | set(season.individuals.column("uid"))
    assert len(uids) == 5
    assert not [uid for uid in uids if "gone" in uid]
    plan = season.episodes[0][0]
    assert WITHDRAWS not in set(season.messages.texts(plan))
    assert len(season.messages.texts(season.episodes[1][0]).dropna()) == 2
    for path in analysis_folder(data_root.path).iterdir():
        content = path.read_text() if path.suffix == ".json" else str(read_table(path).to_pylist())
        assert "gone" not in content
        assert WITHDRAWS not in content


def test_the_files_of_another_version_are_refused(tmp_path: Path):
    root = DataRoot(tmp_path)
    root.generate()
    path = analysis_folder(root.path) / "season.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "version": 0}))
    with pytest.raises(InputError, match="'version' is 0; expected 2"):
        load_season(load_project(root.configuration), root.path)
