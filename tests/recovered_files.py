"""Files of a project whose sources are files, and what is told of them."""

from pathlib import Path

from engagement.sources.manifest import digest_file, read_manifest
from fetch_project import FetchProject


def put(project: FetchProject, name: str, content: str | bytes) -> Path:
    """Write a file into the bucket `recovered`."""
    path = project.folder / "embedded" / "storage" / "recovered" / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def check_manifest(project: FetchProject, *flows: str) -> None:
    """Each flow is in the manifest as it is."""
    manifest = read_manifest(project.data_root / "Raw Data")
    assert manifest == {f"{flow}.jsonl": [digest_file(project.file(flow))] for flow in flows}
