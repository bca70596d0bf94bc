"""The services of masking on a server with and without keys."""

import grpc
import pytest

from pdp.v1 import mask_job_pb2
from pdp.v1.mask_job_pb2_grpc import MaskJobServiceStub
from tests.parts import Placet, refusal


@pytest.mark.parametrize(
    ("rpc", "request_"),
    [
        ("StartMaskJob", mask_job_pb2.StartMaskJobRequest()),
        ("FinishMaskJob", mask_job_pb2.FinishMaskJobRequest()),
        ("CancelMaskJob", mask_job_pb2.CancelMaskJobRequest()),
        ("GetMaskJob", mask_job_pb2.GetMaskJobRequest()),
        ("ListMaskJobs", mask_job_pb2.ListMaskJobsRequest()),
    ],
)
async def test_server_without_keys_has_no_mask_jobs(server: Placet, rpc: str, request_: object) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await getattr(MaskJobServiceStub(server.channel), rpc)(request_, metadata=server.metadata("report-bot"))
    assert refusal(refused.value).reason == "MASKING_OFF"
