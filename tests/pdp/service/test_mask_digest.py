"""Scopes of the mask service: context as text, and the digest that a scope expects of itself."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pdp.canonical import canonical
from pdp.client import Client, unmasking
from pdp.client.masks import MaskCall
from pdp.dev import identity
from pdp.dev.stack import configuration
from pdp.process.mongod import MongodProcess
from pdp.sent import authorization
from pdp.v1 import mask_pb2
from pdp.v1.request_pb2 import Effect
from tests.masks import arrow, masking, scope, shape, stream
from tests.parts import Placet
from tests.pdp.wire import refused
from tests.unmasking import announced, opened

ROWS = {"surname": ["webb", "smith"]}
BROKEN = mask_pb2.MaskData(arrow_stream=b"none")
Call = Callable[[Placet, mask_pb2.MaskScope], Awaitable[Any]]


@pytest.fixture(scope="module")
async def server(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    async with masking(state, mongod.uri) as running:
        yield running


@pytest.fixture(scope="module")
async def strict(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """Every caller must say its digest."""
    config = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri=mongod.uri)
    issuers = tuple(issuer.model_copy(update={"require_digest": True}) for issuer in config.issuers)
    async with masking(state, mongod.uri, issuers=issuers) as running:
        yield running


def start(made: mask_pb2.MaskScope) -> mask_pb2.StreamStart:
    return mask_pb2.StreamStart(scope=made, shape=shape(pa.record_batch(ROWS).schema))


async def mask(server: Placet, made: mask_pb2.MaskScope, data: mask_pb2.MaskData | None = None) -> Any:
    request = mask_pb2.MaskRequest(scope=made, data=data or arrow(ROWS))
    return await server.masks.Mask(request, metadata=server.metadata("report-bot"))


async def unmask(server: Placet, made: mask_pb2.MaskScope, data: mask_pb2.MaskData | None = None) -> Any:
    request = mask_pb2.UnmaskRequest(scope=made, data=data or arrow(ROWS))
    return await server.masks.Unmask(request, metadata=server.metadata("report-bot"))


async def mask_plan(server: Placet, made: mask_pb2.MaskScope) -> Any:
    request = mask_pb2.GetMaskPlanRequest(scope=made, shape=start(made).shape)
    return await server.masks.GetMaskPlan(request, metadata=server.metadata("report-bot"))


async def unmask_plan(server: Placet, made: mask_pb2.MaskScope) -> Any:
    request = mask_pb2.GetMaskPlanRequest(scope=made, shape=start(made).shape, unmask=True)
    return await server.masks.GetMaskPlan(request, metadata=server.metadata("report-bot"))


async def mask_stream(server: Placet, made: mask_pb2.MaskScope) -> Any:
    return (await stream(server, [pa.record_batch(ROWS)], start(made))).opened


async def rewrap(server: Placet, made: mask_pb2.MaskScope) -> Any:
    return (await stream(server, [pa.record_batch(ROWS)], start(made), rpc="Rewrap")).opened


async def unmask_stream(server: Placet, made: mask_pb2.MaskScope) -> Any:
    batch = pa.record_batch(ROWS)
    async with opened(server, announced(made, [batch], {"surname": "person.surname"})) as begun:
        return begun.opened


CALLS: Mapping[str, tuple[str, Call]] = {
    "Mask": ("mask", mask),
    "MaskStream": ("mask", mask_stream),
    "GetMaskPlan": ("mask", mask_plan),
    "GetMaskPlan of unmask": ("unmask", unmask_plan),
    "Unmask": ("unmask", unmask),
    "UnmaskStream": ("unmask", unmask_stream),
    "Rewrap": ("rewrap", rewrap),
}


def at(rpc: str, field: str) -> str:
    """The field's path in the first message of a call."""
    return f"start.{field}" if rpc in {"MaskStream", "UnmaskStream", "Rewrap"} else field


def expecting(action: str, **members: Any) -> mask_pb2.MaskScope:
    made = scope(context_json='{"why": "report"}', **members)
    made.expected_digest = canonical(authorization(action, made), "dev").digest
    return made


@pytest.mark.parametrize("rpc", sorted(CALLS))
async def test_a_scope_that_lost_its_context_is_refused_before_anything_else(server: Placet, rpc: str) -> None:
    action, call = CALLS[rpc]
    made = expecting(action)
    made.context_json = ""
    made.context.SetInParent()
    error = await refused(call(server, made))
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "REQUEST_DIFFERS")
    assert error.fields == (field := at(rpc, "scope.expected_digest"),)
    assert error.message.startswith(f"{field}: is of another request")
    assert error.metadata == {"subject": "0", "on_behalf_of": "1", "action": "0", "resource": "0", "context": "0"}


@pytest.mark.parametrize("rpc", sorted(CALLS))
async def test_a_digest_of_another_action_or_table_is_refused(server: Placet, rpc: str) -> None:
    action, call = CALLS[rpc]
    other = expecting("rewrap" if action != "rewrap" else "mask")
    assert (await refused(call(server, other))).reason == "REQUEST_DIFFERS"
    made = expecting(action)
    made.table = "crm.others"
    assert (await refused(call(server, made))).reason == "REQUEST_DIFFERS"


