"""A cluster of two workers in which an executor, the driver or a task dies: the same corpus."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import fusiongen

pyspark = pytest.importorskip("pyspark")
if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
    pytest.skip("SKIPPED: Spark needs Java, which is not here", allow_module_level=True)
if not Path("/proc/self/fd").exists():
    pytest.skip("SKIPPED: the processes of a cluster are found in /proc", allow_module_level=True)

#: Enough events for some seconds, so that there is time to kill something.
SETTINGS = {"events": 600_000, "days": 2, "seed": 7}
HOME = Path(pyspark.__file__).parent
#: Spark runs the copy of a slow task on another host: two names of this machine are two hosts.
HOSTS = ("127.0.0.1", "127.0.0.2")
DRIVER = """
import json, sys
from pyspark.sql import SparkSession
from fusiongen import spark as on_spark

master, out, settings, conf = sys.argv[1:]
builder = SparkSession.builder.master(master)
for name, value in json.loads(conf).items():
    builder = builder.config(name, value)
session = builder.getOrCreate()
summary = on_spark.generate(session, out, **json.loads(settings))
assert summary.finished, summary
"""
CONF = {
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.executor.memory": "512m",
    "spark.executor.cores": "1",
}
SPECULATION = {
    "spark.speculation": "true",
    "spark.speculation.interval": "100ms",
    "spark.speculation.quantile": "0.3",
    "spark.speculation.multiplier": "1.2",
    "spark.speculation.minTaskRuntime": "200ms",
}


def wait_for(what, seconds=300, interval=0.02):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(interval)
    pytest.fail("nothing came in time", pytrace=False)


def stat(pid: int) -> list[str]:
    """State and parent of a process: the fields after its name."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return ["X", "0"]


def children(pid: int) -> list[int]:
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [child for child in pids if int(stat(child)[1]) == pid]


def descendants(pid: int) -> list[int]:
    found = children(pid)
    return found + [below for child in found for below in descendants(child)]


def is_writing(pid: int) -> bool:
    try:
        targets = [os.readlink(path) for path in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return False
    return any(".inprogress" in target for target in targets)


def carries(pid: int, mark: str) -> bool:
    """Whether a process inherited this from the environment; a process that has ended did not."""
    try:
        return mark.encode() in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Cluster:
    """A master and two workers of one core each, as processes of this test."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.master = f"spark://127.0.0.1:{port}"
        arguments = ["--host", "127.0.0.1", "--port", str(port), "--webui-port", "0"]
        self.processes = [self._start("master.Master", HOSTS[0], arguments)]
        wait_for(lambda: self._listens(port))
        for host in HOSTS:
            size = ["--cores", "1", "--memory", "1g", "--webui-port", "0"]
            work = ["--work-dir", str(directory / host)]
            arguments = ["--host", host, *size, *work, self.master]
            self.processes.append(self._start("worker.Worker", host, arguments))

    def _environment(self, host: str) -> dict[str, str]:
        return os.environ | {
            "SPARK_HOME": str(HOME),
            "SPARK_LOCAL_IP": host,
            "PYSPARK_PYTHON": sys.executable,
            "SPARK_DAEMON_MEMORY": "256m",
            "TEST_CLUSTER": str(self.directory),
        }

    def _start(self, name: str, host: str, arguments: list[str]) -> subprocess.Popen:
        command = [HOME / "bin" / "spark-class", f"org.apache.spark.deploy.{name}", *arguments]
        with (self.directory / f"{name}-{host}.log").open("w") as log:
            environment = self._environment(host)
            return subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    @staticmethod
    def _listens(port: int) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def drive(self, out: Path, **conf: str) -> subprocess.Popen:
        """A driver that writes the corpus."""
        conf = CONF | {name.replace("_", "."): value for name, value in conf.items()}
        arguments = [self.master, str(out), json.dumps(SETTINGS), json.dumps(conf)]
        with (self.directory / "driver.log").open("a") as log:
            return subprocess.Popen(
                [sys.executable, "-c", DRIVER, *arguments],
                env=self._environment(HOSTS[0]),
                stdout=log,
                stderr=log,
            )

    def done(self, driver: subprocess.Popen) -> None:
        code = driver.wait(timeout=300)
        assert code == 0, (self.directory / "driver.log").read_text()[-5000:]

    def executors(self) -> list[int]:
        return [child for worker in self.processes[1:] for child in children(worker.pid)]

    def writer(self) -> int | None:
        """A process of an executor that is writing a file."""
        below = (pid for executor in self.executors() for pid in descendants(executor))
        return next((pid for pid in below if is_writing(pid)), None)

    def tasks(self) -> list[int]:
        """Executors and their Python processes, also those that outlive their executor."""
        mark = f"TEST_CLUSTER={self.directory}"
        pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
        own = {process.pid for process in self.processes}
        return [pid for pid in pids if pid not in own and carries(pid, mark)]

    def settle(self) -> None:
        """Waits for tasks that Spark does not wait for: they may still write when a driver has ended."""
        wait_for(lambda: not self.tasks())

    def stop(self) -> None:
        for process in reversed(self.processes):
            for pid in [*descendants(process.pid), process.pid]:
                kill(pid)
            process.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def expected(tmp_path_factory, files):
    out = tmp_path_factory.mktemp("expected") / "corpus"
    fusiongen.generate(out, **SETTINGS)
    return files(out)


def noted(out: Path) -> list[Path]:
    return list(out.glob("journal/*.json"))


def test_one_executor(cluster, tmp_path, expected, files):
    cluster.done(cluster.drive(tmp_path / "corpus", spark_cores_max="1"))
    assert files(tmp_path / "corpus") == expected


def test_an_executor_is_killed(cluster, tmp_path, expected, files):
    out = tmp_path / "corpus"
    driver = cluster.drive(out)
    wait_for(lambda: len(cluster.executors()) == 2 and noted(out))
    writer = wait_for(cluster.writer, interval=0.001)
    victim = next(pid for pid in cluster.executors() if writer in descendants(pid))
    kill(victim)
    assert driver.poll() is None, "the corpus was complete before the executor was killed"
    cluster.done(driver)
    cluster.settle()
    assert files(out) == expected


def test_the_driver_is_killed_and_run_again(cluster, tmp_path, expected, files):
    out = tmp_path / "corpus"
    driver = cluster.drive(out)
    files_of_events = lambda: list(out.glob("events/*/*/*.parquet"))
    wait_for(lambda: len(files_of_events()) > 5)
    for pid in [*descendants(driver.pid), driver.pid]:
        kill(pid)
    driver.wait()
    assert not (out / "_SUCCESS").exists()
    kept = {path: path.stat().st_ino for path in files_of_events()}
    cluster.done(cluster.drive(out))
    cluster.settle()
    assert files(out) == expected
    assert any(path.stat().st_ino == inode for path, inode in kept.items())


def test_a_task_hangs_and_its_copy_wins(cluster, tmp_path, expected, files):
    out = tmp_path / "corpus"
    conf = {name.replace(".", "_"): value for name, value in SPECULATION.items()}
    driver = cluster.drive(out, **conf)
    hanging = wait_for(lambda: noted(out) and cluster.writer(), interval=0.002)
    os.kill(hanging, signal.SIGSTOP)
    try:
        cluster.done(driver)
        # Still stopped, or killed by Spark since its copy has won: it has not ended its task.
        assert stat(hanging)[0] in "TtXZ"
        assert (out / "_SUCCESS").exists()
    finally:
        kill(hanging)
    cluster.settle()
    fusiongen.finish(out)
    assert files(out) == expected
