"""Queries of addresses, which can contain a stored file's own key: nothing that is logged shows them."""

import logging
import re

_QUERY = re.compile(r"\?[^\s\"')>,]+")


def strip_queries(text: str) -> str:
    """Cut off the query of each address.

    >>> strip_queries("GET https://storage.example.org/a.gz?Signature=abc&Expires=1 failed")
    'GET https://storage.example.org/a.gz?… failed'
    """
    return _QUERY.sub("?…", text)


class _WithoutQueries(logging.Filter):
    """Removes queries from the addresses that the library logs, and drops its tracebacks."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = strip_queries(record.getMessage()), None
        record.exc_info = record.exc_text = None
        return True


def hide_queries() -> None:
    """Hide the queries in whatever urllib3 logs from now on."""
    for name in ("connection", "connectionpool", "poolmanager", "response", "util.retry"):
        logging.getLogger(f"urllib3.{name}").addFilter(_WithoutQueries())
