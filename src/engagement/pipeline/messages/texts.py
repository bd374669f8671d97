"""Mend texts that can't be written as UTF-8 because a phone or a server cut a character in half."""

from engagement.provenance import Metadata, TracedData


def mend_texts(run: TracedData, metadata: Metadata) -> TracedData:
    """Replace each half character in a run's texts with U+FFFD, as one update; leave intact runs alone."""
    if not run.mentions(b"\\ud"):
        # Whole or cut in half, such characters are written like this.
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
