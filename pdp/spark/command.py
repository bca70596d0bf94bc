"""`python -m pdp.spark IN OUT --table NAME`: files through a mask job, for `spark-submit` and schedulers."""

import argparse
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from masker.errors import MaskRefused
from pdp.client.connection import Client
from pdp.client.decision import Denied
from pdp.client.enforcement import ApprovalPending
from pdp.client.question import question
from pdp.errors import PdpError
from pdp.say import say
from pdp.spark.job import mask_job

_HEADED = {"csv": {"header": "true"}}
"""What reading and writing a format is told. Columns of CSV stay text: numbers of codes keep their zeros."""
_FILES = ("parquet", "csv", "json", "orc", "text")
"""Formats of files and folders: OUT is looked at before anything is asked, as an approval is used once."""
_FAILED, _USAGE, _DENIED, _PENDING, _ENDED, _UNAVAILABLE, _NOT_ALLOWED = 1, 2, 10, 11, 12, 69, 77
"""Exit codes, those of `pdp`."""
_CODES = {
    "INVALID_ARGUMENT": _USAGE,
    "UNAVAILABLE": _UNAVAILABLE,
    "DEADLINE_EXCEEDED": _UNAVAILABLE,
    "UNAUTHENTICATED": _NOT_ALLOWED,
    "PERMISSION_DENIED": _NOT_ALLOWED,
}
_REASONS = {"POLICY_INVALID": 3, "POLICY_REFUSED": 3, "MASK_PLAN_REFUSED": 3}


def arguments() -> argparse.ArgumentParser:
    """What the command takes."""
    parser = argparse.ArgumentParser(
        prog="python -m pdp.spark",
        description="Mask files as the policy says for a table. The server is that of PDP_ADDRESS and PDP_TOKEN_FILE.",
    )
    parser.add_argument("source", metavar="IN", help="what Spark reads: a file, a folder or an URL")
    parser.add_argument("target", metavar="OUT", help="what Spark writes; it is context.destination of the decision")
    parser.add_argument("--table", required=True, help="the table's name in the policy")
    parser.add_argument("--format", default="parquet", help="parquet, csv, json, or another one that the session has")
    parser.add_argument("--request-id", default="", help="names this job; once people have approved, it goes on")
    parser.add_argument("--context", action="append", default=[], metavar="NAME=TEXT", help="what else is decided on")
    parser.add_argument("--subject", default="", metavar="TYPE:ID", help="who acts; by default the caller")
    parser.add_argument("--on-behalf-of", action="append", default=[], metavar="TYPE:ID", help="for whom it acts")
    parser.add_argument("--justification", default="", help="words for the people who review")
    parser.add_argument("--keys", default="", metavar="FILE", help="a key file on the executors, which mask themselves")
    parser.add_argument("--parts-address", default="", metavar="HOST:PORT", help="where executors reach the server")
    return parser


def main(given: Sequence[str] | None = None) -> None:
    """Mask, and exit with the code that says how it ended."""
    asked = arguments().parse_args(given)
    context = {"destination": asked.target, **dict(_member(text) for text in asked.context)}
    _require_names(asked, context)
    try:
        say(run(asked, context))
    except KeyboardInterrupt as interrupt:
        _fail(_INTERRUPTED, 128 + (interrupt.args or (signal.SIGINT,))[0])
    except Exception as error:
        told = _told(error)
        if told is None:
            raise
        _fail(*told)


_INTERRUPTED = "ended by a signal; the job has failed, and the rows that had left are in its record"


def _told(error: Exception) -> tuple[str, int] | None:
    """What a person reads of an error, and the exit code; None for any other error, which is shown with its trace."""
    text, kind = "\n".join([str(error), *getattr(error, "__notes__", ())]), type(error)
    told: tuple[str, int] | None = None
    if isinstance(error, Denied):
        told = text, _ENDED if any(_is_of_approval(one.rule) for one in error.decision.response.reasons) else _DENIED
    elif isinstance(error, ApprovalPending):
        again = f"Once they have approved, run the same command again with --request-id {error.request_id}"
        told = f"{error}\n{again}", _PENDING
    elif isinstance(error, PdpError):
        told = text, _REASONS.get(error.reason) or _CODES.get(error.code, _FAILED)
    elif isinstance(error, MaskRefused):
        told = text, _FAILED
    elif isinstance(error, ModuleNotFoundError) and error.name in _BRINGS:
        told = f"{sys.executable} has no {error.name}: install {_BRINGS[error.name]} for it", _FAILED
    elif kind.__module__.startswith(("pyspark", "py4j")):
        told = f"Spark has ended with an error: {_of_spark(text)}", _FAILED
    return told


