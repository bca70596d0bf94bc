"""Looks at a job whose keys are on executors: the server sees no part of it, and so it can stop none itself."""

import asyncio
from collections.abc import Callable

from pdp.client.call_error import CallError
from pdp.spark.job_calls import JobCalls
from pdp.v1.mask_job_pb2 import MaskJobState

LOOK_SECONDS = 30.0
"""Seconds between two looks."""
MISSED = 10
"""Looks in a row that may fail. Then the job ends, as it may not be allowed any more."""


class Watch:
    """Asks about one job until it is stopped; then `why` says why, and `cancel` ends what runs of it."""

    def __init__(self, calls: JobCalls, job_id: str, cancel: Callable[[], None]) -> None:
        self._calls, self._job_id, self._cancel = calls, job_id, cancel
        self.why = ""

    async def run(self) -> None:
        """Look until the job ends, or this is cancelled."""
        missed = 0
        while not self.why:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                job = await self._calls.look(self._job_id)
            except CallError as error:
                missed += 1
                self.why = (
                    f"the server could not be asked for {missed} looks: {error.sentence}" if missed >= MISSED else ""
                )
            else:
                missed = 0
                self.why = "" if job.state == MaskJobState.MASK_JOB_STATE_RUNNING else job.why or "the job has ended"
        await asyncio.to_thread(self._cancel)
