"""Compare the lengths of sorted answers with the parts that flows' tests matched."""

from collections import Counter

# A flow's categories for answers that no test matched, and for missing answers.
UNTESTED = {"All Responses", "Other", "No Response", "Failure", "Has Text", ""}


class AnswerLengths:
    """Counts a flow's sorted answers, and those that are longer than the match."""

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
