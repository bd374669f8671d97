"""The pipeline's entry point: python -m engagement <stage or command> [options]."""

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Sequence

from engagement.errors import PipelineError

# Modules are imported only when they are called: a stage that needs no network loads no client of one.
STAGES = {
    "coda-get": "engagement.stages.coda_get",
    "fetch-raw-data": "engagement.stages.fetch_raw_data",
    "generate-outputs": "engagement.stages.generate_outputs",
    "coda-add": "engagement.stages.coda_add",
}
COMMANDS = {
    "container-plan": "engagement.commands.container_plan",
    "evaluate-cleaners": "engagement.commands.evaluate_cleaners",
    "update-manual": "engagement.commands.update_manual",
    "sandbox-prepare": "engagement.sandbox.prepare",
    "sandbox-serve": "engagement.sandbox.serve",
    "sandbox-code": "engagement.sandbox.code",
}
_MODULES = {**STAGES, **COMMANDS}


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
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S%z",
    )
    module = importlib.import_module(_MODULES[name])
    parser = argparse.ArgumentParser(prog=f"engagement {name}", description=module.__doc__)
    module.add_arguments(parser)
    args = parser.parse_args(arguments[1:])
    try:
        module.run(args)
    except PipelineError as error:
        print(f"ERROR: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_status
    except KeyboardInterrupt:
        return 130
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
