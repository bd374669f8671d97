"""What coders said, as it was downloaded, compared with the code schemes: labels that no code scheme knows."""

from collections.abc import Iterator
from pathlib import Path

from engagement.checks.places import placed_plans
from engagement.coding.coda_schemes import find_unknown_codes
from engagement.configuration import CodingPlans
from engagement.configuration.problems import Problem
from engagement.services.coda_format import read_message_file
from engagement.sources.coda_datasets import code_schemes_of, coded_file


def find_label_warnings(plans: CodingPlans, data_root: Path) -> Iterator[Problem]:
    """Labels with codes that their scheme lacks, with counts of messages.

    Raises
    ------
    InputError
        A file is damaged.
    """
    for at, plan in placed_plans(plans):
        if plan.coda_dataset is None:
            continue
        path = coded_file(data_root, plan.coda_dataset)
        if path.exists():
            messages = read_message_file(path, "Download it anew: run stage 1 with --full.")
            for found in find_unknown_codes(messages, code_schemes_of(plan, plans)):
                yield Problem(
                    f"{at}.CodaFilename",
                    f"dataset {plan.coda_dataset!r}: {found}; expected codes of the scheme, as such answers count as not coded "
                    "(NC). Put the code back, or have them labelled again.",
                )
