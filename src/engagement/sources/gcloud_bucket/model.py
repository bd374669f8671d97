"""Configuration of TracedData files in a bucket."""

from typing import Literal

from engagement.configuration.model import key
from engagement.configuration.source_model import ResultKeys
from engagement.sources.stored_files import StoredFilesSource


class GCloudBucketSource(StoredFilesSource):
    """TracedData files that another pipeline left in a bucket."""

    # The other pipeline may have joined flows that this project does not name.
    result_keys = ResultKeys.ANY_FLOW

    source_type: Literal["GCloudBucket"] = key("SourceType", "'GCloudBucket'", "GCloudBucket")
