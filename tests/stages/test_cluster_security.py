"""A Dask cluster that serve_cluster.sh started: who may join it and use it, and what it listens on."""

import copy
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dask_cluster import expect_dask
from engagement.__main__ import main
from engagement.foundation.certificates import use_certificates
from engagement.foundation.clusters import count_workers
from engagement.foundation.errors import ServiceError, UsageError

expect_dask()

import dask  # noqa: E402  # only where it is installed
import distributed  # noqa: E402, F401  # its settings are there before they are copied

SCRIPT = Path(__file__).resolve().parents[2] / "run_scripts" / "serve_cluster.sh"
FILES = {"--tls-ca": "ca.pem", "--tls-cert": "cluster.pem", "--tls-key": "cluster-key.pem"}


def options_of(folder: Path) -> list[str]:
    return [part for option, name in FILES.items() for part in (option, str(folder / name))]


class Cluster:
    """A scheduler and a worker on this machine, with certificates of their own, and a folder with those of others."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("own", "other"):
            assert main(["cluster-certificates", str(folder / name)]) == 0
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"tls://127.0.0.1:{self.port}"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.start("own", "--port", str(self.port), "scheduler")
        self.start("own", "--jobs", "1", "worker", self.address)

    def start(self, certificates: str, *arguments: str) -> Path:
        log = self.folder / f"{len(self.processes)}.log"
        command = [str(SCRIPT), "--host", "127.0.0.1", *options_of(self.folder / certificates), *arguments]
        with log.open("wb") as file:
            self.processes.append(subprocess.Popen(command, stdout=file, stderr=file, start_new_session=True))
        return log

    def listening(self) -> set[str]:
        """The addresses that the cluster's processes listen on, as in /proc: hexadecimal."""
        sessions = {process.pid for process in self.processes}
        inodes = set()
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if os.getsid(int(path.name)) in sessions:
                    inodes |= {str(handle.readlink()) for handle in (path / "fd").iterdir()}
            except OSError:
                continue
        found = set()
        for table in ("tcp", "tcp6"):
            for line in Path("/proc/net", table).read_text().split("\n")[1:]:
                cells = line.split()
                if cells and cells[3] == "0A" and f"socket:[{cells[9]}]" in inodes:
                    found.add(cells[1])
        return found

    def end(self) -> None:
        for process in self.processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.end()


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Dask's settings are those of the process: whatever is tested next must not need encryption."""
    monkeypatch.setattr("engagement.foundation.clusters._SECONDS_TO_CONNECT", 3)
    # Dask keeps this very dictionary under several names.
    settings = dask.config.config
    before = copy.deepcopy(settings)
    yield
    settings.clear()
    settings.update(before)


def use(cluster: Cluster, certificates: str) -> None:
    use_certificates(*(cluster.folder / certificates / name for name in FILES.values()))


def wait_for_worker(cluster: Cluster) -> None:
    for _ in range(30):
        try:
            assert count_workers(cluster.address) == 1
            return
        except ServiceError:
            time.sleep(0.2)
    pytest.fail("\n".join(path.read_text() for path in cluster.folder.glob("*.log")))


def test_with_its_certificates_a_cluster_is_used_and_listens_on_its_address_alone(cluster: Cluster):
    use(cluster, "own")
    wait_for_worker(cluster)
    listening = cluster.listening()
    assert f"0100007F:{cluster.port:04X}" in listening
    # The scheduler, the worker and the process that watches over it, and HTTP.
    assert len(listening) >= 4
    assert {address.partition(":")[0] for address in listening} == {"0100007F"}


def test_without_its_certificates_a_cluster_is_neither_used_nor_joined(cluster: Cluster):
    use(cluster, "own")
    wait_for_worker(cluster)
    log = cluster.start("other", "--jobs", "1", "worker", cluster.address)
    for _ in range(300):
        if "SSL" in log.read_text() or "certificate" in log.read_text():
            break
        time.sleep(0.1)
    else:
        pytest.fail(log.read_text())
    assert count_workers(cluster.address) == 1
    use(cluster, "other")
    with pytest.raises(ServiceError, match="can't be reached"):
        count_workers(cluster.address)
    # Encryption is required by now.
    with pytest.raises(ServiceError, match="can't be reached"):
        count_workers(cluster.address.replace("tls:", "tcp:"))


@pytest.mark.parametrize("scheme", ["tls", "tcp"])
def test_without_any_certificates_a_cluster_is_not_used(cluster: Cluster, scheme: str):
    with pytest.raises(ServiceError, match="can't be reached"):
        count_workers(cluster.address.replace("tls:", f"{scheme}:"))


def test_certificates_are_for_their_owner_and_are_never_replaced(tmp_path: Path, capsys):
    assert main(["cluster-certificates", str(tmp_path / "tls")]) == 0
    assert {path.name for path in (tmp_path / "tls").iterdir()} == set(FILES.values())
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "tls").iterdir()} == {0o600}
    assert main(["cluster-certificates", str(tmp_path / "tls")]) == 2
    assert "has ca.pem, cluster.pem, cluster-key.pem already" in capsys.readouterr().err


def test_certificates_that_are_not_there_are_named(tmp_path: Path):
    with pytest.raises(UsageError, match="ca.pem.*no such file.*cluster-certificates"):
        use_certificates(tmp_path / "ca.pem", tmp_path / "cluster.pem", tmp_path / "cluster-key.pem")
