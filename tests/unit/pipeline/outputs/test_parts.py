"""Rows of many partitions become one table: by time, then by uid, and those of a participant as they were."""

import io
import random
import resource
from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest

from engagement.pipeline.outputs import parts as parts_module
from engagement.pipeline.outputs.parts import ROW, merge_rows, read_uid, write_rows


@pytest.fixture
def few_open_files() -> Iterator[int]:
    """Let this process open few more files than it has."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = len(list(Path("/proc/self/fd").iterdir())) + 8
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    yield most
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("rows_at_a_time", [parts_module._ROWS_OF_ALL, 1])
def test_parts_are_merged_by_time_and_uid_with_few_files_open(
    tmp_path: Path, few_open_files: int, rows_at_a_time: int, monkeypatch: pytest.MonkeyPatch
):
    # Parts are longer than the least that is looked at, and shorter than what usually is.
    monkeypatch.setattr(parts_module, "_ROWS_OF_ALL", rows_at_a_time)
    rows = random.Random(5)
    parts, expected = [], []
    for number in range(few_open_files * 2):
        own = []
        for participant in range(40):
            uid = (
                f'avf-"{rows.randrange(10**6)}", {number}' if participant % 9 == 0 else f"avf-{rows.random()}-{number}"
            )
            cell = '"' + uid.replace('"', '""') + '"' if "," in uid else uid
            hashed = rows.randrange(2**64)
            # Many at the same time; several of a participant in an order of their own.
            own += [(rows.randrange(50) - 10, uid, f"{cell},{n},maya\n", hashed) for n in range(rows.randrange(1, 4))]
        own.sort(key=lambda row: row[:2])
        parts.append(tmp_path / f"messages.{number}")
        write_rows(parts[-1], [(time, line, hashed) for time, _, line, hashed in own])
        expected += own
    expected.sort(key=lambda row: row[:2])
    file, notes = io.BytesIO(), io.BytesIO()
    merge_rows(file, notes, parts)
    assert file.getvalue().decode() == "".join(line for _, _, line, _ in expected)
    found = numpy.frombuffer(notes.getvalue(), ROW).tolist()
    assert found == [(time, hashed, len(line.encode())) for time, _, line, hashed in expected]


def test_no_parts_are_an_empty_table(tmp_path: Path):
    file, notes = io.BytesIO(), io.BytesIO()
    write_rows(tmp_path / "messages.0", [])
    merge_rows(file, notes, [tmp_path / "messages.0"])
    assert (file.getvalue(), notes.getvalue()) == (b"", b"")


@pytest.mark.parametrize(
    ("line", "uid"),
    [(b"avf-1,false,x\n", b"avf-1"), (b'"a ""b"", c",1\n', b'a "b", c'), (b'"avf-1","x"\n', b"avf-1")],
)
def test_the_uid_of_a_row_is_its_first_cell(line: bytes, uid: bytes):
    assert read_uid(line) == uid
