"""Explain how messages became one record: the values that met in a field, the outcome, the reason."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from engagement.configuration import CodingConfiguration, CodingPlan
from engagement.desk.explanations.codings import name_of, say_other
from engagement.desk.explanations.participant import ExplainedParticipant, text_of
from engagement.desk.explanations.steps import StepKind, StoryStep
from engagement.desk.explanations.wording import Texts, say_codes, say_messages, show_fact
from engagement.pipeline.coding.labels import Labels
from engagement.pipeline.folding.fold import fold_labels, fold_texts
from engagement.pipeline.folding.strategies import FoldCase, FoldError


def tell_of_labels(participant: ExplainedParticipant, configuration: CodingConfiguration) -> StoryStep:
    """Explain how the codes of the messages became those of the individual."""

    def list_codes(labels: Labels) -> list[str]:
        return [label.code.string_value for label in labels]

    field, strategy = configuration.coded_field, str(configuration.fold_strategy)
    met, in_outputs = [row.labels[field] for row in participant.messages], participant.individual.labels[field]
    says = _say_fold(met, in_outputs, strategy, say_codes, lambda: fold_labels(configuration, met))
    facts = {"strategy": strategy, "met": list(map(list_codes, met)), "result": list_codes(in_outputs)}
    return StoryStep(StepKind.FOLDED, says, facts, name_of(configuration))


def tell_of_texts(participant: ExplainedParticipant, plan: CodingPlan, texts: Texts) -> StoryStep:
    """Explain how the texts of the messages became that of the individual."""

    def show(text: str | None) -> str:
        return "no answer" if text is None else texts.show(text)

    strategy, in_outputs = str(plan.raw_field_fold_strategy), text_of(participant.individual, plan)
    met = [text_of(row, plan) for row in participant.messages]
    given = [text for text in met if text is not None]
    says = _say_fold(met, in_outputs, strategy, show, lambda: fold_texts(plan, given))
    facts: dict[str, Any] = {"strategy": strategy, "met": list(map(texts.give, met)), "result": texts.give(in_outputs)}
    return StoryStep(StepKind.FOLDED, says, facts)


def _say_fold[T](
    met: Sequence[T],
    in_outputs: T,
    strategy: str,
    show: Callable[[T], str],
    fold: Callable[[], tuple[T, Sequence[FoldCase]]],
) -> str:
    """Describe what met, and what the rule makes of it; and what Outputs have, if that is something else."""
    says = f"Folded: {'; '.join(_say_groups(list(map(show, met))))}. By the rule {strategy!r} "
    try:
        folded, cases = fold()
    except FoldError:
        return f"{says}that is refused: they have to be the same. {say_other(show(in_outputs))}"
    why = " and ".join(case.reason().say(show_fact) for case in cases)
    says += f"({why}) that makes {show(folded)}."
    return says if folded == in_outputs else f"{says} {say_other(show(in_outputs))}"


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
