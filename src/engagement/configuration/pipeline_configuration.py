"""The pipeline configuration: where the messages of one project come from, and what becomes of them."""

import enum
from pathlib import Path
from zoneinfo import ZoneInfo

from engagement.configuration.backup import Backup
from engagement.configuration.contact_selections import ContactSelection, ListeningGroup, WithdrawnElsewhere
from engagement.configuration.disclosure import Disclosure
from engagement.configuration.double_coding import DoubleCoding
from engagement.configuration.model import Model, key
from engagement.configuration.notify import Notify, StatusPage
from engagement.configuration.origin_plans import OriginColumn
from engagement.configuration.participant_ids import PARTICIPANT_PREFIX
from engagement.configuration.raw_keys import DEFAULT_RECOVERED_KEYS, RecoveredKeyNames
from engagement.configuration.remappings import RapidProKeyRemapping, TimestampRemapping
from engagement.configuration.retention import Retention
from engagement.configuration.source_model import SourceOfAnyType
from engagement.configuration.statistics_settings import StatisticsSettings
from engagement.configuration.value_types import (
    BucketFolder,
    BucketUrl,
    EmailAddress,
    IsoTime,
    ParticipantPrefix,
    StorageUrl,
    TableName,
    Text,
    TimeZone,
    UrlPrefix,
)
from engagement.configuration.write_back import WriteBack


class PhoneNumberUuidTable(Model):
    """Table in which phone numbers are exchanged for uuids."""

    firebase_credentials_file_url: StorageUrl = key(
        "FirebaseCredentialsFileURL", "credentials of the uuid table's Firestore", "gs://keys/firebase.json"
    )
    table_name: TableName = key("TableName", "name of the uuid table", "PROJECT")


class Map(Model):
    """A level of places to draw maps of."""

    level: Text = key("Level", "name of the level, and of its folder", "region")
    boundaries: str | None = key("Boundaries", "GeoJSON or shapefile with the level's boundaries", "regions.json", None)
    coded_field: Text = key("CodedField", "coded field with the place", "region_coded")
    generate_theme_distribution_maps: bool = key(
        "GenerateThemeDistributionMaps", "whether to draw a map for each theme as well", True, False
    )
    generate_episode_maps: bool = key(
        "GenerateEpisodeMaps",
        "whether to draw two maps for each episode: participants with a theme, and their share of each place's participants",
        True,
        False,
    )
    only_in: tuple[Text, ...] = key(
        "OnlyIn", "places, or places that they lie in, to draw alone; without it all", ["gedo", "bay"], ()
    )


class TrafficLabel(Model):
    """A named time range [start, end) to count messages in."""

    start_date: IsoTime = key("StartDate", "first moment", "2026-03-01T00:00:00+03:00")
    end_date: IsoTime = key("EndDate", "the moment after the last", "2026-03-08T00:00:00+03:00")
    label: Text = key("Label", "name of the range", "Week of the first show")


class SampleMessages(Model):
    """Number of messages that are sampled for each code."""

    limit_per_code: int = key("LimitPerCode", "messages a code", 100, 100, ge=1)


class MapFormat(enum.StrEnum):
    """Kind of file in which maps come beside the PNGs."""

    SVG = "svg"
    PDF = "pdf"


class AutomatedAnalysis(Model):
    """Parts of the automated analysis besides its standard tables."""

    maps: tuple[Map, ...] = key("Maps", "levels of places to draw", [], ())
    map_formats: tuple[MapFormat, ...] = key(
        "MapFormats", "files of each map, and of its boundaries alone, beside the PNG: 'svg', 'pdf'", ["svg"], ()
    )
    traffic_labels: tuple[TrafficLabel, ...] = key("TrafficLabels", "named time ranges to count messages in", [], ())
    sample_messages: SampleMessages | None = key("SampleMessages", "how many messages are sampled", {}, None)
    statistics: StatisticsSettings = key(
        "Statistics", "what the statistics for publication contain", {}, StatisticsSettings()
    )
    impact_message_codes: tuple[Text, ...] = key(
        "ImpactMessageCodes",
        "StringValues of the codes whose messages go to impact_messages.csv",
        ["gratitude"],
        ("gratitude", "about_conversation", "impact"),
    )
    generate_region_theme_distribution_maps: bool | None = key(
        "GenerateRegionThemeDistributionMaps", "older way to ask for maps of regions by theme", False, None
    )
    generate_district_theme_distribution_maps: bool | None = key(
        "GenerateDistrictThemeDistributionMaps", "older way to ask for maps of districts by theme", False, None
    )
    generate_mogadishu_theme_distribution_maps: bool | None = key(
        "GenerateMogadishuThemeDistributionMaps", "older way to ask for maps of Mogadishu by theme", False, None
    )
    generate_county_theme_distribution_maps: bool | None = key(
        "GenerateCountyThemeDistributionMaps", "older way to ask for maps of counties by theme", False, None
    )
    generate_constituency_theme_distribution_maps: bool | None = key(
        "GenerateConstituencyThemeDistributionMaps", "older way to ask for maps of constituencies by theme", False, None
    )


