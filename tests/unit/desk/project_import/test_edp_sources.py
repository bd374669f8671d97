"""Sources of engagement-database projects: each argument is carried over, or named. All names are invented."""

from pathlib import Path

import pytest

from engagement.desk.project_import.edp.project import import_edp_project
from engagement.desk.project_import.migration import Migration
from engagement.desk.project_import.writing import ImportedProject
from old_edp_projects import FLOWS, all_plans, convert


def test_the_old_folder_may_be_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    convert(tmp_path)
    monkeypatch.chdir(tmp_path.parent)
    folder = Path(tmp_path.name)
    project = import_edp_project(folder, folder / "configurations" / "garden.py", Migration())
    assert list(all_plans(project)) == ["s01e01_raw", "age_raw"]


def test_flows_become_a_source_with_the_keys_of_their_results(tmp_path: Path):
    project, _ = convert(tmp_path)
    (source,) = project.configuration["RawDataSources"]
    assert source["ActivationFlowNames"] == ["garden_s01e01"]
    assert source["SurveyFlowNames"] == ["garden_questions"]
    assert project.configuration["RapidProKeyRemappings"] == [
        {"RapidProKey": "avf_phone_id", "PipelineKey": "uid"},
        {"RapidProKey": "Rqa_S01E01 (Text) - garden_s01e01", "PipelineKey": "s01e01_raw", "IsActivationMessage": True},
        {"RapidProKey": "Rqa_S01E01 (Run ID) - garden_s01e01", "PipelineKey": "s01e01_run_id"},
        {"RapidProKey": "Rqa_S01E01 (Time) - garden_s01e01", "PipelineKey": "sent_on"},
        {"RapidProKey": "Garden_Age (Text) - garden_questions", "PipelineKey": "age_raw"},
        {"RapidProKey": "Garden_Age (Time) - garden_questions", "PipelineKey": "age_time"},
    ]
    assert project.configuration["ProjectEndDate"] == "2023-05-01T00:00:00+03:00"


CSV = """csv_sources=[
        CSVSource("gs://garden/all.csv", [CSVDatasetConfiguration(
            "garden_s01e01", start_date=isoparse("2023-02-02T00:00:00+03:00"), end_date=isoparse("2023-02-08T24:00:00+03:00")
        )], timezone="Africa/Mogadishu"),
        CSVSource("gs://garden/ages.csv", engagement_db_datasets=[CSVDatasetConfiguration("age")], timezone="Africa/Nairobi"),
    ]"""


def test_a_file_with_dates_becomes_a_source_with_ranges_and_one_without_is_asked_for(tmp_path: Path):
    project, migration = convert(tmp_path, more=CSV)
    assert project.configuration["RawDataSources"][1] == {
        "SourceType": "RecoveryCSV",
        "ActivationFlowURLs": ["gs://garden/all.csv"],
    }
    assert project.configuration["TimestampRemappings"] == [
        {
            "TimeKey": "received_on",
            "ShowPipelineKeyToRemapTo": "s01e01_raw",
            "RangeStartInclusive": "2023-02-02T00:00:00+03:00",
            "RangeEndExclusive": "2023-02-09T00:00:00+03:00",
        }
    ]
    assert project.configuration["TimeZone"] == "Africa/Mogadishu"
    (asked,) = [line for line in migration.lines("To decide") if line.startswith("`csv_sources[1]`")]
    assert "gs://garden/ages.csv" in asked
    assert '"Keys"' in asked


def test_a_dataset_that_nothing_fills_has_no_plan(tmp_path: Path):
    project, _ = convert(tmp_path, flows=FLOWS.replace('"garden_s01e01")', '"elsewhere")'))
    assert list(all_plans(project)) == ["age_raw"]
    assert project.configuration["RawDataSources"][0]["ActivationFlowNames"] == []


def flows_of(project: ImportedProject) -> tuple[list[str], list[str]]:
    source = project.configuration["RawDataSources"][0]
    return source["ActivationFlowNames"], source["SurveyFlowNames"]


@pytest.mark.parametrize("results", [("garden_age|age", "rqa|garden_s01e01"), ("rqa|garden_s01e01", "garden_age|age")])
def test_a_flow_with_an_episodes_answer_is_read_as_messages_whatever_comes_first(tmp_path: Path, results):
    names = [result.split("|") for result in results]
    flows = ", ".join(f'FlowResultConfiguration("both", "{name}", "{dataset}")' for name, dataset in names)
    project, _ = convert(tmp_path, flows=f"[{flows}]")
    assert flows_of(project) == (["both"], [])


