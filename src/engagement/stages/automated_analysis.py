"""Make tables, graphs, maps and the report from stage 3's results."""

import argparse
import logging
from pathlib import Path

from engagement.analysis.reuse.inputs import digest_inputs
from engagement.analysis.reuse.kept_files import find_kept_counts
from engagement.configuration import load_project
from engagement.custody.run_manifests.manifest import FileDigests, read_last_manifest
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
    project = load_project(args.pipeline_configuration)
    if not args.upload_only:
        current = args.data_root / "Outputs" / AUTOMATED_ANALYSIS
        complete_replacement(current)
        digests = FileDigests(read_last_manifest(args.data_root))
        inputs = digest_inputs(project, args.data_root, lambda path: digests.digest_in(args.data_root, path))
        counts = find_kept_counts(current, inputs)
        if counts is None:
            # Imported here, as numbers, charts and pages take longer to load than to see that nothing changed.
            from engagement.analysis.analyse import analyse

            counts = analyse(project, args.data_root, current, inputs, args.jobs, args.graphs_only)
            log.info("Wrote Outputs/%s/", AUTOMATED_ANALYSIS)
        else:
            log.info("Nothing changed since the last run: kept Outputs/%s/ as it is", AUTOMATED_ANALYSIS)
        record_counts(counts)
    if project.configuration.drive_upload is not None:
        # Imported here, as the gate and Drive take longer to load than all the rest, and most projects have no Drive.
        from engagement.delivery.drive import upload_analysis

        upload_analysis(project, args.data_root, credentials)
