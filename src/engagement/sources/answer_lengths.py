"""Lengths of answers that flows' tests sorted: is any longer than what its test matched?"""

from collections import Counter

# What a flow calls an answer that no test of its author's matched, or that is none.
UNTESTED = {"All Responses", "Other", "No Response", "Failure", "Has Text", ""}


class AnswerLengths:
    """Counts a flow's sorted answers, and those of them that are longer than the match."""

    def __init__(self) -> None:
        self.tested: Counter[str] = Counter()
        self.longer: Counter[str] = Counter()

    def add(self, flow: str, values: dict[str, object]) -> None:
        """Count in a run."""
        for key, category in values.items():
            name, mark, of_flow = key.partition(" (Category) - ")
            if mark and of_flow == flow and isinstance(category, str) and category not in UNTESTED:
                matched = values.get(f"{name} (Value) - {flow}")
                text = values.get(f"{name} (Text) - {flow}")
                self.tested[flow] += text is not None
                self.longer[flow] += text != matched or len(str(text).split()) > 1