class DriveUpload(Model):
    """Places of the outputs in Google Drive."""

    drive_credentials_file_url: StorageUrl = key(
        "DriveCredentialsFileURL", "service account that may write to the Drive folder", "gs://keys/drive.json"
    )
    production_upload_path: Text = key("ProductionUploadPath", "path of production.csv", "project/production.csv")
    messages_upload_path: Text = key("MessagesUploadPath", "path of messages.csv", "project/messages.csv")
    individuals_upload_path: Text = key("IndividualsUploadPath", "path of individuals.csv", "project/individuals.csv")
    automated_analysis_dir: Text | None = key(
        "AutomatedAnalysisDir", "folder of the automated analysis", "project/analysis", None
    )
    analysis_graphs_dir: Text | None = key(
        "AnalysisGraphsDir", "older name of AutomatedAnalysisDir", "project/analysis", None
    )


class PipelineConfiguration(Model):
    """One project's pipeline."""

    pipeline_name: Text | None = key(
        "PipelineName", "name of the pipeline; without it that of the configuration's folder", "PROJECT_s01", None
    )
    raw_data_sources: tuple[SourceOfAnyType, ...] = key("RawDataSources", "where messages come from", [], min_length=1)
    phone_number_uuid_table: PhoneNumberUuidTable = key(
        "PhoneNumberUuidTable", "where phone numbers are exchanged for uuids", {}
    )
    participant_prefix: ParticipantPrefix = key(
        "ParticipantPrefix",
        "what the ids of new participants begin with; ids that there are already stay",
        "avf-participant-uuid-",
        PARTICIPANT_PREFIX,
    )
    test_participant_uuids: tuple[Text, ...] = key(
        "TestParticipantUUIDs",
        "ids of participants that the team tests with, whichever way their messages came",
        ["avf-phone-uuid-0c1f4b1e-53a4-4f6e-9a57-0d7c0a1f6f11"],
        (),
    )
    timestamp_remappings: tuple[TimestampRemapping, ...] = key(
        "TimestampRemappings", "time ranges whose messages belong to another episode", [], ()
    )
    rapid_pro_key_remappings: tuple[RapidProKeyRemapping, ...] = key(
        "RapidProKeyRemappings", "raw keys and the fields they become; of several for one field the later wins", []
    )
    project_start_date: IsoTime = key("ProjectStartDate", "first moment of the project", "2026-03-01T00:00:00+03:00")
    project_end_date: IsoTime = key("ProjectEndDate", "the moment after the last", "2026-06-01T00:00:00+03:00")
    time_zone_name: TimeZone = key(
        "TimeZone",
        "IANA time zone for weeks, charts, messages_index.csv and recovery CSVs",
        "Africa/Mogadishu",
        "Africa/Nairobi",
    )
    filter_test_messages: bool = key("FilterTestMessages", "whether messages of test contacts are left out", True)
    move_ws_messages: bool = key(
        "MoveWSMessages", "whether answers labelled 'wrong scheme' move to the dataset they belong to", True
    )
    coding_plans_file: Text = key("CodingPlansFile", "coding plans, relative to this file", "coding_plans.json")
    automated_analysis: AutomatedAnalysis | None = key(
        "AutomatedAnalysis", "what the automated analysis makes besides its standard tables", {}, None
    )
    drive_upload: DriveUpload | None = key("DriveUpload", "where the outputs go in Google Drive", {}, None)
    disclosure: Disclosure = key("Disclosure", "what is held back from Drive", {}, Disclosure())
    guard_formulas: bool = key(
        "GuardFormulas",
        "whether an apostrophe precedes texts in messages.csv and individuals.csv that a spreadsheet would run, as in all other CSVs",
        True,
        False,
    )
    spreadsheet_files: bool = key(
        "SpreadsheetFiles",
        "whether messages, individuals and production come as .xlsx as well, which open with a double click in any script",
        True,
        False,
    )
    messages_index: bool = key(
        "MessagesIndex",
        "whether messages_index.csv says for each row of messages.csv when and how it came, and its ids in Coda",
        False,
        True,
    )
    origin_columns: tuple[OriginColumn, ...] = key(
        "OriginColumns",
        "what messages.csv, individuals.csv and the analysis tell of each message: 'source' (its SourceType), 'channel' (what it was written by)",
        ["source", "channel"],
        (),
    )
    listening_groups: tuple[ListeningGroup, ...] = key(
        "ListeningGroups", "people who listened together: a column each in messages.csv and individuals.csv", [], ()
    )
    linked_participants: tuple[Text, ...] = key(
        "LinkedParticipants",
        "CSVs whose rows hold the ids of one person each, in columns uid, uid_2 …; the first id counts. Relative to this file",
        ["linked_participants.csv"],
        (),
    )
    contacts: tuple[ContactSelection, ...] = key("Contacts", "named selections of people to write to again", [], ())
    withdrawn_elsewhere: WithdrawnElsewhere | None = key("WithdrawnElsewhere", "who withdrew elsewhere", {}, None)
    write_back: WriteBack | None = key("WriteBack", "what is written back to RapidPro's contacts", {}, None)
    coda_users: tuple[EmailAddress, ...] = key(
        "CodaUsers", "who may label a dataset that the pipeline makes in Coda", ["coder@example.org"], ()
    )
    update_suggestions: bool = key(
        "UpdateSuggestions", "whether messages that Coda has, and nobody has touched, get suggestions too", True, False
    )
    double_coding: DoubleCoding | None = key("DoubleCoding", "messages that two coders label", {}, None)
    small_count_threshold: int = key("SmallCountThreshold", "counts below it are flagged as small", 10, 10, ge=0)
    noise_minimum_length: int | None = key(
        "NoiseMinimumLength", "answers shorter than this are noise; without it only blank ones are", 2, None, ge=1
    )
    memory_profile_upload_url_prefix: UrlPrefix | None = key(
        "MemoryProfileUploadURLPrefix", "address of memory profiles, but for the run id", "gs://logs/memory-", None
    )
    data_archive_upload_url_prefix: UrlPrefix | None = key(
        "DataArchiveUploadURLPrefix", "address of data archives, but for the run id", "gs://archives/data-", None
    )
    memory_profile_upload_bucket: BucketUrl | None = key(
        "MemoryProfileUploadBucket", "older way: bucket of memory profiles", "gs://logs", None
    )
    data_archive_upload_bucket: BucketUrl | None = key(
        "DataArchiveUploadBucket", "older way: bucket of data archives", "gs://archives", None
    )
    bucket_dir_path: BucketFolder | None = key(
        "BucketDirPath", "older way: folder in both buckets", "2026/PROJECT/", None
    )
    backup: Backup | None = key("Backup", "who can read the archives, and how long they are kept", {}, None)
    retention: Retention | None = key("Retention", "what the end of a run removes when it is old", {}, None)
    notify: Notify | None = key("Notify", "who is told at the end of every run", {}, None)
    status_page: StatusPage | None = key("StatusPage", "page that shows how projects are", {}, None)

    @property
    def time_zone(self) -> ZoneInfo:
        """The project's time zone."""
        return ZoneInfo(self.time_zone_name)

    @property
    def recovered_keys(self) -> tuple[RecoveredKeyNames, ...]:
        """Keys of recovered messages: the usual ones, and those of sources that have their own."""
        found = (keys for source in self.raw_data_sources if (keys := source.recovered_keys) is not None)
        return tuple(dict.fromkeys((DEFAULT_RECOVERED_KEYS, *found)))

    @property
    def activation_flows(self) -> tuple[str, ...]:
        """Names of all activation flows, in the order of the sources."""
        return tuple(name for source in self.raw_data_sources for name in source.activation_flow_names)

    @property
    def survey_flows(self) -> tuple[str, ...]:
        """Names of all survey flows, in the order of the sources."""
        return tuple(name for source in self.raw_data_sources for name in source.survey_flow_names)


def name_of_pipeline(configuration: PipelineConfiguration, path: Path) -> str:
    """The pipeline's name; without one in the file, that of the file's folder."""
    return configuration.pipeline_name or path.resolve().parent.name
