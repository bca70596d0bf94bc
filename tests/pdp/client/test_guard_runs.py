"""What the guard runs: copies of what was asked about, in its call, by methods and tools as by functions."""

import asyncio
import functools
import inspect
import sqlite3
import typing
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from pathlib import PurePosixPath
from typing import Annotated, Any
from uuid import UUID

import numpy as np
import pydantic
import pytest

from pdp.client import Client, guard
from pdp.v1 import approval_pb2, approval_pb2_grpc
from pdp.v1.decision_pb2 import AuthorizeResponse
from tests.pdp.client.test_enforcement import Server, connected

FAILED, SUCCEEDED = approval_pb2.OUTCOME_STATE_FAILED, approval_pb2.OUTCOME_STATE_SUCCEEDED


@dataclass
class Approving(Server, approval_pb2_grpc.ApprovalServiceServicer):
    """A server whose allows use an approval, so that outcomes are reported; `slow` holds the reports up."""

    reported: list[tuple[int, str]] = field(default_factory=list)
    began: asyncio.Event = field(default_factory=asyncio.Event)
    slow: asyncio.Event | None = None

    def __post_init__(self) -> None:
        def using(answer: AuthorizeResponse, about: dict[str, Any]) -> None:
            about["approval_id"] = answer.approval.approval_id = "apr_1"

        self.lie = using

    async def ReportOutcome(  # noqa: N802
        self,
        request: approval_pb2.ReportOutcomeRequest,
        context: object,  # noqa: ARG002
    ) -> approval_pb2.ReportOutcomeResponse:
        self.began.set()
        if self.slow is not None:
            await self.slow.wait()
        self.reported.append((request.state, request.detail))
        return approval_pb2.ReportOutcomeResponse()


@asynccontextmanager
async def approving(part: Approving) -> AsyncIterator[Client]:
    def add(server: Any) -> None:
        approval_pb2_grpc.add_ApprovalServiceServicer_to_server(part, server)

    async with connected(part, add=add) as client:
        yield client


@pytest.fixture
def server() -> Approving:
    return Approving()


@pytest.fixture
async def client(server: Approving) -> AsyncIterator[Client]:
    async with approving(server) as client:
        yield client


def sending(client: Client, **more: Any) -> Any:
    return guard(action="send", resource="mail:1", client=client, **more)


def context(server: Approving) -> dict[str, Any]:
    """What the last call was asked about."""
    return dict(server.asked[-1].context)


async def test_function_gets_copies_of_what_was_asked_about(server: Approving, client: Client) -> None:
    rows, numbers, asked = ["a"], np.array([1, 2]), asyncio.Event()

    def meddling(answer: AuthorizeResponse, about: dict[str, Any]) -> None:
        about["approval_id"] = answer.approval.approval_id = "apr_1"
        rows.append("b")
        numbers[0] = 9
        asked.set()

    server.lie = meddling

    @sending(client, context=lambda rows, numbers: {"rows": rows, "numbers": numbers.tolist()})
    async def send(rows: list[str], numbers: Any) -> tuple[list[str], list[int]]:
        return rows, numbers.tolist()

    assert await send(rows, numbers) == (["a"], [1, 2])
    assert asked.is_set()
    assert rows == ["a", "b"]
    assert [dict(request.context)["numbers"] for request in server.asked] == [[1, 2]]


async def test_what_cannot_be_copied_goes_as_it_is_where_the_context_leaves_it_out(
    server: Approving, client: Client
) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:

        @sending(client)
        async def bare(connection: Any, rows: list[str]) -> None:
            raise AssertionError(connection, rows)

        with pytest.raises(
            ValueError, match=r"argument connection is a value of type Connection, which has no JSON form"
        ):
            await bare(connection, ["a"])

        @sending(client, context=lambda rows, **_: {"rows": rows})
        async def told(connection: Any, rows: list[str]) -> tuple[Any, list[str]]:
            return connection, rows

        given, _ = await told(connection, ["a"])
        assert given is connection
    assert context(server) == {"rows": ["a"]}


class Sealed(list[str]):
    def __deepcopy__(self, memo: object) -> "Sealed":
        raise RuntimeError("not this one")


async def test_list_that_cannot_be_copied_is_part_of_no_question(server: Approving, client: Client) -> None:
    @sending(client)
    async def send(rows: list[str]) -> None:
        raise AssertionError(rows)

    with pytest.raises(ValueError, match="argument rows cannot be copied, so it could change before the run"):
        await send(Sealed(["a"]))
    assert not server.asked


class Level(Enum):
    HIGH = "high"


async def test_arguments_that_json_lacks_are_asked_about_in_their_forms(server: Approving, client: Client) -> None:
    @sending(client)
    async def send(*, at: datetime, run: UUID, to: PurePosixPath, level: Level, rows: Any) -> list[type]:
        return [type(one) for one in (at, run, to, level, rows)]

    at, run = datetime(2026, 11, 29, 12, tzinfo=UTC), UUID(int=7)
    given = {"at": at, "run": run, "to": PurePosixPath("/[x]"), "level": Level.HIGH, "rows": np.int32(3)}
    assert await send(**given) == [datetime, UUID, PurePosixPath, Level, np.int32]
    forms = {"at": "2026-11-29T12:00:00Z", "run": str(run), "to": "/[x]", "level": "high", "rows": 3}
    assert context(server) == forms
    with pytest.raises(ValueError, match=r"argument rows\[1\]\.at is a value of type set"):
        await send(**{**given, "rows": [1, {"at": {2}}]})


