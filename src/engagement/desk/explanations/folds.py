"""Explain how messages became one record: the values that met in a field, the outcome, the reason."""

from collections.abc import Iterator, Sequence

from engagement.configuration import CodingConfiguration, CodingPlan
from engagement.desk.explanations.codings import name_of, say_other
from engagement.desk.explanations.participant import ExplainedParticipant, text_of
from engagement.desk.explanations.steps import StepKind, StoryStep
from engagement.desk.explanations.wording import Texts, listed, say_code, say_messages, show_fact
from engagement.pipeline.coding.labels import Labels
from engagement.pipeline.folding.fold import fold_labels, fold_texts
from engagement.pipeline.folding.strategies import FoldError


def tell_of_labels(participant: ExplainedParticipant, configuration: CodingConfiguration) -> StoryStep:
    """Explain how the codes of the messages became those of the individual."""
    field, strategy = configuration.coded_field, str(configuration.fold_strategy)
    values = [row.labels[field] for row in participant.messages]
    in_outputs = participant.individual.labels[field]
    says = f"Folded: {'; '.join(_say_groups([_say_labels(labels) for labels in values]))}. By the rule {strategy!r} "
    try:
        folded, cases = fold_labels(configuration, values)
        why = " and ".join(case.reason().say(show_fact) for case in cases)
        says += f"({why}) that makes {_say_labels(folded)}."
        is_same = folded == in_outputs
    except FoldError:
        says += "that is refused: they have to be the same."
        is_same = False
    facts = {
        "strategy": strategy,
        "met": [[label.code.string_value for label in labels] for labels in values],
        "result": [label.code.string_value for label in in_outputs],
    }
    says += "" if is_same else f" {say_other(_say_labels(in_outputs))}"
    return StoryStep(StepKind.FOLDED, says, facts, name_of(configuration))


def tell_of_texts(participant: ExplainedParticipant, plan: CodingPlan, texts: Texts) -> StoryStep:
    """Explain how the texts of the messages became that of the individual."""
    strategy, in_outputs = str(plan.raw_field_fold_strategy), text_of(participant.individual, plan)

    def show(text: str | None) -> str:
        return "no answer" if text is None else texts.show(text)

    met = [text_of(row, plan) for row in participant.messages]
    says = f"Folded: {'; '.join(_say_groups([show(text) for text in met]))}. By the rule {strategy!r} "
    try:
        folded, case = fold_texts(plan, [text for text in met if text is not None])
        says += f"({case.reason().say(show_fact)}) that makes {show(folded)}."
        is_same = folded == in_outputs
    except FoldError:
        says += "that is refused: they have to be the same."
        is_same = False
    says += "" if is_same else f" {say_other(show(in_outputs))}"
    facts = {
        "strategy": strategy,
        "met": [texts.give(text) for text in met],
        "result": texts.give(in_outputs),
    }
    return StoryStep(StepKind.FOLDED, says, facts)


def _say_labels(labels: Labels) -> str:
    return listed(say_code(label.code) for label in labels)


def _say_groups(values: Sequence[str]) -> Iterator[str]:
    """List each value once, with the messages that have it."""
    groups: dict[str, list[int]] = {}
    for number, value in enumerate(values, 1):
        groups.setdefault(value, []).append(number)
    if len(values) > 1 and len(groups) == 1:
        yield f"all {len(values)} messages have {values[0]}"
        return
    for value, numbers in groups.items():
        yield f"{say_messages(numbers)} {'has' if len(numbers) == 1 else 'have'} {value}"
