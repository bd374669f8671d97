"""Say which pages of a notebook a fetch would read."""

from collections.abc import Iterator

from engagement.sources.plan_context import SourcePlanContext

from .model import NotebookSource


def plan_fetch(source: NotebookSource, context: SourcePlanContext) -> Iterator[str]:
    """One line a page; a storage that can't be reached is noted, and the plan goes on."""
    for url in source.pages:
        with context.asking():
            yield f"page {url}: {'to be read' if context.storage.has_object(url) else 'NOT THERE'}"
