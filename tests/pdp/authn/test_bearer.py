from collections.abc import Callable
from typing import Any

import grpc
import pytest
from joserfc.jwk import OKPKey

from pdp import keys
from pdp.authn.authenticator import Authenticator
from pdp.dev.identity import AUDIENCE, key_path
from pdp.errors import Unauthenticated
from pdp.v1.info_pb2 import GetServerInfoRequest
from tests import tokens
from tests.parts import Placet, refusal
from tests.pdp.forge import ATTACKS, Forge, at

OTHER_KEY = OKPKey.generate_key("Ed25519", auto_kid=True)
CLAIMS = tokens.claims("user:alice")
SENTENCES = {
    "the token is not valid here; get a new one",
    "send a valid token as metadata: authorization: Bearer <token>",
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_token_that_is_none_is_refused_without_detail(
    attack: str, authenticator: Authenticator, forge: Forge
) -> None:
    with pytest.raises(Unauthenticated) as refused:
        await authenticator.caller("Bearer " + ATTACKS[attack](forge))
    assert refused.value.sentence in SENTENCES
    assert not refused.value.metadata
    assert not refused.value.violations


def test_there_are_at_least_forty_attacks() -> None:
    assert len(ATTACKS) >= 40


NEVER_SENT = {"a line behind it", "larger than 8 KiB"}
"""gRPC itself refuses such metadata."""


@pytest.mark.parametrize("attack", sorted(ATTACKS.keys() - NEVER_SENT))
async def test_attack_over_the_wire_is_unauthenticated(server: Placet, attack: str) -> None:
    forge = Forge(keys.private_key(key_path(server.state)))
    token = tokens.bearer(ATTACKS[attack](forge))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await server.info.GetServerInfo(GetServerInfoRequest(), metadata=token)
    why = refusal(refused.value)
    assert (why.code, why.reason, why.metadata) == ("UNAUTHENTICATED", "UNAUTHENTICATED", {})
    assert why.message in SENTENCES


@pytest.mark.parametrize("algorithm", ["Ed25519", "EdDSA"])
async def test_both_names_of_the_signature_are_accepted(
    algorithm: str, authenticator: Authenticator, forge: Forge
) -> None:
    assert (await authenticator.caller("Bearer " + forge.with_header(alg=algorithm))).identity == "user:alice"


@pytest.mark.parametrize(
    "changes",
    [
        lambda: at(exp=-25),
        lambda: at(nbf=25),
        lambda: at(iat=25),
        lambda: at(exp=60.5),
        lambda: {"aud": ["other", AUDIENCE]},
        lambda: {"iat": ...},
        lambda: {"roles": ...},
        lambda: {"sub": "a:b"},
        lambda: {"sub": "名前"},
    ],
)
async def test_good_token_is_accepted(
    changes: Callable[[], dict[str, Any]], authenticator: Authenticator, forge: Forge
) -> None:
    members = changes()
    caller = await authenticator.caller("Bearer " + forge.token(**members))
    assert caller.identity == f"user:{members.get('sub', 'alice')}"
