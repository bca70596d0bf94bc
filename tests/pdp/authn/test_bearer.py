import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from joserfc.jwk import OKPKey

from pdp import keys
from pdp.authn.authenticator import Authenticator
from pdp.authn.bearer import LEEWAY_SECONDS
from pdp.caller import Caller, Role
from pdp.config import Issuer
from pdp.dev.identity import AGENTS, AUDIENCE, USERS, key_path
from pdp.errors import NotAllowed, Unauthenticated
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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("authn")
    keys.generate(key_path(state))
    keys.generate(state / "other.jwk")
    return state


@pytest.fixture(scope="module")
def forge(folder: Path) -> Forge:
    return Forge(keys.private_key(key_path(folder)))


def issuer(folder: Path, **changes: Any) -> Issuer:
    members = {
        "issuer": USERS,
        "audience": AUDIENCE,
        "type": "user",
        "kind": "person",
        "jwks": key_path(folder),
        "roles_claim": "roles",
        "groups_claim": "groups",
    }
    return Issuer.model_validate({**members, **changes})


@pytest.fixture(scope="module")
def authenticator(folder: Path) -> Authenticator:
    agents = {"issuer": AGENTS, "type": "agent", "kind": "workload"}
    other = {"issuer": "https://other.example", "type": "other", "jwks": folder / "other.jwk"}
    return Authenticator([issuer(folder), issuer(folder, **agents), issuer(folder, **other)])


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


@pytest.mark.parametrize("count", [0, 2])
async def test_exactly_one_authorization_is_taken(server: Placet, count: int) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await server.info.GetServerInfo(GetServerInfoRequest(), metadata=server.metadata("alice") * count)
    assert refusal(refused.value).reason == "UNAUTHENTICATED"


@pytest.mark.parametrize("scheme", ["", "Basic ", "Token ", "Bearer", "Bearer\t", "Bearer  "])
async def test_other_schemes_are_refused(scheme: str, authenticator: Authenticator, forge: Forge) -> None:
    with pytest.raises(Unauthenticated):
        await authenticator.caller(scheme + forge.token())


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_scheme_is_read_in_any_case(scheme: str, authenticator: Authenticator, forge: Forge) -> None:
    assert (await authenticator.caller(f"{scheme} {forge.token()}")).identity == "user:alice"


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


async def test_type_comes_from_the_issuer_and_never_from_the_token(authenticator: Authenticator, forge: Forge) -> None:
    caller = await authenticator.caller("Bearer " + forge.token(iss=AGENTS, sub="user:alice"))
    assert caller.identity == "agent:user:alice"
    assert caller.kind == "workload"


async def test_roles_and_groups_come_from_the_configured_claims(folder: Path, forge: Forge) -> None:
    token = forge.token(roles=["auditor", "unknown"], groups=["a", "b"], admin=["x"])
    one = await Authenticator([issuer(folder, roles=["reviewer"])]).caller("Bearer " + token)
    assert one.roles == {Role.REVIEWER, Role.AUDITOR}
    assert one.groups == ("a", "b")
    assert json.loads(one.json) == {"identity": "user:alice", "kind": "person", "groups": ["a", "b"]}
    none = await Authenticator([issuer(folder, roles_claim="", groups_claim="")]).caller("Bearer " + token)
    assert not none.roles
    assert not none.groups


async def test_claims_are_those_that_the_issuers_entry_lists(folder: Path, forge: Forge) -> None:
    members = {"department": ["hr", "finance"], "level": 3, "address": {"city": "x"}, "admin": True}
    listing = issuer(folder, claims=["department", "level", "address", "absent"])
    caller = await Authenticator([listing]).caller("Bearer " + forge.token(**members))
    assert caller.claims == {"department": ["hr", "finance"], "level": 3}
    assert not (await Authenticator([issuer(folder)]).caller("Bearer " + forge.token(**members))).claims


async def test_remembered_token_is_forgotten_when_it_expires(authenticator: Authenticator, forge: Forge) -> None:
    expires = time.time() + 0.3
    token = forge.token(exp=expires - LEEWAY_SECONDS)
    assert (await authenticator.caller("Bearer " + token)).identity == "user:alice"
    while time.time() < expires:
        pass
    with pytest.raises(Unauthenticated):
        await authenticator.caller("Bearer " + token)


async def test_good_token_does_not_lend_its_trust_to_a_changed_one(authenticator: Authenticator, forge: Forge) -> None:
    token = forge.token()
    await authenticator.caller("Bearer " + token)
    for changed in (token[:-1], token + "A", token.swapcase()):
        with pytest.raises(Unauthenticated):
            await authenticator.caller("Bearer " + changed)


def speaking(subjects: tuple[str, ...] = (), on_behalf_of: tuple[str, ...] = ()) -> Caller:
    return Caller(
        "agent:bot", "workload", frozenset(), (), b"{}", may_ask_as=tuple(subjects), may_act_for=tuple(on_behalf_of)
    )


@pytest.mark.parametrize(
    ("patterns", "identity", "is_covered"),
    [
        ((), "agent:bot", True),
        ((), "agent:bot2", False),
        ((), "user:alice", False),
        (("user:alice",), "user:alice", True),
        (("user:alice",), "user:alice2", False),
        (("user:alice",), "user:Alice", False),
        (("user:alice",), "user:alic", False),
        (("user:*",), "user:alice", True),
        (("user:*",), "user:", True),
        (("user:*",), "users:alice", False),
        (("user:*",), "agent:user:alice", False),
        (("user:al*",), "user:alice", False),
        (("user:al*",), "user:al*", True),
        (("*",), "anything:at all", True),
        (("agent:a", "user:*"), "user:alice", True),
        (("*:alice",), "user:alice", False),
    ],
)
def test_caller_speaks_for_itself_and_whom_its_entry_covers(
    patterns: tuple[str, ...], identity: str, *, is_covered: bool
) -> None:
    for caller, subject, chain in (
        (speaking(subjects=patterns), identity, []),
        (speaking(on_behalf_of=patterns), "agent:bot", [identity]),
        (speaking(on_behalf_of=patterns), "agent:bot", ["agent:bot", identity]),
    ):
        if is_covered:
            caller.may_speak_for(subject, chain)
        else:
            with pytest.raises(NotAllowed) as refused:
                caller.may_speak_for(subject, chain)
            assert refused.value.reason == "SUBJECT_NOT_ALLOWED"


def test_speaking_as_a_subject_is_not_acting_for_it_and_the_other_way_round() -> None:
    with pytest.raises(NotAllowed):
        speaking(subjects=("user:*",)).may_speak_for("agent:bot", ["user:alice"])
    with pytest.raises(NotAllowed):
        speaking(on_behalf_of=("user:*",)).may_speak_for("user:alice", [])


async def test_entry_of_the_sub_counts_before_that_of_everybody(folder: Path, forge: Forge) -> None:
    entries = {"alice": {"subjects": ["user:bob"]}, "*": {"subjects": ["*"]}}
    several = Authenticator([issuer(folder, speaks_for=entries)])
    with pytest.raises(NotAllowed):
        (await several.caller("Bearer " + forge.token())).may_speak_for("user:carol", [])
    (await several.caller("Bearer " + forge.token(sub="eve"))).may_speak_for("user:carol", [])
