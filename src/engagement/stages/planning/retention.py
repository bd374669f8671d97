"""Plan the removal of what is old."""

from collections.abc import Iterator

from engagement.custody.retention.overdue import RetentionPlaces, find_overdue
from engagement.custody.retention.raw_texts import say_aged
from engagement.stages.apply_retention import look_for_aged, say_overdue
from engagement.stages.planning.context import PlanContext


def plan_retention(context: PlanContext) -> Iterator[str]:
    """Write the lines about what is over age by now: nothing where the configuration does not ask for it."""
    retention = context.project.configuration.retention
    if retention is None:
        return
    places = RetentionPlaces(context.data_root, context.backups, context.performance_logs)
    overdue = find_overdue(places, retention, context.now)
    for line in say_overdue(overdue):
        yield f"to be removed, by Retention: {line}"
    aged = look_for_aged(context.project.path, context.data_root, retention, context.now)
    for line in say_aged(aged) if aged is not None else ():
        yield f"to be removed, by Retention: {line}"
    if not overdue.files and (aged is None or not aged.count):
        yield "nothing: no archive, log, record or message is older than Retention keeps"
    for line in overdue.stays:
        yield f"stays: {line}"
