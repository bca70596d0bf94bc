"""A policy that is handed from the process that builds it to those that decide by it."""

import os
import time
from pathlib import Path
from typing import Any

import orjson
import pytest

from pdp.environment import Environment
from pdp.errors import EngineUnavailable, PdpError
from pdp.policy.handed import AGAIN_SECONDS, KEPT_FILES, HandedPolicy, HandingPolicy
from pdp.policy.schema import Schemas
from pdp.process.toolcache import opa

TABLE = Path("schema", "resource", "table.json")
FIRST, SECOND = "a" * 64, "b" * 64


def of(*names: str) -> Schemas:
    """The schemas of a policy whose tables have these properties."""
    closed = {"type": "object", "properties": {name: {} for name in names}, "additionalProperties": False}
    return Schemas(resources={"table": closed})


def asked(**properties: str) -> dict[str, Any]:
    """A canonical request about a table with these properties."""
    return {
        "subject": {"type": "user", "id": "a", "properties": {}},
        "on_behalf_of": [],
        "action": {"name": "read", "properties": {}},
        "resource": {"type": "table", "id": "t", "properties": properties},
        "context": {},
    }


async def no_domains() -> dict[str, Any]:
    return {}


@pytest.fixture
def handing(tmp_path: Path) -> HandingPolicy:
    (tmp_path / "policy").mkdir()
    (tmp_path / "out").mkdir()
    binary = opa(Environment.read().tool_cache)
    return HandingPolicy(binary, [tmp_path / "policy"], tmp_path / "out" / "bundle.tar.gz", print, no_domains)


def worker(handing: HandingPolicy, changes: list[str] | None = None) -> HandedPolicy:
    return HandedPolicy(handing.folder, 0, lambda: (changes if changes is not None else []).append("changed"))


async def test_what_was_built_is_handed_on_before_opa_can_have_it(handing: HandingPolicy, tmp_path: Path) -> None:
    folder = tmp_path / "policy"
    (folder / TABLE).parent.mkdir(parents=True)
    (folder / "allow.rego").write_text('package policy\n\nallow contains {"rule": "all", "reason": "all"}\n')
    (folder / TABLE).write_bytes(orjson.dumps({"type": "object", "properties": {"owner": {"type": "string"}}}))
    revision = await handing.build()
    changes: list[str] = []
    policy = worker(handing, changes)
    policy.take(revision)
    assert changes == ["changed"]
    assert policy.faults(asked(owner="x")) == []
    assert policy.faults(asked(ownr="x")) != []
    assert policy.place("policy/allow.rego", 3) == "policy/allow.rego:3, rule all"
    assert (handing.folder / revision).stat().st_mtime_ns <= handing.bundle.stat().st_ctime_ns


def test_revision_that_was_not_handed_on_decides_nothing_until_it_is(handing: HandingPolicy) -> None:
    handing.hand_on(FIRST, of("owner"), {})
    policy = worker(handing)
    policy.take(FIRST)
    assert policy.problem == ""
    for unknown in (SECOND, "../handed/" + FIRST, ""):
        with pytest.raises(EngineUnavailable, match="was not handed the policy"):
            policy.take(unknown)
        assert "nothing is allowed" in policy.problem
    handing.hand_on(SECOND, of("owner", "rows"), {})
    policy.take(SECOND)
    assert policy.problem == ""
    assert policy.faults(asked(rows="x")) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"schemas": {"nothing": {}}, "rules": {}}', b'{"rules": {}}'])
def test_file_that_is_not_whole_decides_nothing(handing: HandingPolicy, content: bytes) -> None:
    handing.hand_on(FIRST, of("owner"), {})
    (handing.folder / FIRST).write_bytes(content)
    with pytest.raises(EngineUnavailable):
        worker(handing).take(FIRST)


def test_what_was_checked_by_the_schemas_of_before_is_refused(handing: HandingPolicy) -> None:
    handing.hand_on(FIRST, of("ownr"), {})
    handing.hand_on(SECOND, of("owner"), {})
    policy = worker(handing)
    policy.take(FIRST)
    assert not policy.has_just_changed
    policy.take(SECOND)
    assert policy.has_just_changed
    policy.require_fitting(asked(owner="x"))
    with pytest.raises(PdpError) as error:
        policy.require_fitting(asked(ownr="x"))
    assert error.value.code == "UNAVAILABLE"
    policy._since = time.monotonic() - AGAIN_SECONDS - 1
    assert not policy.has_just_changed


def test_workers_know_while_their_opa_loads(handing: HandingPolicy) -> None:
    handing.opas = 2
    first, second = worker(handing), HandedPolicy(handing.folder, 1, lambda: None)
    assert not first.is_loading
    handing.loading()
    assert (first.is_loading, second.is_loading) == (True, True)
    handing.loaded_by(0)
    assert (first.is_loading, second.is_loading) == (False, True)
    os.utime(handing.folder / "loading-1", (0, 0))
    assert not second.is_loading, "an OPA that never says that it has loaded"
    handing.loading()
    handing.loaded()
    assert (first.is_loading, second.is_loading) == (False, False)


def test_old_revisions_are_removed(handing: HandingPolicy) -> None:
    for number in range(KEPT_FILES + 3):
        handing.hand_on(f"{number:064x}", of("owner"), {})
        os.utime(handing.folder / f"{number:064x}", (number, number))
    kept = sorted(int(file.name, 16) for file in handing.folder.iterdir())
    assert len(kept) <= KEPT_FILES + 1
    assert kept[-1] == KEPT_FILES + 2
