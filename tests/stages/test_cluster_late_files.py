"""Stage 3 on workers that see the shared files late, in part, in an old version or not at all: it waits, or is refused; no wrong output."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dask_cluster import SOURCE, DaskCluster, expect_dask
from engagement.foundation.errors import ServiceError
from example_project import EPISODE_FLOW, DataRoot, episode_run, survey_run
from late_folder import LateFolder, expect_mounts

expect_dask()
expect_mounts()

import distributed  # noqa: E402  # only where it is installed

FLOW = f"{EPISODE_FLOW.format(1)}.jsonl"


@pytest.fixture(autouse=True)
def small_work_is_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the cluster do all it can, and wait for what is seen late no longer than a test may last."""
    monkeypatch.setattr("engagement.processing.workload._BYTES_WORTH_A_CLUSTER", 0)
    monkeypatch.setattr("engagement.processing.workload._TASKS_WORTH_A_CLUSTER", 0)
    monkeypatch.setattr("engagement.foundation.clusters._SECONDS_TO_SEE", 60.0)


def write_runs(root: DataRoot, word: str) -> None:
    root.write_runs(
        *(episode_run(f"p{n % 40}", f"{word} {n % 7}", n % 2 + 1, run_id=n) for n in range(120)),
        *(survey_run(f"p{n}", n, age=str(n + 18)) for n in range(40)),
    )


@pytest.fixture
def data_root(tmp_path: Path) -> DataRoot:
    root = DataRoot(tmp_path)
    write_runs(root, "jawaab")
    return root


@contextmanager
def late_worker(root: DataRoot, folder: Path) -> Iterator[tuple[LateFolder, DaskCluster]]:
    """A cluster of one worker, which sees the data root late."""
    late = LateFolder(root.path, folder / "copy", 0.3)
    (folder / "cluster").mkdir()
    cluster = DaskCluster(folder / "cluster")
    cluster.workers.append(cluster.start_worker(SOURCE, *late.command))
    try:
        with distributed.Client(cluster.address, set_as_default=False) as client:
            client.wait_for_workers(1, timeout=60)
        with late:
            yield late, cluster
    finally:
        cluster.end()


def read_tables(root: DataRoot) -> dict[str, bytes]:
    """The tables, which hold no time of the run."""
    found = {path.name: path.read_bytes() for path in root.outputs.rglob("*.csv")}
    return found | {path.name: path.read_bytes() for path in (root.path / "State" / "analysis").glob("*.parquet")}


def test_what_is_seen_late_is_waited_for(data_root: DataRoot, tmp_path: Path):
    data_root.generate()
    expected = read_tables(data_root)
    assert len(expected) >= 5
    with late_worker(data_root, tmp_path) as (_, cluster):
        data_root.generate(partitions=3, scheduler=cluster.address, full=True)
    assert read_tables(data_root) == expected


def test_an_old_version_of_a_raw_file_stops_the_run_and_the_next_one_is_right(
    data_root: DataRoot, tmp_path: Path, monkeypatch
):
    data_root.generate()
    old = read_tables(data_root)
    with late_worker(data_root, tmp_path) as (late, cluster):
        late.held.add(FLOW)
        # As many bytes, so that nothing but the time tells.
        write_runs(data_root, "erayga")
        monkeypatch.setattr("engagement.foundation.clusters._SECONDS_TO_SEE", 8.0)
        with pytest.raises(
            ServiceError, match=f"does not see the stage's files after 8 s.*{FLOW}: an older or newer"
        ) as error:
            data_root.generate(partitions=3, scheduler=cluster.address, full=True)
        assert error.value.exit_status == 12
        assert "docs/cluster.md" in str(error.value)
        assert read_tables(data_root) == old
        late.held.clear()
        monkeypatch.setattr("engagement.foundation.clusters._SECONDS_TO_SEE", 60.0)
        data_root.generate(partitions=3, scheduler=cluster.address, full=True)
    found = read_tables(data_root)
    data_root.generate(full=True)
    assert read_tables(data_root) == found != old


def test_parts_that_stay_away_stop_the_run(data_root: DataRoot, tmp_path: Path, monkeypatch):
    with late_worker(data_root, tmp_path) as (late, cluster):
        late.held.add("messages_traced_data.1")
        monkeypatch.setattr("engagement.foundation.clusters._SECONDS_TO_SEE", 8.0)
        with pytest.raises(ServiceError, match=r"output is not seen 8 s after.*messages_traced_data\.1: No such file"):
            data_root.generate(partitions=3, scheduler=cluster.address, full=True)
    assert not data_root.outputs.exists()


def test_a_worker_whose_files_never_arrive_is_refused_before_the_work(data_root: DataRoot, tmp_path: Path, monkeypatch):
    with late_worker(data_root, tmp_path) as (late, cluster):
        late.brings_back = False
        monkeypatch.setattr("engagement.foundation.clusters._SECONDS_TO_SEE", 8.0)
        with pytest.raises(ServiceError, match="what it writes is not seen by the machine where the stage was started"):
            data_root.generate(partitions=3, scheduler=cluster.address, full=True)
        assert not list(late.copy.rglob("cluster.*/[0-9]*"))


def test_a_worker_with_locks_of_its_own_is_refused(data_root: DataRoot, tmp_path: Path):
    with late_worker(data_root, tmp_path) as (late, cluster):
        late.shares_locks = False
        with pytest.raises(ServiceError, match="its locks on .* are its own; expected those of other machines"):
            data_root.generate(partitions=3, scheduler=cluster.address, full=True)


def test_the_copy_over_the_folder_is_what_the_worker_sees(tmp_path: Path):
    (tmp_path / "seen").mkdir()
    late = LateFolder(tmp_path / "seen", tmp_path / "copy", 0.05)
    (tmp_path / "seen" / "file").write_text("whole")
    assert not (tmp_path / "copy" / "file").exists()
    with late:
        for _ in range(200):
            if (tmp_path / "copy" / "file").exists() and (tmp_path / "copy" / "file").read_text() == "whole":
                break
            threading.Event().wait(0.05)
    shutil.rmtree(tmp_path / "seen")
    assert (tmp_path / "copy" / "file").read_text() == "whole"
