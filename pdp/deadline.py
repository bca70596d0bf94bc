"""Knows how long the present call may still take, and what it has spent its time on.

The edge begins it once; every place where the call waits for another process asks it, and says what it waits for.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from enum import StrEnum

from pdp.errors import PdpError

MARGIN_SECONDS = 0.02
"""Seconds by which every wait ends before the caller's own deadline, so that the caller still gets the error."""
DEFAULT_SECONDS = 2.0
"""Seconds that a call may take if the client set no deadline."""
MAX_SECONDS = 10.0
"""Seconds that a call may take, even if the client's deadline is later."""
MASK_SECONDS = 10.0
"""Seconds that a call about data may take if the client set no deadline."""
_JOBS = ("StartMaskJob", "FinishMaskJob", "GetMaskJob", "ListMaskJobs")
DEFAULTS: Mapping[str, float] = {
    **{f"pdp.v1.MaskService/{name}": MASK_SECONDS for name in ("Mask", "Unmask", "GetMaskPlan")},
    **{f"pdp.v1.MaskJobService/{name}": MASK_SECONDS for name in _JOBS},
}
"""The RPCs that have another default than `DEFAULT_SECONDS`."""
IDLE_SECONDS = 60.0
"""Seconds that a stream in both directions may go without a message from its client: a limit of the contract."""
AT_ITS_END_SECONDS = 0.1
"""Seconds before a call's end at which its time counts as over: waits leave some for what follows them."""
AGAIN_SECONDS = 1.0
"""Seconds after which a call that waited too long for others may be tried again."""


class Stage(StrEnum):
    """What a call spends its time on."""

    ARRIVAL = "arrival"
    TURN = "turn"
    POLICY = "policy"
    MASKING = "masking"
    STORE = "store"
    RECORD = "record"


_TELLING: Mapping[Stage, str] = {
    Stage.ARRIVAL: "the message took {0} to arrive; send it faster, or give the call more time",
    Stage.TURN: "it waited {0} for its turn among other calls; try again, or give the call more time",
    Stage.POLICY: "OPA took {0}; try again, or give the call more time",
    Stage.MASKING: "masking took {0}; send fewer rows, give the call up to 10 s, or use a stream",
    Stage.STORE: "MongoDB took {0}; try again, or give the call more time",
    Stage.RECORD: "its records took {0}; try again, or give the call more time",
}
_OWN_DOING = frozenset({Stage.ARRIVAL, Stage.MASKING})
"""The stages that take as long at the next try."""


class OutOfTime(PdpError):
    """The call's time is over; the metadata names the `stage` that took most of it.

    It is one of arrival (of the message), turn (among other calls), policy, masking, store (MongoDB) and record.
    """

    code = "DEADLINE_EXCEEDED"
    reason = "OUT_OF_TIME"

    def __init__(self, stage: Stage, spent: float, total: float) -> None:
        told = _TELLING[stage].format(f"{spent:.2g} s")
        again = None if stage in _OWN_DOING else AGAIN_SECONDS
        super().__init__(f"the call had {total:.2g} s, and {told}; nothing was allowed", again, stage=stage.value)


class _Call:
    """A call's time. What no stage claims is `TURN`: the server is busy with others meanwhile."""

    def __init__(self, seconds: float) -> None:
        self.began = self._since = _now()
        self.ends = self.began + seconds - MARGIN_SECONDS
        self.stage = Stage.TURN
        self.spent = dict.fromkeys(Stage, 0.0)

    def enter(self, stage: Stage) -> Stage:
        """Count from now on for `stage`; returns the one before."""
        now, before = _now(), self.stage
        self.spent[before] += now - self._since
        self.stage, self._since = stage, now
        return before

    def over(self) -> OutOfTime:
        """The error that says what took most of the time."""
        self.enter(self.stage)
        slowest = max(self.spent, key=lambda stage: self.spent[stage])
        return OutOfTime(slowest, self.spent[slowest], self.ends - self.began + MARGIN_SECONDS)


_call: ContextVar[_Call] = ContextVar("call")


def begin(remaining: float | None, limit: float | None = None, default: float = DEFAULT_SECONDS) -> None:
    """Start a call that has `remaining` seconds left, as gRPC says (None: the client set no deadline).

    An RPC with a limit of its own passes `limit`; it replaces `default` and `MAX_SECONDS`.
    """
    _call.set(_Call((limit or default) if remaining is None else min(remaining, limit or MAX_SECONDS)))


def default(rpc: str) -> float:
    """Seconds that a call of this RPC may take if the client set no deadline."""
    return DEFAULTS.get(rpc, DEFAULT_SECONDS)


@contextmanager
def spent_on(stage: Stage) -> Iterator[None]:
    """The time of the block counts for `stage`, less what a block inside of it counts for another."""
    call = _call.get(None)
    if call is None:
        yield
        return
    before = call.enter(stage)
    try:
        yield
    finally:
        call.enter(before)


def missed(wait: PdpError) -> PdpError:
    """What to raise where a wait ended at its time, inside of its `spent_on`.

    That is `wait`, which says what did not answer, if the wait had time of its own or took most of the call's.
    Else it is `OutOfTime`: the call's time was over when it came here.
    """
    call = _call.get(None)
    if call is None or call.ends - _now() > AT_ITS_END_SECONDS:
        return wait
    over = call.over()
    return wait if over.metadata["stage"] == call.stage else over


def over() -> OutOfTime:
    """The error of a call whose time is over."""
    call = _call.get(None) or _Call(MAX_SECONDS)
    return call.over()


def require(seconds: float) -> None:
    """Raise `OutOfTime` where less than this is left for the rest of the call."""
    call = _call.get(None)
    if call is not None and call.ends - _now() < seconds:
        raise call.over()


def within(seconds: float) -> asyncio.Timeout:
    """A timeout of at most `seconds` that also ends before the call must end. It raises `TimeoutError` as usual."""
    return asyncio.timeout_at(end(seconds, 0.0))


@asynccontextmanager
async def whole() -> AsyncIterator[None]:
    """End the block at the call's own end, where none of its waits did: many short ones may take long together.

    Raises `OutOfTime`. gRPC cancels a call in the same way.
    """
    limit = asyncio.timeout_at(_ends(math.inf) + MARGIN_SECONDS)
    try:
        async with limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise
        raise over() from None


async def settled(future: asyncio.Future[None], seconds: float, *, spare: float = 0.0) -> None:
    """Wait for a future that belongs to the waiter. At a timeout the future itself ends with the `TimeoutError`.

    It does the work of `within` at a third of its cost. `spare` seconds, but at most a quarter of the time that is
    left, stay for the work that follows the wait.
    """
    timer = asyncio.get_running_loop().call_at(end(seconds, spare), _give_up, future)
    try:
        await future
    finally:
        timer.cancel()


def left() -> float:
    """Seconds that the present call may still take; of a stream, which has no deadline, without an end."""
    return _ends(math.inf) - _now()


def _give_up(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_exception(TimeoutError())


def end(seconds: float, spare: float) -> float:
    """The time, by the loop's clock, at which a wait of at most `seconds` must end.

    It leaves `spare` seconds, but at most a quarter of the time that is left, for the rest of the call.
    """
    now = _now()
    last = _ends(now + seconds + spare)
    return min(now + seconds, last - min(spare, (last - now) / 4))


def _ends(otherwise: float) -> float:
    call = _call.get(None)
    return otherwise if call is None else call.ends


def _now() -> float:
    return asyncio.get_running_loop().time()
