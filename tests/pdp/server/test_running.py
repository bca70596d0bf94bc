"""A server, put together as production does."""

from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.parts import Placet


async def test_reflection_lists_every_service_and_describes_the_contract(server: Placet) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(server.channel)
    questions = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="pdp.v1.DecisionService"),
    ]
    answers = [answer async for answer in stub.ServerReflectionInfo(iter(questions))]
    names = {service.name for service in answers[0].list_services_response.service}
    contract = {f"pdp.v1.{name}Service" for name in ("Decision", "Approval", "Review", "Mask", "Audit", "Info")}
    assert names == contract | {"grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}
    assert answers[1].file_descriptor_response.file_descriptor_proto
