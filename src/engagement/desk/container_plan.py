"""List a container's needs for a stage: paths besides those on its command line, network, variables.

The run scripts ask this before they start a stage in Docker. One line for each need: `mount ro PATH`, `mount rw PATH`,
`network none|bridge|host`, `environment NAME`. `look PATH` names a credentials file or folder that the configuration
refers to and that is not visible here: mount it too and ask again for a complete answer.
"""

import argparse
import contextlib
import sys
from dataclasses import replace
from pathlib import Path

from engagement.configuration import PipelineConfiguration, load_pipeline_configuration
from engagement.desk.desk_needs import asks_uuid_table, hands_over, plan_desk
from engagement.foundation.errors import ConfigurationError, PipelineError
from engagement.foundation.files import read_json
from engagement.services.container_needs import ContainerNeeds
from engagement.services.credentials import load_credentials
from engagement.stages.needs import (
    StageStart,
    add_analysis_files,
    add_coda,
    add_drive,
    add_other_projects,
    add_participant_lists,
    add_sources,
    add_uploads,
    add_who_stays,
)
from engagement.stages.table import STAGES, load_function

_PLAN_OF_A_RUN = "plan-run"
_CHECK = "check"
# A command that uses no service needs no credentials, and only what its script mounts.
_STATUS = "status"
# It needs nothing, but for its restore drill.
_BACKUP = "backup-data-root"
# It needs Coda and the uuid table only where something is removed there, and gets credentials then.
_RETENTION = "apply-retention"
# A command of the desk whose script knows nothing of its arguments.
_DESK = "desk"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument(
        "planned_stage",
        metavar="stage",
        choices=sorted((*STAGES, _STATUS, _PLAN_OF_A_RUN, _CHECK, _DESK)),
        help="the stage to run",
    )
    parser.add_argument("stage_options", metavar="option", nargs=argparse.REMAINDER, help="the stage's own options")


def run(arguments: argparse.Namespace) -> None:
    """Print what the stage needs."""
    for line in plan_container(arguments.planned_stage, arguments.stage_options):
        sys.stdout.write(line + "\n")


def plan_container(stage: str, options: list[str]) -> list[str]:
    """Find the needs of a stage that is started with these options; gives the lines to print."""
    if stage == _BACKUP and "--drill" in options:
        return list(_plan_drill(options).lines())
    is_offline = stage in STAGES and STAGES[stage].needs is None
    if stage == _STATUS or is_offline:
        return list(ContainerNeeds().lines())
    if stage == _RETENTION:
        return list(_plan_retention(options).lines())
    if stage == _CHECK:
        return list(_plan_check(options).lines())
    if stage == _DESK:
        return list(plan_desk(options, _add_project).lines())
    parser = argparse.ArgumentParser(prog=stage, allow_abbrev=False, add_help=False)
    parser.add_argument("--credentials", type=Path, required=True)
    parser.add_argument("--pipeline-configuration", type=Path)
    parser.add_argument("--scheduler")
    given, _ = parser.parse_known_args(options)
    # A cluster is reached over this machine's own network, whatever its address.
    needs = ContainerNeeds(uses_this_host=given.scheduler is not None)
    configuration = None
    if given.pipeline_configuration is not None:
        configuration = load_pipeline_configuration(given.pipeline_configuration)
        _add_coding_plans(needs, given.pipeline_configuration, configuration)
    start = StageStart(load_credentials(given.credentials), configuration, given.pipeline_configuration)
    if stage == _PLAN_OF_A_RUN:
        add_sources(needs, start)
        add_uploads(needs, start)
        if configuration is not None and given.pipeline_configuration is not None:
            add_who_stays(needs, given.pipeline_configuration, configuration)
        # It only looks, and not at Coda.
        needs.read_only |= needs.writable
        needs.writable.clear()
    else:
        load_function(STAGES[stage].needs or "")(needs, start)
    return list(needs.lines())


