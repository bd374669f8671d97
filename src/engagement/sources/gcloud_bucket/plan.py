"""Plan the download of TracedData files. Asks the bucket for each that is not held yet."""

from collections.abc import Iterator

from engagement.configuration.flow_choices import flow_name_of_url
from engagement.sources.gcloud_bucket.model import GCloudBucketSource
from engagement.sources.plan_context import SourcePlanContext


def plan_fetch(source: GCloudBucketSource, context: SourcePlanContext) -> Iterator[str]:
    """List the files downloaded before, and the files to download."""
    for url in source.flow_urls:
        name = flow_name_of_url(url)
        if (context.data_root / "Raw Data" / f"{name}.jsonl").exists():
            yield f"flow {name!r}: downloaded before"
            continue
        state = "could not find out if it is there"
        with context.asking():
            state = "to be downloaded" if context.storage.has_object(url) else "to be downloaded, BUT IT IS NOT THERE"
        yield f"flow {name!r}: {url}: {state}"
