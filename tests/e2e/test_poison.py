"""Questions that the policy cannot answer, among strangers' calls."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pdp.audit.record import Kind
from pdp.process.mongod import MongodProcess
from pdp.v1.decision_pb2 import AuthorizeRequest, BatchAuthorizeRequest
from pdp.v1.request_pb2 import Action, Effect, Resource, Subject
from tests import tokens
from tests.faults import Ledger, Served, served, stream, verified_log
from tests.tokens import Metadata

STRANGERS = [f"stranger-{number}" for number in range(16)]
POISON_A_SECOND = 50
ATTEMPTS = 4
"""At the comparison of times: somebody else may use this machine during one."""
SETTLING_SECONDS = 1.5
"""Until the culprit is found; its first slow questions hold up whoever was asked for together with them."""

POLICY = """package policy

allow contains {"rule": "read", "reason": "anybody reads"} if input.action.name == "read"

allow contains {"rule": "fails", "reason": "never"} if {
	input.action.name == "fail"
	to_number(input.resource.id) > 0
}

allow contains {"rule": "slow", "reason": "never in time"} if {
	input.action.name == "crawl"
	every i in numbers.range(1, 4000) {
		every j in numbers.range(1, 4000) {
			i + j > 0
		}
	}
}
"""
CULPRITS = {"fail": ("FAILED_PRECONDITION", "POLICY_INVALID"), "crawl": ("UNAVAILABLE", "ENGINE_UNAVAILABLE")}


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory, state: Path, mongod: MongodProcess) -> AsyncIterator[Served]:
    folder = tmp_path_factory.mktemp("policy")
    (folder / "poison.rego").write_text(POLICY)
    async with served(tmp_path_factory.mktemp("server"), state, mongod.uri, policy=[folder]) as running:
        yield running


@pytest.mark.parametrize("action", CULPRITS)
async def test_strangers_do_not_pay_for_poison(server: Served, action: str, rounds: int) -> None:
    calm, among, culprit = Ledger(), Ledger(), Ledger()
    strangers = [(_question(name, "read"), _metadata(server, name)) for name in STRANGERS]
    ratios = []
    for _ in range(ATTEMPTS):
        before = await _p99(server, calm, strangers, 0.75 * rounds)
        async with _poison(server, culprit, action):
            if not ratios:
                await _p99(server, among, strangers, SETTLING_SECONDS)
            during = await _p99(server, among, strangers, 0.75 * rounds)
        ratios.append(during / before)
        if ratios[-1] <= 2:
            break
    assert not calm.refused
    assert not among.refused
    assert culprit.refusals == {CULPRITS[action]}
    assert min(ratios) <= 2, f"the strangers' p99 among poison to their p99 in calm: {ratios}"
    log = await verified_log(server)
    log.accounts_for(among)
    errors = [one for one in log.of(Kind.ERROR) if log.payloads[one]["caller"]["identity"] == f"agent:{action}er"]
    assert len(errors) == len(culprit.refused)


async def test_a_bad_item_fails_alone_in_its_batch(server: Served) -> None:
    good, bad = _question("batcher", "read"), _question("batcher", "fail")
    batch = BatchAuthorizeRequest(items=[*[good] * 30, bad, *[good] * 30])
    for _ in range(2):  # the second time one item after the other, in quarantine
        answer = await server.decisions.BatchAuthorize(batch, metadata=_metadata(server, "batcher"), timeout=5)
        failed = [result for result in answer.results if result.HasField("error")]
        assert [result.error.metadata["problem"] for result in failed] == ["builtin_error"]
        allowed = [result for result in answer.results if result.decision.effect == Effect.EFFECT_ALLOW]
        assert len(allowed) == 60


@asynccontextmanager
async def _poison(server: Served, ledger: Ledger, action: str) -> AsyncIterator[None]:
    """A caller of its own that asks 50 impossible things a second, whatever becomes of them."""
    ends = asyncio.Event()
    question, metadata = _question(f"{action}er", action), _metadata(server, f"{action}er")
    calls: list[asyncio.Task[object]] = []

    async def pour() -> None:
        while not ends.is_set():
            calls.append(asyncio.create_task(ledger.ask(server, question, metadata, 2.0)))
            await asyncio.sleep(1 / POISON_A_SECOND)

    pouring = asyncio.create_task(pour())
    try:
        yield
    finally:
        ends.set()
        await pouring
        await asyncio.gather(*calls)


def _metadata(server: Served, name: str) -> Metadata:
    return tokens.metadata(server.state, f"agent:{name}", "requester")


def _question(name: str, action: str) -> AuthorizeRequest:
    return AuthorizeRequest(
        subject=Subject(type="agent", id=name),
        action=Action(name=action),
        resource=Resource(type="table", id="customers"),
    )


async def _p99(
    server: Served, ledger: Ledger, callers: Sequence[tuple[AuthorizeRequest, Metadata]], seconds: float
) -> float:
    """How long one in a hundred of these callers' calls takes at least, asking for so many seconds."""
    first = len(ledger.replies)
    async with stream(server, ledger, callers):
        await asyncio.sleep(seconds)
    took = sorted(reply.took for reply in ledger.replies[first:])
    return took[int(len(took) * 0.99)]
