"""Needs of stages' containers besides the paths on their command lines, named by the table of stages."""

from dataclasses import dataclass
from pathlib import Path

from engagement.configuration import PipelineConfiguration
from engagement.configuration.source_types import load_part
from engagement.delivery.logs import find_upload_kinds
from engagement.foundation.errors import UsageError
from engagement.processing.reuse.note_files import notes_folder
from engagement.services.container_needs import ContainerNeeds
from engagement.services.credentials import Credentials
from engagement.services.storage.local_files import local_file


@dataclass(frozen=True)
class StageStart:
    """Options of a stage that its container's needs depend on."""

    credentials: Credentials
    configuration: PipelineConfiguration | None
    configuration_path: Path | None
    uuid_table_credentials: Credentials | None = None


def add_coda(needs: ContainerNeeds, start: StageStart) -> None:
    """Add Coda, which the credentials are for."""
    needs.add_credentials(start.credentials)


def add_retention(needs: ContainerNeeds, start: StageStart) -> None:
    """Add Coda, and where rows of the uuid table go the table."""
    add_coda(needs, start)
    configuration, credentials = start.configuration, start.uuid_table_credentials
    if configuration is not None and credentials is not None:
        needs.add_service(configuration.phone_number_uuid_table.firebase_credentials_file_url, credentials)


def add_who_stays(needs: ContainerNeeds, path: Path, configuration: PipelineConfiguration) -> None:
    """Add what says who stays in the uuid table, where its rows go."""
    if configuration.retention is not None and configuration.retention.uuid_table is not None:
        add_participant_lists(needs, path, configuration)
        add_other_projects(needs, path, configuration)


def add_sources(needs: ContainerNeeds, start: StageStart) -> None:
    """Add the uuid table, and every source."""
    if start.configuration is None:
        raise UsageError("fetch-raw-data: no --pipeline-configuration; expected it, to know the sources. Give it.")
    needs.add_service(start.configuration.phone_number_uuid_table.firebase_credentials_file_url, start.credentials)
    for source in start.configuration.raw_data_sources:
        load_part(source.source_type, "needs").add_needs(source, needs, start.credentials)


def add_write_back(needs: ContainerNeeds, start: StageStart) -> None:
    """Add the sources that are written to, where something is."""
    configuration = start.configuration
    for source in configuration.raw_data_sources if configuration and configuration.write_back else ():
        if source.takes_writes:
            load_part(source.source_type, "needs").add_needs(source, needs, start.credentials)
    if configuration is not None and configuration.write_back is not None and start.configuration_path is not None:
        add_participant_lists(needs, start.configuration_path, configuration)
        add_other_projects(needs, start.configuration_path, configuration)
        if configuration.write_back.create:
            needs.add_service(configuration.phone_number_uuid_table.firebase_credentials_file_url, start.credentials)


def add_drive(needs: ContainerNeeds, start: StageStart) -> None:
    """Add Google Drive, where something is uploaded to it."""
    configuration = start.configuration
    if configuration is not None and configuration.drive_upload is not None:
        needs.add_service(configuration.drive_upload.drive_credentials_file_url, start.credentials)


def add_outputs(needs: ContainerNeeds, start: StageStart) -> None:
    """Add Google Drive, and the attendance of listening groups."""
    if start.configuration is not None and start.configuration_path is not None:
        add_participant_lists(needs, start.configuration_path, start.configuration)
    add_drive(needs, start)


def add_participant_lists(needs: ContainerNeeds, path: Path, configuration: PipelineConfiguration) -> None:
    """Add the lists of participants that lie outside the configuration's folder, which is mounted anyway."""
    folder = path.resolve().parent
    groups = (name for group in configuration.listening_groups for name in group.files)
    exclusions = (name for selection in configuration.contacts for name in selection.exclusion_files)
    elsewhere = configuration.withdrawn_elsewhere
    for name in (
        *groups,
        *configuration.linked_participants,
        *exclusions,
        *(elsewhere.files if elsewhere is not None else ()),
    ):
        file = (folder / name).resolve()
        if not file.is_relative_to(folder):
            needs.read_only.add(file)


def add_other_projects(needs: ContainerNeeds, path: Path, configuration: PipelineConfiguration) -> None:
    """Add the notes of other projects' stage 3, hashes that say who withdrew there."""
    elsewhere = configuration.withdrawn_elsewhere
    for name in elsewhere.data_roots if elsewhere is not None else ():
        needs.read_only.add(notes_folder((path.resolve().parent / name).resolve()))


def add_analysis(needs: ContainerNeeds, start: StageStart) -> None:
    """Add Google Drive, the boundaries of maps, and what the statistics read."""
    if start.configuration is not None and start.configuration_path is not None:
        add_analysis_files(needs, start.configuration_path, start.configuration)
    add_drive(needs, start)


def add_uploads(needs: ContainerNeeds, start: StageStart) -> None:
    """Add the places that archives and profiles go to."""
    for kind in find_upload_kinds(start.configuration) if start.configuration is not None else ():
        folder = local_file(kind.address_start + "x")
        if folder is not None:
            needs.writable.add(folder.parent)
        else:
            needs.add_credentials(start.credentials)


def add_analysis_files(needs: ContainerNeeds, path: Path, configuration: PipelineConfiguration) -> None:
    """Add what the analysis reads outside the configuration's folder, which is mounted anyway."""
    folder = path.resolve().parent
    for wanted in configuration.automated_analysis.maps if configuration.automated_analysis else ():
        boundaries = (folder / (wanted.boundaries or "")).resolve()
        if not boundaries.is_relative_to(folder):
            # The whole folder: a shapefile is several files.
            needs.read_only.add(boundaries.parent)
    statistics = configuration.automated_analysis.statistics if configuration.automated_analysis else None
    for name in (statistics.broadcast_calendar_file, statistics.population_margins_file) if statistics else ():
        file = (folder / (name or "")).resolve()
        if not file.is_relative_to(folder):
            needs.read_only.add(file)
