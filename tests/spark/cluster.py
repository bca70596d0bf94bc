"""Spark on this machine: a driver in this process, two executors in JVMs of their own."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.spark import java

ROOT = Path(__file__).resolve().parents[2]
MASTER = "local-cluster[2,1,1024]"
"""Two workers with one core and 1,024 MiB each: real executors, in processes of their own."""
SETTINGS: Mapping[str, str] = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "512m",
    "spark.executor.memory": "512m",
    "spark.executor.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
    "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
    "spark.log.level": "ERROR",
    "spark.sql.execution.pyspark.udf.simplifiedTraceback.enabled": "true",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.session.timeZone": "Etc/UTC",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
"""Small and quick: a test has little data, and two cores."""


def environment() -> dict[str, str]:
    """What a process that starts Spark needs in its environment: Java, Python for the executors, our sources."""
    paths = [str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {
        "JAVA_HOME": str(java.home()),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }


@contextmanager
def session(more: Mapping[str, str] | None = None) -> Iterator[Any]:
    """A session of Spark in this process, with `more` settings. There is one at a time."""
    from pyspark.sql import SparkSession  # noqa: PLC0415  # the plain suite has none

    given = environment()
    os.environ.update(given)
    with tempfile.TemporaryDirectory(prefix="spark-") as folder:
        own = {
            "spark.executorEnv.PYTHONPATH": given["PYTHONPATH"],
            "spark.local.dir": folder,
            "spark.sql.warehouse.dir": f"{folder}/warehouse",
        }
        builder = SparkSession.builder.master(MASTER).appName("placet")
        for name, value in {**SETTINGS, **own, **(more or {})}.items():
            builder = builder.config(name, value)
        spark = builder.getOrCreate()
        try:
            yield spark
        finally:
            spark.stop()


@contextmanager
def standalone(folder: Path) -> Iterator[str]:
    """The URL of a standalone cluster: a master and two workers, each a process, with one core on a host of its own.

    Spark begins a task a second time only on another host, and a local cluster has one. `folder` is for their files.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"spark://127.0.0.1:{port}"
    started = [_daemon(folder, "master.Master", "127.0.0.1", "--port", f"{port}")]
    try:
        for host in ("127.0.0.2", "127.0.0.3"):
            own = ("--cores", "1", "--memory", "1g", "--work-dir", f"{folder}/{host}", url)
            started.append(_daemon(folder, "worker.Worker", host, *own))
        yield url
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(60)


def _daemon(folder: Path, name: str, host: str, *arguments: str) -> "subprocess.Popen[bytes]":
    import pyspark  # noqa: PLC0415  # the plain suite has none

    home = Path(pyspark.__file__).parent
    own = {"SPARK_HOME": f"{home}", "SPARK_LOCAL_IP": host, "SPARK_LOCAL_DIRS": f"{folder}"}
    own["SPARK_DAEMON_MEMORY"] = "256m"
    command = [home / "bin/spark-class", f"org.apache.spark.deploy.{name}", "--host", host, "--webui-port", "0"]
    with (folder / f"{host}.log").open("wb") as log:
        return subprocess.Popen(
            [*command, *arguments], env={**os.environ, **environment(), **own}, stdout=log, stderr=log
        )
