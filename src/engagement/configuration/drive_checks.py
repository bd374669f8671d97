"""Check the settings of Drive and its gate, so that errors show when a stage starts, not at uploads."""

from collections.abc import Iterable, Iterator

from engagement.configuration.coding_plans import CodingPlans
from engagement.configuration.disclosure import Disclosure
from engagement.configuration.nearest import nearest
from engagement.configuration.pipeline_configuration import DriveUpload
from engagement.configuration.problems import Problem


def split_drive_path(path: str) -> list[str]:
    """Split a path in Drive into its names.

    >>> split_drive_path("/project/2026/messages.csv")
    ['project', '2026', 'messages.csv']

    Raises
    ------
    ValueError
        One of them refers to another place, or can't be a name.
    """
    names = [name for name in path.split("/") if name]
    if any(name in (".", "..") or "\0" in name for name in names):
        raise ValueError(path)
    return names


def find_upload_problems(upload: DriveUpload) -> Iterator[Problem]:
    """Find errors in paths in Drive, each with its JSON path."""
    first: dict[tuple[str, ...], str] = {}
    for key, path in (
        ("ProductionUploadPath", upload.production_upload_path),
        ("MessagesUploadPath", upload.messages_upload_path),
        ("IndividualsUploadPath", upload.individuals_upload_path),
    ):
        names = _names_of(path)
        if len(names) < 2:
            yield Problem(
                f"$.DriveUpload.{key}",
                f"{path!r} is no file in a folder; expected '<shared drive or shared "
                "folder>/…/<name>', without '.' and '..'. Change it.",
            )
        elif names in first:
            yield Problem(
                f"$.DriveUpload.{key}",
                f"{path!r} is already at $.DriveUpload.{first[names]}; "
                "expected a file of its own for each table. Change one.",
            )
        first.setdefault(names, key)
    for key, folder in (
        ("AutomatedAnalysisDir", upload.automated_analysis_dir),
        ("AnalysisGraphsDir", upload.analysis_graphs_dir),
    ):
        if folder is not None and not _names_of(folder):
            yield Problem(
                f"$.DriveUpload.{key}",
                f"{folder!r} is no folder; expected '<shared drive or shared folder>/…', "
                "without '.' and '..'. Change it.",
            )


def _names_of(path: str) -> tuple[str, ...]:
    """Split a path into its names; none if it can't be a path in Drive."""
    try:
        return tuple(split_drive_path(path))
    except ValueError:
        return ()


def find_disclosure_problems(disclosure: Disclosure, plans: CodingPlans, others: Iterable[str]) -> Iterator[Problem]:
    """Find errors in the columns whose combinations are counted, each with its JSON path.

    `others` are columns of individuals.csv behind those of the plans.
    """
    columns = [*(column for plan in plans.all for column in plan.columns()), *others]
    for position, name in enumerate(disclosure.columns):
        if name not in columns:
            yield Problem(
                f"$.Disclosure.Columns[{position}]",
                f"{name!r} is no column of answers in individuals.csv; expected one{nearest(name, columns)} Change it.",
            )
    if disclosure.k_anonymity is not None and not disclosure.columns:
        yield Problem(
            "$.Disclosure.Columns",
            "none beside KAnonymity; expected the columns whose combinations are counted. "
            "Name them, or remove KAnonymity.",
        )
