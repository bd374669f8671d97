"""Plan a fetch from KoboToolbox. Asks for the number of each form's submissions."""

from collections.abc import Iterator

from engagement.foundation.errors import count_of
from engagement.services.kobo.client import KoboClient
from engagement.services.storage.protocol import read_token
from engagement.sources.fetched_flows import count_lines
from engagement.sources.kobo_toolbox.model import KoboToolboxSource
from engagement.sources.plan_context import SourcePlanContext


def plan_fetch(source: KoboToolboxSource, context: SourcePlanContext) -> Iterator[str]:
    """Describe the submissions held by now, and how many the server has."""
    on_server: dict[str, int] = {}
    with context.asking():
        token = read_token(context.storage, source.token_file_url)
        with KoboClient(source.server, token, context.policy) as client:
            for form in source.forms:
                on_server[form.asset] = client.count(form.asset)
    for form in source.forms:
        runs = count_lines(context.data_root / "Raw Data" / f"{form.flow_name}.jsonl")
        held = f"flow {form.flow_name!r}: {count_of(runs, 'run')} held"
        if form.asset not in on_server:
            yield f"{held}; could not find out what is new"
        else:
            yield f"{held}; {count_of(on_server[form.asset], 'submission')} on the server, listed to find what is new or edited"
