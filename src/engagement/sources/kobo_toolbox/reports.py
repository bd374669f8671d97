"""Warn of what a fetch met in a form's submissions: counts and configured paths, never an answer."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence

from engagement.foundation.errors import count_of
from engagement.services.kobo.client import KoboClient
from engagement.services.kobo.rows import FormContent
from engagement.sources.kobo_toolbox.model import KoboForm, KoboToolboxSource
from engagement.sources.kobo_toolbox.nearest_paths import nearest_path
from engagement.sources.kobo_toolbox.reading import SubmissionReader

FOUND_KEYS = "found keys"

_logger = logging.getLogger(__name__)


def report_submissions(where: str, reader: SubmissionReader) -> None:
    """Log how many of a fetch's submissions are odd, and in what."""
    read = count_of(reader.read_rows, "submission")
    if reader.without_number:
        _logger.warning(
            "%s: %d of %s without a usable phone number; each of them counts as a participant of its own",
            where,
            reader.without_number,
            read,
        )
    numbers, shared = reader.count_shared_numbers()
    if numbers:
        _logger.info("%s: %s with several submissions, %d in all", where, count_of(numbers, "number"), shared)
    for fault, count in reader.time_faults.items():
        _logger.warning(
            "%s: %s %s; the time is when the server received it",
            where,
            count_of(count, "submission"),
            fault.value,
        )
    for name, count in reader.twice.items():
        has = "has" if count == 1 else "have"
        _logger.warning(
            "%s, %r: %s %s more than one of its Keys; the last counts", where, name, count_of(count, "submission"), has
        )


def note_found_keys(noted: str | None, found: set[str]) -> str:
    """Add to the paths at which answers were found, as the form's state notes them."""
    return json.dumps(sorted(read_found_keys(noted) | found))


def read_found_keys(noted: str | None) -> set[str]:
    """Read the paths at which answers were found."""
    return set() if noted is None else set(json.loads(noted))


class FormContents:
    """Forms as they are now, each asked for once, and only when something needs it."""

    def __init__(self, client: KoboClient):
        self._client = client
        self._contents: dict[str, FormContent] = {}

    def find(self, asset: str) -> FormContent:
        """Return a form's content."""
        if asset not in self._contents:
            self._contents[asset] = self._client.form(asset)
        return self._contents[asset]


def warn_of_missing_keys(source: KoboToolboxSource, found: Mapping[str, set[str]], contents: FormContents) -> None:
    """Warn of configured paths that no submission has an answer at, and that no form has now.

    `found` has the paths with answers, by flow.
    """
    for name, path, forms in _find_missing_keys(source, found):
        known = {one for form in forms for one in contents.find(form.asset).questions}
        if path not in known:
            _logger.warning(
                "KoboToolbox %s, %s: %r is in no submission, and no question's path now; expected one%s Check %s.",
                source.server,
                ", ".join(repr(form.flow_name) for form in forms),
                path,
                nearest_path(path, sorted(known)),
                name,
            )


def _find_missing_keys(
    source: KoboToolboxSource, found: Mapping[str, set[str]]
) -> Iterator[tuple[str, str, Sequence[KoboForm]]]:
    """Find configured paths without an answer in any submission, with the forms where one could be."""
    for form in source.forms:
        for question in form.episode_questions:
            for path in question.keys:
                if path not in found[form.flow_name]:
                    yield f"the Keys of {question.field!r}", path, [form]
    anywhere = set().union(*found.values())
    shared = [(f"the Keys of {one.field!r}", path) for one in source.survey_questions for path in one.keys]
    for name, path in (*shared, *(("PhoneNumberKeys", path) for path in source.phone_number_keys)):
        if path not in anywhere:
            yield name, path, source.forms
