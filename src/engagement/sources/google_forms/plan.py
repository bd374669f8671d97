"""Plan a fetch from Google Forms.

Reads the whole listing, as the fetch does: a thousand responses are one request.
"""

from collections.abc import Iterator

from engagement.foundation.errors import count_of
from engagement.services.google_forms.client import GoogleFormsClient
from engagement.sources.google_forms.fetch import open_forms
from engagement.sources.google_forms.model import FormOfEpisode, GoogleFormsSource
from engagement.sources.plan_context import SourcePlanContext
from engagement.sources.submissions.flows import state_path
from engagement.sources.submissions.held import look_at_versions


def plan_fetch(source: GoogleFormsSource, context: SourcePlanContext) -> Iterator[str]:
    """Describe the responses held by now, and what is new in each form."""
    told = 0
    with context.asking(), open_forms(source, context.storage, context.policy) as client:
        for form in source.forms:
            held = look_at_versions(state_path(context.data_root, source, form))
            yield f"flow {form.flow_name!r}: {count_of(len(held), 'response')} held; {_say_new(client, form, held)}"
            told += 1
    for form in source.forms[told:]:
        yield f"flow {form.flow_name!r}: could not find out what is new"


def _say_new(client: GoogleFormsClient, form: FormOfEpisode, held: dict[str, str]) -> str:
    client.form(form.form_id)
    new = edited = unreadable = 0
    gone = {*held}
    for page in client.responses(form.form_id):
        for row in page.rows:
            gone.discard(row.response_id)
            new += row.response_id not in held
            edited += held.get(row.response_id, row.last_submitted.text) < row.last_submitted.text
        gone.difference_update(lost.response_id or "" for lost in page.unreadable)
        unreadable += len(page.unreadable)
    cannot = f", {unreadable} that can't be read" if unreadable else ""
    return f"{new} new, {edited} edited, {len(gone)} deleted{cannot}"
