"""Open calls end with the credential that opened them: by its time, and when it is not accepted any more."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest

from pdp.authn.certificate import Presented
from pdp.caller import Caller, Role
from pdp.config import Tls
from pdp.errors import PdpError, StreamTimeout, Unauthenticated
from pdp.identity_source import Certificates, SpeaksFor
from pdp.masking.keys import demo_keys
from pdp.process.mongod import MongodProcess
from pdp.server.lifetime import AGAIN_SECONDS, at_most
from pdp.v1.approval_pb2 import WaitApprovalRequest
from pdp.v1.review_pb2 import WatchQueueRequest
from tests.certificates import Authority, Pair
from tests.parts import Placet, exporting, placet
from tests.tokens import bearer, claims, signed

LONG = 60.0
"""Seconds in which an open call must have ended."""
ENTRY = Certificates(
    spiffe="spiffe://example.org/agents/",
    type="agent",
    kind="workload",
    roles=(Role.REQUESTER,),
    speaks_for={"*": SpeaksFor(on_behalf_of=("user:*",))},
)


async def ends(seconds: float, valid: float, again: Callable[[], Awaitable[Caller]]) -> tuple[Exception, float]:
    """How a call that waits for ever ends, and after how many seconds."""
    caller, began = Caller("agent:a", "workload", frozenset(), (), b"", expires_at=time.time() + valid), time.time()
    with pytest.raises(Exception) as ended:  # noqa: PT011  # which one is what is asked
        async with asyncio.timeout(LONG), at_most(seconds, caller, again):
            await asyncio.Event().wait()
    return ended.value, time.time() - began


async def accepted() -> Caller:
    return Caller("agent:a", "workload", frozenset(), (), b"")


async def refused() -> Caller:
    raise Unauthenticated("the token is not valid here; get a new one")


async def broken() -> Caller:
    raise RuntimeError


async def test_a_call_ends_by_its_time_its_credentials_time_or_a_refusal() -> None:
    (slow, after), (late, _), (removed, at), (failed, _) = await asyncio.gather(
        ends(AGAIN_SECONDS + 1, LONG, accepted),
        ends(LONG, 0.2, accepted),
        ends(LONG, LONG, refused),
        ends(LONG, LONG, broken),
    )
    assert isinstance(slow, StreamTimeout)
    assert after > AGAIN_SECONDS
    assert isinstance(late, PdpError)
    assert late.sentence.startswith("the token expired during the call")
    assert isinstance(removed, Unauthenticated)
    assert at >= AGAIN_SECONDS
    assert isinstance(failed, RuntimeError)


@dataclass
class Open:
    """A server that demands certificates of two authorities, and its calls."""

    server: Placet
    clients: Path
    authorities: tuple[Authority, Authority]

    def person(self, pair: Pair) -> str:
        """A token of a reviewer that goes with this certificate only."""
        bound = {"x5t#S256": Presented.read(pair.pem).thumbprint}
        return signed(self.server.state, claims("user:bob", roles=["reviewer"], cnf=bound))


@pytest.fixture
async def both(state: Path, mongod: MongodProcess, tmp_path: Path) -> AsyncIterator[Open]:
    old, new = Authority(tmp_path, "old"), Authority(tmp_path, "new")
    own, clients = old.server(), tmp_path / "clients.pem"
    clients.write_bytes(old.ca.read_bytes() + new.ca.read_bytes())
    tls = Tls(certificate=own.certificate, key=own.key, client_ca=clients)
    keys = demo_keys(state / "keys" / "mask.json")
    async with placet(state, mongod.uri, tls=tls, certificates=(ENTRY,), mask_keys=keys) as server:
        yield Open(server, clients, (old, new))


@asynccontextmanager
async def opened(both: Open, pair: Pair) -> AsyncIterator[list[Any]]:
    """One of each kind of call that stays open. The server has all of them."""
    pem = [path.read_bytes() for path in (both.authorities[0].ca, pair.key, pair.certificate)]
    async with grpc.aio.secure_channel(both.server.address, grpc.ssl_channel_credentials(*pem)) as channel:
        bot, person = replace(both.server, channel=channel), bearer(both.person(pair))
        asked = await bot.decisions.Authorize(exporting(context={"run": uuid4().hex}))
        waiting = WaitApprovalRequest(approval_id=asked.approval.approval_id)
        watch = bot.reviews.WatchQueue(WatchQueueRequest(), metadata=person)
        streams = [bot.masks.MaskStream(), bot.masks.UnmaskStream(), bot.masks.Rewrap()]
        await asyncio.gather(watch.read(), *(stream.initial_metadata() for stream in streams))
        yield [watch, *streams, bot.approvals.WaitApproval(waiting)]


async def read_to_its_end(stream: Any) -> None:
    """The status of a stream comes behind its messages."""
    with suppress(grpc.aio.AioRpcError):
        while await stream.read() is not grpc.aio.EOF:
            pass


async def test_open_calls_end_with_their_authority_and_others_go_on(both: Open) -> None:
    old, new = both.authorities
    async with opened(both, old.agent()) as by_old, opened(both, new.agent()) as by_new:
        fresh = both.clients.with_suffix(".new")
        fresh.write_bytes(old.ca.read_bytes())
        os.replace(fresh, both.clients)  # noqa: PTH105  # as rotations do
        async with asyncio.timeout(LONG):
            await read_to_its_end(by_new[0])
            codes = await asyncio.gather(*(call.code() for call in by_new))
        assert codes == [grpc.StatusCode.UNAUTHENTICATED] * len(by_new)
        assert not any(call.done() for call in by_old)
