"""Generate the outputs: join, clean up, code and fold the raw data, and write CSVs, Coda files, ICR samples and traced data."""

import argparse
import functools
import itertools
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engagement.configuration import Project, load_project
from engagement.configuration.kept_project import find_kept_stop_ids, keep_project
from engagement.configuration.plan_warnings import find_key_warnings
from engagement.configuration.unwritten_plans import find_unwritten_plans
from engagement.foundation.clusters import count_workers, run_on_cluster
from engagement.foundation.errors import InputError, listing
from engagement.foundation.files import read_json
from engagement.foundation.partitions import count_processors, parse_count, run_partitions
from engagement.foundation.progress import show_progress
from engagement.foundation.run_report import record_counts
from engagement.labelling.datasets.unread_files import describe_unread_files
from engagement.pipeline.coding.automatic import AutomaticCoder, warn_of_missing_codes
from engagement.pipeline.coding.coded_datasets import CODA_FILE_REMEDY, CodedDataset, check_coda_messages
from engagement.pipeline.coding.lost_labels import LostLabels, find_stop_ids
from engagement.pipeline.coding.project_functions import ProjectFunctions, load_project_functions
from engagement.pipeline.messages.filters import Dropped
from engagement.pipeline.messages.missing_keys import find_missing_keys
from engagement.pipeline.messages.unknown_testers import find_unknown_testers
from engagement.pipeline.outputs.analysis_files import Funnel, SourceRun
from engagement.pipeline.outputs.analysis_parts import write_analysis_folder
from engagement.pipeline.outputs.folder import current_outputs, encode_withdrawn, write_outputs
from engagement.pipeline.outputs.message_counts import write_message_counts
from engagement.pipeline.outputs.participant_files import MixedParticipants
from engagement.pipeline.outputs.parts import part_path
from engagement.processing.lost_withdrawals import refuse_lost_withdrawals
from engagement.processing.participant import Steps
from engagement.processing.participant_notes import read_participants
from engagement.processing.partition import (
    ANALYSIS_INDIVIDUALS,
    ANALYSIS_MESSAGES,
    process_partition,
)
from engagement.processing.records.raw_checks import RawCheck
from engagement.processing.records.raw_runs import Flows, Lines, RunPlaces, find_flows, find_runs
from engagement.processing.reuse.changes import Unchanged, find_unchanged
from engagement.processing.reuse.run_notes import (
    NotesWriter,
    RunNotes,
    gather_labels,
    read_notes,
    write_notes,
)
from engagement.processing.reuse.settings import describe_settings
from engagement.processing.summary import Summary
from engagement.services.credentials import Credentials, load_credentials

log = logging.getLogger(__name__)

