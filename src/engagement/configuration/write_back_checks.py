"""Checks of WriteBack: every name that it uses is known, and no two parts write to one place."""

from collections.abc import Iterator

from engagement.configuration.coding_plans import CodingPlans
from engagement.configuration.nearest import nearest
from engagement.configuration.pipeline_configuration import PipelineConfiguration
from engagement.configuration.problems import Problem
from engagement.configuration.write_back import WriteBack

_AT = "$.WriteBack"


def find_write_back_problems(configuration: PipelineConfiguration, plans: CodingPlans) -> Iterator[Problem]:
    """Find unknown questions and selections, places that are written twice, and parts that write nowhere."""
    wanted = configuration.write_back
    if wanted is None:
        return
    yield from _find_parts_without_place(wanted)
    known = [coding.coded_field for plan in plans.survey for coding in plan.coding_configurations]
    for number, answer in enumerate(wanted.demographics):
        if answer.coded_field not in known:
            yield Problem(
                f"{_AT}.Demographics[{number}].CodedField",
                f"{answer.coded_field!r} is no coded field of a demographic or follow-up plan; expected one"
                f"{nearest(answer.coded_field, known)} Change it.",
            )
    yield from _find_selection_problems(configuration, wanted)
    for places in (written_fields(configuration, wanted), written_groups(configuration, wanted)):
        first: dict[str, str] = {}
        for at, name in places:
            if first.setdefault(name.casefold(), at) != at:
                yield Problem(at, f"{name!r} is also at {first[name.casefold()]}; expected another one. Change one.")


def find_write_back_warnings(configuration: PipelineConfiguration) -> Iterator[Problem]:
    """Find settings that undo each other, and withdrawals that RapidPro never hears of."""
    wanted = configuration.write_back
    if wanted is None:
        return
    if wanted.withdrawn is None:
        yield Problem(
            _AT,
            "no Withdrawn, so that RapidPro goes on writing to people who withdrew; expected a Group or Field. Add it.",
        )
    elif wanted.withdrawn.block and wanted.withdrawn.group is not None:
        yield Problem(
            f"{_AT}.Withdrawn.Group",
            "blocked contacts are in no group, so that it stays empty; expected a Field beside Block. Change it.",
        )
    if not any(source.takes_writes for source in configuration.raw_data_sources):
        yield Problem(
            _AT,
            "no source is a RapidPro workspace, so that nothing is written; expected one. Add one, or remove WriteBack.",
        )


def _find_parts_without_place(wanted: WriteBack) -> Iterator[Problem]:
    withdrawn, other = wanted.withdrawn, wanted.non_relevant
    if withdrawn is not None and not (withdrawn.group or withdrawn.field or withdrawn.block):
        yield Problem(
            f"{_AT}.Withdrawn", "no Group, Field or Block; expected at least one. Add it, or remove Withdrawn."
        )
    if other is not None and not (other.group or other.field):
        yield Problem(f"{_AT}.NonRelevant", "no Group or Field; expected at least one. Add it, or remove NonRelevant.")
    if withdrawn is None and other is None and not wanted.demographics and not wanted.contacts:
        yield Problem(_AT, "nothing is in it; expected something to write. Add it, or remove WriteBack.")


def _find_selection_problems(configuration: PipelineConfiguration, wanted: WriteBack) -> Iterator[Problem]:
    selections = {selection.name: selection for selection in configuration.contacts}
    for number, name in enumerate(wanted.contacts):
        at = f"{_AT}.Contacts[{number}]"
        selection = selections.get(name)
        if selection is None:
            yield Problem(at, f"{name!r} is no name in Contacts; expected one{nearest(name, selections)} Change it.")
        elif name in wanted.contacts[:number]:
            yield Problem(at, f"{name!r} is there twice; expected it once. Remove one.")
        elif selection.to is None or not (selection.to.group or selection.to.field):
            yield Problem(at, f"{name!r} has no To with a Group or Field; expected one. Add it to the selection.")


def written_fields(configuration: PipelineConfiguration, wanted: WriteBack) -> Iterator[tuple[str, str]]:
    """Give the keys of the contact fields that are written, each after its JSON path."""
    if wanted.withdrawn is not None and wanted.withdrawn.field is not None:
        yield f"{_AT}.Withdrawn.Field", wanted.withdrawn.field
    for number, answer in enumerate(wanted.demographics):
        yield f"{_AT}.Demographics[{number}].Field", answer.field
    if wanted.non_relevant is not None and wanted.non_relevant.field is not None:
        yield f"{_AT}.NonRelevant.Field", wanted.non_relevant.field
    for number, selection in enumerate(configuration.contacts):
        if selection.name in wanted.contacts and selection.to is not None and selection.to.field is not None:
            yield f"$.Contacts[{number}].To.Field", selection.to.field


def written_groups(configuration: PipelineConfiguration, wanted: WriteBack) -> Iterator[tuple[str, str]]:
    """Give the names of the groups that are written, each after its JSON path."""
    for part, given in (("Withdrawn", wanted.withdrawn), ("NonRelevant", wanted.non_relevant)):
        if given is not None and given.group is not None:
            yield f"{_AT}.{part}.Group", given.group
    for number, selection in enumerate(configuration.contacts):
        if selection.name in wanted.contacts and selection.to is not None and selection.to.group is not None:
            yield f"$.Contacts[{number}].To.Group", selection.to.group
