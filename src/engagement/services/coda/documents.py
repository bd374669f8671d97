"""Documents of a dataset as people may have left them."""

from collections.abc import Iterable
from typing import Any

from engagement.foundation.errors import ServiceError
from engagement.services.coda.format import MessageDocument, find_problems_of


def id_of(document: Any) -> str | None:
    """Return a document's MessageID; None if it has none."""
    message_id = document.get("MessageID") if isinstance(document, dict) else None
    return message_id if isinstance(message_id, str) else None


def usable_of(documents: Iterable[Any]) -> list[MessageDocument]:
    """Keep the documents that are messages."""
    return [document for document in documents if not find_problems_of(document)]


def name_taken(segment: str, dataset: str) -> ServiceError:
    """Make the error for a dataset with the name of another one's segment."""
    return ServiceError(
        f"Coda folder: dataset {segment!r} has the name of a segment of dataset {dataset!r}; expected another name. "
        "Rename one of the two."
    )
