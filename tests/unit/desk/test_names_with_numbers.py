"""No command shows a number that stands in the name of a file, and none gives one to a new file."""

import argparse
import importlib
import itertools
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from engagement.__main__ import DESK, main
from engagement.desk.names_with_numbers import hide_numbers_in_names
from engagement.foundation.errors import UsageError
from engagement.stages.table import STAGES

NUMBER = "0615000001"
COMMIT = "ce4a70b1394d8f32061359eec0da96329bff606f"
RUN_ID = f"2026-11-28T094712Z-{COMMIT}"
NEW = ("output", "chart", "to_file", "new_folder", "new_data_root", "folder", "profile_cpu", "profile_memory")


def parsers_of(name: str) -> Iterator[tuple[list[str], argparse.ArgumentParser]]:
    """Give a command's parser, or those of its subcommands, each after the words that lead to it."""
    command = DESK.get(name) or STAGES[name]
    parser = argparse.ArgumentParser()
    importlib.import_module(command.module).add_arguments(parser)
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    yield from (([name, sub], inner) for action in below for sub, inner in action.choices.items())
    if not below:
        yield [name], parser


def value_of(action: argparse.Action, path: Path) -> str:
    return str(path) if action.type is Path else next(iter(action.choices or ("1",)))


def command_lines(name: str, path: Path) -> Iterator[tuple[list[str], list[str]]]:
    """Give the command's shortest command line, and others with an optional path each; and the names of their paths."""
    for words, parser in parsers_of(name):
        actions = [action for action in parser._actions if action.dest != "help"]
        choices = [group._group_actions for group in parser._mutually_exclusive_groups if group.required]
        needed = [action for action in actions if not action.option_strings or action.required]
        for extra in (None, *(one for one in actions if one.type is Path and one not in needed)):
            chosen = [choice[0] for choice in choices if extra not in choice]
            given = [*needed, *chosen, *([extra] if extra else [])]
            options = [[one.option_strings[0], value_of(one, path)] for one in given if one.option_strings]
            positional = [value_of(one, path) for one in given if not one.option_strings]
            yield [*words, *positional, *itertools.chain.from_iterable(options)], [one.dest for one in given]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture):
    def run(line: list[str]) -> tuple[int, str]:
        caplog.clear()
        try:
            status = main(line)
        except SystemExit as error:
            status = int(str(error.code))
        shown = capfd.readouterr()
        return status, shown.out + shown.err + caplog.text

    return run


@pytest.mark.parametrize("name", sorted([*DESK, *STAGES]))
@pytest.mark.parametrize("content", [None, "{}\n"], ids=["missing", "there"])
def test_no_command_shows_the_number_in_a_path(name: str, content: str | None, tmp_path: Path, run):
    path = tmp_path / f"export_{NUMBER}.csv"
    if content is not None:
        path.write_text(content)
    for line, _ in command_lines(name, path):
        status, shown = run(line)
        assert NUMBER not in shown, line
        assert "Traceback" not in shown
        # The name is still told from others.
        assert "export_[number].csv" in shown or status in (0, 2, 10), shown


@pytest.mark.parametrize("name", sorted([*DESK, *STAGES]))
def test_no_command_gives_the_number_to_a_new_file(name: str, tmp_path: Path, run):
    path = tmp_path / f"export_{NUMBER}.csv"
    for line, paths in command_lines(name, path):
        if set(paths) & set(NEW):
            status, shown = run(line)
            assert status == 2
            assert "the name of a new file or folder there holds a phone number" in shown
            assert NUMBER not in shown
            assert not path.exists()


def test_default_names_of_new_files_are_refused_too(tmp_path: Path, run):
    path = tmp_path / f"export_{NUMBER}.csv"
    path.write_text("Sender\n0615000001\n")
    credentials = tmp_path / "credentials.json"
    credentials.write_text('{"type": "embedded", "directory": "embedded"}')
    line = ["de-identify", str(path), "--column", "Sender", "--table", "a", "--credentials", str(credentials)]
    status, shown = run([*line, "--country", "SO"])
    assert status == 2
    assert "holds a phone number" in shown
    status, shown = run([*line, "--country", "SO", "--output", str(tmp_path / "new.csv")])
    assert status == 0
    assert NUMBER not in shown
    assert NUMBER not in (tmp_path / "new.csv").read_text()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("+252 61 5000001.csv", "[number].csv"),
        ("00252-615-000-001_lost.xlsx", "[number]_lost.xlsx"),
        ("2026-03-01_1015.csv", "2026-03-01_1015.csv"),
        ("season 2025_2026.csv", "season 2025_2026.csv"),
        (f"memory-{RUN_ID}.profile", f"memory-{RUN_ID}.profile"),
        (f"{COMMIT[:39]}.csv", "ce4a70b1394d8f[number]eec0da96329bff606.csv"),
        ("0615000001" * 4, "[number]"),
    ],
)
def test_prints_logs_and_errors_are_masked(name: str, shown: str, capsys, caplog):
    path = Path("/nowhere") / name
    with hide_numbers_in_names(argparse.Namespace(exports=[path])):
        print(f"{path}: drawn")
        logging.getLogger("engagement").warning("%s: odd", path)
    assert capsys.readouterr().out == f"/nowhere/{shown}: drawn\n"
    assert f"/nowhere/{shown}: odd" in caplog.text
    logging.getLogger("engagement").warning("%s: afterwards", path)
    assert f"{path}: afterwards" in caplog.text


def test_a_folder_that_is_there_already_may_have_such_a_name(tmp_path: Path):
    folder = tmp_path / NUMBER
    with pytest.raises(UsageError), hide_numbers_in_names(argparse.Namespace(folder=folder)):
        pass
    folder.mkdir()
    with hide_numbers_in_names(argparse.Namespace(folder=folder)):
        pass


def test_a_run_writes_its_profile_whatever_the_digits_of_its_commit(tmp_path: Path):
    given = argparse.Namespace(profile_memory=tmp_path / f"{RUN_ID}.profile")
    with hide_numbers_in_names(given):
        assert not given.profile_memory.exists()


def test_a_new_project_gets_no_such_name(tmp_path: Path, run):
    status, shown = run(["new-project", NUMBER, "--directory", str(tmp_path)])
    assert status == 2
    assert "holds a phone number" in shown
    assert NUMBER not in shown


def test_the_commit_in_the_id_of_a_run_is_no_number():
    run_id = "2026-11-28T094928Z-ce4a70b1394d8f32061359eec0da96329bff606f"
    with hide_numbers_in_names(argparse.Namespace(profile_memory=Path("logs") / f"memory-{run_id}.profile")):
        pass
