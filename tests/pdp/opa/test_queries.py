"""What OPA answers, and whatever answers in its place: a decision only where it is exactly one."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from aiohttp import web

from pdp.environment import Environment
from pdp.errors import EngineUnavailable, PolicyInvalid, SetupError
from pdp.opa.process import OpaProcess
from pdp.opa.queries import About, Opa, OpaLate, is_undefined
from pdp.policy.live import WatchedPolicy
from pdp.process import toolcache

Call = Callable[[Opa], Awaitable[Any]]
CALLS: dict[str, Call] = {
    about: lambda opa, about=about: opa.answers(about, [b"{}"])  # type: ignore[misc]
    for about in About
}


@dataclass
class Pretender:
    """Answers in OPA's place, always the same; keeps what it was asked."""

    answer: Callable[[web.Request], Awaitable[web.StreamResponse]]
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.path_qs, json.loads(await request.read() or b"null")))
        return await self.answer(request)


@asynccontextmanager
async def answering(
    status: int = 200, body: Any = None, after: float = 0.0, **headers: str
) -> AsyncIterator[tuple[Opa, Pretender]]:
    """Whatever a test wants, on a socket of its own."""

    async def answer(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(after)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return web.Response(status=status, body=content, headers=headers)

    pretender = Pretender(answer)
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", pretender.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    with TemporaryDirectory(prefix="placet-") as folder:
        socket = f"{folder}/opa.sock"
        await web.UnixSite(runner, socket).start()
        async with Opa(f"unix://{socket}") as opa:
            yield opa, pretender
        await runner.cleanup()


async def test_inputs_are_asked_together_and_answered_in_their_order() -> None:
    body = {"result": {"1": "second", "0": "first"}, "metrics": {"timer_server_handler_ns": 2_000_000}}
    async with answering(body=body) as (opa, asked):
        answers = await opa.answers(About.DECISIONS, [b'{"a":1}', b'{"b":2}'], [False, True])
    assert (answers, answers.seconds) == (["first", "second"], 0.002)
    off = {"lineage": {"state": "OFF"}}
    assert asked.asked == [
        (
            "/v1/data/pdp/decisions?strict-builtin-errors=true&metrics=true",
            {"input": {"batch": {"0": {**off, "a": 1}, "1": {**off, "b": 2}}, "explain": {"1": True}}},
        )
    ]


async def test_item_that_opa_leaves_out_is_undefined_and_null_is_not() -> None:
    async with answering(body={"result": {"0": None}}) as (opa, _):
        first, second = await opa.answers(About.DECISIONS, [b"{}", b"{}"], [False, False])
    assert (is_undefined(first), is_undefined(second)) == (False, True)


@pytest.mark.parametrize("result", [{"1": {}}, {"0": {}, "x": {}}, [], "text", None, 1])
async def test_answers_to_other_questions_are_none(result: Any) -> None:
    async with answering(body={"result": result}) as (opa, _):
        with pytest.raises(PolicyInvalid) as refused:
            await opa.answers(About.DECISIONS, [b"{}"], [False])
    assert refused.value.problem == "wrong_keys"


CONFLICT = {"code": "eval_conflict_error", "location": {"file": "p.rego", "row": 3}}
FAILED = {"code": "internal_error", "errors": [CONFLICT]}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (200, {}, "undefined"),
        (500, FAILED, "conflict"),
        (500, {"errors": [{"code": "eval_builtin_error"}]}, "builtin_error"),
        (500, {"errors": [{"code": "eval_cancel_error"}]}, "builtin_error"),
        (500, {"errors": []}, "builtin_error"),
        (500, {"errors": ["x"]}, "builtin_error"),
    ],
)
async def test_query_that_failed_is_the_policys_problem(name: str, status: int, body: Any, problem: str) -> None:
    async with answering(status, body) as (opa, _):
        with pytest.raises(PolicyInvalid) as refused:
            await CALLS[name](opa)
    assert refused.value.problem == problem


