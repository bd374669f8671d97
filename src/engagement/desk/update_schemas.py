"""Renew the JSON Schemas with which editors check configuration files, from the code that reads them."""

import argparse
import json
from pathlib import Path

from engagement.configuration.json_schema import make_json_schemas
from engagement.foundation.files import make_directory, open_for_writing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument("folder", type=Path, help="folder of the schemas: configurations/schema")


def run(args: argparse.Namespace) -> None:
    """Write every schema."""
    make_directory(args.folder)
    for name, text in make_schema_files().items():
        with open_for_writing(args.folder / name) as file:
            file.write(text)


def make_schema_files() -> dict[str, str]:
    """Return each schema's text, by its file's name; keys in the order of the models."""
    return {
        name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in make_json_schemas().items()
    }
