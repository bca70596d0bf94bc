"""A server that demands client certificates takes tickets at a second address without them, and nothing else there."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import grpc
import pytest

from pdp.caller import Role
from pdp.config import Tls
from pdp.dev.stack import configuration
from pdp.errors import SetupError
from pdp.identity_source import Certificates, SpeaksFor
from pdp.masking.keys import demo_keys
from pdp.masking_settings import Masking
from pdp.process.mongod import MongodProcess
from pdp.server.listener import require_addresses
from pdp.v1 import mask_job_pb2
from pdp.v1.info_pb2 import GetServerInfoRequest
from pdp.v1.mask_job_pb2_grpc import MaskJobServiceStub
from tests.certificates import Authority
from tests.mask_jobs import request, rows, start_of, streamed, told, written
from tests.parts import Placet, placet
from tests.replica import free_ports
from tests.tokens import bearer

ENTRY = Certificates(
    spiffe="spiffe://example.org/agents/",
    type="agent",
    kind="workload",
    roles=(Role.REQUESTER,),
    speaks_for={"*": SpeaksFor(on_behalf_of=("user:*",))},
)


@dataclass
class Secured:
    """A server behind certificates, reached with one and, at the address for tickets, without."""

    certified: Placet
    plain: Placet

    async def begun(self) -> mask_job_pb2.StartMaskJobResponse:
        stub = MaskJobServiceStub(self.certified.channel)
        return await stub.StartMaskJob(request())


@pytest.fixture(scope="module")
async def secured(
    state: Path, mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Secured]:
    folder = tmp_path_factory.mktemp("tickets")
    authority, [port] = Authority(folder), free_ports(1)
    own, agent = authority.server(), authority.agent()
    changes = {
        "tls": Tls(certificate=own.certificate, key=own.key, client_ca=authority.ca),
        "certificates": (ENTRY,),
        "masking": Masking(ticket_listen=f"127.0.0.1:{port}"),
        "mask_keys": demo_keys(state / "keys" / "mask.json"),
        "policy": [written(folder / "policy")],
    }
    ca = authority.ca.read_bytes()
    with_own = grpc.ssl_channel_credentials(ca, agent.key.read_bytes(), agent.certificate.read_bytes())
    without = grpc.ssl_channel_credentials(ca)
    async with (
        placet(state, mongod.uri, **changes) as server,
        grpc.aio.secure_channel(server.address, with_own) as certified,
        grpc.aio.secure_channel(f"127.0.0.1:{port}", without) as plain,
    ):
        yield Secured(replace(server, channel=certified), replace(server, channel=plain))


async def test_ticket_streams_a_part_without_a_certificate(secured: Secured) -> None:
    begun = await secured.begun()
    answer = await streamed(secured.plain, bearer(begun.ticket), [rows("a")], start_of(0))
    assert answer.end is not None
    again = await streamed(secured.certified, bearer(begun.ticket), [rows("b")], start_of(1))
    assert again.end is not None


@pytest.mark.parametrize("credentials", ["none", "token"])
async def test_nothing_but_a_ticket_counts_there(secured: Secured, credentials: str) -> None:
    metadata = secured.plain.metadata("report-bot") if credentials == "token" else None
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await secured.plain.info.GetServerInfo(GetServerInfoRequest(), metadata=metadata)
    assert told(refused.value) == ("UNAUTHENTICATED", "UNAUTHENTICATED")
    with pytest.raises(grpc.aio.AioRpcError) as unasked:
        await streamed(secured.plain, metadata, [], start_of(0))
    assert told(unasked.value)[0] == "UNAUTHENTICATED"


async def test_ticket_opens_nothing_else_there(secured: Secured) -> None:
    begun = await secured.begun()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await secured.plain.info.GetServerInfo(GetServerInfoRequest(), metadata=bearer(begun.ticket))
    assert told(refused.value)[0] == "UNAUTHENTICATED"


def test_address_for_tickets_is_beside_one_that_demands_certificates(state: Path, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    own = authority.server()
    plain = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri="mongodb://localhost")
    tls = Tls(certificate=own.certificate, key=own.key, client_ca=authority.ca)
    masking = Masking(ticket_listen="127.0.0.1:0")
    require_addresses(plain.model_copy(update={"tls": tls, "masking": masking}))
    both = tls.model_copy(update={"client_listen": "127.0.0.1:0"})
    for useless in (None, both, tls.model_copy(update={"client_ca": None})):
        with pytest.raises(SetupError, match="leave it out"):
            require_addresses(plain.model_copy(update={"tls": useless, "masking": masking}))