def _is_of_approval(rule: str) -> bool:
    return rule.startswith(("pdp.approval_", "pdp.lineage_grew"))


_BRINGS = {
    "pyspark": "the pyspark of your cluster",
    "py4j": "the pyspark of your cluster",
    "pandas": "placet[spark]",
    "pyarrow": "placet[spark]",
}
"""What brings a package that is not there."""


def _of_spark(text: str) -> str:
    """What Spark says first. Behind it are the plan and the trace, which Spark logs itself."""
    lines = [line.strip(": ") for line in text.splitlines() if line.strip(": ")]
    said = [line for line in lines if not line.startswith("An error occurred while calling")]
    return (said or lines or ["it says no more"])[0]


def client() -> Client:
    """The client of the environment. Raises `NoConnection` where that does not make one."""
    try:
        return Client()
    except (OSError, ValueError) as error:
        raise NoConnection(f"{error}; PDP_ADDRESS, PDP_TOKEN_FILE and PDP_CA say how to reach the server") from None


class NoConnection(PdpError):
    """The environment names no server, or files that cannot be read."""

    code = "INVALID_ARGUMENT"
    reason = "NO_CONNECTION"


def run(asked: argparse.Namespace, context: dict[str, str]) -> str:
    """Mask, and return the sentence about it."""
    with _session(f"mask {asked.table}") as spark:
        return _masked(spark, asked, context)


@contextmanager
def _session(name: str) -> Iterator[Any]:
    """The session of Spark. One that was not there before is stopped at the end: its executors would be lost loudly."""
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    is_ours = SparkContext._active_spark_context is None  # noqa: SLF001  # a session is active in one thread alone
    spark: Any = SparkSession.builder.appName(name).getOrCreate()
    try:
        yield spark
    finally:
        if is_ours:
            spark.stop()


def _masked(spark: Any, asked: argparse.Namespace, context: dict[str, str]) -> str:
    _end_by_signals()
    if asked.format in _FILES:
        _require_free(spark, asked.target)
    options = _HEADED.get(asked.format, {})
    frame = spark.read.format(asked.format).options(**options).load(asked.source)
    job = mask_job(
        spark,
        table=asked.table,
        context=context,
        subject=asked.subject,
        on_behalf_of=asked.on_behalf_of,
        justification=asked.justification,
        request_id=asked.request_id,
        client=client,
        keys=asked.keys,
        parts_address=asked.parts_address,
    )
    with job:
        job.masked(frame).write.format(asked.format).options(**options).save(asked.target)
    return f"{job.id}: {asked.target} is masked, record {job.record_id}"


def _require_free(spark: Any, target: str) -> None:
    """Raise `TargetExists` where there is something at OUT: Spark says so only once the decision is used."""
    path = spark.sparkContext._jvm.org.apache.hadoop.fs.Path(target)  # noqa: SLF001  # Spark has no other way to look
    if path.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration()).exists(path):  # noqa: SLF001
        raise TargetExists(f"{target} is there already; remove it, or name another OUT. Nothing was decided or masked")


class TargetExists(PdpError):
    """There is something where the masked files would go."""

    code = "INVALID_ARGUMENT"
    reason = "TARGET_EXISTS"


def _end_by_signals() -> None:
    """Let Ctrl-C and SIGTERM end the job as failed. Spark's own handler of Ctrl-C breaks the call that waits."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _interrupted)


def _interrupted(number: int, frame: object) -> None:
    del frame
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)
    raise KeyboardInterrupt(number)


def _require_names(asked: argparse.Namespace, context: dict[str, str]) -> None:
    """Exit with a sentence where an argument cannot be sent."""
    subject = asked.subject or "user:caller"
    try:
        question(subject, "mask", f"table:{asked.table}", on_behalf_of=asked.on_behalf_of, context=context)
    except ValueError as error:
        arguments().error(str(error))


def _member(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        arguments().error(f"--context {text!r} is not NAME=TEXT")
    return name, value


def _fail(sentence: str, code: int) -> None:
    say(sentence)
    sys.exit(code)
