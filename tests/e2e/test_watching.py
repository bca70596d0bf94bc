"""What a scrape shows of a server at work, and what it never shows."""

import asyncio
import re
from contextlib import suppress
from uuid import uuid4

import grpc

from pdp.server.exposition import text
from pdp.v1.decision_pb2 import AuthorizeRequest, BatchAuthorizeRequest
from tests import tokens
from tests.parts import Placet, asking, exporting
from tests.scrape import samples, scraped
from tests.web import evaluate, question, send

STRANGERS = 500
ODD = ('a"} 1', "b{name=", "c\\n", "d'; --", "é̀", "Jane Doe", "x" * 60)
"""Parts of names that a text of metrics would be broken by, or that a person could be known by."""


async def test_strangers_with_odd_names_make_neither_a_series_nor_a_name(server: Placet) -> None:
    await ask_in_every_way(server, "known")
    before = await scraped(server.operations)
    for first in range(0, STRANGERS, 20):
        names = [f"zq7{ODD[n % len(ODD)]}{n}" for n in range(first, first + 20)]
        await asyncio.gather(*(ask_in_every_way(server, name) for name in names))
    after = await scraped(server.operations)
    assert of_any_code(after) == of_any_code(before)
    assert "zq7" not in "\n".join(after)
    calls = 'rpc_server_call_duration_seconds_count{code="OK",rpc_method="pdp.v1.DecisionService/Authorize"}'
    assert after[calls] > before[calls] + STRANGERS // 2


def of_any_code(series: dict[str, float]) -> set[str]:
    """The series without their codes: a machine that is busy gives some that were not there before."""
    return {re.sub(r'code="(?:[A-Z_]+|[0-9]{3})"', "code", name) for name in series}


async def ask_in_every_way(server: Placet, name: str) -> None:
    """A stranger asks about itself; names all that it can by its own name, well and badly; and calls odd paths."""
    by = tokens.metadata(server.state, f"agent:{name}", "requester")
    own = AuthorizeRequest()
    own.subject.type, own.subject.id = "agent", name
    own.action.name, own.resource.type, own.resource.id = "read", "table", name
    with suppress(grpc.aio.AioRpcError):
        await server.decisions.Authorize(own, metadata=by, timeout=10)
    odd = AuthorizeRequest()
    odd.CopyFrom(own)
    odd.action.name = odd.resource.type = name
    odd.request_id = odd.approval_id = name
    with suppress(grpc.aio.AioRpcError):
        await server.decisions.Authorize(odd, metadata=by, timeout=10)
    path = name.encode().hex() if name != "known" else "x"
    await send(server, "GET", f"/zq7/{path}")
    if name in {"known", f"zq7{ODD[0]}0"}:
        with suppress(grpc.aio.AioRpcError):
            await server.channel.unary_unary(f"/pdp.v1.DecisionService/{path}")(b"", metadata=by)


async def test_value_of_no_field_shows_in_a_metric(server: Placet) -> None:
    canary = f"canary{uuid4().hex[:8]}"
    request = exporting()
    request.justification = request.resource.id = request.request_id = canary
    request.on_behalf_of[0].id = f"alice-{canary}"
    for struct in (request.subject.properties, request.action.properties, request.context):
        struct.fields["secret"].string_value = canary
    request.resource.properties.fields["filter"].string_value = canary
    opened = (await server.authorize(request)).approval
    await server.review(opened, "bob", reason=canary)
    await server.review(opened, "carol", "DENY", reason=canary)
    wrong = asking()
    wrong.subject.id = wrong.resource.type = canary
    batch = BatchAuthorizeRequest(items=[request, wrong, asking()])
    await server.decisions.BatchAuthorize(batch, metadata=server.metadata("report-bot"), timeout=10)
    by = tokens.metadata(server.state, f"agent:{canary}", aud=canary)
    with suppress(grpc.aio.AioRpcError):
        await server.decisions.Authorize(wrong, metadata=by)
    body = question()
    body["context"] = {canary: canary}
    await evaluate(server, body, X_Request_ID=canary)
    await send(server, "GET", f"/{canary}?{canary}={canary}")
    assert canary not in "\n".join(await scraped(server.operations))


async def test_decisions_are_counted_where_they_happen(server: Placet) -> None:
    before = samples(text())
    await server.authorize(asking())
    dropped = asking("drop")
    await server.decisions.BatchAuthorize(
        BatchAuthorizeRequest(items=[dropped, dropped, asking()]), metadata=server.metadata("report-bot"), timeout=10
    )
    opened = (await server.authorize(exporting())).approval
    await server.review(opened, "bob", "DENY")
    await evaluate(server, question())
    after = samples(text())

    def more(series: str) -> float:
        return after[series] - before.get(series, 0)

    assert more('pdp_decisions_total{effect="allow"}') == 3
    assert more('pdp_decisions_total{effect="deny"}') == 2
    assert more('pdp_decisions_total{effect="needs_approval"}') == 1
    assert more('pdp_approvals_total{state="PENDING"}') == more('pdp_approvals_total{state="DENIED"}') == 1
    for stage in ("authenticate", "canonical", "wait", "opa", "settle", "audit"):
        assert more(f'pdp_stage_seconds_count{{stage="{stage}"}}') >= 4, stage
    assert more('pdp_batch_items_sum{what="opa"}') >= 6
    assert more("pdp_audit_records_total") >= 7
    called = "rpc_server_call_duration_seconds_count"
    assert more(f'{called}{{code="OK",rpc_method="pdp.v1.DecisionService/BatchAuthorize"}}') == 1
    assert more(f'{called}{{code="200",rpc_method="POST /access/v1/evaluation"}}') == 1
    assert after["pdp_in_flight"] == 0


async def test_levels_say_what_waits_and_what_is_up(server: Placet) -> None:
    await server.authorize(exporting())

    async def shown() -> dict[str, float]:
        found = await scraped(server.operations)
        return found if found.get("pdp_approvals_open", 0) >= 1 else {}

    async with asyncio.timeout(30):
        while not (found := await shown()):
            pass
    assert 0 < found["pdp_approval_oldest_seconds"] < 3600
    assert found['pdp_dependency_up{name="mongodb"}'] == 1
    assert found["pdp_clock_offset_seconds"] < 1
    assert found["pdp_audit_unconfirmed_seconds"] < 2
    [revision] = [name for name in found if name.startswith("pdp_policy_info{")]
    assert len(revision.split('"')[1]) >= 12
    assert found["pdp_policy_loaded_timestamp_seconds"] > 1_700_000_000
