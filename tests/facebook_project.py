"""A small invented project that fetches from a Graph API on this machine."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import fake_facebook
from fake_facebook import PAGE, TOKEN, Page, comment, post
from fetch_project import FetchProject

FLOW = "s01e01_facebook"
POSTS = [f"{PAGE}_5001", f"{PAGE}_5002"]
AUTHORS = [f"2400000000{n:04}" for n in range(7)]


def make_page() -> Page:
    """A page with thirty comments under two posts."""
    comments = [comment(n, f"haa {n}", of=AUTHORS[n % 7], post=1 + n % 2) for n in range(30)]
    # The posts were published shortly before the comments; a test's clock is later by far, so they are kept open.
    return Page([post(1), post(2), post(3, "2026-04-01T06:00:00+0000")], comments, page_size=4)


@contextmanager
def serve_project(page: Page, folder: Path, caplog: pytest.LogCaptureFixture) -> Iterator[FetchProject]:
    """Serve the page; gives a project that fetches it. Afterwards no log may have told the token, or who wrote."""
    caplog.set_level(logging.INFO)
    with fake_facebook.serve(page) as address:
        project = FetchProject(folder, "")
        (project.keys / "token.txt").write_text(f"{TOKEN}\n")
        project.sources = [
            {
                "SourceType": "FacebookComments",
                "TokenFileURL": "gs://keys/token.txt",
                "Posts": [{"FlowName": FLOW, "PostIDs": POSTS}],
                "OpenDays": 3000,
                "Server": address,
            }
        ]
        yield project
    assert not any(TOKEN in request for request in page.requests)
    for secret in (TOKEN, "Zzyzx", *AUTHORS):
        assert secret not in caplog.text


def texts(project: FetchProject, flow: str = FLOW) -> list[str]:
    """The comments' texts."""
    return [record.values[f"Comment (Text) - {flow}"] for record in project.read(flow)]


def assert_no_identity(data_root: Path) -> None:
    """Nothing on the disk tells the token, or who wrote."""
    for path in data_root.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [one for one in (TOKEN, "Zzyzx", *AUTHORS) if one.encode() in content], path
