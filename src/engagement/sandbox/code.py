"""Let the sandbox's coders label the demo's Coda messages, then move the sandbox to the next round.

The next round has new messages, newly finished surveys, and a few new participants.
"""

import argparse
import logging
from pathlib import Path

from engagement.configuration import load_project
from engagement.foundation.errors import count_of
from engagement.sandbox.coder import Coders
from engagement.sandbox.demo_directory import DemoDirectory, SandboxState
from engagement.sandbox.other_channels import meanings_of_incoming_files
from engagement.sandbox.season import LAST_ROUND
from engagement.sandbox.workspace import make_workspace
from engagement.services.coda.embedded import FolderCoda

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare this command's arguments."""
    parser.add_argument("--directory", type=Path, required=True, help="the demo's directory")


def run(args: argparse.Namespace) -> None:
    """Label every dataset, then begin the next round."""
    demo = DemoDirectory(args.directory)
    state = demo.read_state()
    project = load_project(demo.configuration_file)
    coders = Coders(
        seed=state.seed,
        round_number=state.round_number,
        users=project.configuration.coda_users,
        plans=project.coding_plans,
        meanings={
            **meanings_of_incoming_files(state.seed),
            **make_workspace(state.seed, state.round_number, demo.read_changes()).meanings,
        },
    )
    coda = FolderCoda(demo.embedded)
    for plan in project.coding_plans.all:
        if plan.coda_dataset is not None and coda.has_dataset(plan.coda_dataset):
            messages = coda.read_messages(plan.coda_dataset)
            labelled = coders.label_messages(plan, messages)
            coda.save_labels(plan.coda_dataset, labelled)
            log.info("%s: labelled %d of %s.", plan.coda_dataset, len(labelled), count_of(len(messages), "message"))
    demo.write_state(SandboxState(state.seed, state.round_number + 1))
    if state.round_number < LAST_ROUND:
        log.info("Round %d has begun: there are new messages.", state.round_number + 1)
    else:
        log.info("The demo's season is over: no new messages come.")
