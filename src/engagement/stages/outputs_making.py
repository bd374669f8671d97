"""Make the outputs of a run of stage 3: load, process, save.

Apart from the stage's own module, as this takes longer to load than to see that nothing changed.
"""

import argparse
import functools
import itertools
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from engagement.configuration import Project
from engagement.configuration.kept_project import find_kept_stop_ids, keep_project
from engagement.configuration.plan_warnings import find_key_warnings
from engagement.configuration.unwritten_plans import find_unwritten_plans
from engagement.custody.run_manifests.manifest import FileDigests
from engagement.custody.run_manifests.recording import MadeRun, digest_labels, record_run
from engagement.foundation.certificates import use_certificates
from engagement.foundation.errors import UsageError
from engagement.foundation.heard_warnings import HeardWarnings, hear_warnings
from engagement.foundation.partitions import run_tasks
from engagement.foundation.run_report import record_counts
from engagement.labelling.datasets.coded_labels import load_coded_datasets
from engagement.labelling.suggestions.wanted import are_suggestions_wanted, find_suggester
from engagement.pipeline import steps
from engagement.pipeline.coding.automatic import make_coders, warn_of_missing_codes
from engagement.pipeline.coding.lost_labels import find_stop_ids
from engagement.pipeline.coding.project_functions import ProjectFunctions, load_project_functions
from engagement.pipeline.messages.missing_keys import find_missing_keys
from engagement.pipeline.outputs.analysis_files import SourceRun
from engagement.pipeline.outputs.analysis_parts import AnalysisFolder, write_analysis_folder
from engagement.pipeline.outputs.folder import OutputsFolder, encode_withdrawn, write_outputs
from engagement.pipeline.outputs.message_counts import write_message_counts
from engagement.pipeline.outputs.participant_files import MergedParticipants, ParticipantFile
from engagement.pipeline.outputs.places import current_outputs
from engagement.processing.lost_withdrawals import refuse_lost_withdrawals
from engagement.processing.merged_tables import TablesToMerge, merge_on_cluster
from engagement.processing.processor import Processor
from engagement.processing.records.listening_groups import load_listening_groups
from engagement.processing.records.participant_links import load_links
from engagement.processing.records.raw_runs import Flows, find_flows
from engagement.processing.reuse.incremental import Changes, find_changed, keep_unchanged, remember
from engagement.processing.reuse.left_files import SAID_ONCE, describe_run
from engagement.processing.summary import Summary, log_summary, make_funnel
from engagement.processing.unlinked_withdrawals import refuse_unlinked_withdrawals
from engagement.processing.workload import Workers, find_workers, process_partitions

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Inputs:
    """Inputs of a run, loaded and checked."""

    processor: Processor
    functions: ProjectFunctions
    flows: Flows
    workers: Workers
    timestamp: str
    mode: str
    root: Path


def make_outputs(
    project: Project,
    root: Path,
    args: argparse.Namespace,
    options: Mapping[str, str],
    timestamp: str | None,
    digests: FileDigests,
    reads_all: bool,
) -> None:
    """Load, process, save; every raw file is read if `reads_all`.

    `options` and `digests` are for the run's manifest.
    """
    digest_labels(root, project, digests)
    with hear_warnings(SAID_ONCE) as warnings:
        inputs = load_inputs(project, root, args, timestamp)
        changes, summary = generate(inputs, args, reads_all, warnings)
    last = digests.last
    since = 0 if args.full or reads_all or last is None else (last.runs_since_full_read or 0) + 1
    made = MadeRun(inputs.timestamp, args.user, changes.kept is None, options, since)
    finish(inputs, changes, made, summary, digests)


def generate(
    inputs: Inputs, args: argparse.Namespace, reads_all: bool, warnings: HeardWarnings
) -> tuple[Changes, Summary]:
    """Process what changed, and replace the outputs; every raw file is read if `reads_all`."""
    processor, workers, root, project = inputs.processor, inputs.workers, inputs.root, inputs.processor.project
    with (
        find_changed(processor, inputs.flows, root, workers.run_tasks, args.mode, args.full, reads_all) as changes,
        write_outputs(root, project.coding_plans, processor.is_coded, changes.earlier_outputs) as outputs,
        write_analysis_folder(root) as analysis,
    ):
        partitions = args.partitions or workers.choose_partitions(changes.places.size)
        files = [*outputs.traced_data_files(), *changes.files_of_notes(outputs.scratch)]
        summary = process_partitions(processor, changes.places, partitions, workers, outputs.scratch, files)
        participants = keep_unchanged(changes, summary, processor.datasets, outputs.scratch, partitions)
        check_counts(project, changes, summary, outputs.path, current_outputs(root), args.accept_shrinkage)
        log_summary(summary, processor.is_coded)
        write_all(
            inputs, outputs, analysis, changes.row_notes, summary, partitions, changes.places.size, files, participants
        )
        run = describe_run(inputs.timestamp, warnings.list_all(), count(summary))
        remember(changes, outputs.path, analysis.path, summary, run, root)
    return changes, summary


def count(summary: Summary) -> dict[str, int]:
    """Count what a run reports."""
    return {"runs": summary.runs, "messages": summary.kept, "participants": summary.individuals}


