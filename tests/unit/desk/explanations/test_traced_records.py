"""Finding one participant's records in a file that is ordered by hashed uid."""

from pathlib import Path

import pytest

from engagement.desk.explanations.traced_records import find_records
from engagement.foundation.errors import InputError
from engagement.foundation.partitions import hash_uid
from engagement.provenance import Metadata, TracedData

METADATA = Metadata("tests", "2026-04-01T00:00:00+00:00", "tester")
WITHDRAWN = {"uid": "STOP", "consent_withdrawn": "true"}


def write_file(path: Path, uids: list[str], withdrawn: int = 0) -> Path:
    """Participant number n has n % 3 + 1 records, of very different lengths; withdrawn ones come last, without uid."""
    rows = [
        {"uid": uid, "number": number, "text": "x" * (number * 37 % 500)}
        for position, uid in enumerate(sorted(uids, key=hash_uid))
        for number in range(position % 3 + 1)
    ]
    records = [TracedData.start(row, METADATA) for row in (*rows, *[WITHDRAWN] * withdrawn)]
    path.write_text("".join(record.encode() + "\n" for record in records))
    return path


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 60])
@pytest.mark.parametrize("withdrawn", [0, 1, 40])
def test_everybody_is_found_with_all_their_records_in_order_and_nobody_else(tmp_path: Path, count: int, withdrawn: int):
    uids = [f"uid-{number}" for number in range(count)]
    path = write_file(tmp_path / "traced.jsonl", uids, withdrawn)
    for position, uid in enumerate(sorted(uids, key=hash_uid)):
        found = find_records(path, uid)
        assert [(record.values["uid"], record.values["number"]) for record in found] == [
            (uid, number) for number in range(position % 3 + 1)
        ]
    for stranger in ("uid-60", "uid-61", "uid-62", "STOP", ""):
        assert find_records(path, stranger) == []


def test_few_lines_are_read_so_that_damage_elsewhere_does_not_matter(tmp_path: Path):
    uids = [f"uid-{number}" for number in range(300)]
    path = write_file(tmp_path / "traced.jsonl", uids)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b"tester", b"tasted").replace(b"uid-", b"UID-")
    path.write_bytes(b"".join(lines))
    readable = 0
    for uid in uids:
        try:
            readable += bool(find_records(path, uid))
        except InputError:
            continue
    assert 290 <= readable < 300


def test_a_line_that_does_not_verify_is_named_by_where_it_begins(tmp_path: Path):
    path = write_file(tmp_path / "traced.jsonl", ["uid-1"])
    path.write_bytes(path.read_bytes().replace(b"uid-1", b"uid-2"))
    with pytest.raises(InputError, match=r"traced.jsonl, line that begins at byte 0: .*SHA"):
        find_records(path, "uid-1")


def test_a_file_that_was_cut_is_refused(tmp_path: Path):
    path = write_file(tmp_path / "traced.jsonl", ["uid-1"])
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match="no line end"):
        find_records(path, "uid-1")


def test_a_missing_file_says_what_to_do(tmp_path: Path):
    with pytest.raises(InputError, match="Run stage 3"):
        find_records(tmp_path / "traced.jsonl", "uid-1")
