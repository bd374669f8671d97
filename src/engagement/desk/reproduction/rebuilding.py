"""Run stage 3 as an earlier run did, in a folder of its own."""

import argparse
from collections.abc import Mapping
from pathlib import Path

from engagement.configuration.kept_project import ProjectDocuments, write_documents
from engagement.custody.run_manifests.manifest import RunManifest
from engagement.foundation.files import explain_os_errors, make_directory, write_json
from engagement.stages import generate_outputs


def make_outputs_again(
    folder: Path, manifest: RunManifest, documents: ProjectDocuments, inputs: Path, beside: Path
) -> Path:
    """Make a run's outputs again; return the data root, in `folder`, that has them.

    `inputs` is the data root with the raw data and the labels; `beside` the folder with the project's other files. Both are only
    read.
    """
    root, project = folder / "data root", folder / "configuration"
    _link(inputs, root, [name for name in manifest.files if (inputs / name).is_file()])
    _link(beside, project, [name for name in manifest.project_files if (beside / name).is_file()])
    # Nothing is uploaded.
    configuration = {key: value for key, value in documents.configuration.items() if key != "DriveUpload"}
    path = write_documents(documents._replace(configuration=configuration), make_directory(project))
    credentials = folder / "credentials.json"
    # Without DriveUpload no service is used: these are credentials for nothing.
    write_json(credentials, {"type": "embedded", "directory": "embedded"})
    parser = argparse.ArgumentParser()
    generate_outputs.add_arguments(parser)
    arguments = ["--user", manifest.user, "--credentials", str(credentials), "--pipeline-configuration", str(path)]
    arguments += ["--data-root", str(root), "--accept-lost-withdrawals", "--accept-shrinkage"]
    generate_outputs.run(parser.parse_args([*arguments, *_options(manifest.options)]), manifest.time)
    return root


def _options(options: Mapping[str, str]) -> list[str]:
    code = ["--allow-project-code"] if options.get("allow_project_code") == "true" else []
    return ["--mode", options["mode"], *code]


def _link(source: Path, target: Path, names: list[str]) -> None:
    make_directory(target)
    with explain_os_errors(target):
        for name in names:
            make_directory((target / name).parent)
            (target / name).symlink_to((source / name).resolve())
