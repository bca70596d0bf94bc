from collections.abc import Callable
from pathlib import Path
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
from tests.pdp.forge import ATTACKS, Forge, at, issuer

OTHER_KEY = OKPKey.generate_key("Ed25519", auto_kid=True)
CLAIMS = tokens.claims("user:alice")
SENTENCES = {
    "the token is not valid here; get a new one",
    "send a valid token, as in authorization: Bearer <token>",
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


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "JWT", "jwt", "application/at+jwt", "Application/JWT"])
async def test_token_may_say_that_it_is_one(typ: str, authenticator: Authenticator, forge: Forge) -> None:
    assert (await authenticator.caller("Bearer " + forge.with_header(typ=typ))).identity == "user:alice"


async def test_issuer_may_give_tokens_another_longest_life(folder: Path, forge: Forge) -> None:
    for seconds, lives in ((300, {"exp": 301, "iat": 0}), (3600, {"exp": 1860, "iat": -1800})):
        with pytest.raises(Unauthenticated):
            await Authenticator([issuer(folder, max_token_seconds=seconds)]).caller(
                "Bearer " + forge.token(**at(**lives))
            )
    long = Authenticator([issuer(folder, max_token_seconds=11 * 365 * 86_400)])
    assert await long.caller("Bearer " + forge.token(**at(exp=10 * 365 * 86_400)))


@pytest.mark.parametrize(
    "changes",
    [
        lambda: at(exp=86_390, iat=0),
        lambda: {**at(exp=86_400), "iat": ...},
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
