"""What the driver's Spark has of a job that began: its tag, what executors told, and what they need to mask."""

import threading
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from pdp.spark.job_calls import JobCalls
from pdp.spark.own_loop import OwnLoop
from pdp.spark.sealed import Sealed
from pdp.spark.tally import Tally, Tallying
from pdp.spark.watch import Watch
from pdp.v1.mask_job_pb2 import StartMaskJobResponse

_END_SECONDS = 10.0
"""Seconds for which a program that was interrupted waits for Spark to end the job."""


class Begun:
    """One job. All jobs that this thread gives to Spark meanwhile have the id of ours as a tag."""

    def __init__(self, context: Any, answer: StartMaskJobResponse) -> None:
        self._context, self.answer = context, answer
        self.told = context.accumulator(Tally(), Tallying())
        self._sealed: Any = None
        self._watch: Watch | None = None
        self._watching: Future[None] | None = None
        context.addJobTag(answer.job_id)

    def sealed(self) -> Any:
        """Plan and ticket for executors that have the keys, as a broadcast that the end of the job destroys."""
        self._sealed = self._context.broadcast(
            Sealed(self.answer.plan_json, self.answer.ticket, self.answer.ticket_key)
        )
        return self._sealed

    def watched(self, loop: OwnLoop, calls: JobCalls) -> None:
        """Look at the job until it ends."""
        self._watch = Watch(calls, self.answer.job_id, self._stop)
        self._watching = loop.begin(self._watch.run())

    def end(self, *, interrupted: bool = False) -> str:
        """Nothing masks under the job any more. Returns why it was stopped, if it was.

        A thread that was interrupted in a call of Spark has no use of its connection, so that another one ends the job.
        """
        if self._watching is not None:
            self._watching.cancel()
        if interrupted:
            ending = threading.Thread(target=self._stop, name="placet-end", daemon=True)
            ending.start()
            ending.join(_END_SECONDS)
        else:
            self._destroy()
            self._context.removeJobTag(self.answer.job_id)
        return self._watch.why if self._watch else ""

    def _stop(self) -> None:
        self._context.cancelJobsWithTag(self.answer.job_id)
        self._destroy()

    def _destroy(self) -> None:
        sealed, self._sealed = self._sealed, None
        if sealed is not None:
            with suppress(Exception):  # Spark has ended before
                sealed.destroy()
