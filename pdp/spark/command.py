"""`python -m pdp.spark IN OUT --table NAME`: files through a mask job, for `spark-submit` and schedulers."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from masker.errors import MaskRefused
from pdp.client.call_error import CallError
from pdp.client.decision import Denied
from pdp.client.enforcement import ApprovalPending
from pdp.say import say
from pdp.spark.job import mask_job

_HEADED = {"csv": {"header": "true"}}
"""What reading and writing a format is told. Columns of CSV stay text: numbers of codes keep their zeros."""
_FAILED, _DENIED, _PENDING, _UNAVAILABLE, _NOT_ALLOWED = 1, 10, 11, 69, 77
"""Exit codes, those of `pdp`."""
_CODES = {"UNAVAILABLE": _UNAVAILABLE, "UNAUTHENTICATED": _NOT_ALLOWED, "PERMISSION_DENIED": _NOT_ALLOWED}


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
    context = dict(_member(text) for text in asked.context)
    try:
        say(run(asked, {"destination": asked.target, **context}))
    except Denied as error:
        _fail(error, _DENIED)
    except ApprovalPending as error:
        _fail(error, _PENDING)
    except CallError as error:
        _fail(error, _CODES.get(error.code, _FAILED))
    except MaskRefused as error:
        _fail(error, _FAILED)


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
        keys=asked.keys,
        parts_address=asked.parts_address,
    )
    with job:
        job.masked(frame).write.format(asked.format).options(**options).save(asked.target)
    return f"{job.id}: {asked.target} is masked, record {job.record_id}"


def _member(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        arguments().error(f"--context {text!r} is not NAME=TEXT")
    return name, value


def _fail(error: Exception, code: int) -> None:
    say("\n".join([str(error), *getattr(error, "__notes__", ())]))
    sys.exit(code)
