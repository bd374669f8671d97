"""Fetch TracedData files that another pipeline left in a bucket: each once, complete or not at all."""

import logging
from pathlib import Path

from engagement.configuration.field_names import PARTICIPANT_KEY
from engagement.configuration.flow_choices import flow_name_of_url
from engagement.configuration.participant_ids import find_id_problem
from engagement.foundation.errors import InputError, count_of
from engagement.foundation.files import make_directory, open_bytes_for_writing
from engagement.provenance import read_traced_data
from engagement.sources.context import FetchContext
from engagement.sources.fetched_flows import FetchedFlow, count_lines
from engagement.sources.gcloud_bucket.model import GCloudBucketSource
from engagement.sources.manifest import RawDataWriter
from engagement.sources.message_cut import LineAges

# In State/fetch/: files on their way to Raw Data.
DOWNLOADS = "downloads"

_logger = logging.getLogger(__name__)


def fetch_flows(source: GCloudBucketSource, context: FetchContext) -> list[FetchedFlow]:
    """Download the files that are not in Raw Data yet.

    Raises
    ------
    InputError
        A file is not TracedData, or its participants are not de-identified: it is not kept.
    """
    return [_fetch_file(url, context) for url in source.flow_urls]


def _fetch_file(url: str, context: FetchContext) -> FetchedFlow:
    name = flow_name_of_url(url)
    target = context.raw_data_file(name)
    if target.exists():
        runs = count_lines(target)
        _logger.info("Flow %r: %s, downloaded before", name, count_of(runs, "run"))
        return FetchedFlow(name, target, runs, runs, lambda writer: None)
    # Beside the file's place in Raw Data, which it takes only once all sources have succeeded.
    arrived = make_directory(context.state_file(DOWNLOADS)) / target.name
    # If the fetch fails, here or in a later source, it stays nowhere.
    context.resources.callback(arrived.unlink, missing_ok=True)
    context.storage.download(url, arrived)
    runs = _count_runs(arrived, url, context.project.configuration.participant_prefix)
    runs -= _leave_out(arrived, context)
    return FetchedFlow(name, target, runs, 0, lambda writer: _move(writer, arrived, target, name, runs))


def _leave_out(path: Path, context: FetchContext) -> int:
    """Write a file again without the runs that are held back; return how many there were.

    What another pipeline fetched was sent before, whenever new messages are taken again.
    """
    held_back = context.held_back
    if not held_back:
        return 0
    ages = LineAges(held_back.cut, context.project.configuration) if held_back.cut is not None else None
    left_out = {
        number
        for number, record in enumerate(read_traced_data(path))
        if held_back.forgotten.find(str(record.values.get(PARTICIPANT_KEY))) is not None
        or (ages is not None and ages.removes(record.values))
    }
    if left_out:
        with path.open("rb") as before, open_bytes_for_writing(path) as file:
            file.writelines(line for number, line in enumerate(before) if number not in left_out)
    return len(left_out)


def _count_runs(path: Path, url: str, prefix: str) -> int:
    runs = 0
    try:
        for runs, record in enumerate(read_traced_data(path), 1):
            if find_id_problem(str(record.values.get(PARTICIPANT_KEY)), prefix) is not None:
                raise InputError(
                    f"{url}, line {runs}: {PARTICIPANT_KEY!r} is no participant's uuid; expected '{prefix}…'. "
                    "Nothing of the file was kept. De-identify it first."
                )
    except InputError as error:
        # The message names a copy that is not kept: people can only look at the address.
        raise InputError(str(error).replace(str(path), url)) from None
    return runs


def _move(writer: RawDataWriter, arrived: Path, target: Path, name: str, runs: int) -> None:
    writer.move(arrived, target)
    _logger.info("Flow %r: %s downloaded", name, count_of(runs, "run"))
