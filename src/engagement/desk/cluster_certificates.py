"""Make the certificates with which the machines of a Dask cluster know each other, and encrypt.

Writes ca.pem, cluster.pem and cluster-key.pem. Copy all three to each machine, for the pipeline's user alone: whoever has
the key can run programs on the cluster.
"""

import argparse
import logging
from datetime import UTC, datetime
from pathlib import Path

from engagement.foundation.certificates import CA, CERTIFICATE, KEY, make_certificates
from engagement.foundation.errors import UsageError

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder to write to; made if missing")


def run(arguments: argparse.Namespace) -> None:
    """Write the certificates, unless some are there already."""
    present = [name for name in (CA, CERTIFICATE, KEY) if (arguments.folder / name).exists()]
    if present:
        raise UsageError(
            f"{arguments.folder}: has {', '.join(present)} already; expected a folder without certificates, as a cluster would "
            "not accept its machines any more. Name another folder, or remove the files."
        )
    until = make_certificates(arguments.folder, datetime.now(UTC))
    log.info("Wrote %s, %s and %s in %s: valid until %s", CA, CERTIFICATE, KEY, arguments.folder, until.date())
