"""Convert a project of the Engagement Data Pipeline: the Python file with its PIPELINE_CONFIGURATION."""

from pathlib import Path
from typing import Any, Final

from engagement.desk.project_import.classic.configuration_keys import tell_prefix
from engagement.desk.project_import.classic.old_dates import EARLIEST, LATEST, choose_date
from engagement.desk.project_import.classic.repeated_values import settle_repeated_values
from engagement.desk.project_import.edp.analysis import convert_analysis
from engagement.desk.project_import.edp.arguments import ArgumentReader, describe, scheme_path, text_of_date
from engagement.desk.project_import.edp.coda import read_coda
from engagement.desk.project_import.edp.fields import PlannedDataset
from engagement.desk.project_import.edp.plans import EdpBench, convert_dataset, convert_operator
from engagement.desk.project_import.edp.schemes import SchemeFolder
from engagement.desk.project_import.edp.sources import convert_edp_sources
from engagement.desk.project_import.edp.write_back import tell_write_back
from engagement.desk.project_import.evaluation.evaluator import Evaluator
from engagement.desk.project_import.evaluation.python_values import Call, Unknown
from engagement.desk.project_import.migration import Migration, paste_ready
from engagement.desk.project_import.scheme_mending import mend_schemes
from engagement.desk.project_import.writing import ImportedProject
from engagement.foundation.errors import ConfigurationError

_NAME: Final = "PIPELINE_CONFIGURATION"
_OF_PIPELINE: Final = {
    "description": ("dropped", "a text for people; README.md of the project is a place for it."),
    "operations_dashboard": ("dropped", "the counts on the operations dashboard. `status` and StatusPage show how the project is."),
}  # fmt: skip


def import_edp_project(root: Path, file: Path, migration: Migration) -> ImportedProject:
    """Convert the project of one file of the old folder.

    Raises
    ------
    ConfigurationError
        The file has no PIPELINE_CONFIGURATION that can be read, or it makes no analysis.
    """
    evaluator = Evaluator(root, {})
    pipeline = _read_pipeline(file, evaluator)
    analysis = pipeline.take_call("analysis")
    if (value := pipeline.unread("analysis")) is not None:
        _refuse_unread([value], "analysis", file)
    if analysis is None:
        raise ConfigurationError(
            f"{file}: its PIPELINE_CONFIGURATION has no analysis; expected analysis=AnalysisConfiguration(…), which makes the "
            "outputs. There is nothing to import: choose another file."
        )
    datasets = analysis.take_calls("dataset_configurations")
    found = analysis.unread("dataset_configurations")
    unread = [
        *(found if isinstance(found, list) else []),
        *(reader.call for reader in datasets if not reader.call.name.endswith("DatasetConfiguration")),
    ]
    if unread:
        _refuse_unread(unread, "dataset_configurations", file)
    name = pipeline.take_text("pipeline_name")
    configuration: dict[str, Any] = {} if name is None else {"PipelineName": name}
    dates = {
        key: choose_date(
            text_of_date(pipeline.take(old)),
            f"{old} ({key})",
            default,
            migration,
            "there was none, which meant all messages.",
        )
        for key, old, default in (
            ("ProjectStartDate", "project_start_date", EARLIEST),
            ("ProjectEndDate", "project_end_date", LATEST),
        )
    }
    fields = {id(reader): _read_fields(reader, migration) for reader in datasets}
    planned: dict[str, PlannedDataset] = {}
    for names, field in fields.values():
        for name in names:
            planned.setdefault(name, field)
    sources = convert_edp_sources(pipeline, planned, dates["ProjectStartDate"], migration)
    folder = SchemeFolder(root, migration)
    coda_sync = pipeline.take_call("coda_sync")
    ws_scheme = folder.find(scheme_path(ws), "wrong-scheme answers") if (ws := _ws_value(coda_sync, analysis)) else None
    coda = read_coda(coda_sync, ws_scheme, migration)
    read_by = {name: field.raw_field for name, field in planned.items()}
    bench = EdpBench(evaluator, folder, coda, sources.fed, sources.asked, read_by, migration)
    plans: dict[str, Any] = {"CodeSchemesDir": "code_schemes"}
    if ws_scheme is not None:
        ws_scheme.needs.add("CE")
        plans["WSCorrectDatasetScheme"] = ws_scheme.name
    plans |= {"RQACodingPlans": [], "DemographicCodingPlans": [], "FollowUpCodingPlans": []}
    for reader in datasets:
        _add_plan(reader, *fields[id(reader)], plans, bench)
    for name in sorted(coda.keys() - planned.keys()):
        migration.dropped(
            f"coda_sync: {coda[name].coda_id}", f"no analysis dataset reads {name!r}, so its labels are not needed."
        )
    settle_repeated_values(plans, migration)
    configuration["RawDataSources"] = sources.sources
    _add_table(pipeline, configuration, migration)
    configuration |= {"TimestampRemappings": sources.time_ranges} if sources.time_ranges else {}
    configuration |= {"RapidProKeyRemappings": sources.remappings, **dates}
    _add_time_zone(list(sources.time_zones), configuration, migration)
    configuration |= {"FilterTestMessages": True, "MoveWSMessages": ws_scheme is not None}
    keys = [
        coding["AnalysisFileKey"]
        for plan in plans["DemographicCodingPlans"]
        for coding in plan["CodingConfigurations"]
        if coding["CodingMode"] == "SINGLE"
    ]
    configuration |= convert_analysis(analysis, bench.locations, keys, migration)
    _add_archive(pipeline, configuration, migration)
    raw_fields = {name: field.raw_field for name, field in planned.items()}
    tell_write_back(pipeline, raw_fields, plans["DemographicCodingPlans"], migration)
    _tell_the_rest(pipeline, migration)
    schemes, controls = mend_schemes(_used_schemes(folder, plans), migration)
    if controls:
        plans["ControlCodes"] = controls
    return ImportedProject(configuration, plans, schemes, bench.stubs.source())


