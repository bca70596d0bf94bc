"""An export that goes on holds what is there against what it wrote."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import Terminal
from tests.parts import Placet, asking

EXPORT = ("audit", "export", "log.jsonl", "--resume", "state", "--as", "dana")


@pytest.fixture
async def exported(pdp: Terminal, server: Placet) -> Path:
    """A folder with an export and its state."""
    await server.authorize(asking())
    assert (await pdp(*EXPORT)).status == 0
    return pdp.folder


def rewrite(path: Path, change: Any) -> None:
    kept = json.loads(path.read_text())
    change(kept)
    path.write_text(json.dumps(kept))


async def test_last_batch_that_is_another_or_gone_is_13(pdp: Terminal, exported: Path) -> None:
    state = (exported / "state").read_text()
    rewrite(exported / "state", lambda kept: kept["writers"][0].__setitem__(2, "0" * 64))
    changed = await pdp(*EXPORT)
    assert changed.status == 13
    assert "another batch stands here than the one that was exported before" in changed.err
    (exported / "state").write_text(state)
    rewrite(exported / "state", lambda kept: kept["writers"].append(["ff" * 16, 7, "0" * 64]))
    gone = await pdp(*EXPORT)
    assert gone.status == 13
    assert f"tail-missing at writer {'ff' * 16} batch 7: gone; it was exported before" in gone.err


async def test_file_that_was_cut_is_refused(pdp: Terminal, exported: Path) -> None:
    file = exported / "log.jsonl"
    file.write_text(file.read_text()[:100])
    done = await pdp(*EXPORT)
    assert done.status == 2
    assert "is shorter than state says; begin again with others" in done.err
