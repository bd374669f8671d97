"""Count the runs of each flow.

Reads `<data-root>/Raw Data/<flow>.jsonl`, and writes `<data-root>/tally.json`.
"""

import argparse
from pathlib import Path

from engagement.configuration import load_project
from engagement.foundation.files import write_json
from engagement.sources.fetched_flows import count_lines


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this stage takes on its command line."""
    parser.add_argument("--pipeline-configuration", type=Path, required=True, help="pipeline configuration (JSON)")
    parser.add_argument("--data-root", type=Path, required=True, help="directory that holds all the pipeline's data")


def run(args: argparse.Namespace) -> None:
    """Load, count, save."""
    configuration = load_project(args.pipeline_configuration).configuration
    flows = (*configuration.activation_flows, *configuration.survey_flows)
    counts = {flow: count_lines(args.data_root / "Raw Data" / f"{flow}.jsonl") for flow in flows}
    write_json(args.data_root / "tally.json", counts)
