"""How a participant's messages became one record: which values met in each field, and what came out."""

from collections.abc import Iterator, Mapping, Sequence

from engagement.configuration import CodingConfiguration, CodingPlan, FoldStrategy, RawFieldFoldStrategy
from engagement.configuration.control_codes import CONTROL_CODES
from engagement.desk.explanations.codings import name_of
from engagement.desk.explanations.participant import Participant, TracedRow, text_of
from engagement.desk.explanations.steps import Step, StepKind
from engagement.desk.explanations.wording import Texts, listed, say_code, say_messages

_LABEL_RULES: Mapping[FoldStrategy, str] = {
    FoldStrategy.ASSERT_LABEL_IDS_EQUAL: "all messages have to have the same code, and have",
    FoldStrategy.LIST_OF_LABELS: "every code of any message; NA and NC stay only where there is nothing else",
    FoldStrategy.YES_NO_AMB: "a control code gives way, and codes that differ make 'ambivalent'",
    FoldStrategy.CONTROL_CODE_BY_PRECEDENCE: f"the control code that comes first in {', '.join(CONTROL_CODES)}, then the project's own",
}
_TEXT_RULES: Mapping[RawFieldFoldStrategy, str] = {
    RawFieldFoldStrategy.CONCATENATE: "the texts of all messages, with ';' between them",
    RawFieldFoldStrategy.ASSERT_EQUAL: "all messages have to have the same text, and have",
}


def tell_of_labels(participant: Participant, configuration: CodingConfiguration) -> Step:
    """How the codes of the messages became those of the individual."""
    field = configuration.coded_field

    def say(row: TracedRow) -> str:
        return listed(say_code(label.code) for label in row.labels[field])

    strategy = configuration.fold_strategy
    result = [label.code.string_value for label in participant.individual.labels[field]]
    return Step(
        StepKind.FOLDED,
        f"Folded: {'; '.join(_say_groups([say(row) for row in participant.messages]))}. "
        f"By the rule {str(strategy)!r} ({_LABEL_RULES[strategy]}) that makes {say(participant.individual)}.",
        {
            "strategy": str(strategy),
            "met": [[label.code.string_value for label in row.labels[field]] for row in participant.messages],
            "result": result,
        },
        name_of(configuration),
    )


def tell_of_texts(participant: Participant, plan: CodingPlan, texts: Texts) -> Step:
    """How the texts of the messages became that of the individual."""
    strategy = plan.raw_field_fold_strategy

    def show(row: TracedRow) -> str:
        text = text_of(row, plan)
        return "no answer" if text is None else texts.show(text)

    met = [show(row) for row in participant.messages]
    return Step(
        StepKind.FOLDED,
        f"Folded: {'; '.join(_say_groups(met))}. "
        f"By the rule {str(strategy)!r} ({_TEXT_RULES[strategy]}) that makes {show(participant.individual)}.",
        {
            "strategy": str(strategy),
            "met": [texts.give(text_of(row, plan)) for row in participant.messages],
            "result": texts.give(text_of(participant.individual, plan)),
        },
    )


def _say_groups(values: Sequence[str]) -> Iterator[str]:
    """Which messages have which value, each value once."""
    groups: dict[str, list[int]] = {}
    for number, value in enumerate(values, 1):
        groups.setdefault(value, []).append(number)
    if len(values) > 1 and len(groups) == 1:
        yield f"all {len(values)} messages have {values[0]}"
        return
    for value, numbers in groups.items():
        yield f"{say_messages(numbers)} {'has' if len(numbers) == 1 else 'have'} {value}"
