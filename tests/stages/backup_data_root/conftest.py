"""A data root with all that may lie in one."""

import os

import pytest


@pytest.fixture
def root(tmp_path):
    """A data root in a folder with a space in its name, with all that may lie in one."""
    root = tmp_path / "data root"
    for name in ("Raw Data/s01e01.jsonl", "State/fetch/watermarks.json", "Outputs/Automated Analysis/graph.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(os.urandom(100_000) + b"invented answer\n" * 1000)
    # More than one block of the compression.
    (root / "Outputs" / "messages.csv").write_bytes(b"invented answer\n" * 300_000)
    (root / "Raw Data" / ("long " * 40 + ".jsonl")).write_bytes(b"")
    (root / "Raw Data" / "çağrı – ሰላም.jsonl").write_bytes(b"invented")
    (root / "Raw Data" / "two\nlines\\.jsonl").write_bytes(b"invented")
    (root / os.fsdecode(b"latin-\xe9.csv")).write_bytes(b"invented")
    (root / "Runs").mkdir(mode=0o700)
    (root / "Raw Data" / "çağrı – ሰላም.jsonl").chmod(0o640)
    os.link(root / "Raw Data" / "s01e01.jsonl", root / "State" / "same file.jsonl")
    return root
