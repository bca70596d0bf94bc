"""What lineage says decides, from an event that arrives to the answer, over gRPC and over HTTP."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from pdp.config import Http
from pdp.dev.stack import LINEAGE
from pdp.lineage.fact import Dataset
from pdp.lineage_settings import LineageSettings, LineageWriter
from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval, ApprovalState
from pdp.v1.dataset_pb2 import DatasetName
from pdp.v1.decision_pb2 import AuthorizeRequest, AuthorizeResponse
from pdp.v1.lineage_pb2 import ClassifyRequest, DataName, IngestRequest, LineageColumn
from pdp.v1.lineage_pb2_grpc import LineageServiceStub
from pdp.v1.request_pb2 import Effect
from tests.faults import Served, served
from tests.parts import Placet, asking, placet
from tests.pdp.lineage.test_poisoned import CRM, MADE, PUB, TARGET
from tests.pdp.openlineage import MART, columns, dataset, lineage, run, source
from tests.web import evaluate, question

PUBLIC = """
package policy

# METADATA
# title: What is public leaves
allow contains {"rule": "public", "reason": "nothing is in it that needs care"} if {
	input.action.name == "export"
	input.lineage.state == "KNOWN"
	input.lineage.tags == []
}
"""


async def said(server: Placet, *events: Any) -> int:
    """Events that are taken, and the revision that has them."""

    async def requests() -> AsyncIterator[IngestRequest]:
        for one in events:
            yield IngestRequest(event=one if isinstance(one, bytes) else json.dumps(one).encode())

    call = LineageServiceStub(server.channel).Ingest(requests(), metadata=server.metadata("etl"))
    answers = [answer async for answer in call]
    assert [answer.reason for answer in answers] == [""] * len(events)
    return max(answer.revision.n for answer in answers)


# What was made of personal data is never public


@pytest.fixture(scope="module")
async def strict(state: Path, mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Placet]:
    """A server whose policy lets only public data out, and whose writer of lineage is trusted with nothing."""
    folder = tmp_path_factory.mktemp("public")
    (folder / "public.rego").write_text(PUBLIC)
    writers = {"agent:etl": LineageWriter(namespaces=("*",))}
    async with placet(state, mongod.uri, policy=[folder], lineage=LineageSettings(writers=writers)) as running:
        yield running


async def classified(server: Placet, of: Dataset, **tags: Sequence[str]) -> int:
    """What bob says is in a dataset."""
    name = DataName(dataset=DatasetName(namespace=of.namespace, name=of.name))
    said = [LineageColumn(name=column, tags=some) for column, some in tags.items()]
    request = ClassifyRequest(data=name, columns=said, reason="looked at it")
    answer = await LineageServiceStub(server.channel).Classify(request, metadata=server.metadata("bob"))
    return answer.revision.n


async def leaves(server: Placet, of: Dataset, at_least: int) -> set[bool]:
    """Whether a dataset may leave, over gRPC and over HTTP."""
    resource = {"type": "table", "id": f"{of.namespace}/{of.name}"}
    asked = asking("export", resource=resource, lineageAtLeast=at_least)
    answer = await server.authorize(asked)
    body = question("export", resource=resource)
    body["options"]["lineage_at_least"] = at_least
    return {answer.effect == Effect.EFFECT_ALLOW, (await evaluate(server, body)).json["decision"]}


@pytest.mark.parametrize("number", range(len(MADE)))
async def test_target_that_is_made_of_personal_data_does_not_leave(strict: Placet, number: int) -> None:
    """Each number has hosts, a store and a run of its own, so that one server does for all."""

    def own(text: str) -> str:
        for name in ("crm:5432", "pub:5432", "lake", "LAKE"):
            host, colon, port = name.partition(":")
            text = text.replace(f"//{name}", f"//{host}{number}{colon}{port}")
        return text.replace("01890000", f"{number:08x}")

    declared, events = MADE[number]
    of, target, public = (Dataset(own(one.namespace), one.name) for one in (declared, TARGET, PUB))
    await classified(strict, of, email=["pii"])
    await classified(strict, public, rate=[])
    before = await classified(strict, target, email=[], n=[])
    assert await leaves(strict, target, before) == {True}
    after = await said(strict, *(own(json.dumps(one)).encode() for one in events))
    assert await leaves(strict, target, after) == {False}


# An approval does not count for data that grew more sensitive


TABLE = {"type": "table", "id": f"{MART.namespace}/{MART.name}"}


def loads(*tags: str) -> dict[str, Any]:
    """A run that loads the table, with what it says is in its source."""
    tagged = {"tags": [{"key": key, "value": "true", "field": "email"} for key in tags]}
    facet = lineage(email=[source(CRM, "email", "DIRECT/IDENTITY")])
    return run(
        [dataset(CRM, schema=columns("email"), tags=tagged)],
        [dataset(MART, schema=columns("email"), columnLineage=facet)],
        run={"runId": str(uuid4())},
    )


UNRELATED = run([dataset(PUB)], [dataset(Dataset("s3://lake", "rates"))], run={"runId": str(uuid4())})


class Pair:
    """Two servers of one log; what is said to one of them is known to the other when it is asked."""

    def __init__(self, one: Served, other: Served) -> None:
        self.one, self.other, self.n = one, other, 0

    async def say(self, event: Any) -> None:
        self.n = await said(self.other, event)

    async def open(self) -> tuple[AuthorizeRequest, Approval]:
        """An export that two stewards approved, each at another server."""
        request = asking("export", resource=TABLE, context={"run": uuid4().hex}, lineageAtLeast=self.n)
        answer = await self.one.authorize(request)
        assert answer.effect == Effect.EFFECT_NEEDS_APPROVAL
        return request, await self.reviewed(answer.approval)

    async def reviewed(self, approval: Approval) -> Approval:
        await self.one.review(approval, "bob")
        return await self.other.review(approval, "carol")

    async def use(self, request: AuthorizeRequest, approval: Approval) -> AuthorizeResponse:
        request.approval_id, request.lineage_at_least = approval.approval_id, self.n
        return await self.one.authorize(request)


@pytest.fixture(scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory, state: Path, mongod: MongodProcess) -> AsyncIterator[Pair]:
    folder, name = tmp_path_factory.mktemp("pair"), f"t{uuid4().hex[:16]}"
    http = Http(listen="127.0.0.1:0")
    start = partial(served, folder, state, mongod.uri, database=name, lineage=LINEAGE, http=http, seconds=300)
    async with AsyncExitStack() as stack:
        found = Pair(*[await stack.enter_async_context(start()) for _ in range(2)])
        await found.say(loads("pii"))
        yield found


async def test_event_about_other_data_leaves_an_approval_as_it_is(pair: Pair) -> None:
    request, approval = await pair.open()
    await pair.say(UNRELATED)
    await pair.say(loads("pii"))
    assert (await pair.use(request, approval)).effect == Effect.EFFECT_ALLOW


async def test_event_that_adds_a_tag_voids_the_use(pair: Pair) -> None:
    request, approval = await pair.open()
    await pair.say(loads("pii", f"health-{uuid4().hex}"))
    answer = await pair.use(request, approval)
    assert [one.rule for one in answer.reasons] == ["pdp.lineage_grew"]
    assert (answer.effect, answer.grant) == (Effect.EFFECT_DENY, "")
    assert answer.approval.state == ApprovalState.APPROVAL_STATE_VOIDED


async def test_event_that_adds_a_tag_voids_the_use_over_http(pair: Pair) -> None:
    body = question("export", resource=TABLE, context={"run": uuid4().hex})
    body["options"] |= {"open_approval": True, "want_grant": True, "lineage_at_least": pair.n}
    opened = (await evaluate(pair.one, body)).json["context"]
    approval_id = opened["approval"]["id"]
    await pair.reviewed(Approval(approval_id=approval_id, request_digest=opened["request_digest"]))
    await pair.say(loads("pii", f"health-{uuid4().hex}"))
    body["context"]["approval"] = {"id": approval_id}
    body["options"]["lineage_at_least"] = pair.n
    used = (await evaluate(pair.one, body)).json
    assert used["decision"] is False
    assert [one["rule"] for one in used["context"]["reasons"]] == ["pdp.lineage_grew"]
    assert "grant" not in used["context"]
