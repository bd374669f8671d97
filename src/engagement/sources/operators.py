"""Labels of the operator scheme, from the first digits of a phone number or the name of another channel."""

import json
import logging
from collections import Counter
from collections.abc import Mapping

from engagement.cleaning.operators import operator_of
from engagement.configuration import CodeScheme, ControlCode
from engagement.sources.de_identify import Participant

_CLEANER = "engagement.cleaning.operators"
_OTHER_SPELLINGS = {"hormud": "hormuud"}

_logger = logging.getLogger(__name__)


class OperatorLabels:
    """Labels participants with the scheme's code of their operator: NC where it is not listed or the scheme lacks it."""

    def __init__(self, scheme: CodeScheme):
        self._scheme = scheme
        self._not_coded = scheme.control(ControlCode.NC)
        self._codes: dict[tuple[str, str], str] = {}
        self._missing: Counter[str] = Counter()

    def label(self, who: Participant, labelled_at: str) -> Mapping[str, object]:
        """The label of a participant's operator, in Coda's shape."""
        key = (who.urn_type, who.operator_raw)
        code_id = self._codes.get(key)
        if code_id is None:
            code_id = self._codes[key] = self._find_code(*key)
        if code_id == self._not_coded.code_id:
            self._missing[who.operator_raw] += 1
        return {
            "SchemeID": self._scheme.scheme_id,
            "CodeID": code_id,
            "DateTimeUTC": labelled_at,
            "Checked": False,
            "Origin": {"OriginID": _CLEANER, "Name": "Pipeline Auto-Coder", "OriginType": "External"},
        }

    def digest(self) -> str:
        """What the labels depend on, to see whether they would come out otherwise."""
        codes = {value: code.code_id for value, code in self._scheme.codes_by_match_value.items()}
        return json.dumps([self._scheme.scheme_id, self._not_coded.code_id, codes], sort_keys=True)

    def warn_of_missing(self) -> None:
        """Say, in one warning, which operators were met that have no code."""
        if self._missing:
            counts = ", ".join(f"{operator} ({count})" for operator, count in self._missing.most_common())
            _logger.warning(
                "Operator scheme %r: %d runs of operators without a code, kept as not coded: %s",
                self._scheme.name,
                self._missing.total(),
                counts,
            )

    def _find_code(self, urn_type: str, operator_raw: str) -> str:
        operator = operator_of(urn_type, operator_raw)
        codes = self._scheme.codes_by_match_value
        code = codes.get(operator or "") or codes.get(_OTHER_SPELLINGS.get(operator or "", "")) or self._not_coded
        return code.code_id
