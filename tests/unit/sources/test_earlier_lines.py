"""A store that starts again finds the lines that Raw Data has already, and takes larger pages."""

import sqlite3
from pathlib import Path

from engagement.sources.state_databases import set_up_state
from engagement.sources.submissions.earlier_lines import EarlierLines


def line(sha: str, brought_by: str) -> bytes:
    return b'[{"Data": {}, "By": "%s", "SHA": "%s"}]\n' % (brought_by.encode(), sha.encode())


# Some share the beginning of their hash, which is all that is kept of it.
HASHES = [f"{number:064x}" for number in range(5)] + [f"{number:x}".ljust(64, "f") for number in range(1, 16)]


def test_the_own_line_of_the_file_is_found_by_what_it_holds(tmp_path: Path):
    file = tmp_path / "flow.jsonl"
    file.write_bytes(b"".join(line(sha, "an earlier fetch" * len(sha.strip("0"))) for sha in reversed(HASHES)))
    earlier = EarlierLines({"episode": file})
    for sha in HASHES:
        assert earlier.find("episode", line(sha, "now")) == line(sha, "an earlier fetch" * len(sha.strip("0")))
    for other in (line("9".ljust(64, "0"), "now"), line("0" * 63 + "9", "now")):
        assert earlier.find("episode", other) == other
        assert earlier.find("survey", other) == other


def test_without_a_file_each_line_is_as_it_came(tmp_path: Path):
    earlier = EarlierLines({"episode": tmp_path / "missing.jsonl"})
    assert earlier.find("episode", line(HASHES[1], "now")) == line(HASHES[1], "now")


def test_a_state_that_exists_keeps_the_size_of_its_pages(tmp_path: Path):
    for page_bytes in (4096, 16384):
        connection = sqlite3.connect(tmp_path / "state.sqlite", isolation_level=None)
        set_up_state(connection, page_bytes)
        connection.execute("CREATE TABLE IF NOT EXISTS notes (text TEXT)")
        assert connection.execute("PRAGMA page_size").fetchone() == (4096,)
        # Its log is cut after as many bytes, whatever the pages.
        assert connection.execute("PRAGMA wal_autocheckpoint").fetchone() == ((64 << 20) // 4096,)
        connection.close()
