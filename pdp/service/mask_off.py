"""MaskService and MaskJobService of a server without mask keys: every call says so."""

from collections.abc import AsyncGenerator
from typing import NoReturn

from pdp.caller import Caller
from pdp.errors import MaskingOff

_SENTENCE = "this server masks nothing: its configuration names no mask_keys"


class MaskService:
    """Decides nothing and masks nothing."""

    async def Mask(self, request: object, caller: Caller) -> NoReturn:  # noqa: ARG002
        """Refused."""
        raise MaskingOff(_SENTENCE)

    Unmask = GetMaskPlan = Mask

    async def MaskStream(self, requests: object, caller: Caller) -> AsyncGenerator[NoReturn, None]:
        """Refused."""
        yield await self.Mask(requests, caller)

    Rewrap = UnmaskStream = MaskStream


class MaskJobService:
    """Has no jobs."""

    async def StartMaskJob(self, request: object, caller: Caller) -> NoReturn:  # noqa: ARG002
        """Refused."""
        raise MaskingOff(_SENTENCE)

    FinishMaskJob = CancelMaskJob = GetMaskJob = ListMaskJobs = StartMaskJob
