"""Plan the writing back by the outputs as they are now; RapidPro is not asked."""

from collections.abc import Iterator

from engagement.stages.planning.context import PlanContext


def plan_write_back(context: PlanContext) -> Iterator[str]:
    """Write the lines about the writing back: nothing where the configuration does not ask for it."""
    wanted = context.project.configuration.write_back
    if wanted is None:
        return
    sources = [source for source in context.project.configuration.raw_data_sources if source.takes_writes]
    stop = wanted.withdrawn
    if stop is not None:
        places = [f"group {stop.group!r}"] if stop.group else []
        places += [f"field {stop.field!r}"] if stop.field else []
        yield f"people who withdrew: {', '.join([*places, *(['block'] if stop.block else [])])}"
    for answer in wanted.demographics:
        held = "its codes" if answer.values else "yes"
        yield f"answers to {answer.coded_field!r}: {held} in field {answer.field!r}"
    if wanted.non_relevant is not None:
        yield "people without any relevant answer"
    for name in wanted.contacts:
        yield f"selection {name!r}"
    yield f"in {len(sources)} workspace(s) of RapidPro, only where it differs; write_back.sh --dry-run counts the contacts"
