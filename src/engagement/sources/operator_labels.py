"""Labels of the operator scheme, by a number's first digits or another channel's name."""

import json
import logging
from collections import Counter
from collections.abc import Iterable, Mapping

from engagement.configuration import CodeScheme, ControlCode
from engagement.foundation.errors import count_of
from engagement.sources.operator_prefixes import operator_of

_CLEANER = "engagement.cleaning.operators"
_OTHER_SPELLINGS = {"hormud": "hormuud"}

_logger = logging.getLogger(__name__)


class OperatorLabels:
    """Labels participants with their operator's code: NC if it is not listed, or the scheme lacks it."""

    def __init__(self, scheme: CodeScheme):
        self._scheme = scheme
        self._not_coded = scheme.control(ControlCode.NC)
        self._runs: Counter[tuple[str, str]] = Counter()

    def label(self, urn_type: str, operator_raw: str, labelled_at: str) -> Mapping[str, object]:
        """Make the label of a participant's operator, in Coda's format."""
        return {
            "SchemeID": self._scheme.scheme_id,
            "CodeID": self._find_code(urn_type, operator_raw),
            "DateTimeUTC": labelled_at,
            "Checked": False,
            "Origin": {"OriginID": _CLEANER, "Name": "Pipeline Auto-Coder", "OriginType": "External"},
        }

    def count(self, runs: Iterable[tuple[str, str]]) -> None:
        """Count runs, each by its channel and first digits, for the warning about those without a code."""
        self._runs.update(runs)

    def digest(self) -> str:
        """Digest the inputs of the labels, to see if they would change."""
        codes = {value: code.code_id for value, code in self._scheme.codes_by_match_value.items()}
        return json.dumps([self._scheme.scheme_id, self._not_coded.code_id, codes], sort_keys=True)

    def warn_of_missing(self) -> None:
        """Name, in one warning, the counted operators that have no code."""
        missing: Counter[str] = Counter()
        for (urn_type, operator_raw), runs in self._runs.items():
            if self._find_code(urn_type, operator_raw) == self._not_coded.code_id:
                missing[operator_raw] += runs
        if missing:
            _logger.warning(
                "Operator scheme %r: %s of operators without a code, kept as not coded: %s",
                self._scheme.name,
                count_of(missing.total(), "run"),
                ", ".join(f"{operator} ({runs})" for operator, runs in missing.most_common()),
            )

    def _find_code(self, urn_type: str, operator_raw: str) -> str:
        operator = operator_of(urn_type, operator_raw) or ""
        codes = self._scheme.codes_by_match_value
        code = codes.get(operator) or codes.get(_OTHER_SPELLINGS.get(operator, "")) or self._not_coded
        return code.code_id