@pytest.mark.parametrize("rpc", sorted(CALLS))
async def test_who_must_say_a_digest_masks_nothing_without(strict: Placet, rpc: str) -> None:
    _, call = CALLS[rpc]
    error = await refused(call(strict, scope()))
    assert (error.reason, error.fields) == ("DIGEST_REQUIRED", (at(rpc, "scope.expected_digest"),))


@pytest.mark.parametrize("rpc", ["Mask", "MaskStream", "GetMaskPlan"])
async def test_who_says_it_masks(strict: Placet, rpc: str) -> None:
    action, call = CALLS[rpc]
    made = expecting(action)
    answer = await call(strict, made)
    assert answer.decision.effect == Effect.EFFECT_ALLOW
    assert answer.decision.request_digest == made.expected_digest


async def test_an_unmasking_expects_its_request_as_sent_and_is_decided_with_its_tokens(strict: Placet) -> None:
    masked = (await mask(strict, expecting("mask"))).data
    made = expecting("unmask")
    answer = await unmask(strict, made, masked)
    assert answer.decision.effect == Effect.EFFECT_NEEDS_APPROVAL
    asked = answer.decision.approval.request
    assert answer.decision.request_digest == canonical(asked, "dev").digest != made.expected_digest
    assert {"why", "columns", "domains", "count", "tokens_sha256"} == set(asked.context)
    assert not asked.context_json


@pytest.mark.parametrize("action", ["mask", "unmask"])
async def test_another_request_is_told_before_broken_data(server: Placet, action: str) -> None:
    made = expecting(action)
    made.context_json = "{}"
    error = await refused((mask if action == "mask" else unmask)(server, made, BROKEN))
    assert error.reason == "REQUEST_DIFFERS"
    plan = mask_pb2.GetMaskPlanRequest(scope=made, unmask=action == "unmask")
    error = await refused(server.masks.GetMaskPlan(plan, metadata=server.metadata("report-bot")))
    assert error.reason == "REQUEST_DIFFERS"


@pytest.mark.parametrize("rpc", ["MaskStream", "Rewrap"])
async def test_another_request_is_told_before_a_missing_shape(server: Placet, rpc: str) -> None:
    made = expecting("mask" if rpc == "MaskStream" else "rewrap")
    made.context_json = "{}"
    started = mask_pb2.StreamStart(scope=made)
    error = await refused(stream(server, [pa.record_batch(ROWS)], started, rpc=rpc))
    assert error.reason == "REQUEST_DIFFERS"


async def test_members_that_the_server_sets_are_refused_in_text_too(server: Placet) -> None:
    error = await refused(unmask(server, scope(context_json='{"count": 1}')))
    assert error.fields == ("scope.context.count",)


@pytest.mark.parametrize(
    ("text", "field"), [('{"a": 1, "a": 1}', "scope.context_json.a"), ("[]", "scope.context_json")]
)
@pytest.mark.parametrize("rpc", sorted(CALLS))
async def test_a_scopes_text_is_read_as_strictly(server: Placet, rpc: str, text: str, field: str) -> None:
    error = await refused(CALLS[rpc][1](server, scope(context_json=text)))
    assert (error.reason, error.fields) == ("INVALID_REQUEST", (at(rpc, field),))


@pytest.mark.parametrize("rpc", sorted(CALLS))
async def test_bad_fields_of_a_scope_have_the_path_in_the_message_that_was_sent(server: Placet, rpc: str) -> None:
    made = scope(request_id="a\nb", context_json='{"a": {"b": "\\ud800"}}')
    made.table = "a\nb"
    error = await refused(CALLS[rpc][1](server, made))
    assert error.fields
    assert all(field.startswith(at(rpc, "scope.")) for field in error.fields)


@pytest.mark.parametrize("rpc", ["MaskStream", "Rewrap"])
async def test_a_streams_shape_has_its_path_too(server: Placet, rpc: str) -> None:
    started = mask_pb2.StreamStart(scope=scope(), shape=mask_pb2.MaskShape(arrow_schema=b"none"))
    error = await refused(stream(server, [pa.record_batch(ROWS)], started, rpc=rpc))
    assert error.fields == ("start.shape.arrow_schema",)


async def test_the_python_client_says_it_in_streams_too(strict: Placet) -> None:
    batch, made = pa.record_batch(ROWS), scope(context_json='{"why": "report"}')
    async with Client(strict.address, identity.token(strict.state, "report-bot")) as client:
        async with MaskCall(client, start(made), batch.schema) as call:
            assert (await call.open(iter([batch]))).decision.effect == Effect.EFFECT_ALLOW
            [masked] = [one async for one in call.batches()]
        request = mask_pb2.GetMaskPlanRequest(scope=made, shape=shape(masked.schema), unmask=True)
        plan = (await client.call(client.masks.GetMaskPlan, request)).plan
        announcing = unmasking.announced(made, request.shape, unmasking.reversed_columns(plan), [masked])
        async with unmasking.UnmaskCall(client, announcing, iter([masked]), masked.schema) as reversing:
            opened_ = await reversing.open()
        assert opened_.decision.effect == Effect.EFFECT_NEEDS_APPROVAL
        assert opened_.decision.approval.request.context["why"] == "report"