async def test_place_of_a_failure_is_named_and_its_message_is_not() -> None:
    body = {"errors": [{**CONFLICT, "message": "canary"}]}
    async with answering(500, body) as (opa, _):
        with pytest.raises(PolicyInvalid) as refused:
            await opa.answers(About.REVIEWS, [b"{}"])
    assert refused.value.metadata["file"] == "p.rego:3"
    assert "canary" not in refused.value.sentence


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"not JSON"),
        (200, b"[]"),
        (200, b'"text"'),
        (200, b""),
        (204, b""),
        (400, {"code": "invalid_parameter"}),
        (401, {}),
        (404, {}),
        (500, {}),
        (503, {"result": {"0": {}}}),
    ],
)
async def test_whatever_else_answers_is_not_opa(status: int, body: Any) -> None:
    async with answering(status, body) as (opa, _):
        with pytest.raises(EngineUnavailable):
            await opa.answers(About.DECISIONS, [b"{}"], [False])


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirect_is_not_followed(status: int) -> None:
    async with answering(status, {}, Location="/elsewhere") as (opa, asked):
        with pytest.raises(EngineUnavailable):
            await opa.answers(About.REVIEWS, [b"{}"])
    assert len(asked.asked) == 1


async def test_failure_is_not_asked_about_again() -> None:
    async with answering(500, FAILED) as (opa, asked):
        with pytest.raises(PolicyInvalid):
            await opa.answers(About.REVIEWS, [b"{}"])
    assert len(asked.asked) == 1


async def test_late_answer_is_late_and_no_answer_is_unavailable(tmp_path: Path) -> None:
    async with answering(body={"result": {"0": {}}}, after=0.3) as (opa, _):
        with pytest.raises(OpaLate):
            await opa.answers(About.DECISIONS, [b"{}"], [False], 0.05)
    async with Opa(f"unix://{tmp_path}/none.sock") as nowhere:
        with pytest.raises(EngineUnavailable) as refused:
            await nowhere.answers(About.REVIEWS, [b"{}"])
        assert not isinstance(refused.value, OpaLate)
        assert not await nowhere.is_healthy()


async def test_answer_that_is_larger_than_any_should_be_is_refused() -> None:
    async with answering(body=b'{"result":"' + b"x" * (33 * 1024 * 1024) + b'"}') as (opa, _):
        with pytest.raises((PolicyInvalid, OpaLate)):
            await opa.answers(About.REVIEWS, [b"{}"])


@pytest.mark.parametrize(
    ("version", "is_taken"),
    [
        ("1.4.0", True),
        ("1.10.0", True),
        ("2.0.0-rc1", True),
        ("1.3.9", False),
        ("0.70.0", False),
        ("", False),
        ("dev", False),
    ],
)
async def test_version_has_a_floor(version: str, *, is_taken: bool) -> None:
    async with answering(body={"provenance": {"version": version}}) as (opa, _):
        if is_taken:
            assert await opa.version() == version
        else:
            with pytest.raises(SetupError, match=r"1\.4\.0"):
                await opa.version()


@pytest.mark.parametrize(("result", "revision"), [(["r1"], "r1"), ([], ""), (["r1", "r2"], ""), ("r1", ""), (None, "")])
async def test_revision_is_of_exactly_one_bundle(result: Any, revision: str) -> None:
    async with answering(body={"result": result}) as (opa, _):
        assert await opa.revision() == revision


@pytest.mark.parametrize("url", ["", "localhost:8181", "ftp://x", "opa.sock"])
def test_url_must_say_how_to_reach_it(url: str) -> None:
    with pytest.raises(SetupError, match="unix://"):
        Opa(url)


async def test_real_opa_answers_each_of_the_questions(tmp_path: Path) -> None:
    (tmp_path / "p.rego").write_text('package policy\n\nallow contains {"rule": "a", "reason": "b"} if true\n')
    binary = toolcache.opa(Environment.read().tool_cache)
    with TemporaryDirectory(prefix="placet-") as folder:
        Path(folder, "bundle").mkdir()
        policy = WatchedPolicy(binary, [tmp_path], Path(folder, "bundle", "bundle.tar.gz"), print, _none)
        await policy.build()
        process = OpaProcess(binary, policy.bundle, Path(folder, "opa.sock"), say=print)
        async with process, Opa(f"unix://{process.socket}") as opa:
            assert await opa.is_healthy()
            assert await opa.version()
            revision = await opa.revision()
            [answer] = await opa.answers(About.DECISIONS, [b"{}"], [False], 5.0)
            assert (answer["effect"], answer["revisions"]) == ("ALLOW", [revision])


async def _none() -> dict[str, Any]:
    return {}


async def test_query_waits_longer_while_a_policy_loads() -> None:
    async with answering(body={"result": {"0": "answer"}}, after=0.6) as (opa, _):
        with pytest.raises(OpaLate):
            await opa.answers(About.DECISIONS, [b"{}"], [False])
        opa._is_loading = lambda: True
        assert await opa.answers(About.DECISIONS, [b"{}"], [False]) == ["answer"]
        assert await opa.is_healthy()
