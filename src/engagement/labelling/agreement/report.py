"""Report of coder agreement, overall and by code, as text for people and as JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from engagement.labelling.agreement.agreement import Agreement, Estimate, Numbers, draw_weights, measure_agreement
from engagement.labelling.agreement.coding_sheets import CodedMessage, Codings

DRAWS, SEED, CONFIDENCE = 2000, 1, 0.95
"""Bootstrap draws, their seed and the intervals' confidence, unless somebody asks for others."""


@dataclass(frozen=True)
class CodeReliability:
    """Agreement on one code; `times` counts its uses by each coder, in their order."""

    code: str
    times: tuple[int, ...]
    agreement: Agreement


@dataclass(frozen=True)
class Reliability:
    """Complete reliability results for some codings.

    `overall` compares whole codings: two coders agree on a message if they gave it exactly the same codes. By code,
    they agree if both or neither gave it.
    """

    codings: Codings
    overall: Agreement
    by_code: tuple[CodeReliability, ...]

    @property
    def disagreements(self) -> list[CodedMessage]:
        """Messages to discuss."""
        return [message for message in self.codings.messages if message.is_disagreement]


def measure_reliability(codings: Codings, draws: int, seed: int, confidence: float) -> Reliability:
    """Measure codings with at least one message coded by two; `seed` fixes the `draws` bootstrap draws."""
    weights = draw_weights(len(codings.messages), draws, seed)
    distinct = sorted(
        {codes for message in codings.messages for codes in message.codes if codes is not None}, key=sorted
    )
    overall = _count(codings.messages, [{codes} for codes in distinct])
    by_code = []
    for code in codings.codes:
        having = {codes for codes in distinct if code in codes}
        ratings = _count(codings.messages, [having, {*distinct} - having])
        times = tuple(
            sum(message.codes[coder] in having for message in codings.messages) for coder in range(len(codings.coders))
        )
        by_code.append(CodeReliability(code, times, measure_agreement(ratings, weights, confidence)))
    return Reliability(codings, measure_agreement(overall, weights, confidence), tuple(by_code))


def _count(messages: Sequence[CodedMessage], categories: Sequence[set[frozenset[str]]]) -> Numbers:
    """Count the coders who put each message into each category, a set of whole codings."""
    return np.array(
        [[sum(codes in category for codes in message.codes) for category in categories] for message in messages],
        dtype=np.float64,
    )


def describe_reliability(reliability: Reliability, confidence: float, with_texts: bool) -> Iterator[str]:
    """Write the results as lines of text; shows participants' texts only on request."""
    codings = reliability.codings
    yield f"{len(codings.messages)} message(s), {reliability.overall.messages} of them coded by two coders or more:"
    for position, coder in enumerate(codings.coders):
        coded = sum(message.codes[position] is not None for message in codings.messages)
        yield f"  {coder}: coded {coded}, not coded {len(codings.messages) - coded}"
    yield ""
    width = max(len(code) for code in ["all codes together", *codings.codes])
    yield (
        f"{'':<{width}}  {'times given':>11}  "
        + "".join(f"{name:<24}" for name in ("agreement %", "alpha", "AC1")).rstrip()
    )
    yield _line("all codes together", "", reliability.overall, width)
    for row in reliability.by_code:
        yield _line(row.code, "/".join(map(str, row.times)), row.agreement, width)
    yield ""
    yield f"In brackets: {100 * confidence:g} % bootstrap intervals. Not defined, because nothing varies: -."
    yield from _describe_disagreements(reliability, with_texts)


def _line(name: str, times: str, agreement: Agreement, width: int) -> str:
    percent = show_estimate(agreement.percent_agreement, 100, 1)
    cells = f"{percent:<24}{show_estimate(agreement.alpha):<24}{show_estimate(agreement.ac1):<24}"
    return f"{name:<{width}}  {times:>11}  {cells}".rstrip()


def show_estimate(estimate: Estimate, factor: int = 1, digits: int = 3) -> str:
    """Write a coefficient with its interval, in brackets; a dash where it is not defined."""
    if estimate.value is None:
        return "-"
    shown = f"{factor * estimate.value:.{digits}f}"
    if estimate.low is None or estimate.high is None:
        return shown
    return f"{shown} [{factor * estimate.low:.{digits}f}, {factor * estimate.high:.{digits}f}]"


def _describe_disagreements(reliability: Reliability, with_texts: bool) -> Iterator[str]:
    disagreements = reliability.disagreements
    yield ""
    yield f"{len(disagreements)} message(s) to talk about{':' if disagreements else '.'}"
    for message in disagreements:
        yield f"  {message.message_id}" + (f"  run {message.run_id}" if message.run_id else "")
        if with_texts:
            yield f"    {message.text!r}"
        for coder, codes in zip(reliability.codings.coders, message.codes, strict=True):
            yield f"    {coder}: {'not coded' if codes is None else ', '.join(sorted(codes))}"


def reliability_document(reliability: Reliability, with_texts: bool) -> dict[str, Any]:
    """Convert the results to JSON."""
    codings = reliability.codings
    return {
        "coders": list(codings.coders),
        "messages": len(codings.messages),
        "coded": {
            coder: sum(message.codes[position] is not None for message in codings.messages)
            for position, coder in enumerate(codings.coders)
        },
        "overall": asdict(reliability.overall),
        "by_code": [
            {"code": row.code, "times": dict(zip(codings.coders, row.times, strict=True)), **asdict(row.agreement)}
            for row in reliability.by_code
        ],
        "disagreements": [
            {
                "message_id": message.message_id,
                "run_id": message.run_id,
                **({"text": message.text} if with_texts else {}),
                "codes": {
                    coder: None if codes is None else sorted(codes)
                    for coder, codes in zip(codings.coders, message.codes, strict=True)
                },
            }
            for message in reliability.disagreements
        ],
    }
