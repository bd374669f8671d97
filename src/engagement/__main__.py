"""The pipeline's entry point: python -m engagement <stage or command> [options]."""

import argparse
import builtins
import contextlib
import gc
import importlib
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple, TextIO

from engagement.desk.names_with_numbers import hide_numbers_in_names
from engagement.foundation.errors import PipelineError, UsageError
from engagement.foundation.profiling import Profiler
from engagement.foundation.profiling import add_arguments as add_profiling_arguments
from engagement.foundation.run_report import record_peak_memory
from engagement.foundation.working_lock import hold_working_lock
from engagement.stages.table import STAGES


class Command(NamedTuple):
    """A command that is no stage: the module that runs it, and the first line of that module's docstring."""

    module: str
    summary: str


# Modules are imported only when they are called: a stage that needs no network loads no client of one, and the help none.
DESK = {
    "adjudicate": Command(
        "engagement.desk.adjudicate", "Decide on messages of a dataset that its two coders labelled differently"
    ),
    "audit": Command(
        "engagement.desk.audit", "List what was handed over or removed: when, by whom, where to, and how much"
    ),
    "check": Command(
        "engagement.desk.check",
        "Check a project before a run, and report everything wrong or odd in its files at once",
    ),
    "cluster-certificates": Command(
        "engagement.desk.cluster_certificates",
        "Make the certificates with which the machines of a Dask cluster know each other, and encrypt",
    ),
    "coda-mend": Command(
        "engagement.desk.coda_mend",
        "Mend datasets in Coda that have a message twice: keep one copy, with the labels of all",
    ),
    "coda-progress": Command("engagement.desk.coda_progress", "Show how far coding has got in each dataset in Coda"),
    "compare": Command(
        "engagement.desk.compare",
        "Compare two runs, seasons or projects: a page of what differs, with intervals, and a CSV",
    ),
    "contacts": Command(
        "engagement.desk.contacts",
        "Count a named selection of participants, and hand it over to RapidPro or to a file",
    ),
    "de-identify": Command(
        "engagement.desk.de_identify", "Write a file with phone numbers again, with the uid of each number in its place"
    ),
    "diff": Command(
        "engagement.desk.diff", "Show how a change of the configuration would change the outputs, before you make it"
    ),
    "evaluate-cleaners": Command(
        "engagement.desk.evaluate_cleaners", "Measure the cleaners against answers coded by people"
    ),
    "evaluate-suggestions": Command(
        "engagement.desk.evaluate_suggestions",
        "Show what suggested labels would have been worth, day by day, from a project's own labels",
    ),
    "explain": Command(
        "engagement.desk.explain",
        "Explain where a participant's rows, or one of their cells, came from, in plain words",
    ),
    "export-participant": Command(
        "engagement.desk.export_participant",
        "Export everything that a data root holds of a participant: JSON, CSV and a page",
    ),
    "figures": Command(
        "engagement.desk.figures",
        "Make print-ready figures of the charts and maps, as SVG or PDF, each with its data beside it",
    ),
    "forget": Command(
        "engagement.desk.forget",
        "Forget a participant: remove what a data root holds of them, and fetch nothing of them again",
    ),
    "icr": Command(
        "engagement.desk.icr",
        "Measure how far coders of the same sample agree: percent, Krippendorff's alpha, Gwet's AC1",
    ),
    "import-project": Command(
        "engagement.desk.import_project",
        "Import a project of an earlier pipeline: a new folder with configuration, plans and MIGRATION.md",
    ),
    "new-project": Command(
        "engagement.desk.new_project",
        "Make the configuration folder of a new project, ready to be checked, changed and run",
    ),
    "recover": Command(
        "engagement.desk.recover",
        "Find the SMS that a telecom received and RapidPro lacks, and write a recovery file of them",
    ),
    "reproduce": Command(
        "engagement.desk.reproduce",
        "Make the outputs of an earlier run of stage 3 again, and compare them with what it left",
    ),
    "scheme": Command(
        "engagement.desk.scheme",
        "Make a code scheme, compare two versions of one, set schemes in Coda, or print a code book",
    ),
    "status": Command(
        "engagement.desk.status",
        "Show how the last runs of the whole pipeline went: one project on a screen, or many in a table",
    ),
    "suggest-labels": Command(
        "engagement.desk.suggest_labels",
        "Suggest labels for one dataset by hand, from the labels that coders gave in it",
    ),
}
MACHINERY = {
    "container-plan": Command(
        "engagement.desk.container_plan",
        "List a container's needs for a stage: paths besides those on its command line, network, variables",
    ),
    "plan-run": Command(
        "engagement.desk.plan_run",
        "Show what a run of the pipeline would fetch, add to Coda and upload, and what Firestore would bill",
    ),
    "update-manual": Command(
        "engagement.desk.update_manual",
        "Renew the manual's generated tables: configuration keys, cleaners, output columns, exit statuses",
    ),
    "update-schemas": Command(
        "engagement.desk.update_schemas",
        "Renew the JSON Schemas with which editors check configuration files, from the code that reads them",
    ),
    "sandbox-prepare": Command(
        "engagement.sandbox.prepare",
        "Create a demo's directory: credentials, configuration, and embedded services with initial data",
    ),
    "sandbox-serve": Command(
        "engagement.sandbox.serve",
        "Serve the sandbox's RapidPro on this machine until stopped (SIGTERM or SIGINT)",
    ),
    "sandbox-code": Command(
        "engagement.sandbox.code",
        "Let the sandbox's coders label the demo's Coda messages, then move the sandbox to the next round",
    ),
}
COMMANDS = {**DESK, **MACHINERY}


