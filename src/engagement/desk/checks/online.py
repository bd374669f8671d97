"""Ask the services about a project: each one, whatever the others answered; nothing is written there."""

import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engagement.configuration import CodingPlans, PipelineConfiguration
from engagement.configuration.loading import ProjectFiles
from engagement.configuration.nearest import nearest
from engagement.configuration.pipeline_configuration import DriveUpload
from engagement.configuration.problems import Problem
from engagement.configuration.source_model import PlacedSource, placed_sources
from engagement.configuration.source_types import load_part
from engagement.configuration.write_back import WriteBack
from engagement.configuration.write_back_checks import written_fields, written_groups
from engagement.delivery.logs import find_upload_kinds
from engagement.desk.checks.findings import Findings
from engagement.desk.checks.online_coda import find_coda_problems, find_coda_warnings, read_coda_side
from engagement.services.coda.protocol import CodaDatabase, open_coda
from engagement.services.credentials import Credentials
from engagement.services.drive.protocol import OpenDrive, open_drive
from engagement.services.retries import RetryPolicy
from engagement.services.storage.protocol import Storage, open_storage, read_credentials
from engagement.services.uuid_tables.protocol import find_uuid_tables
from engagement.sources.online_check import OnlineCheck

log = logging.getLogger(__name__)

# Somebody is waiting for the answer.
POLICY = RetryPolicy(first_wait_seconds=0.5, longest_wait_seconds=4.0, budget_seconds=10.0, told_budget_seconds=60.0)
_UPLOAD_KEYS = {
    "memory profile": ("MemoryProfileUploadURLPrefix", "MemoryProfileUploadBucket"),
    "archive": ("DataArchiveUploadURLPrefix", "DataArchiveUploadBucket"),
}


@dataclass(frozen=True)
class Services:
    """Credentials for the services, from the command line. There may be two for Coda, or none."""

    credentials: Credentials
    coda_credentials: tuple[Credentials, ...] = ()
    policy: RetryPolicy = POLICY
    connect_drive: OpenDrive = open_drive


def ask_services(files: ProjectFiles, services: Services, findings: Findings) -> None:
    """Ask every service that the configuration names."""
    configuration, plans = files.configuration, files.plans
    if configuration is None:
        return
    with findings.noted(files.path, "$"):
        storage = open_storage(services.credentials, services.policy)
        check = OnlineCheck(storage, services.policy, configuration.rapid_pro_key_remappings, findings.of(files.path))
        for placed in placed_sources(configuration.raw_data_sources):
            failed = len(findings.failures)
            load_part(placed.source.source_type, "check").ask(placed, check)
            if len(findings.failures) == failed:
                _ask_write_back(placed, configuration, check)
        _ask_uuid_table(files, configuration, storage, services.policy, findings)
        _ask_uploads(files, configuration, storage, findings)
        if configuration.drive_upload is not None:
            _ask_drive(files, configuration.drive_upload, storage, services, findings)
    if plans is not None and files.plans_path is not None:
        for credentials in services.coda_credentials:
            with findings.noted(files.plans_path, "$"):
                _ask_coda(files.plans_path, configuration, plans, open_coda(credentials), findings)


def _ask_write_back(placed: PlacedSource[Any], configuration: PipelineConfiguration, check: OnlineCheck) -> None:
    if not placed.source.takes_writes:
        return
    # Selections are also handed over by hand, whether or not WriteBack names them.
    wanted = configuration.write_back or WriteBack()
    wanted = wanted.model_copy(update={"contacts": tuple(selection.name for selection in configuration.contacts)})
    groups, fields = (list(find(configuration, wanted)) for find in (written_groups, written_fields))
    if not groups and not fields and configuration.write_back is None:
        return
    with check.findings.noted(f"{placed.at}.TokenFileURL"):
        load_part(placed.source.source_type, "write_back").ask(placed, groups, fields, check)


def _ask_uuid_table(
    files: ProjectFiles, configuration: PipelineConfiguration, storage: Storage, policy: RetryPolicy, findings: Findings
) -> None:
    table = configuration.phone_number_uuid_table
    with findings.noted(files.path, "$.PhoneNumberUuidTable.FirebaseCredentialsFileURL"):
        tables = find_uuid_tables(read_credentials(storage, table.firebase_credentials_file_url), policy)
        if table.table_name not in tables:
            text = (
                f"there is no uuid table {table.table_name!r} yet; expected one, unless this project is the first to use it, "
                f"as participants get other uuids in a new table{nearest(table.table_name, tables)} Change it, or leave it "
                "to stage 2 to make the table."
            )
            findings.add_warnings(files.path, [Problem("$.PhoneNumberUuidTable.TableName", text)])


def _ask_uploads(
    files: ProjectFiles, configuration: PipelineConfiguration, storage: Storage, findings: Findings
) -> None:
    given = configuration.model_dump(by_alias=True, exclude_none=True)
    for kind in find_upload_kinds(configuration):
        # The log goes where the memory profile goes.
        key = next((key for key in _UPLOAD_KEYS.get(kind.what, ()) if key in given), None)
        if key is not None:
            with findings.noted(files.path, f"$.{key}"):
                storage.check_writable(kind.address("check"))


def _ask_drive(
    files: ProjectFiles, upload: DriveUpload, storage: Storage, services: Services, findings: Findings
) -> None:
    paths: dict[str, Any] = {
        "ProductionUploadPath": upload.production_upload_path,
        "MessagesUploadPath": upload.messages_upload_path,
        "IndividualsUploadPath": upload.individuals_upload_path,
    }
    for key, folder in (
        ("AutomatedAnalysisDir", upload.automated_analysis_dir),
        ("AnalysisGraphsDir", upload.analysis_graphs_dir),
    ):
        if folder is not None:
            paths[key] = f"{folder}/report.html"
    at = "$.DriveUpload"
    # Only stages remember Drive's ids, in the data root.
    with tempfile.TemporaryDirectory() as scratch, findings.noted(files.path, f"{at}.DriveCredentialsFileURL"):
        credentials = read_credentials(storage, upload.drive_credentials_file_url)
        drive = services.connect_drive(credentials, Path(scratch), services.policy)
        for key, path in paths.items():
            with findings.noted(files.path, f"{at}.{key}"):
                drive.check_writable(path)


def _ask_coda(
    path: Path, configuration: PipelineConfiguration, plans: CodingPlans, coda: CodaDatabase, findings: Findings
) -> None:
    side = read_coda_side(coda, plans)
    wanted = sum(plan.coda_dataset is not None for plan in plans.all)
    log.info("Coda %s: has %d of the project's %d datasets", side.instance, len(side.datasets), wanted)
    findings.add_errors(path, find_coda_problems(side, plans, configuration.coda_users))
    findings.add_warnings(path, find_coda_warnings(side, plans, configuration.coda_users))
