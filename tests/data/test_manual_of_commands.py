"""The manual's commands are command lines that the scripts, stages and commands take."""

import argparse
import functools
import importlib
import re
import subprocess

import pytest

from engagement.__main__ import COMMANDS, STAGES
from engagement.foundation.profiling import add_arguments as add_profiling_arguments
from manual_pages import ROOT, TEXTS, CommandLine, all_command_lines

# Called by scripts alone, never typed.
INTERNAL = {"container-plan", "plan-run", "sandbox-prepare", "sandbox-serve", "sandbox-code"}
EXAMPLES = list(dict.fromkeys(all_command_lines()))


@functools.cache
def help_of(script: str) -> str:
    path = ROOT / "run_scripts" / script
    return subprocess.run(["bash", str(path), "--help"], capture_output=True, text=True, check=True).stdout


def usages_of(script: str) -> list[str]:
    """The ways to call a script, each on one line."""
    usage = help_of(script).partition("\n\n")[0].removeprefix("Usage:")
    return [" ".join(f"{script} {way}".split()) for way in usage.split(script)[1:]]


def options_of(script: str) -> dict[str, bool]:
    """A script's options, and whether a value follows."""
    listed = re.findall(r"^  (?:-\w, )?(--[\w-]+)( [A-Z]+| <[\w-]+>)?", help_of(script), re.MULTILINE)
    return {option: bool(value) for option, value in listed}


@functools.cache
def parser_of(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=name, exit_on_error=False)
    importlib.import_module({**STAGES, **COMMANDS}[name].module).add_arguments(parser)
    if name in STAGES:
        add_profiling_arguments(parser)
    return parser


@pytest.mark.parametrize(("page", "command"), EXAMPLES, ids=lambda value: getattr(value, "name", value))
def test_an_example_is_taken(page: str, command: CommandLine):
    if not command.name.endswith(".sh"):
        parser_of(command.name).parse_args(command.arguments)
        return
    options, arguments = options_of(command.name), list(command.arguments)
    given, positional = [], 0
    while arguments:
        argument = arguments.pop(0)
        if argument.startswith("-"):
            given.append(argument)
            assert argument in options, (page, command)
            if options[argument]:
                arguments.pop(0)
        else:
            positional += 1
            assert not any(later in options for later in arguments), "options come first"
    assert any(positional in counts_of(usage, given, options) for usage in usages_of(command.name)), (page, command)


def counts_of(usage: str, given: list[str], options: dict[str, bool]) -> range:
    """How many arguments besides options a way to call a script takes; none where it is not the way of these options."""
    required, optional = re.sub(r"\[[^]]*\]", "", usage).split()[1:], re.findall(r"\[<[^]]*\]", usage)
    named = [word for word in required if word in options]
    if not set(named) <= set(given):
        return range(0)
    least = len(required) - len(named) - sum(options[option] for option in named)
    return range(least, 100 if "..." in usage else least + len(optional) + 1)


def test_every_command_has_an_example():
    shown = {command.name for _, command in EXAMPLES}
    assert set(COMMANDS) - INTERNAL - {"status"} <= shown
    assert "pipeline_status.sh" in shown
    schemes = {command.arguments[0] for _, command in EXAMPLES if command.name == "scheme"}
    assert schemes == {"from-csv", "diff", "push", "codebook"}


def test_every_option_in_the_text_is_one():
    known = set().union(*(options_of(path.name) for path in (ROOT / "run_scripts").glob("*.sh")))
    for name in (*STAGES, *COMMANDS):
        known |= set(re.findall(r"--[a-z-]+", parser_of(name).format_help()))
    mentioned = {option for text in TEXTS.values() for option in re.findall(r"`[^`\n]*?(--[a-z][a-z-]+)[^`\n]*`", text)}
    of_others = {
        "--all",
        "--check",
        "--countname",
        "--digests",
        "--failed",
        "--force",
        "--now",
        "--rm",
    }  # docker, systemctl, sha256sum, flamegraph.pl
    assert mentioned - known - of_others - {"--help", "--version"} == set()
