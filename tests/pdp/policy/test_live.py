"""A policy is read once for each build: what is in force is of the files that were checked, not of later edits."""

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
    assert policy.faults("table", {"before": "x"}, "read", {}) == []
    assert policy.faults("table", {"after": "x"}, "read", {}) != []
    assert await policy.build() != first
    assert policy.faults("table", {"after": "x"}, "read", {}) == []
