"""What was found out of a project's files, kept for a run with nothing new.

Such a run then need not make the models of the configuration, which takes longer than all else that it does. What is kept counts only
while the program and every byte of these files are what they were: reading them again would find the same.
"""

import logging
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from engagement.configuration.kept_project import read_documents
from engagement.foundation.errors import MachineError, PipelineError
from engagement.foundation.files import digest_file, make_directory, write_json
from engagement.foundation.odd_paths import expect_no_pipe
from engagement.foundation.own_code import describe_own_code

log = logging.getLogger(__name__)


class KnownFacts[T](msgspec.Struct, frozen=True):
    """Facts of a project, and the warnings that reading it gave.

    `files` are the digests of its files by their paths, `program` is what read them. `configuration` has the path as it was given, beside
    which the other files are, and the path behind its links, whose folder can name the pipeline.
    """

    program: str
    configuration: list[str]
    files: dict[str, str]
    warnings: list[str]
    facts: T

    def tell_warnings(self) -> None:
        """Warn as reading the project did."""
        for warning in self.warnings:
            log.warning("%s", warning)


def facts_path(data_root: Path, name: str) -> Path:
    """Name the file of a stage's facts in a data root."""
    return data_root / "State" / "known_project" / f"{name}.json"


def recall_facts[T](path: Path, configuration: Path, kind: type[T]) -> KnownFacts[T] | None:
    """Read the facts kept at a path; None without any, or if something that they depend on changed."""
    try:
        known = msgspec.json.decode(path.read_bytes(), type=KnownFacts[kind])  # type: ignore[valid-type]  # only known here
        is_same = (known.program, known.configuration) == (_describe_program(), _describe_place(configuration)) and all(
            _digest(Path(name)) == digest for name, digest in known.files.items()
        )
    except (OSError, ValueError, msgspec.MsgspecError):
        return None
    return known if is_same else None


def digest_project_files(configuration: Path) -> dict[str, str]:
    """Digest a project's files; nothing if one can't be read, which whoever loads the project will tell."""
    try:
        return {str(path.absolute()): digest_file(path) for path in sorted(read_documents(configuration).files)}
    except (PipelineError, OSError, LookupError, TypeError, AttributeError):
        return {}


def keep_facts(
    path: Path, configuration: Path, files: Mapping[str, str], warnings: Sequence[str], facts: object
) -> None:
    """Keep facts of a project.

    `files` were digested before the project was read; if one has changed meanwhile, nothing is kept. Facts that can't be written are a
    warning, as they only save time.
    """
    if files and files == digest_project_files(configuration):
        known = KnownFacts(_describe_program(), _describe_place(configuration), dict(files), list(warnings), facts)
        try:
            make_directory(path.parent)
            write_json(path, msgspec.to_builtins(known))
        except MachineError as error:
            log.warning("The next run has to read the whole configuration again: %s", error)


def _digest(path: Path) -> str:
    # Whoever reads the project then says what is wrong with it.
    expect_no_pipe(path)
    return digest_file(path)


def _describe_place(configuration: Path) -> list[str]:
    return [str(configuration.absolute()), str(configuration.resolve())]


def _describe_program() -> str:
    return " ".join((platform.python_version(), *(f"{name}={version}" for name, version in describe_own_code())))
