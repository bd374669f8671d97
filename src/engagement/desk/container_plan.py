"""Say what a stage's container needs: which paths besides those on its command line, which network, which variables.

The run scripts ask this before they start a stage in Docker. One line for each need: `mount ro PATH`, `mount rw PATH`,
`network none|bridge|host`, `environment NAME`. `look PATH` names a credentials file or folder that the configuration
refers to and that can't be seen from here: with that mounted as well, the answer is complete.
"""

import argparse
import contextlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from engagement.configuration import PipelineConfiguration, load_pipeline_configuration
from engagement.configuration.source_types import load_part
from engagement.delivery.logs import find_upload_kinds
from engagement.foundation.errors import ConfigurationError, PipelineError, UsageError
from engagement.foundation.files import read_json
from engagement.services.container_needs import ContainerNeeds
from engagement.services.credentials import Credentials, load_credentials
from engagement.services.storage.local_files import local_file


def _add_coda(needs: ContainerNeeds, credentials: Credentials, configuration: PipelineConfiguration | None) -> None:
    needs.add_credentials(credentials)


def _add_sources(needs: ContainerNeeds, credentials: Credentials, configuration: PipelineConfiguration | None) -> None:
    if configuration is None:
        raise UsageError("fetch-raw-data: no --pipeline-configuration; expected it, to know the sources. Give it.")
    needs.add_service(configuration.phone_number_uuid_table.firebase_credentials_file_url, credentials)
    for source in configuration.raw_data_sources:
        load_part(source.source_type, "needs").add_needs(source, needs, credentials)


def _add_drive(needs: ContainerNeeds, credentials: Credentials, configuration: PipelineConfiguration | None) -> None:
    if configuration is not None and configuration.drive_upload is not None:
        needs.add_service(configuration.drive_upload.drive_credentials_file_url, credentials)


def _add_uploads(needs: ContainerNeeds, credentials: Credentials, configuration: PipelineConfiguration | None) -> None:
    for kind in find_upload_kinds(configuration) if configuration is not None else ():
        folder = local_file(kind.address_start + "x")
        if folder is not None:
            needs.writable.add(folder.parent)
        else:
            needs.add_credentials(credentials)


_NEEDS_OF_STAGES: Mapping[str, Callable[[ContainerNeeds, Credentials, PipelineConfiguration | None], None]] = {
    "coda-get": _add_coda,
    "fetch-raw-data": _add_sources,
    "generate-outputs": _add_drive,
    "coda-add": _add_coda,
    "automated-analysis": _add_drive,
    "generate-analysis-graphs": _add_drive,
    "upload-logs": _add_uploads,
}
# These use no service: they need no credentials, and nothing but what their scripts mount.
_STAGES_WITHOUT_SERVICES = ("backup-data-root", "status")
_PLAN_OF_A_RUN = "plan-run"
_CHECK = "check"
_STAGES = sorted((*_NEEDS_OF_STAGES, *_STAGES_WITHOUT_SERVICES, _PLAN_OF_A_RUN, _CHECK))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument("planned_stage", metavar="stage", choices=_STAGES, help="the stage to run")
    parser.add_argument("stage_options", metavar="option", nargs=argparse.REMAINDER, help="the stage's own options")


def run(arguments: argparse.Namespace) -> None:
    """Print what the stage needs."""
    for line in plan_container(arguments.planned_stage, arguments.stage_options):
        sys.stdout.write(line + "\n")


def plan_container(stage: str, options: list[str]) -> list[str]:
    """Find out what a stage needs that is started with these options; gives the lines that are printed."""
    if stage in _STAGES_WITHOUT_SERVICES:
        return list(ContainerNeeds().lines())
    if stage == _CHECK:
        return list(_plan_check(options).lines())
    parser = argparse.ArgumentParser(prog=stage, allow_abbrev=False, add_help=False)
    parser.add_argument("--credentials", type=Path, required=True)
    parser.add_argument("--pipeline-configuration", type=Path)
    parser.add_argument("--scheduler")
    given, _ = parser.parse_known_args(options)
    # A cluster is of this machine's own network, whatever its address.
    needs = ContainerNeeds(uses_this_host=given.scheduler is not None)
    configuration = None
    if given.pipeline_configuration is not None:
        configuration = load_pipeline_configuration(given.pipeline_configuration)
        _add_coding_plans(needs, given.pipeline_configuration, configuration)
        if stage == "automated-analysis":
            _add_boundaries(needs, given.pipeline_configuration, configuration)
    credentials = load_credentials(given.credentials)
    if stage == _PLAN_OF_A_RUN:
        _add_sources(needs, credentials, configuration)
        _add_uploads(needs, credentials, configuration)
        # It looks, and Coda is not even looked at.
        needs.read_only |= needs.writable
        needs.writable.clear()
    else:
        _NEEDS_OF_STAGES[stage](needs, credentials, configuration)
    return list(needs.lines())


def _plan_check(options: list[str]) -> ContainerNeeds:
    """What a check needs: without --online the project's files, with it what all the stages need."""
    # It knows all that a stage knows, which takes its time to import.
    from engagement.desk import check

    parser = argparse.ArgumentParser(prog=_CHECK, allow_abbrev=False, add_help=False)
    check.add_arguments(parser)
    given = parser.parse_args(options)
    needs = ContainerNeeds()
    # Whatever is wrong with the files is the check's own to tell.
    with contextlib.suppress(PipelineError):
        configuration = load_pipeline_configuration(given.pipeline_configuration)
        _add_coding_plans(needs, given.pipeline_configuration, configuration)
        _add_boundaries(needs, given.pipeline_configuration, configuration)
        if given.online and given.credentials is not None:
            credentials = load_credentials(given.credentials)
            for add in (_add_sources, _add_drive, _add_uploads):
                add(needs, credentials, configuration)
            for path in (given.coda_pull_credentials, given.coda_push_credentials):
                if path is not None:
                    _add_coda(needs, load_credentials(path), configuration)
    return needs


def _add_coding_plans(needs: ContainerNeeds, path: Path, configuration: PipelineConfiguration) -> None:
    # The configuration's own folder is mounted: only what lies outside of it is to be named.
    folder = path.resolve().parent
    plans = (folder / configuration.coding_plans_file).resolve()
    if not plans.is_relative_to(folder):
        needs.read_only.add(plans.parent)
        if not plans.exists():
            needs.out_of_sight.add(plans.parent)
    if plans.exists():
        schemes = (plans.parent / _code_schemes_dir(plans)).resolve()
        if not schemes.is_relative_to(folder) and not schemes.is_relative_to(plans.parent):
            needs.read_only.add(schemes)


def _add_boundaries(needs: ContainerNeeds, path: Path, configuration: PipelineConfiguration) -> None:
    folder = path.resolve().parent
    for wanted in configuration.automated_analysis.maps if configuration.automated_analysis else ():
        boundaries = (folder / (wanted.boundaries or "")).resolve()
        if not boundaries.is_relative_to(folder):
            # The whole folder: a shapefile is several files.
            needs.read_only.add(boundaries.parent)


def _code_schemes_dir(plans: Path) -> str:
    document = read_json(plans, ConfigurationError)
    name = document.get("CodeSchemesDir") if isinstance(document, dict) else None
    # Whatever else is wrong with the file, the stage reports.
    return name if isinstance(name, str) else ""