@pytest.mark.parametrize("kind", ["awaitable", "iterator", "task"])
async def test_what_would_run_after_its_call_is_closed_and_reported_failed(
    server: Approving, client: Client, kind: str
) -> None:
    ran = []

    async def later() -> None:
        ran.append(kind)

    def rows() -> Any:
        ran.append(kind)
        yield 1

    hidden: dict[str, Callable[[], Any]] = {
        "awaitable": later,
        "iterator": rows,
        "task": lambda: asyncio.ensure_future(later()),
    }

    @sending(client)
    async def send() -> Any:
        return hidden[kind]()

    with pytest.raises(TypeError, match="which runs after its call"):
        await send()
    await asyncio.sleep(0)
    assert not ran
    assert server.reported == [(FAILED, "TypeError")]


def test_plain_wrapper_of_an_async_function_is_closed_and_reported_failed(server: Approving) -> None:
    """Nothing shows what it wraps, so its result does."""
    ran = []

    async def later() -> None:
        ran.append(1)

    async def check() -> None:
        async with approving(server) as client:
            address = client._link._address

            @guard(action="send", resource="mail:1", client=lambda: Client(address, "token"))
            def send() -> Any:
                return later()

            with pytest.raises(TypeError, match="gave an awaitable"):
                await asyncio.to_thread(send)

    asyncio.run(check())
    assert not ran
    assert server.reported == [(FAILED, "TypeError")]


@pytest.mark.parametrize("how", ["while it runs", "after it ran"])
async def test_report_of_a_cancelled_call_arrives(server: Approving, client: Client, how: str) -> None:
    server.slow, entered = asyncio.Event(), asyncio.Event()

    @sending(client)
    async def send() -> None:
        entered.set()
        await (asyncio.Event().wait() if how == "while it runs" else asyncio.sleep(0))

    call = asyncio.create_task(send())
    await entered.wait()
    if how == "while it runs":
        call.cancel()
    await server.began.wait()
    for _ in range(3):
        call.cancel()
        await asyncio.sleep(0)
    assert not call.done()
    server.slow.set()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert server.reported == [(FAILED, "CancelledError") if how == "while it runs" else (SUCCEEDED, "")]


async def test_methods_ask_about_all_but_their_object_whatever_it_is_called(server: Approving, client: Client) -> None:
    def shown(function: Any) -> Any:
        @functools.wraps(function)
        def wrapped(*arguments: Any, **named: Any) -> Any:
            return function(*arguments, **named)

        return wrapped

    class Mail:
        @sending(client)
        async def method(this, text: str) -> Any:  # noqa: N805
            return this, text

        @classmethod
        @sending(client)
        async def of_the_class(kind, text: str) -> Any:  # noqa: N804
            return kind, text

        @staticmethod
        @sending(client)
        async def static(self: str, text: str) -> Any:  # noqa: PLW0211  # it is no method
            return self, text

        @shown
        @sending(client)
        async def decorated(self, text: str) -> Any:
            return self, text

    class Derived(Mail):
        pass

    mail = Derived()
    assert await mail.method("a") == (mail, "a")
    assert context(server) == {"text": "a"}
    assert await Derived.of_the_class("b") == (Derived, "b")
    assert context(server) == {"text": "b"}
    assert await mail.static("me", "c") == ("me", "c")
    assert context(server) == {"self": "me", "text": "c"}
    assert await mail.decorated("d") == (mail, "d")
    assert context(server) == {"text": "d"}
    with pytest.raises(ValueError, match="argument this is a value of type object"):
        await Mail.method(object(), "e")  # type: ignore[arg-type]


class Address(pydantic.BaseModel):
    """What a tool takes."""

    to: str


async def test_it_stays_a_function_to_those_who_make_tools_of_it(server: Approving, client: Client) -> None:
    """LangChain reads signature, hints and docstring and validates by pydantic, OpenAI Agents and CrewAI do alike."""

    @sending(client)
    async def send(address: Address, urgent: Annotated[bool, "at once"] = False) -> str:  # noqa: FBT002
        """Send it.

        Args:
            address: Where it goes.
            urgent: Whether it goes at once.
        """
        return f"{address.to} {urgent}"

    assert inspect.isfunction(send)
    assert inspect.iscoroutinefunction(send)
    assert (send.__name__, inspect.getdoc(send).splitlines()[0]) == ("send", "Send it.")  # type: ignore[union-attr]
    assert list(inspect.signature(send).parameters) == ["address", "urgent"]
    assert typing.get_type_hints(send) == {"address": Address, "urgent": bool, "return": str}
    assert typing.get_type_hints(send, include_extras=True)["urgent"] == Annotated[bool, "at once"]
    assert inspect.getsource(send).lstrip().startswith("@sending")
    validated = pydantic.validate_call(send)
    assert await validated({"to": "x"}, urgent="yes") == "x True"  # type: ignore[arg-type]
    assert context(server) == {"address": {"to": "x"}, "urgent": True}
