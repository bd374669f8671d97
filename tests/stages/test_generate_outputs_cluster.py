"""Stage 3 on a Dask cluster: the same bytes as on one machine, also when a worker is killed; unfit workers are refused."""

import json
import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dask_cluster import SOURCE, DaskCluster, expect_dask
from engagement.foundation.clusters import run_on_cluster
from engagement.foundation.errors import InputError, MachineError, ServiceError
from example_project import EPISODE_FLOW, DataRoot, coda_message, episode_run, label, survey_run, write_project

expect_dask()

import distributed  # noqa: E402  # only where it is installed

PROJECT_CODE = """
import os
import pathlib
import signal


def keep(plan, labels, answer):
    return same(labels)


def same(labels):
    return labels


def end_worker(plan, labels, answer):
    # A worker is started in the cluster's folder.
    if pathlib.Path("scheduler.json").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    return labels
"""


def read_outputs(root: DataRoot) -> dict[str, object]:
    """Every byte that a run leaves, but for its own time and the digests that it is hashed into."""
    found: dict[str, object] = {}
    for path in sorted([*root.outputs.rglob("*"), *(root.path / "State").rglob("*.parquet")]):
        if path.suffix == ".jsonl":
            found[path.name] = [
                [({key: value for key, value in update["Data"].items() if key != "folded_from"}, update["Metadata"]["Source"])
                 for update in json.loads(line)]
                for line in path.read_bytes().splitlines()
            ]  # fmt: skip
        elif path.is_file():
            found[str(path.relative_to(root.path))] = path.read_bytes()
    return found


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    cluster = DaskCluster(tmp_path_factory.mktemp("cluster"), SOURCE, SOURCE)
    yield cluster
    cluster.end()


@pytest.fixture(autouse=True)
def small_work_is_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the cluster find the runs and merge the tables of a few messages too."""
    monkeypatch.setattr("engagement.processing.workload._BYTES_WORTH_A_CLUSTER", 0)
    monkeypatch.setattr("engagement.processing.workload._TASKS_WORTH_A_CLUSTER", 0)


@pytest.fixture
def data_root(tmp_path: Path) -> DataRoot:
    root = DataRoot(tmp_path)
    lines = []
    for n in range(600):
        lines += [
            episode_run(f"p{n % 230}", f"jawaab {n % 17}", n % 2 + 1, f"2026-04-{n % 28 + 1:02}T10:00:00+03:00", n)
        ]
        lines += [survey_run(f"p{n}", n, gender="nin" if n % 2 else None, age=str(n % 90))] if n % 3 else []
    root.write_runs(*lines)
    root.write_coded("s01e01", coda_message("jawaab 2", label("episode1", "STOP")))
    root.write_coded("s01e02", coda_message("jawaab 3", label("episode2", "WS"), label("ws", "gender")))
    return root


@pytest.fixture
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a second where ten are given."""
    monkeypatch.setattr("engagement.foundation.clusters._SECONDS_TO_CONNECT", 1)


def kill_one_at_work(cluster: DaskCluster, killed: list[int]) -> None:
    """Kill a worker while it is in the middle of a partition: it is stopped first, and looked at."""
    with distributed.Client(cluster.address, set_as_default=False) as client:
        client.wait_for_workers(len(cluster.workers), timeout=30)
        pids = client.run(os.getpid)
        while not killed:
            for worker, tasks in client.processing().items():
                if any(task.startswith("cluster.") for task in tasks):
                    os.kill(pids[worker], signal.SIGSTOP)
                    if client.processing().get(worker):
                        os.kill(pids[worker], signal.SIGKILL)
                        killed.append(pids[worker])
                        return
                    os.kill(pids[worker], signal.SIGCONT)
            time.sleep(0.01)


