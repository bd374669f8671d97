"""Consequences of the gate's findings: masked copies, or a refusal to upload anything."""

import logging
from pathlib import Path

from engagement.configuration.disclosure import Disclosure, PhoneNumberPolicy
from engagement.delivery.disclosure.findings import DisclosureFindings
from engagement.foundation.errors import DisclosureError, listing
from engagement.foundation.files import make_directory, write_csv

_logger = logging.getLogger(__name__)


def write_findings(path: Path, findings: DisclosureFindings) -> None:
    """Write the list of findings, only ids, for the project's staff; an empty list if there are none."""
    make_directory(path.parent)
    write_csv(path, ("Finding", "Dataset", "ID"), findings.rows())


def judge(findings: DisclosureFindings, disclosure: Disclosure, where: str, found_in: Path) -> None:
    """Report masked findings, or refuse; `where` names the files, `found_in` the list of findings.

    Raises
    ------
    DisclosureError
        There are rows of participants who withdrew, whatever the configuration says; or there are phone numbers or
        rare combinations, and Disclosure.PhoneNumbers is "stop".
    """
    if findings.withdrawn:
        raise DisclosureError(
            f"{where}: {listing(findings.withdrawn)}\n"
            "Expected no data of participants who withdrew. Nothing was uploaded. Run stage 3 again, and do not edit its tables."
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
            "Withheld the answers of %d participant(s) from Drive, as fewer than %d share their combination: see %s",
            len(findings.rare),
            disclosure.k_anonymity,
            found_in,
        )