def test_a_result_that_is_named_twice_is_remapped_once(tmp_path: Path):
    once, _ = convert(tmp_path)
    twice, _ = convert(tmp_path, flows=f"{FLOWS} + {FLOWS}")
    assert twice.configuration == once.configuration


@pytest.mark.parametrize(
    ("more", "words"),
    [
        # Dates of a file that answers a question about participants
        ('csv_sources=[CSVSource("gs://g/a.csv", [CSVDatasetConfiguration("age", isoparse("2023-03-01T00:00+03:00"))])],',
         "sent from '2023-03-01T00:00+03:00' answer 'age'. Take out the others"),
        # Datasets by position
        ('kobotoolbox_sources=[Kobo(KoboToolBoxQuestionConfiguration("group/Age", "age"))],', "answers to age are missing"),
        ('facebook_sources=[FacebookSource("page", datasets=[FacebookDataset("comments")])],', "answers to comments are"),
        # Nothing is said of no dataset
        ('facebook_sources=[FacebookSource("page")],', "Its answers are missing"),
    ],
)  # fmt: skip
def test_what_no_source_brings_is_told_with_its_datasets_and_dates(tmp_path: Path, more: str, words: str):
    assert words in "\n".join(convert(tmp_path, more=more)[1].lines("To decide"))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            'kobotoolbox_sources=[KoboToolBoxSource(token_file_url="gs://g/kobo.json", sync_config=C(asset_uid="aGarden", '
            'participant_id_configuration=P(data_column_name="Contacts", id_type=Types.KENYA_MOBILE_NUMBER), '
            'question_configurations=[KoboToolBoxQuestionConfiguration("group/Rain", "garden_s01e01"), '
            'KoboToolBoxQuestionConfiguration("group/Age", "age"), KoboToolBoxQuestionConfiguration("Shoes", "shoes")]))],',
            ['"Asset": "aGarden"', '"PhoneNumberKeys": [', '"Country": "KE"', '"group/Rain"', '"SurveyFlowName": "kobo_1_survey"',
             '"Garden_S01E01 (Run ID) - kobo_1"', '"Age (Text) - kobo_1_survey"', "No analysis dataset reads shoes", "Server"],
        ),
        (
            'google_form_sources=[GoogleFormSource(google_form_client=G(credentials_file_url="gs://g/f.json"), sync_config=C('
            'form_id="1Garden", question_configurations=[QuestionConfiguration("age", ["How old?", "Your age"])]))],',
            ['"CredentialsFileURL": "gs://g/f.json"', '"FormId": "1Garden"', '"How old?"', '"Your age"',
             '"Age (Time) - forms_1_survey"', "PhoneNumberQuestions or Identity"],
        ),
        (
            'facebook_sources=[FacebookSource(page_id="page", token_file_url="gs://g/t.txt", datasets=[FacebookDataset('
            '"garden_s01e01", search=S(match="#rain"))])],',
            ['"FlowName": "garden_s01e01_facebook"', '"Comment (Text) - garden_s01e01_facebook"', "PostIDs of", "'page_'", "#rain"],
        ),
        (
            'telegram_group_sources=[T(datasets=[TelegramGroupDataset("garden_s01e01")])],',
            ['"SourceType": "TelegramGroup"', '"Message (Time) - garden_s01e01_telegram"', "GroupID and ExportURLs"],
        ),
    ],
)  # fmt: skip
def test_sources_of_other_channels_are_ready_to_paste_with_what_is_missing(tmp_path: Path, more: str, words: list[str]):
    kind = more.split("=")[0]
    (line,) = [one for one in convert(tmp_path, more=more)[1].lines("To decide") if one.startswith(f"`{kind}[0]`")]
    assert [word for word in words if word not in line] == []


def test_a_plan_that_is_left_out_names_the_source_that_would_fill_it(tmp_path: Path):
    more = 'csv_sources=[CSVSource("gs://g/a.csv", [CSVDatasetConfiguration("age")])],'
    flows = '[FlowResultConfiguration("garden_s01e01", "rqa_s01e01", "garden_s01e01")]'
    lines = convert(tmp_path, flows=flows, more=more)[1].lines("To decide")
    assert any("nothing fills it yet (see csv_sources[0] above), so its plan was left out" in line for line in lines)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("created_after_inclusive", "runs created before '2023-03-01T00:00+03:00' did not count"),
        ("created_before_exclusive", "runs created from '2023-03-01T00:00+03:00' on did not count"),
    ],
)
def test_dates_of_runs_that_no_longer_count_are_told(tmp_path: Path, key: str, words: str):
    flows = f'[FlowResultConfiguration("f", "r", "age", {key}=isoparse("2023-03-01T00:00+03:00"))]'
    assert words in "\n".join(convert(tmp_path, flows=flows)[1].lines("To decide"))
