"""Run stage 3 with a configuration in a temporary folder: nothing is written under the data root."""

import argparse
import logging
import secrets
import sys
import tempfile
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from engagement.configuration import Project
from engagement.foundation.errors import ConfigurationError, InputError, PipelineError
from engagement.foundation.files import explain_os_errors, make_directory, read_json, write_json
from engagement.foundation.scratch_folders import scratch_folder
from engagement.stages import generate_outputs

log = logging.getLogger(__name__)

# The comparison shows how the changed configuration affects withdrawals.
_ACCEPTED = "--accept-lost-withdrawals"


@dataclass(frozen=True)
class Generated:
    """Stage 3's results for one configuration: `data_root` holds Outputs/ and State/ while it exists."""

    project: Project
    data_root: Path


def temporary_folder() -> AbstractContextManager[Path]:
    """Make a private folder in TMPDIR, removed when the block ends, even by SIGTERM, SIGHUP or Ctrl-C."""
    # The name is chosen before the folder exists, so that it is removed whenever a signal comes.
    return scratch_folder(Path(tempfile.gettempdir()) / f"engagement-diff-{secrets.token_hex(16)}")


def generate(
    folder: Path, name: str, project: Project, data_root: Path, options: list[str], may_lack_flows: bool
) -> Generated:
    """Run stage 3 on the data root's raw data and labels, writing only in `folder`. `name` is for people.

    `options` are more options of stage 3. With `may_lack_flows`, flows that were never fetched count as empty, with a
    warning.

    Raises
    ------
    PipelineError
        Stage 3 failed: its own error, which names the configuration.
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
    """Unload modules of the other configuration's own code, which can have the same names."""
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
    """Copy a configuration without its uploads, and link files beside it, such as the project's own code."""
    original = project.path.resolve()
    document = read_json(original, ConfigurationError)
    document.pop("DriveUpload", None)
    document["CodingPlansFile"] = str((original.parent / document["CodingPlansFile"]).resolve())
    for group in document.get("ListeningGroups", ()):
        group["Files"] = [str((original.parent / name).resolve()) for name in group["Files"]]
    linked = document.get("LinkedParticipants", ())
    document["LinkedParticipants"] = [str((original.parent / name).resolve()) for name in linked]
    make_directory(folder)
    with explain_os_errors(folder):
        for other in original.parent.iterdir():
            if other.name != original.name:
                (folder / other.name).symlink_to(other)
    write_json(folder / original.name, document)
    return folder / original.name
