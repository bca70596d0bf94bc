"""Fifty thousand identities and a group of ten thousand: approvals open, are reviewed and used, and reads go on."""

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pdp.errors import PolicyInvalid
from pdp.opa.process import OpaProcess
from pdp.policy.bundle import build
from pdp.policy.sources import core, read, rego
from pdp.policy.stock import output
from pdp.process import toolcache
from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import ApprovalState, GetApprovalRequest
from pdp.v1.request_pb2 import Effect
from tests.bench.reload import measured
from tests.parts import TOOL_CACHE, Placet, asking, exporting, placet

IDENTITIES, MEMBERS = 50_000, 10_000
OPA = toolcache.opa(TOOL_CACHE)


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reference policy, for a company whose stewards are a group of ten thousand."""
    folder = tmp_path_factory.mktemp("company") / "policy"
    shutil.copytree(rego(), folder, ignore=shutil.ignore_patterns("*_test.rego", "pdp"))
    data = json.loads((folder / "data.json").read_text())
    people = [f"user:person{number}" for number in range(IDENTITIES)]
    data["identities"] |= {f"slack:U{number}": {"same_as": [name]} for number, name in enumerate(people)}
    data["groups"]["data-stewards"] += people[:MEMBERS]
    (folder / "data.json").write_text(json.dumps(data))
    return folder


@pytest.fixture(scope="module")
async def company(policy: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    async with placet(policy.parent / "state", mongod.uri, policy=[policy]) as running:
        yield running


async def test_an_approval_among_many_people_is_opened_reviewed_and_used(company: Placet) -> None:
    request = exporting()
    held = (await company.authorize(request)).approval
    shown = GetApprovalRequest(approval_id=held.approval_id)
    answer = await company.approvals.GetApproval(shown, metadata=company.metadata("bob"))
    [eligible] = answer.eligible
    assert len(eligible.identities) == 100
    assert "user:bob" in eligible.identities
    await company.review(held, "bob")
    assert (await company.review(held, "carol")).state == ApprovalState.APPROVAL_STATE_APPROVED
    request.approval_id = held.approval_id
    assert (await company.authorize(request)).effect == Effect.EFFECT_ALLOW
    assert (await company.authorize(asking("read"))).effect == Effect.EFFECT_ALLOW


async def test_an_opa_of_ones_own_serves_the_bundle_of_the_build(
    policy: Path, mongod: MongodProcess, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle" / "bundle.tar.gz"
    bundle.parent.mkdir()
    build(OPA, read([policy]), bundle)
    async with (
        OpaProcess(OPA, bundle, tmp_path / "opa.sock", say=print) as opa,
        placet(tmp_path, mongod.uri, opa_url=f"unix://{opa.socket}") as running,
    ):
        assert (await running.authorize(exporting())).effect == Effect.EFFECT_NEEDS_APPROVAL


async def test_no_server_starts_on_a_bundle_without_the_maps(
    policy: Path, mongod: MongodProcess, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle" / "bundle.tar.gz"
    bundle.parent.mkdir()
    output(OPA, "build", "--revision", "r1", "-o", bundle, core(), policy)
    async with OpaProcess(OPA, bundle, tmp_path / "opa.sock", say=print) as opa:
        with pytest.raises(PolicyInvalid, match="pdp policy build"):
            async with placet(tmp_path, mongod.uri, opa_url=f"unix://{opa.socket}"):
                pass


async def test_no_call_fails_while_the_people_are_loaded_again(tmp_path: Path) -> None:
    _, loaded = await measured(tmp_path, IDENTITIES, callers=4, reloads=1, quiet_seconds=0.0)
    assert loaded.took
    assert loaded.failed == []