MODES = ("all-stages", "auto-code-only")
_BYTES_OF_A_PARTITION = 16 * 2**20
_BYTES_WORTH_A_PROCESS = 4 * 2**20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this stage takes on its command line."""
    parser.add_argument("--user", required=True, help="who runs this, for the provenance of the data")
    parser.add_argument("--credentials", type=Path, required=True, help="credentials file (JSON)")
    parser.add_argument("--pipeline-configuration", type=Path, required=True, help="pipeline configuration (JSON)")
    parser.add_argument("--data-root", type=Path, required=True, help="directory that holds all the pipeline's data")
    parser.add_argument("--mode", choices=MODES, default=MODES[0], help="'auto-code-only' while coding has not begun")
    parser.add_argument(
        "--partitions", type=parse_count, help="parts to split the participants into; by the data's size"
    )
    parser.add_argument(
        "--jobs", type=parse_count, help="processes to run; one a processor, and one alone for little data"
    )
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="Dask scheduler, like tcp://10.0.0.5:8786, whose workers process the participants; they have to see the data root",
    )
    parser.add_argument(
        "--allow-project-code", action="store_true", help="run cleaners and imputation functions of the project's own"
    )
    parser.add_argument(
        "--full",
        action="store_true",
        help="process all participants; by default only those whose data or labels changed since the last run",
    )
    parser.add_argument(
        "--accept-shrinkage",
        action="store_true",
        help="replace the outputs even if far fewer messages are left than the last run had",
    )
    parser.add_argument(
        "--accept-lost-withdrawals",
        action="store_true",
        help="make the outputs even if labels STOP count for nothing any longer, so that who withdrew is in them again",
    )
    parser.add_argument("--upload-only", action="store_true", help="only upload to Drive what the last run wrote")


def run(args: argparse.Namespace) -> None:
    """Load, process, save."""
    if args.scheduler is not None:
        # Workers have working directories of their own.
        args.data_root = args.data_root.absolute()
    credentials = load_credentials(args.credentials)
    project = load_project(args.pipeline_configuration)
    if args.upload_only:
        upload(project, args.data_root, credentials)
        return
    functions = load_project_functions(project, args.allow_project_code)
    flows = find_flows(project, args.data_root)
    datasets, lost = load_coded_datasets(project, args.data_root)
    warn_of_missing_codes(project.coding_plans.all)
    plan_warnings = (
        find_unwritten_plans(project.configuration, project.coding_plans),
        find_key_warnings(project.coding_plans),
    )
    for problem in itertools.chain(*plan_warnings):
        log.warning("%s, %s", project.configuration.coding_plans_file, problem)
    is_coded = args.mode == "all-stages"
    if is_coded and lost:
        schemes = (c.code_scheme for plan in project.coding_plans.all for c in plan.coding_configurations)
        stop_ids = find_stop_ids(schemes) | find_kept_stop_ids(args.data_root)
        refuse_lost_withdrawals(args.data_root, lost, stop_ids, args.accept_lost_withdrawals)
    timestamp = datetime.now(UTC).isoformat(timespec="microseconds")
    steps = Steps(project, datasets, args.user, timestamp, functions.imputations, is_coded)
    jobs = args.jobs or _choose_jobs(flows)
    workers = jobs if args.scheduler is None else count_workers(args.scheduler)
    settings = describe_settings(project, args.mode)
    with (
        write_notes(args.data_root, settings) as notes,
        write_outputs(args.data_root, project.coding_plans, is_coded) as outputs,
        write_analysis_folder(args.data_root) as analysis,
    ):
        last = read_notes(args.data_root, settings, bool(functions)) if not args.full else None
        places, unchanged, runs_of_flows = find_work(steps, flows, jobs, last, notes)
        last_run = None if unchanged is None else unchanged.last_run
        partitions = args.partitions or _choose_partitions(places.size, workers)
        process = functools.partial(process_partition, steps, places, count=partitions)
        if args.scheduler is None:
            results = run_partitions(lambda number: process(scratch=outputs.scratch, number=number), partitions, jobs)
        else:
            results = run_on_cluster(process, partitions, outputs.scratch, args.scheduler, functions.modules)
        files = [*outputs.traced_data_files(last_run), *notes.participant_files(outputs.scratch, last_run)]
        summary = Summary()
        for number, part in enumerate(show_progress(results, partitions, "participants", "partition")):
            summary.add(part)
            # A partition with bad input left no parts; nothing is written then, but the others have theirs to tell.
            for file in files if not summary.errors else ():
                file.take(number)
        refuse_bad_input(summary)
        if unchanged is not None:
            unchanged.add_to(summary, datasets)
        for problem in find_missing_keys(project.configuration, summary.keys, runs_of_flows):
            log.warning("%s, %s", project.path, problem)
        write_message_counts(
            outputs.path, current_outputs(args.data_root), project, summary.sent, args.accept_shrinkage
        )
        mixed = mix_participants(outputs.scratch, partitions, unchanged, notes)
        log_summary(summary, is_coded)
        outputs.write_icr_files(summary.samples)
        withdrawn = (summary.withdrawn_messages, summary.withdrawn_participants)
        record = encode_withdrawn(steps.metadata("folding.consent"))
        # First what takes longest where most stays as it is.
        tasks: list[Callable[[], object]] = [
            functools.partial(file.finish, mixed, record, times)
            for file, times in zip(files, (*withdrawn, 0, 0) if is_coded else (0, 0), strict=True)
        ]
        if is_coded:
            # Then what takes the most memory, while the processes are small: Parquet.
            messages, individuals = (
                [part_path(outputs.scratch, name, number) for number in range(partitions)]
                for name in (ANALYSIS_MESSAGES, ANALYSIS_INDIVIDUALS)
            )
            tasks += analysis.table_tasks(project.coding_plans.all, messages, individuals, mixed)
        tasks += outputs.table_tasks(partitions, *withdrawn, notes.folder, last_run)
        tasks += outputs.coda_file_tasks(summary.texts, make_coders(project, functions), datasets)
        for _ in run_partitions(lambda number: tasks[number](), len(tasks), jobs):
            pass
        analysis.write_season(SourceRun(timestamp, args.mode), make_funnel(summary))
        notes.finish(outputs.path, analysis.path, summary.samples, summary.losses, summary.keys)
    keep_project(project, args.data_root)
    log.info("Wrote Outputs/: %d message(s), %d participant(s)", summary.kept, summary.individuals)
    record_counts({"runs": summary.runs, "messages": summary.kept, "participants": summary.individuals})
    if is_coded:
        upload(project, args.data_root, credentials)


def upload(project: Project, data_root: Path, credentials: Credentials) -> None:
    """Upload the tables, where the project has a Drive."""
    if project.configuration.drive_upload is not None:
        # The gate and Drive take a tenth of the stage's start to import, and most projects have no Drive.
        from engagement.delivery.drive import upload_tables

        upload_tables(project, data_root, credentials)


def find_work(
    steps: Steps, flows: Flows, jobs: int, last: RunNotes | None, notes: NotesWriter
) -> tuple[RunPlaces, Unchanged | None, dict[str, int]]:
    """Where the runs are that are to be processed, what stays of the last run, if anything does, and how many runs flows have."""
    project, datasets = steps.project, steps.datasets
    known, verified = ({}, {}) if last is None else (last.known_lines(flows), last.verified_files(flows))
    check = RawCheck(flows.paths, verified)
    places, digests = find_runs(flows, jobs, known, notes.folder, check)
    lines, labels = Lines(places.places, digests), gather_labels(project.coding_plans.all, datasets)
    for problem in find_unknown_testers(project.configuration, len(lines.places), lines.has_runs):
        log.warning("%s, %s", project.path, problem)
    notes.note_raw_files(flows, check.verified)
    notes.write_labels(labels)
    unchanged = None if last is None else find_unchanged(project, last, lines, datasets, labels, steps.is_coded)
    return places if unchanged is None else places.of(unchanged.changed), unchanged, lines.count_runs(flows)


def mix_participants(
    scratch: Path, partitions: int, unchanged: Unchanged | None, notes: NotesWriter
) -> MixedParticipants | None:
    """Note what became of all participants; returns how those who were made anew come between those who stay, if any do."""
    if unchanged is None:
        notes.take_participants(scratch, partitions)
        return None
    mixed = unchanged.mix(read_participants(scratch, partitions))
    notes.write_participants(mixed.records)
    return mixed


def load_coded_datasets(
    project: Project, data_root: Path
) -> tuple[dict[str, CodedDataset], dict[str, list[LostLabels]]]:
    """What coders said, by raw field, and what of it counts for nothing, by dataset; one without a Coda file is not coded yet."""
    datasets, lost, problems, missing = {}, {}, [], []
    for plan in project.coding_plans.all:
        if plan.coda_filename is None:
            continue
        path = data_root / "Coded Coda Files" / plan.coda_filename
        messages: Sequence[Mapping[str, Any]] = ()
        if path.exists():
            try:
                messages = check_coda_messages(
                    read_json(path, InputError, what="a Coda file", remedy=CODA_FILE_REMEDY), str(path)
                )
            except InputError as error:
                problems.append(str(error))
        else:
            missing.append(str(plan.coda_dataset))
        datasets[plan.raw_field] = CodedDataset(plan, project.coding_plans.ws_correct_dataset_scheme, messages)
        if found := datasets[plan.raw_field].warn_of_lost_labels(project.coding_plans):
            lost[str(plan.coda_dataset)] = found
    if problems:
        raise InputError("\n".join(problems))
    for path, said in describe_unread_files(data_root, project.coding_plans):
        log.warning("%s: %s", path, said)
    if missing:
        log.info("Nothing is coded yet in %d of %d dataset(s): %s", len(missing), len(datasets), ", ".join(missing))
    return datasets, lost


def refuse_bad_input(summary: Summary) -> None:
    """Raise an InputError with all that the partitions could not use."""
    messages = list(dict.fromkeys(str(error) for error in summary.errors))
    if summary.fold_problems:
        messages.append(
            f"Folding: {listing(sorted(summary.fold_problems))}\n"
            "Values that differ were expected to be equal. Check the labels in Coda, or the FoldStrategy."
        )
    if messages:
        raise InputError("\n".join(messages))


def log_summary(summary: Summary, is_coded: bool) -> None:
    """One line a step, with counts."""
    log.info("Read %d run(s) of %d participant(s)", summary.runs, summary.participants)
    for code, times in sorted(summary.lost.items()):
        log.warning("%d answer(s) marked as wrong scheme belong to %r, which no plan has; left out", times, code)
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(summary.dropped.items())) or "none dropped"
    log.info("Kept %d of %d message(s): %s", summary.kept, summary.messages, reasons)
    if is_coded:
        log.info(
            "Withdrew consent: %d participant(s) with %d message(s)",
            summary.withdrawn_participants,
            summary.withdrawn_messages,
        )
        if summary.contradictions:
            log.warning(
                "%d answer(s) are wrong scheme by one label and not by another: coding errors",
                summary.contradictions.total(),
            )


def make_funnel(summary: Summary) -> Funnel:
    """What the analysis tells of everything that is not in its tables."""
    return Funnel(
        runs=summary.runs,
        participants=summary.participants,
        messages=summary.messages,
        kept=summary.kept,
        withdrawn_messages=summary.withdrawn_messages,
        withdrawn_participants=summary.withdrawn_participants,
        # Most projects recover nothing.
        dropped={
            str(reason): summary.dropped[reason]
            for reason in Dropped
            if summary.dropped[reason] or not reason.is_of_recovered
        },
        lost=dict(sorted(summary.lost.items())),
        contradictions=tuple(sorted(summary.contradictions)),
    )


def _choose_jobs(flows: Flows) -> int:
    # Starting processes takes longer than the work of a small project.
    return count_processors() if sum(path.stat().st_size for path in flows.paths) > _BYTES_WORTH_A_PROCESS else 1


def _choose_partitions(size: int, jobs: int) -> int:
    return max(1, min(jobs, size // _BYTES_WORTH_A_PROCESS), -(-size // _BYTES_OF_A_PARTITION))


def make_coders(project: Project, functions: ProjectFunctions) -> dict[str, AutomaticCoder]:
    """The cleaners of each plan with a dataset in Coda, by raw field."""
    return {
        plan.raw_field: AutomaticCoder(plan, functions.cleaners)
        for plan in project.coding_plans.all
        if plan.coda_filename is not None
    }