def _read_pipeline(file: Path, evaluator: Evaluator) -> ArgumentReader:
    # The evaluator takes a relative path for one in the old folder.
    value = evaluator.load(file.resolve()).scope.names.get(_NAME)
    if isinstance(value, Call):
        return ArgumentReader(value)
    why = f": {value}" if isinstance(value, Unknown) else ""
    raise ConfigurationError(
        f"{file}: no PIPELINE_CONFIGURATION that can be read{why}; expected PipelineConfiguration(…) with an analysis. Choose the "
        "file that has it."
    )


def _refuse_unread(values: list[object], what: str, file: Path) -> None:
    places = [str(value) if isinstance(value, Unknown) else describe(value) for value in values]
    raise ConfigurationError(
        f"{file}: {what} can't be read ({'; '.join(places)}); expected plans that are written out. Write them out in a copy of the "
        "folder."
    )


def _read_fields(reader: ArgumentReader, migration: Migration) -> tuple[list[str], PlannedDataset]:
    """Read which datasets a plan reads, and its raw field."""
    given = reader.take("engagement_db_datasets")
    names = list(given) if isinstance(given, list | tuple) else [given] if given else []
    if reader.call.name.startswith("Operator"):
        return [], PlannedDataset(str(reader.call.get("raw_dataset", "operator_raw")), False)
    if not names or not all(isinstance(name, str) for name in names):
        raise ConfigurationError(
            f"{reader.place}: engagement_db_datasets can't be read ({describe(given)}); expected names of datasets. Write them out in "
            "a copy of the folder."
        )
    raw_field = reader.take_text("raw_dataset") or f"{names[0]}_raw"
    kind = describe(reader.take("dataset_type")).upper()
    if "RESEARCH_QUESTION" not in kind and "DEMOGRAPHIC" not in kind:
        migration.to_decide(
            f"dataset_type of {raw_field}",
            f"{kind} is no type that is known here, so that it became a demographic. If it answers an episode, move its plan to "
            "RQACodingPlans and its flows to ActivationFlowNames, with IsActivationMessage in the remapping of its text.",
        )
    return names, PlannedDataset(raw_field, "RESEARCH_QUESTION" in kind)


