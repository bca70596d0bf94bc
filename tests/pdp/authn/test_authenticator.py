"""What a verified credential makes of its caller, and how long that is remembered."""

import json
import time
from pathlib import Path

import grpc
import pytest

from pdp.authn.authenticator import Authenticator
from pdp.authn.bearer import LEEWAY_SECONDS
from pdp.caller import Role
from pdp.dev.identity import AGENTS
from pdp.errors import NotAllowed, Unauthenticated
from pdp.v1.info_pb2 import GetServerInfoRequest
from tests.parts import Placet, refusal
from tests.pdp.forge import Forge, issuer


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


async def test_one_text_is_a_list_of_one(folder: Path, forge: Forge) -> None:
    token = forge.token(roles="auditor", groups="data stewards", act={"sub": "bot", "groups": "robots"})
    actor = await Authenticator([issuer(folder, kind="workload")]).caller("Bearer " + token)
    assert actor.groups == ("robots",)
    plain = await Authenticator([issuer(folder)]).caller("Bearer " + forge.token(roles="auditor", groups="a b"))
    assert (plain.roles, plain.groups) == ({Role.AUDITOR}, ("a b",))


REFERRED = {"groups": "src1", "department": "src1", "photo": "src2"}


async def test_claims_that_a_token_only_refers_to_are_said(
    folder: Path, forge: Forge, caplog: pytest.LogCaptureFixture
) -> None:
    entry = issuer(folder, claims=["department", "level"])
    members = {"_claim_names": REFERRED, "_claim_sources": {"src1": {"endpoint": "https://graph.example"}}}
    caller = await Authenticator([entry]).caller("Bearer " + forge.token(**members, level=3))
    assert caller.claims_elsewhere == ("groups", "department")
    assert (caller.groups, caller.claims) == ((), {"level": 3})
    (line,) = caplog.messages
    assert "the token of 'user:alice' names groups, department only by reference" in line
    both = await Authenticator([entry]).caller("Bearer " + forge.token(**members, groups=["a"], department="hr"))
    assert both.claims_elsewhere == ()
    odd = await Authenticator([entry]).caller("Bearer " + forge.token(_claim_names=["groups"]))
    assert odd.claims_elsewhere == ()


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


async def test_entry_of_the_sub_counts_before_that_of_everybody(folder: Path, forge: Forge) -> None:
    entries = {"alice": {"subjects": ["user:bob"]}, "*": {"subjects": ["*"]}}
    several = Authenticator([issuer(folder, speaks_for=entries)])
    with pytest.raises(NotAllowed):
        (await several.caller("Bearer " + forge.token())).may_speak_for("user:carol", [])
    (await several.caller("Bearer " + forge.token(sub="eve"))).may_speak_for("user:carol", [])
