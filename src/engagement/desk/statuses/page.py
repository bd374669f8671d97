"""Projects' states as one self-contained page: the ones in need of somebody first."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from importlib import resources
from pathlib import Path

from engagement.desk.statuses.projects import ProjectStatus
from engagement.desk.statuses.table import COLUMNS, describe, say_retention
from engagement.foundation.errors import MachineError, count_of
from engagement.foundation.files import hold_directory, open_for_writing


def write_page(statuses: Sequence[ProjectStatus], path: Path, now: datetime) -> None:
    """Write the page; two runs that end at once do it one after the other."""
    page = make_page(statuses, now)
    with hold_directory(path.parent), open_for_writing(path) as file:
        file.write(page)
    # A web server's user reads it; it holds counts and names of projects.
    path.chmod(0o644)


def make_page(statuses: Sequence[ProjectStatus], now: datetime) -> str:
    """Build the page's HTML."""
    try:
        from engagement.foundation.pages import render_page
    except ImportError:
        raise MachineError(
            "--html: this Python lacks the package for pages; expected the pipeline's environment or its image. Run any stage "
            "once, which makes them, or leave out --html."
        ) from None
    style = (resources.files(__package__) / "data" / "status.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    bad = [status for status in statuses if status.problem is not None]
    ordered = [*bad, *(status for status in statuses if status.problem is None)]
    return render_page(
        Path(__file__).with_name("status.html.jinja"),
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        style=style,
        made_at=f"{now:%Y-%m-%d %H:%M}",
        headline=f"{len(bad)} of {count_of(len(statuses), 'project')} to look at" if bad else "All is well",
        is_bad=bool(bad),
        columns=COLUMNS[4:],
        projects=[(status, describe(status), say_retention(status)) for status in ordered],
    )
