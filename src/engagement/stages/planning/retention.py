"""Plan the removal of what is old."""

from collections.abc import Iterator

from engagement.custody.retention.overdue import RetentionPlaces, find_overdue
from engagement.custody.retention.raw_texts import say_aged
from engagement.stages.apply_retention import look_for_aged, say_overdue, say_who_leaves
from engagement.stages.planning.context import PlanContext


def plan_retention(context: PlanContext) -> Iterator[str]:
    """Write the lines about what is over age by now: nothing where the configuration does not ask for it."""
    retention = context.project.configuration.retention
    if retention is None:
        return
    places = RetentionPlaces(context.data_root, context.backups, context.performance_logs)
    # It runs after the backup.
    overdue = find_overdue(places, retention, context.now, archive_comes=True)
    for line in say_overdue(overdue):
        yield f"to be removed, by Retention: {line}"
    aged = look_for_aged(context.project.path, context.data_root, retention, context.now)
    for line in say_aged(aged) if aged is not None else ():
        yield f"to be removed, by Retention: {line}"
    people = list(say_who_leaves(context.project.path, context.data_root, retention, context.now, aged))
    yield from (f"to be removed, by Retention: {line}" for line in people)
    if not people and not overdue.files and (aged is None or not aged.count):
        yield "nothing: no archive, log, record, message or row of the uuid table is older than Retention keeps"
    for line in overdue.stays:
        yield f"stays: {line}"
