"""State/fetch/google_forms.json: the ids that configured titles of questions have, and had."""

from collections.abc import Mapping
from pathlib import Path

from engagement.foundation.errors import InputError
from engagement.foundation.files import make_directory, read_json, write_json
from engagement.sources.google_forms.questions import KeptIds

TITLES = "google_forms.json"
_VERSION = 1


def read_titles(path: Path) -> dict[str, dict[str, list[str]]]:
    """Read the ids by form id and title; none if there is no file yet.

    Raises
    ------
    InputError
        It can't be read.
    """
    if not path.exists():
        return {}
    document = read_json(path, InputError, what="the ids of questions")
    try:
        if document["Version"] != _VERSION:
            raise ValueError
        return {
            str(form_id): {str(title): [str(id_) for id_ in ids] for title, ids in titles.items()}
            for form_id, titles in document["Forms"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError(
            f"{path}: not the ids of questions by title; expected a file as stage 2 writes it. Restore it from the newest archive of the "
            "data root, or remove it: titles are then looked up again."
        ) from None


def keep_titles(path: Path, kept: KeptIds, found: Mapping[str, Mapping[str, list[str]]]) -> None:
    """Add the ids that were found.

    Those of titles that nothing reads now are kept: somebody may read them again.
    """
    forms = {form_id: {**kept.get(form_id, {}), **titles} for form_id, titles in found.items()}
    document = {"Version": _VERSION, "Forms": {**kept, **forms}}
    if document["Forms"] != kept:
        make_directory(path.parent)
        write_json(path, document)
