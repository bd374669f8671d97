"""Running stage 3 with a configuration into a folder that goes away: nothing is written under the data root."""

import argparse
import contextlib
import logging
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from engagement.configuration import Project
from engagement.foundation.errors import ConfigurationError, InputError, PipelineError
from engagement.foundation.files import explain_os_errors, make_directory, read_json, write_json
from engagement.stages import generate_outputs

log = logging.getLogger(__name__)

# What a change of the configuration would do to withdrawals is for the comparison to tell.
_ACCEPTED = "--accept-lost-withdrawals"

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Generated:
    """What stage 3 made with one configuration: `data_root` holds Outputs/ and State/, for as long as it is there."""

    project: Project
    data_root: Path


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder in TMPDIR that only this user can read; removed when the block ends, also by SIGTERM, SIGHUP or Ctrl-C."""
    # Its name is known before it is there, so that it is removed whenever a signal comes.
    folder = Path(tempfile.gettempdir()) / f"engagement-diff-{secrets.token_hex(16)}"
    # A signal that is ignored stays so, as SIGHUP is under nohup.
    heeded = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, _leave) for number in heeded}
    try:
        with explain_os_errors(folder):
            folder.mkdir(mode=0o700)
        yield folder
    finally:
        for number in heeded:
            signal.signal(number, signal.SIG_IGN)
        shutil.rmtree(folder, ignore_errors=True)
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def generate(
    folder: Path, name: str, project: Project, data_root: Path, options: list[str], may_lack_flows: bool
) -> Generated:
    """Run stage 3 on the data root's raw data and labels, with all that it writes in `folder`; `name` is for people.

    `options` are more options of stage 3. With `may_lack_flows`, flows that were never fetched count as empty; each is told in
    a warning.

    Raises
    ------
    PipelineError
        Stage 3 can't do it: its own error, which says with which of the configurations.
    """
    root = folder / "data root"
    log.info("Stage 3 with the %s configuration, %s", name, project.path)
    _link_inputs(root, project, data_root, may_lack_flows)
    credentials, configuration = folder / "credentials.json", _write_configuration(folder / "configuration", project)
    # Without DriveUpload no service is used: these are credentials for nothing.
    write_json(credentials, {"type": "embedded", "directory": "embedded"})
    parser = argparse.ArgumentParser()
    generate_outputs.add_arguments(parser)
    arguments = ["--user", "diff", "--credentials", str(credentials), "--pipeline-configuration", str(configuration)]
    _forget_project_code()
    try:
        generate_outputs.run(parser.parse_args([*arguments, "--data-root", str(root), *options, _ACCEPTED]))
        return Generated(project, root)
    except PipelineError as error:
        said = str(error).replace(str(root), str(data_root)).replace(str(configuration), str(project.path))
        error.args = (f"With the {name} configuration: {said}",)
        raise


def _forget_project_code() -> None:
    """Let go of modules of the other configuration's own code, which can have the same names."""
    for module in [module for module in sys.modules if module.startswith("project_code.")]:
        del sys.modules[module]


def _link_inputs(root: Path, project: Project, data_root: Path, may_lack_flows: bool) -> None:
    raw, coded = make_directory(root / "Raw Data"), data_root / "Coded Coda Files"
    flows = (*project.configuration.activation_flows, *project.configuration.survey_flows)
    missing = []
    with explain_os_errors(raw):
        for flow in flows:
            source = data_root / "Raw Data" / f"{flow}.jsonl"
            if source.is_file():
                (raw / source.name).symlink_to(source.resolve())
            elif may_lack_flows:
                missing.append(flow)
                (raw / source.name).touch()
        if coded.is_dir():
            (root / coded.name).symlink_to(coded.resolve())
    if missing and len(missing) == len(flows):
        raise InputError(
            f"{data_root / 'Raw Data'}: no flow of {project.path}; expected its runs. Fetch them (stage 2)."
        )
    if missing:
        log.warning(
            "No raw data of %d flow(s) of %s yet: %s. They count as empty; stage 2 fetches them.",
            len(missing),
            project.path,
            ", ".join(map(repr, missing)),
        )


def _write_configuration(folder: Path, project: Project) -> Path:
    """The same configuration without what makes stage 3 upload; everything beside it is linked, as code of the project's own."""
    original = project.path.resolve()
    document = read_json(original, ConfigurationError)
    document.pop("DriveUpload", None)
    document["CodingPlansFile"] = str((original.parent / document["CodingPlansFile"]).resolve())
    make_directory(folder)
    with explain_os_errors(folder):
        for other in original.parent.iterdir():
            if other.name != original.name:
                (folder / other.name).symlink_to(other)
    write_json(folder / original.name, document)
    return folder / original.name