def _add_plan(
    reader: ArgumentReader, names: list[str], field: PlannedDataset, plans: dict[str, Any], bench: EdpBench
) -> None:
    if reader.call.name.startswith("Operator"):
        found = convert_operator(reader, bench)
        if found is not None:
            plan, plans["OperatorScheme"] = found
            plans["DemographicCodingPlans"].append(plan)
        return
    converted = convert_dataset(reader, names, field, bench)
    if converted is not None:
        plans["RQACodingPlans" if field.is_answer else "DemographicCodingPlans"].append(converted)
        if not field.is_answer:
            bench.migration.changed(
                "dataset_type DEMOGRAPHIC",
                "one column with the code, where there was one a code (age:25). Of one participant's answers or labels that differ "
                "the first stays here, and stage 3 warns; two ages were NIC there.",
            )


def _ws_value(coda_sync: ArgumentReader | None, analysis: ArgumentReader) -> object:
    sync = coda_sync.call.get("sync_config") if coda_sync is not None else None
    of_coda = sync.get("ws_correct_dataset_code_scheme") if isinstance(sync, Call) else None
    return analysis.take("ws_correct_dataset_code_scheme") or of_coda


def _add_table(pipeline: ArgumentReader, configuration: dict[str, Any], migration: Migration) -> None:
    table = pipeline.take_call("uuid_table")
    if table is None:
        migration.to_decide(
            "uuid_table", "there was none. Say where phone numbers are exchanged for uuids, in PhoneNumberUuidTable."
        )
        return
    configuration["PhoneNumberUuidTable"] = {
        "FirebaseCredentialsFileURL": table.take_text("credentials_file_url"),
        "TableName": table.take_text("table_name"),
    }
    migration.changed("uuid_table", "now PhoneNumberUuidTable. The table itself is used as it is.")
    prefix = table.take_text("uuid_prefix")
    if prefix is not None:
        tell_prefix("uuid_prefix", prefix, migration)
    table.tell_rest(migration, {})


def _add_time_zone(zones: list[str], configuration: dict[str, Any], migration: Migration) -> None:
    if zones:
        configuration["TimeZone"] = zones[0]
    if len(zones) > 1:
        migration.to_decide(
            "timezone", f"files had {', '.join(zones)}; the project has one TimeZone, {zones[0]!r} now."
        )


def _add_archive(pipeline: ArgumentReader, configuration: dict[str, Any], migration: Migration) -> None:
    archive = pipeline.take_call("archive_configuration")
    if archive is None:
        return
    configuration["DataArchiveUploadBucket"] = archive.take_text("archive_upload_bucket")
    if folder := archive.take_text("bucket_dir_path"):
        configuration["BucketDirPath"] = folder
    migration.changed("archive_configuration", "now DataArchiveUploadBucket and BucketDirPath.")
    archive.tell_rest(migration, {})


def _tell_the_rest(pipeline: ArgumentReader, migration: Migration) -> None:
    database = pipeline.take_call("engagement_database")
    if database is not None:
        migration.dropped(
            "engagement_database",
            f"{database.take('database_path')!r} kept the messages of all projects of the pool. Here each project has a data root of "
            "its own, which stage 2 fills from this project's flows. Messages of the pool's other projects stay in the database. So do their "
            "labels, and a STOP among them is unknown here. Datasets in Coda that projects share stay shared.",
        )
    participants = pipeline.take("test_participant_uuids")
    if participants:
        migration.to_decide(
            "test_participant_uuids",
            f"their messages are left out once you add:{paste_ready({'TestParticipantUUIDs': participants})}",
        )
    pipeline.tell_rest(migration, _OF_PIPELINE)


def _used_schemes(folder: SchemeFolder, plans: dict[str, Any]) -> list[Any]:
    used = {plans.get("WSCorrectDatasetScheme"), plans.get("OperatorScheme")} | {
        coding["CodeScheme"]
        for kind in ("RQACodingPlans", "DemographicCodingPlans")
        for plan in plans[kind]
        for coding in plan["CodingConfigurations"]
    }
    return [scheme for scheme in folder.all() if scheme.name in used]
