"""Make tables, graphs, maps and the report from stage 3's results."""

import argparse
import logging
from pathlib import Path

from engagement.analysis.reuse.inputs import AnalysisFacts, InputDigests, digest_inputs
from engagement.analysis.reuse.kept_files import find_kept_counts
from engagement.configuration.known_facts import digest_project_files, facts_path, keep_facts, recall_facts
from engagement.custody.run_manifests.manifest import FileDigests, read_last_manifest
from engagement.foundation.heard_warnings import hear_warnings
from engagement.foundation.partitions import count_processors, parse_count
from engagement.foundation.replaced_folders import complete_replacement
from engagement.foundation.run_report import record_counts
from engagement.pipeline.outputs.places import AUTOMATED_ANALYSIS
from engagement.services.credentials import load_credentials

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this stage takes on its command line."""
    parser.add_argument("--user", required=True, help="who runs this")
    parser.add_argument("--credentials", type=Path, required=True, help="credentials file (JSON)")
    parser.add_argument("--pipeline-configuration", type=Path, required=True, help="pipeline configuration (JSON)")
    parser.add_argument("--data-root", type=Path, required=True, help="directory that holds all the pipeline's data")
    parser.add_argument(
        "--jobs", type=parse_count, default=count_processors(), help="charts drawn at a time; one a processor"
    )
    parser.add_argument("--graphs-only", action="store_true", help="draw the graphs again and leave everything else")
    parser.add_argument("--upload-only", action="store_true", help="only upload to Drive what the last run wrote")


def run(args: argparse.Namespace) -> None:
    """Load, analyse, save."""
    credentials = load_credentials(args.credentials)
    path, note = args.pipeline_configuration, facts_path(args.data_root, "analysis")
    known = None if args.upload_only else recall_facts(note, path, AnalysisFacts)
    inputs = None if known is None else _digest(path, known.facts, args.data_root)
    if known is not None and inputs is not None and _keep(inputs, args.data_root):
        known.tell_warnings()
        return
    # Imported here, as what was known takes less to see than the configuration to load.
    from engagement.analysis.reuse.project_facts import find_analysis_facts
    from engagement.configuration import load_project

    files = digest_project_files(path)
    with hear_warnings() as heard:
        project = load_project(path)
        warnings = heard.list_all()
    if not args.upload_only:
        facts = find_analysis_facts(project)
        is_kept = False
        # What was known may be of files that somebody changed just now.
        if inputs is None or known is None or known.facts != facts:
            inputs = _digest(path, facts, args.data_root)
            is_kept = _keep(inputs, args.data_root)
        if not is_kept:
            # Imported here, as numbers, charts and pages take longer to load than to see that nothing changed.
            from engagement.analysis.analyse import analyse

            current = _current(args.data_root)
            counts = analyse(project, args.data_root, current, inputs, args.jobs, args.graphs_only)
            log.info("Wrote Outputs/%s/", AUTOMATED_ANALYSIS)
            record_counts(counts)
        if known is None and project.configuration.drive_upload is None:
            keep_facts(note, path, files, warnings, facts)
    if project.configuration.drive_upload is not None:
        # Imported here, as the gate and Drive take longer to load than all the rest, and most projects have no Drive.
        from engagement.delivery.drive import upload_analysis

        upload_analysis(project, args.data_root, credentials)


def _keep(inputs: InputDigests, data_root: Path) -> bool:
    """Leave the last run's files if this one would make the same; tell whether it does."""
    complete_replacement(_current(data_root))
    counts = find_kept_counts(_current(data_root), inputs)
    if counts is None:
        return False
    log.info("Nothing changed since the last run: kept Outputs/%s/ as it is", AUTOMATED_ANALYSIS)
    record_counts(counts)
    return True


def _digest(configuration: Path, facts: AnalysisFacts, data_root: Path) -> InputDigests:
    digests = FileDigests(read_last_manifest(data_root))
    return digest_inputs(configuration, facts, data_root, lambda path: digests.digest_in(data_root, path))


def _current(data_root: Path) -> Path:
    return data_root / "Outputs" / AUTOMATED_ANALYSIS
