"""What becomes of what the gate found: masked in the copies, or a reason to upload nothing."""

import logging
from pathlib import Path

from engagement.configuration.pipeline_configuration import Disclosure, PhoneNumberPolicy
from engagement.delivery.disclosure.findings import DisclosureFindings
from engagement.foundation.errors import DisclosureError, listing
from engagement.foundation.files import make_directory, write_csv

_logger = logging.getLogger(__name__)


def write_findings(path: Path, findings: DisclosureFindings) -> None:
    """Write the list of what was found, ids alone, for the people who look after it; an empty one when nothing was."""
    make_directory(path.parent)
    write_csv(path, ("Finding", "Dataset", "ID"), findings.rows())


def judge(findings: DisclosureFindings, disclosure: Disclosure, where: str, found_in: Path) -> None:
    """Say what was masked, or refuse. `where` names what was looked at, `found_in` the list of what was found.

    Raises
    ------
    DisclosureError
        Rows of participants who withdrew are there, whatever the configuration says; or there are phone numbers or
        rare combinations, and Disclosure.PhoneNumbers is "stop".
    """
    if findings.withdrawn:
        raise DisclosureError(
            f"{where}: {listing(findings.withdrawn)}\n"
            "Expected nothing of participants who withdrew. Nothing was uploaded. Run stage 3 again, and do not edit its tables."
        )
    problems = findings.problems()
    if problems and disclosure.phone_numbers is PhoneNumberPolicy.STOP:
        raise DisclosureError(
            f"{where}: {listing(problems)}\n"
            f"Nothing was uploaded; all are in {found_in}. Expected none where Disclosure.PhoneNumbers is 'stop'. Set it to "
            "'mask' to upload the tables without them."
        )
    if findings.texts:
        _logger.warning("Masked phone numbers in %d message(s) for Drive: see %s", len(findings.texts), found_in)
    if findings.rare:
        _logger.warning(
            "Withheld from Drive the answers of %d participant(s) in a combination that fewer than %d share: see %s",
            len(findings.rare),
            disclosure.k_anonymity,
            found_in,
        )
