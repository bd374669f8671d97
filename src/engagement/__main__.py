"""The pipeline's entry point: python -m engagement <stage or command> [options]."""

import argparse
import builtins
import importlib
import logging
import os
import sys
from collections.abc import Sequence

from engagement.errors import PipelineError
from engagement.profiling import Profiler
from engagement.profiling import add_arguments as add_profiling_arguments
from engagement.run_report import record_peak_memory

# Modules are imported only when they are called: a stage that needs no network loads no client of one.
STAGES = {
    "coda-get": "engagement.stages.coda_get",
    "fetch-raw-data": "engagement.stages.fetch_raw_data",
    "generate-outputs": "engagement.stages.generate_outputs",
    "coda-add": "engagement.stages.coda_add",
    "automated-analysis": "engagement.stages.automated_analysis",
    "generate-analysis-graphs": "engagement.stages.generate_analysis_graphs",
    "backup-data-root": "engagement.stages.backup_data_root",
    "upload-logs": "engagement.stages.upload_logs",
}
COMMANDS = {
    "check": "engagement.commands.check",
    "coda-progress": "engagement.commands.coda_progress",
    "container-plan": "engagement.commands.container_plan",
    "diff": "engagement.commands.diff",
    "evaluate-cleaners": "engagement.commands.evaluate_cleaners",
    "explain": "engagement.commands.explain",
    "icr": "engagement.commands.icr",
    "new-project": "engagement.commands.new_project",
    "scheme": "engagement.commands.scheme",
    "plan-run": "engagement.commands.plan_run",
    "status": "engagement.commands.status",
    "update-manual": "engagement.commands.update_manual",
    "update-schemas": "engagement.commands.update_schemas",
    "sandbox-prepare": "engagement.sandbox.prepare",
    "sandbox-serve": "engagement.sandbox.serve",
    "sandbox-code": "engagement.sandbox.code",
}
_MODULES = {**STAGES, **COMMANDS}
_PROFILED = ("fetch-raw-data", "generate-outputs", "automated-analysis", "generate-analysis-graphs")


def main(arguments: Sequence[str]) -> int:
    """Run one stage or command; returns its exit status."""
    if not arguments or arguments[0] in ("-h", "--help"):
        _print_usage(sys.stdout if arguments else sys.stderr)
        return 0 if arguments else 2
    name = arguments[0]
    if name not in _MODULES:
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
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S%z",
    )
    profiler = Profiler.asked_for(arguments[1:]) if name in _PROFILED else Profiler()
    # There before the modules are imported whose functions it marks.
    builtins.profile = profiler.profile  # type: ignore[attr-defined]
    module = importlib.import_module(_MODULES[name])
    parser = argparse.ArgumentParser(prog=f"engagement {name}", description=module.__doc__)
    module.add_arguments(parser)
    if name in _PROFILED:
        add_profiling_arguments(parser)
    args = parser.parse_args(arguments[1:])
    try:
        with profiler.record(args, name):
            module.run(args)
    except PipelineError as error:
        print(f"ERROR: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_status
    except KeyboardInterrupt:
        return 130
    finally:
        record_peak_memory()
    return 0


def _print_usage(file: object) -> None:
    lines = [
        "Usage: python -m engagement <stage or command> [options]",
        "",
        "Stages:",
        *STAGES,
        "",
        "Commands:",
        *COMMANDS,
    ]
    print("\n".join(f"  {line}" if line in _MODULES else line for line in lines), file=file)  # type: ignore[call-overload]  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
