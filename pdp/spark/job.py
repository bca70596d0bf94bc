"""A mask job on Spark, as a program has it: `with mask_job(…) as job: job.masked(df).write…`.

1. `masked` asks Placet. Where it does not allow, nothing of Spark has started.
2. Spark masks when an action needs the rows: part by part, through the server, or with a key file on the executors.
3. The end of `with` finishes the job. After an exception it has failed. Nothing is masked under it any more.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from masker.errors import MaskRefused
from pdp.client.connection import Client
from pdp.errors import PdpError
from pdp.spark.begun import Begun
from pdp.spark.job_calls import JobCalls, Scope
from pdp.spark.own_loop import OwnLoop
from pdp.spark.refused import behind
from pdp.v1.approval_pb2 import OutcomeState

T = TypeVar("T")
log = logging.getLogger(__name__)

_STOPPED = "MASK_JOB_ENDED"
"""The reason with which the server refuses that a job succeeded which it has stopped."""


def mask_job(
    spark: Any,
    *,
    table: str,
    context: Mapping[str, Any] | None = None,
    subject: str = "",
    on_behalf_of: Sequence[str] = (),
    justification: str = "",
    request_id: str = "",
    approval_id: str = "",
    client: Callable[[], Client] | None = None,
    keys: str = "",
    parts_address: str = "",
    understands: Collection[str] = (),
) -> "SparkJob":
    """Mask a DataFrame as the policy says for `table`: one decision, and one record of all parts.

        with mask_job(spark, table="crm.customers", context={"purpose": "partner"}) as job:
            job.masked(df).write.parquet("s3a://share/customers")

    `subject` is by default the caller. With the same `request_id` the same job goes on once people have approved it.
    `client` makes the client; by default it comes from the environment. Executors reach the server at the client's
    address, or at `parts_address`, which asks for no client certificate; its authority is sent along. With `keys`, the
    path of a key file on the executors, they mask themselves. `understands` lists obligations that the program meets.

    Raises `Denied`, `ApprovalPending` and `CallError` before Spark starts anything, and `MaskRefused` for what cannot
    be masked. Its sentence names table, column, part and row; the cause is Spark's error.
    """
    scope = Scope(table, dict(context or {}), subject, on_behalf_of, justification, request_id, approval_id)
    if isinstance(client, Client):
        raise TypeError("a Client belongs to its event loop; give what makes one: lambda: Client()")
    return SparkJob(spark, scope, client or Client, keys, parts_address, list(understands))


class SparkJob:
    """One job of one DataFrame. Use it with `with`."""

    def __init__(
        self,
        spark: Any,
        scope: Scope,
        connect: Callable[[], Client],
        keys: str,
        parts_address: str,
        understands: Sequence[str],
    ) -> None:
        self._spark, self._scope, self._connect = spark, scope, connect
        self._keys, self._parts_address, self._understands = keys, parts_address, understands
        self._loop: OwnLoop | None = None
        self._is_over = False
        self._begun: Begun | None = None
        self.record_id = ""

    def __enter__(self) -> Self:
        if type(self._spark).__module__.startswith("pyspark.sql.connect"):
            raise self._refused(
                "a session of Spark Connect has no accumulators, with which executors say what they masked; "
                "run the job with spark-submit"
            )
        self._loop = OwnLoop("placet-job")
        try:
            self._client = self._loop.run(_called(self._connect))
            self._calls = self._loop.run(_called(lambda: JobCalls(self._client)))
        except BaseException:
            self._loop.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            refused = self._finished(error)
        finally:
            self._close()
        if refused is not None and refused is not error:
            raise refused from error

    @property
    def id(self) -> str:
        """The job's id, "job_…"; empty before `masked`."""
        return self._begun.answer.job_id if self._begun else ""

    def masked(self, frame: Any) -> Any:
        """The DataFrame as the policy masks it, once. It masks when Spark runs an action, so inside of `with`."""
        from pdp.spark import columns

        if self._loop is None or self._is_over:
            raise self._refused("the job has ended, or not begun; call masked inside of `with`")
        if self._begun is not None:
            raise self._refused("this job has its DataFrame; begin another job for another one")
        if frame.isStreaming:
            raise self._refused("a structured stream has no end; call mask_job in foreachBatch, a job a batch")
        schema = columns.arrow_schema(frame, self._scope.table)
        starting = self._calls.start(self._scope, schema, keys_here=bool(self._keys), understands=self._understands)
        answer = self._loop.run(starting)
        self._begun = Begun(self._spark.sparkContext, answer)
        return self._through_parts(frame, schema, self._begun)

    def _through_parts(self, frame: Any, schema: Any, begun: "Begun") -> Any:
        from pdp.arrow import table
        from pdp.spark import columns, executor

        name = self._scope.table
        if self._keys:
            parts = executor.keyed(begun.sealed(), self._keys, name, schema, begun.told)
            begun.watched(self._running, self._calls)
        else:
            parts = executor.streaming(self._way(begun.answer.ticket), name, schema, begun.told)
        after = table.schema(begun.answer.plan.output_schema, "output_schema")
        return columns.through(frame, parts, after)

    def _way(self, ticket: str) -> Any:
        from pdp.spark.part import Way

        address, ca, certificate = self._client.at[:3]
        if certificate and not self._parts_address:
            raise self._refused(
                "executors have no client certificate; give parts_address, an address of the server that asks for none"
            )
        return Way(self._parts_address or address, Path(ca).read_bytes() if ca else b"", ticket)

    def _finished(self, error: BaseException | None) -> MaskRefused | None:
        """Finish the job, and return what the program hears of it."""
        self._is_over, begun = True, self._begun
        if begun is None:
            return None
        why = begun.end(interrupted=isinstance(error, KeyboardInterrupt | SystemExit))
        refused = self._refused(why) if why else _of_spark(error)
        if error is None and refused is None:
            return self._recorded(begun, OutcomeState.OUTCOME_STATE_SUCCEEDED, "")
        told = str(refused) if refused is not None else type(error).__name__
        unrecorded = self._recorded(begun, OutcomeState.OUTCOME_STATE_FAILED, told)
        if unrecorded is not None:
            log.warning("%s", unrecorded)
        return refused

    def _recorded(self, begun: "Begun", outcome: "OutcomeState", reason: str) -> MaskRefused | None:
        """Finish the job in the server; why it did not succeed there, if so."""
        finishing = self._calls.finish(
            begun.answer.job_id, outcome, begun.told.value, keys_here=bool(self._keys), reason=reason
        )
        try:
            self.record_id = self._running.run(finishing).record_id
        except PdpError as failed:
            if failed.reason == _STOPPED and outcome != OutcomeState.OUTCOME_STATE_FAILED:
                self._recorded(begun, OutcomeState.OUTCOME_STATE_FAILED, failed.sentence)
            return self._refused(f"{begun.answer.job_id} has not ended well: {failed.sentence}")
        return None

    @property
    def _running(self) -> OwnLoop:
        if self._loop is None:
            raise self._refused("the job has not begun; use it with `with`")
        return self._loop

    def _close(self) -> None:
        if self._loop is not None:
            with suppress(PdpError):
                self._loop.run(self._client.close())
            self._loop.close()
            self._loop = None

    def _refused(self, problem: str) -> MaskRefused:
        return MaskRefused(problem, table=self._scope.table)


def _of_spark(error: BaseException | None) -> MaskRefused | None:
    """The refusal that made Spark's action fail; None where something else did."""
    if isinstance(error, MaskRefused):
        return error
    if error is None or not type(error).__module__.startswith(("py4j", "pyspark")):
        return None
    return behind(error)


async def _called(make: Callable[[], T]) -> T:
    """What is made in the loop that it belongs to."""
    return make()
