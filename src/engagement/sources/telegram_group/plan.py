"""Plan the reading of a Telegram group's exports."""

from collections.abc import Iterator

from engagement.foundation.errors import count_of
from engagement.sources.fetched_flows import count_lines
from engagement.sources.plan_context import SourcePlanContext
from engagement.sources.telegram_group.export_files import find_exports, refuse_inside
from engagement.sources.telegram_group.model import TelegramGroupSource


def plan_fetch(source: TelegramGroupSource, context: SourcePlanContext) -> Iterator[str]:
    """Name every export; those that did not change since they were taken in are not read again."""
    runs = count_lines(context.data_root / "Raw Data" / f"{source.flow_name}.jsonl")
    yield f"flow {source.flow_name!r}: {count_of(runs, 'message')} held"
    for url in source.export_urls:
        path = context.storage.local_path(url)
        if path is None:
            state = "could not find out if it is there"
            with context.asking():
                state = "to be read if it changed" if context.storage.has_object(url) else "NOT THERE"
            yield f"export {url}: {state}"
            continue
        for file in find_exports(path, url):
            refuse_inside(file.path, file.name, context.data_root)
            yield f"export {file.name}: to be read if it changed"