def load_inputs(project: Project, root: Path, args: argparse.Namespace, time: str | None = None) -> Inputs:
    """Load the project's own code, the raw data and the labels, and warn of oddities."""
    is_coded = args.mode == "all-stages"
    functions = load_project_functions(project, args.allow_project_code)
    flows = find_flows(project, root)
    datasets, lost = load_coded_datasets(project, root)
    warn_of_plans(project)
    are_suggestions_wanted(project.coding_plans.all)
    if is_coded and lost:
        schemes = (c.code_scheme for plan in project.coding_plans.all for c in plan.coding_configurations)
        stop_ids = find_stop_ids(schemes) | find_kept_stop_ids(root)
        refuse_lost_withdrawals(root, lost, stop_ids, args.accept_lost_withdrawals)
    timestamp = time or datetime.now(UTC).isoformat(timespec="microseconds")
    links = load_links(project.configuration, project.path.parent)
    if is_coded:
        refuse_unlinked_withdrawals(root, links, args.accept_lost_withdrawals)
    groups = load_listening_groups(project, links)
    processor = Processor(project, datasets, args.user, timestamp, functions.imputations, is_coded, groups, links)
    _use_certificates([args.tls_ca, args.tls_cert, args.tls_key])
    workers = find_workers(flows, args.jobs, args.scheduler, functions.modules)
    return Inputs(processor, functions, flows, workers, timestamp, args.mode, root)


def _use_certificates(files: list[Path | None]) -> None:
    given = [file for file in files if file is not None]
    if len(given) == len(files):
        use_certificates(*given)
    elif given:
        raise UsageError(
            "--tls-ca, --tls-cert and --tls-key: only some were given; expected all three or none. Give all."
        )


def warn_of_plans(project: Project) -> None:
    """Warn of settings without effect in the coding plans."""
    warn_of_missing_codes(project.coding_plans.all)
    warnings = (
        find_unwritten_plans(project.configuration, project.coding_plans),
        find_key_warnings(project.coding_plans),
    )
    for problem in itertools.chain(*warnings):
        log.warning("%s, %s", project.configuration.coding_plans_file, problem)


def check_counts(
    project: Project, changes: Changes, summary: Summary, building: Path, current: Path, is_shrinkage_accepted: bool
) -> None:
    """Warn of keys that no run has, and write the message counts unless far fewer messages are left."""
    for problem in find_missing_keys(project.configuration, summary.keys, changes.runs_of_flows):
        log.warning("%s, %s", project.path, problem)
    write_message_counts(building, current, project, summary.sent, is_shrinkage_accepted)


def write_all(
    inputs: Inputs,
    outputs: OutputsFolder,
    analysis: AnalysisFolder,
    row_notes: Path,
    summary: Summary,
    partitions: int,
    size: int,
    files: Sequence[ParticipantFile],
    participants: MergedParticipants | None,
) -> None:
    """Merge the partitions' results into the outputs, on all processes; `files` have their parts already.

    A cluster merges the tables of a full run; `size` is that of the processed lines.
    """
    processor, plans = inputs.processor, inputs.processor.project.coding_plans.all
    outputs.write_icr_files(summary.samples)
    withdrawn = (summary.withdrawn_messages, summary.withdrawn_participants)
    record = encode_withdrawn(processor.metadata(steps.CONSENT))
    # First the slowest work when most rows are copied.
    tasks: list[Callable[[], object]] = [
        functools.partial(file.finish, participants, record, times)
        for file, times in zip(files, (*withdrawn, 0, 0) if processor.is_coded else (0, 0), strict=True)
    ]
    tables = TablesToMerge(
        outputs,
        analysis,
        row_notes,
        plans,
        processor.is_coded,
        processor.project.configuration.messages_index,
        partitions,
        withdrawn,
        processor.groups,
        processor.origin_names,
        participants,
    )
    if participants is None and inputs.workers.are_worth_it(size):
        merge_on_cluster(tables, inputs.workers)
    else:
        tasks += tables.tasks()
    coders = make_coders(plans, inputs.functions.cleaners)
    suggest = find_suggester(plans, inputs.root, outputs.path, summary.texts, processor.is_coded)
    tasks += outputs.coda_file_tasks(summary.texts, coders, processor.datasets, suggest)
    for _ in run_tasks(tasks, inputs.workers.jobs):
        pass
    if processor.project.configuration.spreadsheet_files:
        # Imported here, as few projects ask for them.
        from engagement.pipeline.outputs.workbooks import workbook_tasks

        books = workbook_tasks(outputs.path, processor.project.configuration.guard_formulas)
        for _ in run_tasks(books, inputs.workers.jobs):
            pass
    analysis.write_season(SourceRun(inputs.timestamp, inputs.mode), make_funnel(summary))


def finish(inputs: Inputs, changes: Changes, made: MadeRun, summary: Summary, digests: FileDigests) -> None:
    """Keep what the run was made with, and report the written files."""
    project, root = inputs.processor.project, inputs.root
    digests.take_verified({f"Raw Data/{name}": version.sha256 for name, version in changes.notes.verified.items()})
    own_modules = [module.__file__ for module in inputs.functions.modules]
    record_run(root, project, keep_project(project, root), made, digests, own_modules)
    log.info("Wrote Outputs/: %d message(s), %d participant(s)", summary.kept, summary.individuals)
    record_counts(count(summary))