def test_a_cluster_gives_the_same_bytes_also_when_a_worker_is_killed_in_the_middle(
    cluster: DaskCluster, data_root: DataRoot
):
    data_root.generate(partitions=1)
    expected = read_outputs(data_root)
    assert len(expected) == 16
    data_root.generate(partitions=7, scheduler=cluster.address, full=True)
    assert read_outputs(data_root) == expected
    killed: list[int] = []
    killer = threading.Thread(target=kill_one_at_work, args=(cluster, killed), daemon=True)
    killer.start()
    data_root.generate(partitions=64, scheduler=cluster.address, full=True)
    killer.join(timeout=20)
    assert len(killed) == 1
    assert read_outputs(data_root) == expected
    assert not list(data_root.path.rglob("*cluster.*"))


def test_finding_runs_and_merging_tables_are_the_cluster_s_work(cluster: DaskCluster, data_root: DataRoot, monkeypatch):
    given: list[int] = []

    def note(process: object, count: int, *rest: object) -> Iterator[object]:
        given.append(count)
        return run_on_cluster(process, count, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("engagement.processing.workload.run_on_cluster", note)
    data_root.generate(partitions=5, scheduler=cluster.address)
    # A task for each raw file; the partitions; four CSVs and two Parquet tables.
    assert given == [3, 5, 6]


def test_a_cluster_processes_those_alone_who_changed(cluster: DaskCluster, data_root: DataRoot, caplog):
    caplog.set_level("INFO")
    data_root.generate()
    flow = data_root.path / "Raw Data" / f"{EPISODE_FLOW.format(1)}.jsonl"
    with flow.open("a") as file:
        file.writelines(
            episode_run(name, "waan helay", run_id=900, time="2026-04-09T10:00:00+03:00") for name in ("p7", "new")
        )
    data_root.generate(partitions=7, scheduler=cluster.address)
    # A run of few takes everything from the last one but what they wrote.
    assert "2 of 478 participant(s) changed" in caplog.text
    found = read_outputs(data_root)
    data_root.generate(full=True)
    assert read_outputs(data_root) == found


def test_a_cluster_counts_messages_as_one_machine_does(cluster: DaskCluster, data_root: DataRoot):
    data_root.generate()
    flow = data_root.path / "Raw Data" / f"{EPISODE_FLOW.format(2)}.jsonl"
    runs = flow.read_text()
    flow.write_text("")
    with pytest.raises(InputError, match="rqa_s01e02_raw: 0 message"):
        data_root.generate(partitions=4, scheduler=cluster.address, full=True)
    flow.write_text(runs)
    counts = (data_root.outputs / "message_counts.json").read_bytes()
    data_root.generate(partitions=4, scheduler=cluster.address, full=True)
    assert (data_root.outputs / "message_counts.json").read_bytes() == counts


def test_nothing_that_participants_wrote_is_in_what_dask_keeps_or_logs(cluster: DaskCluster, data_root: DataRoot):
    data_root.generate(partitions=4, scheduler=cluster.address, full=True)
    kept = [path.read_bytes() for path in cluster.folder.rglob("*") if path.is_file()]
    assert kept
    assert not [content for content in kept if b"jawaab" in content]


def test_code_of_the_project_s_own_is_sent_along(cluster: DaskCluster, tmp_path: Path):
    def use_it(plans: dict) -> None:
        plans["DemographicCodingPlans"][1]["CodeImputationFunction"] = "own_code:keep"

    root = DataRoot(tmp_path, write_project(tmp_path / "configuration", change_plans=use_it))
    (tmp_path / "configuration" / "own_code.py").write_text(PROJECT_CODE)
    root.write_runs(*(episode_run(f"p{n}", f"jawaab {n}", run_id=n) for n in range(20)), survey_run("p1", age="20"))
    root.generate(allow_project_code=True)
    expected = read_outputs(root)
    root.generate(allow_project_code=True, partitions=3, scheduler=cluster.address, full=True)
    assert read_outputs(root) == expected


def test_workers_with_other_code_are_refused_and_the_old_outputs_stay(data_root: DataRoot, tmp_path: Path):
    data_root.generate()
    expected = read_outputs(data_root)
    changed, empty = tmp_path / "changed", tmp_path / "empty"
    shutil.copytree(SOURCE, changed, ignore=shutil.ignore_patterns("__pycache__"))
    with (changed / "engagement" / "pipeline" / "folding" / "fold.py").open("a") as file:
        file.write("# one more line\n")
    empty.mkdir()
    other = DaskCluster(tmp_path, changed, empty)
    try:
        with distributed.Client(other.address) as client:
            client.wait_for_workers(2, timeout=30)
        with pytest.raises(ServiceError) as error:
            data_root.generate(scheduler=other.address, full=True)
    finally:
        other.end()
    assert "2 problem(s)" in str(error.value)
    assert "its code is" in str(error.value)
    assert "it can't run this pipeline's code" in str(error.value)
    assert "same commit" in str(error.value)
    assert read_outputs(data_root) == expected


def test_a_scheduler_that_does_not_answer_is_told_with_what_to_do(data_root: DataRoot, impatience):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(ServiceError, match="can't be reached.*Check the address") as error:
        data_root.generate(scheduler=address)
    assert error.value.exit_status == 12
    with pytest.raises(ServiceError, match="can't be reached"):
        data_root.generate(scheduler="no address")


def test_a_scheduler_without_workers_is_told(data_root: DataRoot, tmp_path: Path, impatience):
    other = DaskCluster(tmp_path)
    try:
        with pytest.raises(ServiceError, match="it has no workers"):
            data_root.generate(scheduler=other.address)
    finally:
        other.end()


def test_a_cluster_that_loses_its_last_worker_is_told_after_a_while(data_root: DataRoot, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("engagement.foundation.clusters._SECONDS_BETWEEN_LOOKS", 1)
    monkeypatch.setattr("engagement.foundation.clusters._SECONDS_WITHOUT_WORKERS", 2)
    other = DaskCluster(tmp_path, SOURCE)
    killed: list[int] = []
    killer = threading.Thread(target=kill_one_at_work, args=(other, killed), daemon=True)
    killer.start()
    try:
        with pytest.raises(ServiceError, match="no workers any more.*Start workers"):
            data_root.generate(partitions=64, scheduler=other.address)
    finally:
        killer.join(timeout=20)
        other.end()
    assert len(killed) == 1


def test_a_scheduler_that_ends_in_the_middle_is_told_and_the_old_outputs_stay(
    data_root: DataRoot, tmp_path: Path, impatience
):
    data_root.generate()
    expected = read_outputs(data_root)
    other = DaskCluster(tmp_path, SOURCE)

    is_over = threading.Event()

    def kill_it() -> None:
        while not is_over.is_set() and not list(data_root.path.glob("Outputs.partial/.parts/cluster.*/[0-9]*")):
            time.sleep(0.01)
        other.scheduler.kill()

    killer = threading.Thread(target=kill_it)
    killer.start()
    try:
        with pytest.raises(ServiceError, match="can't be reached"):
            data_root.generate(partitions=64, scheduler=other.address, full=True)
    finally:
        is_over.set()
        killer.join()
        other.end()
    assert read_outputs(data_root) == expected


def test_a_partition_that_ends_every_worker_is_told(tmp_path: Path):
    def use_it(plans: dict) -> None:
        plans["DemographicCodingPlans"][1]["CodeImputationFunction"] = "own_code:end_worker"

    root = DataRoot(tmp_path, write_project(tmp_path / "configuration", change_plans=use_it))
    (tmp_path / "configuration" / "own_code.py").write_text(PROJECT_CODE)
    root.write_runs(episode_run("p1", "jawaab"), survey_run("p1", age="20"))
    other = DaskCluster(tmp_path, SOURCE, SOURCE, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0")
    try:
        with pytest.raises(MachineError, match="more --partitions"):
            root.generate(allow_project_code=True, partitions=1, scheduler=other.address)
    finally:
        other.end()
