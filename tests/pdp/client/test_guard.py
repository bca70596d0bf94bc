"""A guarded function runs only with a proof for exactly the arguments that it is about to get."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from functools import partial, wraps
from typing import Any
from uuid import uuid4

import pytest
from pydantic import BaseModel, Field

from pdp.client import ApprovalPending, ArgumentsChanged, CallError, Client, Denied, Text, guard
from pdp.dev import identity
from pdp.v1.approval_pb2 import Approval, ApprovalState, GetApprovalRequest, ListApprovalsRequest
from tests.parts import Placet

FOR_ALICE: dict[str, Any] = {"on_behalf_of": ["user:alice"]}
STEWARDS = ("bob", "carol")


@pytest.fixture
async def pdp(server: Placet) -> AsyncIterator[Client]:
    async with Client(server.address, identity.token(server.state, "report-bot")) as pdp:
        yield pdp


@pytest.fixture
def fresh(server: Placet) -> Callable[[], Client]:
    """What makes a client for each call of a plain function."""
    return partial(Client, server.address, identity.token(server.state, "report-bot"))


def exporting(client: Any, **more: Any) -> Any:
    """The guard of an export of personal data, which two stewards must approve."""
    asked = {"resource": lambda table, **_: f"table:{table}", "properties": {"tags": ["pii"]}, **FOR_ALICE, **more}
    return guard(action="export", client=client, **asked)


def reading(client: Any, **more: Any) -> Any:
    return guard(action="read", resource="table:customers", client=client, **FOR_ALICE, **more)


async def pending(server: Placet, run: str) -> Approval:
    """The approval that a call with this argument `run` waits for."""
    async with asyncio.timeout(20):
        while True:
            request = ListApprovalsRequest(state=ApprovalState.APPROVAL_STATE_PENDING, page_size=100)
            page = await server.approvals.ListApprovals(request, metadata=server.metadata("report-bot"))
            for approval in page.approvals:
                if run in str(approval.request.context):
                    return approval
            await asyncio.sleep(0.05)


async def reviewed(server: Placet, run: str, verdict: str = "APPROVE") -> Approval:
    approval = await pending(server, run)
    for steward in STEWARDS[: 1 if verdict == "DENY" else 2]:
        await server.review(approval, steward, verdict)
    return approval


async def current(server: Placet, approval: Approval) -> Approval:
    request = GetApprovalRequest(approval_id=approval.approval_id)
    return (await server.approvals.GetApproval(request, metadata=server.metadata("report-bot"))).approval


async def test_what_is_allowed_runs_with_a_grant_and_gives_its_result(pdp: Client) -> None:
    @reading(pdp)
    async def rows(limit: int = 3) -> list[int]:
        """Some rows."""
        return list(range(limit))

    assert await rows() == [0, 1, 2]
    assert await rows(limit=1) == [0]
    assert (rows.__name__, rows.__doc__) == ("rows", "Some rows.")


async def test_what_is_denied_does_not_run(pdp: Client) -> None:
    ran = []

    @guard(action="drop", resource="table:customers", client=pdp, **FOR_ALICE)
    async def drop() -> None:
        ran.append(1)

    with pytest.raises(Denied, match="agents never drop a table"):
        await drop()
    assert not ran


async def test_it_waits_for_people_and_uses_their_approval_once(pdp: Client, server: Placet) -> None:
    ran, run = [], uuid4().hex

    @exporting(pdp, wait=30, justification=lambda run, **_: f"weekly {run}")
    async def export(table: str, run: str, limit: int = 10) -> int:
        ran.append((table, run, limit))
        return limit

    call = asyncio.create_task(export("customers", run))
    approval = await reviewed(server, run)
    assert await call == 10
    assert ran == [("customers", run, 10)]
    assert approval.justification == f"weekly {run}"
    assert dict(approval.request.context) == {"table": "customers", "run": run, "limit": 10}
    assert (await current(server, approval)).state == ApprovalState.APPROVAL_STATE_CONSUMED


async def test_without_wait_it_says_at_once_what_is_pending_and_goes_on_under_the_same_id(
    pdp: Client, server: Placet
) -> None:
    run = uuid4().hex

    @exporting(pdp, request_id=lambda run, **_: f"call-{run}")
    async def export(table: str, run: str) -> str:
        return table + run

    with pytest.raises(ApprovalPending) as waiting:
        await export("customers", run)
    approval = await pending(server, run)
    assert (waiting.value.approval_id, waiting.value.request_id) == (approval.approval_id, f"call-{run}")
    await reviewed(server, run)
    assert await export("customers", run) == f"customers{run}"
    with pytest.raises(Denied, match=rf'was used at .*Z by dec_.* another attempt of request_id "call-{run}"'):
        await export("customers", run)


async def test_the_wait_has_an_end(pdp: Client) -> None:
    @exporting(pdp, wait=0.3)
    async def export(table: str, run: str) -> None:
        raise AssertionError(table, run)

    with pytest.raises(ApprovalPending):
        await export("customers", uuid4().hex)


async def test_a_denial_ends_the_wait(pdp: Client, server: Placet) -> None:
    run = uuid4().hex

    @exporting(pdp, wait=30)
    async def export(table: str, run: str) -> None:
        raise AssertionError(table, run)

    call = asyncio.create_task(export("customers", run))
    await reviewed(server, run, "DENY")
    with pytest.raises(Denied, match=r"was denied at .*Z by a reviewer"):
        await call


async def test_an_argument_that_changes_while_it_is_pending_runs_as_it_was_asked(pdp: Client, server: Placet) -> None:
    ran, run = [], uuid4().hex

    @exporting(pdp, wait=30)
    async def export(table: str, columns: list[str], run: str) -> None:
        ran.append((table, columns, run))

    columns = ["name"]
    call = asyncio.create_task(export("customers", columns, run))
    approval = await pending(server, run)
    columns.append("ssn")
    await reviewed(server, run)
    await call
    assert ran == [("customers", ["name"], run)]
    assert dict(approval.request.context)["columns"] == ["name"]
    assert columns == ["name", "ssn"]


async def test_model_whose_form_lacks_a_part_is_not_asked_about(pdp: Client) -> None:
    class Export(BaseModel):
        table: str
        limit: int = Field(default=1, exclude=True)

    @reading(pdp)
    async def read(export: Export) -> int:
        return export.limit

    assert await read(Export(table="customers")) == 1
    with pytest.raises(ValueError, match=r"argument export\.limit holds something .* lacks; give guard a context"):
        await read(Export(table="customers", limit=10**6))


async def test_model_of_a_class_that_is_not_declared_is_not_asked_about(pdp: Client) -> None:
    class Action(BaseModel):
        table: str

    class Delete(Action):
        pass

    @reading(pdp)
    async def read(*actions: Action, **named: Action) -> int:
        return len(actions) + len(named)

    action, delete = Action(table="customers"), Delete(table="customers")
    assert await read(action, more=action) == 2
    for call in (partial(read, action, delete), partial(read, more=delete)):
        with pytest.raises(ValueError, match=r"a class that its JSON form does not tell; declare (actions|named)"):
            await call()


@pytest.mark.parametrize("what", ["resource", "context", "properties", "on_behalf_of"])
async def test_what_is_said_of_a_call_must_be_the_same_right_before_it(pdp: Client, what: str) -> None:
    said = iter(range(9))
    changing: dict[str, Callable[..., Any]] = {
        "resource": lambda: f"table:t{next(said)}",
        "context": lambda: {"n": next(said)},
        "properties": lambda: {"tags": [f"t{next(said)}"]},
        "on_behalf_of": lambda: ["user:alice"] * (1 + next(said)),
    }
    asked: dict[str, Any] = {"resource": "table:customers", **FOR_ALICE, what: changing[what]}

    @guard(action="read", client=pdp, **asked)
    async def read() -> None:
        raise AssertionError

    with pytest.raises(ArgumentsChanged):
        await read()


class Reader:
    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    async def method(self, table: str, /, *more: int, strict: bool = True, **named: str) -> Any:
        return self.prefix, table, more, strict, named

    @classmethod
    async def of_the_class(cls, table: str) -> Any:
        return cls.__name__, table

    @staticmethod
    async def static(table: str) -> Any:
        return table


async def test_arguments_are_the_context_by_parameter_however_they_are_passed(pdp: Client) -> None:
    seen: list[dict[str, Any]] = []

    def table(**arguments: Any) -> str:
        seen.append({name: value for name, value in arguments.items() if name not in {"self", "cls"}})
        return f"table:{arguments['table']}"

    def guarded(function: Any) -> Any:
        return guard(action="read", resource=table, client=pdp, **FOR_ALICE)(function)

    class Guarded(Reader):
        method = guarded(Reader.method)
        of_the_class = classmethod(guarded(Reader.of_the_class.__func__))  # type: ignore[attr-defined]
        static = staticmethod(guarded(Reader.static))

    reader = Guarded("p")
    assert await reader.method("t", 1, 2, other="x") == ("p", "t", (1, 2), True, {"other": "x"})
    assert seen[-1] == {"table": "t", "more": (1, 2), "strict": True, "named": {"other": "x"}}
    assert await reader.method("t", strict=False) == ("p", "t", (), False, {})
    assert seen[-1] == {"table": "t", "more": (), "strict": False, "named": {}}
    assert await Guarded.of_the_class("t") == ("Guarded", "t")
    assert await Guarded.static(table="t") == "t"
    with pytest.raises(TypeError, match="missing a required argument: 'table'"):
        await reader.method()


async def test_an_argument_that_is_no_json_asks_for_a_context(pdp: Client) -> None:
    @reading(pdp)
    async def read(handle: object) -> None:
        raise AssertionError(handle)

    for handle in (object(), {1}, b"x", {1: 2}, 10**400, "\ud800"):
        with pytest.raises(ValueError, match=r"argument handle .*; give guard a context"):
            await read(handle)

    @reading(pdp, context=lambda handle: {"handle": type(handle).__name__})
    async def described(handle: object) -> object:
        return handle

    handle = object()
    assert await described(handle) is handle


async def test_who_acts_is_by_default_who_asks(server: Placet) -> None:
    async with Client(server.address, identity.token(server.state, "alice")) as alice:

        @guard(action="read", resource="table:customers", client=alice)
        async def read() -> str:
            return "read"

        assert await read() == "read"


async def test_a_plain_function_runs_in_its_thread(server: Placet, fresh: Callable[[], Client]) -> None:
    run = uuid4().hex

    @exporting(fresh, wait=30)
    def export(table: str, run: str) -> str:
        return asyncio.run(asyncio.sleep(0, table + run))  # no loop runs around it

    call = asyncio.create_task(asyncio.to_thread(export, "customers", run))
    await reviewed(server, run)
    assert await call == f"customers{run}"
    with pytest.raises(RuntimeError, match="an event loop runs in this thread"):
        export("customers", run)


async def test_exceptions_are_the_functions_own_and_an_unreported_outcome_hides_none(
    pdp: Client, server: Placet, fresh: Callable[[], Client], caplog: pytest.LogCaptureFixture
) -> None:
    @exporting(pdp, wait=30)
    async def export(table: str, run: str) -> None:
        await pdp.close()  # so that there is nobody to report to
        raise LookupError(table, run)

    @reading(fresh)
    def read() -> None:
        raise LookupError("plain")

    run = uuid4().hex
    call = asyncio.create_task(export("customers", run))
    approval = await reviewed(server, run)
    with caplog.at_level(logging.WARNING), pytest.raises(LookupError, match=run):
        await call
    assert f"the outcome of {approval.approval_id} was not reported" in caplog.text
    with pytest.raises(LookupError, match="plain"):
        await asyncio.to_thread(read)


async def test_no_server_no_run() -> None:
    @reading(lambda: Client("127.0.0.1:1", "token", timeout=0.5))
    async def read() -> None:
        raise AssertionError

    with pytest.raises(CallError) as refused:
        await read()
    assert refused.value.code == "UNAVAILABLE"


def test_what_could_not_be_guarded_is_refused_where_it_is_decorated() -> None:
    def rows() -> Any:
        yield 1

    async def pages() -> Any:
        yield 1

    for generator in (rows, pages):
        with pytest.raises(TypeError, match="a generator runs after its call has ended"):
            reading(None)(generator)
    with pytest.raises(TypeError, match="give it to the Client instead"):
        reading(Client, understands=["mask"])(print)


async def test_a_client_is_of_one_loop(pdp: Client) -> None:
    with pytest.raises(TypeError, match="give a plain function what makes one"):
        reading(pdp)(print)


async def test_a_wrapped_function_is_bound_by_the_parameters_that_it_shows(pdp: Client) -> None:
    async def read(table: str, limit: int = 5) -> tuple[str, int]:
        return table, limit

    @wraps(read)
    async def outer(*arguments: Any, **named: Any) -> Any:
        return await read(*arguments, **named)

    assert await reading(pdp, context=lambda table, limit: {"t": table, "l": limit})(outer)("t") == ("t", 5)


async def test_text_that_begins_like_json_is_refused_unless_it_is_meant_as_text(pdp: Client) -> None:
    seen: list[Any] = []

    @reading(pdp)
    async def bare(tags) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001  # no declaration is the point
        seen.append(tags)

    @reading(pdp)
    async def declared(tags: str, note: "str | None" = "[draft]") -> None:
        seen.append((tags, note))

    @reading(pdp, properties={"tags": "[pii]"}, context={})
    async def told() -> None:
        seen.append("told")

    @reading(pdp, context={"note": Text("[draft]")})
    async def meant() -> None:
        seen.append("meant")

    for text in ("[pii]", '["pii"]', '{"a": 1}', ' "pii'):
        with pytest.raises(ValueError, match=r"^argument tags is text that begins like JSON; declare tags: str"):
            await bare(text)
    with pytest.raises(ValueError, match=r"^properties\.tags is text that begins like JSON"):
        await told()
    assert not seen
    await bare(["public"])
    await bare(Text("[public]"))
    await declared("[public]")
    await meant()
    assert seen == [["public"], "[public]", ("[public]", "[draft]"), "meant"]
    assert type(seen[2][0]) is str