def main(arguments: Sequence[str]) -> int:
    """Run one stage or command; returns its exit status."""
    if not arguments or arguments[0] in ("-h", "--help"):
        _print_usage(sys.stdout if arguments else sys.stderr)
        return 0 if arguments else 2
    if arguments[0] == "--version":
        from engagement.foundation.revision import find_revision

        print(f"engagement {find_revision(Path(__file__).resolve().parents[2])}")  # noqa: T201
        return 0
    name = arguments[0]
    stage = STAGES.get(name)
    command = stage or COMMANDS.get(name)
    if command is None:
        print(f"engagement: no stage or command named {name!r}.", file=sys.stderr)  # noqa: T201
        _print_usage(sys.stderr)
        return 2
    # Outputs hold what participants wrote: nobody but the user who runs this may read them.
    os.umask(0o077)
    # It would look through all the installed packages for plugins of its own, which none of them has.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # numpy would start a thread on each other processor, which waits busily for matrices that never come.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Its own allocators keep what was freed, 20 MB in each process that writes a table.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    # Its other allocator starts a thread on import, and with threads stage 3 could not fork its processes.
    os.environ.setdefault("JE_ARROW_MALLOC_CONF", "background_thread:false")
    logging.basicConfig(
        stream=sys.stderr,
        # The run scripts set it for --quiet.
        level=logging.WARNING if os.environ.get("ENGAGEMENT_QUIET") else logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S%z",
    )
    is_profiled = stage is not None and stage.is_profiled
    profiler = Profiler.asked_for(arguments[1:]) if is_profiled else Profiler()
    # There before the modules are imported whose functions it marks.
    builtins.profile = profiler.profile  # type: ignore[attr-defined]  # put there for it
    module = importlib.import_module(command.module)
    parser = argparse.ArgumentParser(prog=f"engagement {name}", description=module.__doc__)
    module.add_arguments(parser)
    if is_profiled:
        add_profiling_arguments(parser)
    args = parser.parse_args(arguments[1:])
    if not gc.isenabled():
        # What was imported stays to the end: Python need never look for garbage in it.
        gc.freeze()
        gc.enable()
    try:
        # What machinery prints is read by programs.
        with contextlib.nullcontext() if name in MACHINERY else hide_numbers_in_names(args):
            return _run(name, module, args, profiler)
    except UsageError as error:
        print(f"ERROR: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_status
    finally:
        record_peak_memory()


def _run(name: str, module: ModuleType, args: argparse.Namespace, profiler: Profiler) -> int:
    try:
        with hold_working_lock() if name in STAGES else contextlib.nullcontext(), profiler.record(args, name):
            module.run(args)
    except PipelineError as error:
        # On a full disk, a log that can't be written must not change the exit status.
        with contextlib.suppress(OSError):
            print(f"ERROR: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_status
    except KeyboardInterrupt:
        return 130
    return 0


def _print_usage(file: TextIO) -> None:
    lines = [
        "Usage: python -m engagement <stage or command> [options]",
        "       python -m engagement <stage or command> --help",
        "       python -m engagement --version",
    ]
    for title, commands in (("Stages", STAGES), ("Desk", DESK), ("Machinery", MACHINERY)):
        lines += ["", f"{title}:", *(f"  {name:<26}{command.summary}" for name, command in commands.items())]
    print("\n".join(lines), file=file)  # noqa: T201


if __name__ == "__main__":
    # Looking for garbage while modules are imported finds none, and takes a sixth of all that a quiet stage does.
    gc.disable()
    sys.exit(main(sys.argv[1:]))
