"""The error of one dataset in Coda."""

from engagement.foundation.errors import ServiceError


class DatasetError(ServiceError):
    """One dataset in Coda can't be used now; the others may be fine."""
