"""A policy is read once for each build: what is in force is of the files that were checked, not of later edits."""

import asyncio
from pathlib import Path
from typing import Any

import orjson

from pdp.environment import Environment
from pdp.policy.live import WatchedPolicy
from pdp.process.toolcache import opa

SCHEMA = Path("schema", "resource", "table.json")


def schema(name: str) -> bytes:
    return orjson.dumps({"type": "object", "properties": {name: {"type": "string"}}})


async def no_domains() -> dict[str, Any]:
    return {}


def opa_with_an_editor(tmp_path: Path, edited: Path, content: bytes) -> Path:
    """An OPA during whose build somebody saves the file."""
    later, script = tmp_path / "later", tmp_path / "opa"
    later.write_bytes(content)
    binary = opa(Environment.read().tool_cache)
    script.write_text(f'#!/bin/sh\n[ "$1" = build ] && cp {later} {edited}\nexec {binary} "$@"\n')
    script.chmod(0o700)
    return script


def asked(properties: dict[str, str]) -> dict[str, Any]:
    """A canonical request about a table with these properties."""
    return {
        "subject": {"type": "user", "id": "a", "properties": {}},
        "on_behalf_of": [],
        "action": {"name": "read", "properties": {}},
        "resource": {"type": "table", "id": "t", "properties": properties},
        "context": {},
    }


async def test_schemas_in_force_are_those_that_were_checked(tmp_path: Path) -> None:
    folder = tmp_path / "policy"
    (folder / SCHEMA).parent.mkdir(parents=True)
    (folder / "allow.rego").write_text('package policy\n\nallow contains {"rule": "all", "reason": "all"}\n')
    (folder / SCHEMA).write_bytes(schema("before"))
    (tmp_path / "out").mkdir()
    binary = opa_with_an_editor(tmp_path, folder / SCHEMA, schema("after"))
    policy = WatchedPolicy(binary, [folder], tmp_path / "out" / "bundle.tar.gz", print, no_domains)
    first = await policy.build()
    assert (folder / SCHEMA).read_bytes() == schema("after")
    assert policy.faults(asked({"before": "x"})) == []
    assert policy.faults(asked({"after": "x"})) != []
    assert await policy.build() != first
    assert policy.faults(asked({"after": "x"})) == []


async def test_policy_loads_from_the_edit_until_opa_has_it(tmp_path: Path) -> None:
    folder = tmp_path / "policy"
    folder.mkdir()
    (folder / "allow.rego").write_text('package policy\n\nallow contains {"rule": "all", "reason": "all"}\n')
    (tmp_path / "out").mkdir()
    binary = opa(Environment.read().tool_cache)
    said: list[str] = []
    policy = WatchedPolicy(binary, [folder], tmp_path / "out" / "bundle.tar.gz", said.append, no_domains)
    watching = asyncio.ensure_future(policy.watch())
    try:
        assert not policy.is_loading
        await saved(folder / "allow.rego", "# saved\n", said, "policy built")
        assert policy.is_loading
        policy.loaded()
        assert not policy.is_loading
        await saved(folder / "allow.rego", "no Rego\n", said, "The last good policy stays in force")
        async with asyncio.timeout(30):
            while policy.is_loading:  # each save is built
                await asyncio.sleep(0.02)
    finally:
        watching.cancel()


async def saved(file: Path, more: str, said: list[str], wanted: str) -> None:
    """Save until the watcher, which may begin a moment later, has said so."""
    before = file.read_text()
    async with asyncio.timeout(30):
        while not any(wanted in sentence for sentence in said):
            file.write_text(before + more)
            await asyncio.sleep(0.2)
