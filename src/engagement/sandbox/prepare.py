"""Create a demo's directory: credentials, configuration, and embedded services with initial data.

Files that others sent are beside them. An existing demo keeps its data and its current round.
"""

import argparse
import json
import logging
from pathlib import Path
from typing import Any

from engagement.configuration import load_project
from engagement.foundation.errors import ConfigurationError, MachineError
from engagement.foundation.files import make_directory, open_bytes_for_writing, open_for_writing, read_json, write_json
from engagement.sandbox.demo_directory import DemoDirectory
from engagement.sandbox.other_channels import add_other_channels, uuids_of_group, write_incoming_files
from engagement.sandbox.workspace import InventedWorkspace, make_workspace
from engagement.sandbox.written_back import WRITTEN_BACK
from engagement.services.uuid_tables.embedded import EmbeddedUuidTable

log = logging.getLogger(__name__)

DEMO_CONFIGURATION = Path(__file__).resolve().parents[3] / "configurations" / "demo"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare this command's arguments."""
    parser.add_argument("--directory", type=Path, required=True, help="where the demo keeps everything")


def run(args: argparse.Namespace) -> None:
    """Prepare the demo's directory."""
    demo = DemoDirectory(args.directory)
    state = demo.read_state()
    demo.write_state(state)
    write_incoming_files(demo, state.seed)
    _copy_configuration(demo)
    _write_credentials(demo)
    _fill_embedded_services(demo, state.seed, make_workspace(state.seed, state.round_number))
    for name in ("data root", "backups", "performance logs"):
        make_directory(demo.root / name)
    log.info("The demo is ready for round %d of its season.", state.round_number)


def _copy_configuration(demo: DemoDirectory) -> None:
    if not DEMO_CONFIGURATION.is_dir():
        raise MachineError(
            f"{DEMO_CONFIGURATION}: no such directory; expected the demo's configuration beside the program. "
            "Run this from a complete clone."
        )
    for source in sorted(DEMO_CONFIGURATION.rglob("*.json")):
        target = demo.configuration_file.parent / source.relative_to(DEMO_CONFIGURATION)
        make_directory(target.parent)
        with open_bytes_for_writing(target) as file:
            file.write(source.read_bytes())
    document = read_json(demo.configuration_file, ConfigurationError)
    added = {**WRITTEN_BACK, "UpdateSuggestions": True}
    _write_document(demo.configuration_file, {**add_other_channels(document, demo), **added})
    plans_file = demo.configuration_file.with_name(document["CodingPlansFile"])
    plans = read_json(plans_file, ConfigurationError)
    for plan in plans["RQACodingPlans"]:
        for coding in plan["CodingConfigurations"]:
            coding["Suggestions"] = True
    _write_document(plans_file, plans)


def _write_document(path: Path, document: Any) -> None:
    with open_for_writing(path) as file:
        json.dump(document, file, indent=2, ensure_ascii=False)
        file.write("\n")


def _write_credentials(demo: DemoDirectory) -> None:
    make_directory(demo.credentials)
    for name in ("google_cloud_credentials.json", "coda_credentials.json"):
        write_json(demo.credentials / name, {"type": "embedded", "directory": "../embedded"})


def _fill_embedded_services(demo: DemoDirectory, seed: int, workspace: InventedWorkspace) -> None:
    configuration = load_project(demo.configuration_file).configuration
    table = configuration.phone_number_uuid_table
    services = [table.firebase_credentials_file_url]
    if configuration.drive_upload is not None:
        services.append(configuration.drive_upload.drive_credentials_file_url)
    for url in services:
        write_json(_stored_at(demo, url), {"type": "embedded", "directory": "../.."})
    for source in configuration.raw_data_sources:
        for url in source.token_file_urls:
            with open_for_writing(_stored_at(demo, url)) as file:
                file.write(workspace.token + "\n")
    # Participants get the same uuids in every demo, so the outputs of two demos can be compared byte for byte.
    mappings = {**workspace.uuid_mappings, **uuids_of_group(seed)}
    EmbeddedUuidTable(demo.embedded, table.table_name).import_mappings(mappings)


def _stored_at(demo: DemoDirectory, url: str) -> Path:
    """Return the path of `gs://<bucket>/<object>` in the embedded storage, creating its folder."""
    path = demo.embedded / "storage" / url.removeprefix("gs://")
    make_directory(path.parent)
    return path
