"""A large policy is built in a process of its own: with the same result, and while the server's loop goes on."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from pdp.environment import Environment
from pdp.errors import SetupError
from pdp.policy.apart import SMALL_BYTES, built_beside
from pdp.policy.bundle import built
from pdp.policy.finding import PolicyRefused
from pdp.policy.sources import read
from pdp.process.toolcache import opa

OPA = opa(Environment.read().tool_cache)
RULE = 'package policy\n\nallow contains {"rule": "all", "reason": "all"} if data.levels[input.subject.id] > 5\n'
PEOPLE = 60_000


def large(folder: Path, **more: object) -> Path:
    folder = folder / "rules"
    folder.mkdir()
    (folder / "p.rego").write_text(RULE)
    identities = {f"agent:{number}": {"owners": [f"user:{number}"]} for number in range(PEOPLE)}
    (folder / "data.json").write_text(json.dumps({"identities": identities, "levels": {"a": 1, "b": "2"}, **more}))
    assert (folder / "data.json").stat().st_size > SMALL_BYTES
    return folder


async def test_result_is_that_of_a_build_here(tmp_path: Path) -> None:
    folders = [large(tmp_path)]
    (tmp_path / "other").mkdir()
    here = await asyncio.to_thread(built, OPA, read(folders), tmp_path / "here.tar.gz", tmp_path, {})
    there = await built_beside(OPA, folders, tmp_path / "other" / "there.tar.gz", tmp_path, {})
    assert there == here
    assert "untyped-comparison" in there.warnings[0]
    assert (tmp_path / "other" / "there.tar.gz").stat().st_size == (tmp_path / "here.tar.gz").stat().st_size


async def test_findings_and_other_errors_come_back(tmp_path: Path) -> None:
    folder = large(tmp_path, groups="none")
    with pytest.raises(PolicyRefused) as refused:
        await built_beside(OPA, [folder], tmp_path / "b.tar.gz", tmp_path, {})
    assert [finding.rule for finding in refused.value.findings] == ["bad-people"]
    (folder / "data.json").write_text((folder / "data.json").read_text().replace('"none"', "{}"))
    with pytest.raises(SetupError, match="does not run"):
        await built_beside(tmp_path / "no-opa", [folder], tmp_path / "b.tar.gz", tmp_path, {})
    with pytest.raises(SetupError, match=r"ended with status 1"):
        await built_beside(OPA, [folder], tmp_path / "no" / "folder" / "b.tar.gz", tmp_path, {})


async def test_loop_goes_on_meanwhile(tmp_path: Path) -> None:
    folders = [large(tmp_path)]
    building = asyncio.ensure_future(built_beside(OPA, folders, tmp_path / "b.tar.gz", tmp_path, {}))
    gaps, last = list[float](), time.monotonic()
    while not building.done():
        await asyncio.sleep(0.001)
        gaps.append(time.monotonic() - last)
        last = time.monotonic()
    await building
    assert len(gaps) > 100
    assert sorted(gaps)[-3] < 0.5
