"""What the server tells of itself."""

from pdp.v1.info_pb2 import GetServerInfoRequest
from tests import tokens
from tests.parts import Placet


async def test_server_tells_its_limits_and_who_is_asking(server: Placet) -> None:
    info = await server.info.GetServerInfo(GetServerInfoRequest(), metadata=server.metadata("bob"))
    assert (info.limits.message_bytes, info.limits.batch_bytes) == (4 * 1024 * 1024, 4 * 1024 * 1024)
    assert (info.limits.request_bytes, info.limits.batch_items, info.limits.nesting) == (32 * 1024, 1000, 32)
    limits = info.limits
    assert (limits.default_seconds, limits.mask_default_seconds, limits.max_seconds) == (2, 10, 10)
    assert (limits.wait_seconds, limits.stream_seconds, limits.stream_idle_seconds) == (60, 1800, 60)
    assert (info.caller.identity, info.caller.kind) == ("user:bob", "person")
    assert list(info.caller.roles) == ["requester", "reviewer", "steward"]
    assert list(info.caller.groups) == ["data-stewards"]
    assert not info.caller.claims_elsewhere
    assert info.realm == "dev"
    assert info.policy_revision
    assert info.opa_version
    assert '"d"' not in info.jwks


async def test_claims_that_a_token_only_refers_to_are_told(server: Placet) -> None:
    token = tokens.metadata(server.state, "user:bob", "reviewer", _claim_names={"groups": "src1"})
    info = await server.info.GetServerInfo(GetServerInfoRequest(), metadata=token)
    assert list(info.caller.claims_elsewhere) == ["groups"]
    assert not info.caller.groups
