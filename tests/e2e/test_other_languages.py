"""A client that has nothing of Placet but its address asks it what it offers, and calls it (as grpcurl does).

`make languages` tries `clients/`, which are made from proto/.
"""

import asyncio
from typing import Any

import grpc
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from pdp.dev import identity
from tests.parts import Placet

SERVICES = {"Approval", "Audit", "Decision", "Info", "Review"}


def by_reflection(address: str, token: str) -> tuple[set[str], dict[str, Any], str]:
    """Every service, an answer of Authorize in JSON, and the server's health."""
    with grpc.insecure_channel(address) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        pool = DescriptorPool(database)
        authorize = pool.FindServiceByName("pdp.v1.DecisionService").methods_by_name["Authorize"]
        check = pool.FindServiceByName("grpc.health.v1.Health").methods_by_name["Check"]
        request = {"subject": {"type": "user", "id": "alice"}, "action": {"name": "read"}}
        request |= {"resource": {"type": "table", "id": "t", "properties": {"tags": ["a"]}}}
        answer = called(channel, authorize, request, token)
        health = called(channel, check, {"service": "pdp.v1.DecisionService"}, "")
        return set(database.get_services()), answer, health["status"]


def called(channel: grpc.Channel, method: Any, request: dict[str, Any], token: str) -> dict[str, Any]:
    ask, answer = (message_factory.GetMessageClass(kind) for kind in (method.input_type, method.output_type))
    path = f"/{method.containing_service.full_name}/{method.name}"
    call = channel.unary_unary(path, ask.SerializeToString, answer.FromString)
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    message = json_format.ParseDict(request, ask())
    return dict(json_format.MessageToDict(call(message, metadata=metadata, timeout=5)))


async def test_reflection_is_enough_to_ask(server: Placet) -> None:
    token = identity.token(server.state, "dev")
    services, answer, health = await asyncio.to_thread(by_reflection, server.address, token)
    assert {f"pdp.v1.{name}Service" for name in SERVICES} | {"grpc.health.v1.Health"} <= services
    assert answer["effect"] == "EFFECT_ALLOW"
    assert answer["decisionId"].startswith("dec_")
    assert health == "SERVING"