def _plan_check(options: list[str]) -> ContainerNeeds:
    """Find the needs of a check: the project's files, and with --online the needs of all stages."""
    # Imported late: the check imports as much as all the stages, which is slow.
    from engagement.desk import check

    parser = argparse.ArgumentParser(prog=_CHECK, allow_abbrev=False, add_help=False)
    check.add_arguments(parser)
    given = parser.parse_args(options)
    needs = ContainerNeeds()
    _add_project(needs, given, given.pipeline_configuration)
    return needs


def _plan_retention(options: list[str]) -> ContainerNeeds:
    """Find the needs of retention: services whose credentials are given, lists of who stays."""
    parser = argparse.ArgumentParser(prog=_RETENTION, allow_abbrev=False, add_help=False)
    for name in ("--credentials", "--uuid-table-credentials", "--pipeline-configuration"):
        parser.add_argument(name, type=Path)
    given, _ = parser.parse_known_args(options)
    needs = ContainerNeeds()
    configuration = None
    if given.pipeline_configuration is not None:
        # The stage itself reports what is wrong with it.
        with contextlib.suppress(PipelineError):
            configuration = load_pipeline_configuration(given.pipeline_configuration)
            _add_coding_plans(needs, given.pipeline_configuration, configuration)
            add_who_stays(needs, given.pipeline_configuration, configuration)
    if given.credentials is not None:
        of_table = given.uuid_table_credentials
        start = StageStart(
            load_credentials(given.credentials),
            configuration,
            given.pipeline_configuration,
            None if of_table is None else load_credentials(of_table),
        )
        load_function(STAGES[_RETENTION].needs or "")(needs, start)
    return needs


def _plan_drill(options: list[str]) -> ContainerNeeds:
    """Find the needs of a restore drill: files that the configuration names elsewhere."""
    from engagement.stages import backup_data_root

    parser = argparse.ArgumentParser(prog=_BACKUP, allow_abbrev=False, add_help=False)
    backup_data_root.add_arguments(parser)
    given = parser.parse_args(options)
    needs = ContainerNeeds()
    if given.pipeline_configuration is not None:
        _add_project(needs, given, given.pipeline_configuration)
    return needs


def _add_project(needs: ContainerNeeds, given: argparse.Namespace, path: Path) -> None:
    """Add a project's files outside its folder, and with --online the services of all its stages."""
    # The command itself reports what is wrong with the files.
    with contextlib.suppress(PipelineError):
        configuration = load_pipeline_configuration(path)
        _add_coding_plans(needs, path, configuration)
        add_analysis_files(needs, path, configuration)
        add_participant_lists(needs, path, configuration)
        add_other_projects(needs, path, configuration)
        if hands_over(given):
            add_sources(needs, StageStart(load_credentials(given.credentials), configuration, path))
        if asks_uuid_table(given):
            settings = configuration.phone_number_uuid_table
            needs.add_service(settings.firebase_credentials_file_url, load_credentials(given.credentials))
        if hasattr(given, "coda_credentials"):
            own = load_credentials(given.coda_credentials or given.credentials)
            add_coda(needs, StageStart(own, configuration, path))
        if getattr(given, "online", False) and given.credentials is not None:
            start = StageStart(load_credentials(given.credentials), configuration, path)
            for add in (add_sources, add_drive, add_uploads):
                add(needs, start)
            for credentials in (given.coda_pull_credentials, given.coda_push_credentials):
                if credentials is not None:
                    add_coda(needs, replace(start, credentials=load_credentials(credentials)))


def _add_coding_plans(needs: ContainerNeeds, path: Path, configuration: PipelineConfiguration) -> None:
    # The configuration's own folder is mounted anyway: name only what lies outside it.
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


def _code_schemes_dir(plans: Path) -> str:
    document = read_json(plans, ConfigurationError)
    name = document.get("CodeSchemesDir") if isinstance(document, dict) else None
    # The stage reports whatever else is wrong with the file.
    return name if isinstance(name, str) else ""
