"""A value of a call, in any field of any request, shows in no line of the log and in no span."""

import json
import logging
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import aiohttp
import grpc
import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct

from pdp.access_log import NAME, AccessLog
from pdp.call_summary import Calls
from pdp.caller import ROLES
from pdp.http.route import AnyRoute
from pdp.log_line import JsonForm
from pdp.log_outlet import Outlet
from pdp.logs import OWN, Into
from pdp.process.mongod import MongodProcess
from pdp.telemetry import Telemetry
from pdp.v1 import approval_pb2, audit_pb2, decision_pb2, info_pb2, lineage_pb2, mask_pb2, person_pb2, review_pb2
from tests import tokens
from tests.collector import collecting
from tests.parts import Placet, placet
from tests.pdp.test_canary import CANARY, FAILURES, planted

DEEP = 4
"""Messages within messages that are filled."""
PERSON, WORKLOAD = "user:bob", "agent:report-bot"
FILES = (approval_pb2, audit_pb2, decision_pb2, info_pb2, lineage_pb2, mask_pb2, person_pb2, review_pb2)
METHODS = [one for file in FILES for service in file.DESCRIPTOR.services_by_name.values() for one in service.methods]
EVERY_ROLE = sorted({str(role) for roles in ROLES.values() for role in roles})


@contextmanager
def logged(file: Path) -> Iterator[AccessLog]:
    """Everything that `pdp serve` would write at its lowest level, in a file."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT)
    form, outlet = JsonForm(), Outlet(descriptor, lambda count: b"%d are lost\n" % count)
    into, loggers = Into(form, outlet), [logging.getLogger(name) for name in OWN]
    levels = [logger.level for logger in loggers]
    logging.getLogger().addHandler(into)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    try:
        yield AccessLog(form, outlet.put)
    finally:
        outlet.close()
        os.close(descriptor)
        logging.getLogger().removeHandler(into)
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@asynccontextmanager
async def watched(state: Path, mongod: MongodProcess, file: Path) -> AsyncIterator[Placet]:
    """A server of which all is told; its last line is in the file at the end."""
    with logged(file) as access:
        spans = Telemetry()
        async with placet(state, mongod.uri, calls=Calls(access.write, spans)) as server:
            yield server
        await spans.close()


def filled(message: Message, deep: int = DEEP) -> Message:
    """The message with the canary in each field that can hold a text."""
    if isinstance(message, Struct):
        message.update({CANARY: CANARY})
        return message
    for field in message.DESCRIPTOR.fields:
        if field.containing_oneof and message.WhichOneof(field.containing_oneof.name):
            continue
        _fill(message, field, deep)
    return message


def _fill(message: Message, field: FieldDescriptor, deep: int) -> None:
    value = getattr(message, field.name)
    if field.message_type and field.message_type.GetOptions().map_entry:
        with suppress(TypeError, ValueError):
            value[CANARY] = CANARY
    elif field.message_type and deep:
        filled(value.add() if field.is_repeated else value, deep - 1)
    elif field.type in {FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES}:
        text = CANARY if field.type == FieldDescriptor.TYPE_STRING else CANARY.encode()
        value.append(text) if field.is_repeated else setattr(message, field.name, text)


async def asked(server: Placet, method: MethodDescriptor, identity: str) -> None:
    """One call with a filled request; how it ends does not matter."""
    rpc = f"/{method.containing_service.full_name}/{method.name}"
    request = filled(message_factory.GetMessageClass(method.input_type)())
    metadata = (*tokens.metadata(server.state, identity, *EVERY_ROLE), ("x-own", CANARY), ("tracestate", CANARY))
    call = server.channel.stream_stream(rpc, type(request).SerializeToString)(
        iter([request]), metadata=metadata, timeout=1
    )
    with suppress(grpc.aio.AioRpcError):
        async for _ in call:
            pass


async def browsed(server: Placet, session: aiohttp.ClientSession, route: AnyRoute, by: dict[str, str]) -> None:
    """One call of HTTP with the canary in path, query, headers, cookie and body."""
    path = "/".join(CANARY if part.startswith("{") else part for part in route.path.split("/"))
    headers = {"User-Agent": CANARY, "tracestate": f"x={CANARY}", "Referer": f"http://{CANARY}", **by}
    media = getattr(route, "media", "application/json")
    body = f"{CANARY}={CANARY}" if "form" in media else json.dumps({CANARY: CANARY, "subject": {"id": CANARY}})
    sent = (
        {"data": body, "headers": {**headers, "Content-Type": media}}
        if route.method == "POST"
        else {"headers": headers}
    )
    async with session.request(route.method, f"{server.http}{path}?{CANARY}={CANARY}", **sent, allow_redirects=False):
        return


async def ask_all(server: Placet) -> None:
    """Every RPC as a person and as a workload with every role, the ways to fail, and a decision that goes well."""
    for method in METHODS:
        for identity in (PERSON, WORKLOAD):
            await asked(server, method, identity)
    for failure in FAILURES.values():
        with suppress(grpc.aio.AioRpcError):
            await failure(server)
    request = planted()
    request.approval_id = (await server.approved(request)).approval_id
    await server.authorize(request)


async def browse_all(server: Placet) -> None:
    """Every path of HTTP with a token and with a cookie, and one that is not there."""
    token = {"Authorization": server.metadata("report-bot")[0][1]}
    async with aiohttp.ClientSession() as session:
        for route in server.routes:
            for by in (token, {"Cookie": f"{CANARY}={CANARY}"}):
                await browsed(server, session, route, by)
        async with session.get(f"{server.http}/{CANARY}"):
            pass


async def test_value_of_a_call_shows_in_no_line_and_no_span(
    state: Path, mongod: MongodProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "log"
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        async with watched(state, mongod, file) as server:
            await ask_all(server)
            await browse_all(server)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    called = [line for line in lines if line["logger"] == NAME]
    assert {line["rpc"] for line in called if "rpc" in line} >= {
        f"{one.containing_service.full_name}/{one.name}" for one in METHODS
    }
    assert {line["code"] for line in called} >= {"OK", "INVALID_ARGUMENT", "UNAUTHENTICATED", "404"}
    assert {span.name for span in collector.spans} >= {"opa.query", "audit.commit"}
    assert CANARY not in file.read_text()
    assert not any(CANARY.encode() in raw for raw in collector.raw)
