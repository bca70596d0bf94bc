"""MaskJobService: one decision for many streams, each of a part of a table."""

from typing import NoReturn

from pdp.caller import Caller
from pdp.errors import PdpError


class NotYet(PdpError):
    """This version of the server has the contract of mask jobs, and not the jobs."""

    code = "UNIMPLEMENTED"
    reason = "UNIMPLEMENTED"


class MaskJobService:
    """Begins and ends jobs."""

    async def StartMaskJob(self, request: object, caller: Caller) -> NoReturn:  # noqa: ARG002
        """Not yet."""
        raise NotYet("this server has no mask jobs yet")

    FinishMaskJob = CancelMaskJob = GetMaskJob = ListMaskJobs = StartMaskJob
