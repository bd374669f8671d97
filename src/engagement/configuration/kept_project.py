"""State/project/: a copy of the configuration behind Outputs, to explain them after it changed."""

from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

from engagement.configuration.plan_kinds import PlanKind
from engagement.foundation.errors import ConfigurationError, InputError
from engagement.foundation.files import make_directory, read_json, write_json
from engagement.foundation.replaced_folders import replace_folder

if TYPE_CHECKING:
    from engagement.configuration import Project

_CONFIGURATION, _PLANS, _SCHEMES = "pipeline_configuration.json", "coding_plans.json", "code_schemes"


def kept_folder(data_root: Path) -> Path:
    """Name the folder of the copy in a data root."""
    return data_root / "State" / "project"


class ProjectDocuments(NamedTuple):
    """The contents of a project's files, which refer to each other by names that need no folder.

    `files` are the paths that they were read from.
    """

    configuration: dict[str, Any]
    plans: dict[str, Any]
    schemes: dict[str, Any]
    files: frozenset[Path] = frozenset()


def read_documents(path: Path) -> ProjectDocuments:
    """Read a project's three kinds of files, without addresses that are secrets.

    `path` is the pipeline configuration's. They hold addresses of credentials, never credentials.
    """
    configuration = read_json(path, ConfigurationError)
    # Whoever has these addresses can write to them; the copy goes into archives.
    configuration.pop("Notify", None)
    plans_path = path.parent / configuration["CodingPlansFile"]
    plans = read_json(plans_path, ConfigurationError)
    schemes_folder = plans_path.parent / plans["CodeSchemesDir"]
    schemes: dict[str, Any] = {}
    files = {path, plans_path}

    def keep_scheme(holder: dict[str, Any], key: str) -> None:
        if holder.get(key) is not None:
            files.add(schemes_folder / holder[key])
            document = read_json(schemes_folder / holder[key], ConfigurationError)
            # A scheme in a folder of its own gets a name that needs no folder.
            holder[key] = "__".join(part for part in PurePath(holder[key]).parts if part not in ("..", "/"))
            schemes[holder[key]] = document

    for kind in PlanKind:
        for plan in plans.get(kind.value, ()):
            for coding in plan["CodingConfigurations"]:
                keep_scheme(coding, "CodeScheme")
    for key in ("WSCorrectDatasetScheme", "OperatorScheme"):
        keep_scheme(plans, key)
    return ProjectDocuments(
        {**configuration, "CodingPlansFile": _PLANS}, {**plans, "CodeSchemesDir": _SCHEMES}, schemes, frozenset(files)
    )


def keep_project(project: "Project", data_root: Path) -> ProjectDocuments:
    """Copy a project's files into the data root, replacing an earlier copy; return what is in them.

    The copy is a project of its own: its files refer to each other, wherever the originals were.
    """
    documents = read_documents(project.path)
    with replace_folder(kept_folder(data_root)) as building:
        write_documents(documents, building)
    return documents


def is_project_kept(documents: ProjectDocuments, data_root: Path) -> bool:
    """Tell whether the copy is that of a project."""
    folder = kept_folder(data_root)
    try:
        return (
            read_json(folder / _CONFIGURATION, InputError) == documents.configuration
            and read_json(folder / _PLANS, InputError) == documents.plans
            and all(read_json(folder / _SCHEMES / name, InputError) == one for name, one in documents.schemes.items())
        )
    except InputError:
        return False


def write_documents(documents: ProjectDocuments, folder: Path) -> Path:
    """Write a project's files into a folder; return the pipeline configuration."""
    make_directory(folder / _SCHEMES)
    write_json(folder / _CONFIGURATION, documents.configuration)
    write_json(folder / _PLANS, documents.plans)
    for name, document in documents.schemes.items():
        write_json(folder / _SCHEMES / name, document)
    return folder / _CONFIGURATION


def find_kept_configuration(data_root: Path) -> Path:
    """Find the kept pipeline configuration.

    Raises
    ------
    InputError
        There is no copy: Outputs were made before copies were kept, or State/ was deleted.
    """
    path = kept_folder(data_root) / _CONFIGURATION
    if not path.is_file():
        raise InputError(
            f"{path.parent}: not there; expected the configuration that Outputs/ were made with. "
            "Name it with --pipeline-configuration, or run stage 3 (generate outputs) and this again."
        )
    return path


def find_kept_stop_ids(data_root: Path) -> frozenset[str]:
    """Find the kept code schemes' ids of STOP codes; none if there is no copy, or it can't be read."""
    from engagement.configuration.control_codes import ControlCode

    found = set()
    for path in sorted((kept_folder(data_root) / _SCHEMES).glob("*.json")):
        try:
            codes = read_json(path, InputError)["Codes"]
            found |= {code["CodeID"] for code in codes if code.get("ControlCode") == ControlCode.STOP}
        except (InputError, LookupError, TypeError, AttributeError):
            continue
    return frozenset(found)
