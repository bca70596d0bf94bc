"""What the server says of itself and of what it depends on."""

from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.parts import Placet
from tests.pdp.wire import refused


async def test_health_names_the_server_every_service_and_every_dependency(server: Placet) -> None:
    stub = health_pb2_grpc.HealthStub(server.channel)
    services = [f"pdp.v1.{name}Service" for name in ("Decision", "Approval", "Review", "Mask", "Audit", "Info")]
    for name in ("", "opa", "mongodb", *services):
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING, name
    assert (await refused(stub.Check(health_pb2.HealthCheckRequest(service="unknown")))).code == "NOT_FOUND"
