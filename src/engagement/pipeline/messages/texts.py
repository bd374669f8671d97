"""Texts that can't be written as UTF-8: halves of characters that a phone or a server cut in two."""

from engagement.provenance import Metadata, TracedData


def mend_texts(run: TracedData, metadata: Metadata) -> TracedData:
    """Put U+FFFD in the place of each half character in a run's texts, as one update; a whole run stays as it is."""
    if not run.mentions(b"\\ud"):
        # Whole or cut in two, such characters are written like this.
        return run
    mended = {
        key: value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        for key, value in run.values.items()
        if isinstance(value, str) and not _is_whole(value)
    }
    run.append(mended, metadata)
    return run


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
