"""Whether production.csv may leave before the coders' labels are applied: it holds everybody's texts."""

from pathlib import Path

from engagement.configuration import Project
from engagement.configuration.kept_project import find_kept_stop_ids
from engagement.foundation.errors import InputError
from engagement.foundation.files import read_json
from engagement.pipeline.coding.coded_datasets import CODA_FILE_REMEDY, check_coda_messages
from engagement.pipeline.coding.lost_labels import find_stop_ids


def find_reason_to_wait(project: Project, data_root: Path) -> str | None:
    """Return why the table has to stay here, and what to do; None if it may go."""
    if project.configuration.disclosure.k_anonymity is not None:
        return "Disclosure.KAnonymity needs the coded tables. Run stage 3 in --mode all-stages to upload all three"
    if _has_withdrawals(project, data_root):
        return (
            "coders labelled STOP, and this mode does not apply it, so texts of people who withdrew are in the table. "
            "Run stage 3 in --mode all-stages to upload all three"
        )
    return None


def _has_withdrawals(project: Project, data_root: Path) -> bool:
    """Tell whether any message of the datasets has, or ever had, a STOP label."""
    plans = project.coding_plans.all
    schemes = (coding.code_scheme for plan in plans for coding in plan.coding_configurations)
    stop_ids = find_stop_ids(schemes) | find_kept_stop_ids(data_root)
    for plan in plans:
        path = data_root / "Coded Coda Files" / str(plan.coda_filename)
        if plan.coda_filename is None or not path.exists():
            continue
        messages = check_coda_messages(
            read_json(path, InputError, what="a Coda file", remedy=CODA_FILE_REMEDY), str(path)
        )
        if any(label["CodeID"] in stop_ids for message in messages for label in message["Labels"]):
            return True
    return False
