"""Propose labels for texts with cleaners, and warn of cleaner codes that a scheme lacks."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from engagement.configuration import Code, CodeScheme, CodingPlan
from engagement.configuration.function_names import is_project_function
from engagement.pipeline.coding.cleaning import Cleaner, codes_of_cleaner, find_cleaner
from engagement.pipeline.coding.labels import propose_label

log = logging.getLogger(__name__)

# Other names that code schemes use for a cleaner's codes.
_OTHER_NAMES = {"man": "male", "woman": "female", "hormud": "hormuud"}


def find_code(scheme: CodeScheme, name: str) -> Code | None:
    """Find a scheme's code for the code that a cleaner gives, by its match values."""
    return scheme.codes_by_match_value.get(name) or scheme.codes_by_match_value.get(_OTHER_NAMES.get(name, ""))


class AutomaticCoder:
    """Proposes labels for the texts of one plan."""

    def __init__(self, plan: CodingPlan, project_cleaners: Mapping[str, Cleaner]) -> None:
        self._cleaners = [
            (configuration, project_cleaners.get(configuration.cleaner) or find_cleaner(configuration.cleaner))
            for configuration in plan.coding_configurations
            if configuration.cleaner is not None and configuration.in_coda
        ]

    def propose(self, text: str, time: str) -> list[dict[str, Any]]:
        """Propose labels for a text, as JSON, in the order of the plan's schemes.

        A scheme gets none where its cleaner abstains or the scheme lacks the cleaner's code. `time` is the creation time of
        the text's message, so that the same text gets the same bytes in every run.
        """
        labels = []
        for configuration, clean in self._cleaners:
            name = clean(text)
            if name is None:
                continue
            code = find_code(configuration.code_scheme, name)
            if code is not None:
                labels.append(propose_label(configuration.code_scheme, code, str(configuration.cleaner), time))
        return labels


def make_coders(plans: Sequence[CodingPlan], project_cleaners: Mapping[str, Cleaner]) -> dict[str, AutomaticCoder]:
    """Make the cleaners of each plan with a dataset in Coda, by raw field."""
    return {plan.raw_field: AutomaticCoder(plan, project_cleaners) for plan in plans if plan.coda_filename is not None}


def warn_of_missing_codes(plans: tuple[CodingPlan, ...]) -> None:
    """Warn of codes that a cleaner can give but its scheme lacks: such answers stay uncoded."""
    for plan in plans:
        for configuration in plan.coding_configurations:
            cleaner = configuration.cleaner
            if cleaner is None or is_project_function(cleaner) or not configuration.in_coda:
                continue
            missing = sorted(
                name for name in codes_of_cleaner(cleaner) if find_code(configuration.code_scheme, name) is None
            )
            if missing:
                log.warning(
                    "Code scheme %r lacks %d of the codes that cleaner %r can give: %s%s. Such answers stay uncoded.",
                    configuration.code_scheme_file,
                    len(missing),
                    cleaner,
                    ", ".join(missing[:5]),
                    ", …" if len(missing) > 5 else "",
                )
