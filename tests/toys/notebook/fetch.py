"""Read the pages of a notebook, each time anew."""

import json

from engagement.configuration.flow_choices import flow_name_of_url
from engagement.provenance import encode_fresh_chain
from engagement.sources.context import FetchContext
from engagement.sources.fetched_flows import FetchedFlow, count_lines

from .model import NotebookSource


def fetch_flows(source: NotebookSource, context: FetchContext) -> list[FetchedFlow]:
    """Read every page; what each becomes is written when all sources have arrived."""
    return [_read_page(url, context) for url in source.pages]


def _read_page(url: str, context: FetchContext) -> FetchedFlow:
    name = flow_name_of_url(url)
    path = context.raw_data_file(name)
    lines = []
    for number, answer in enumerate(json.loads(context.storage.read_bytes(url)), 1):
        data = {
            "avf_phone_id": answer["Participant"],
            f"Note (Text) - {name}": answer["Text"],
            f"Note (Time) - {name}": answer["Time"],
            f"Note (Run ID) - {name}": number,
        }
        lines.append(encode_fresh_chain([(data, context.metadata("notebook"))]).encode("ascii") + b"\n")
    return FetchedFlow(name, path, len(lines), count_lines(path), lambda writer: writer.write(path, lines))
