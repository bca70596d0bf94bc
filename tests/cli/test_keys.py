"""`pdp keys` as a user runs it."""

import json
from pathlib import Path

from tests.cli.terminal import Terminal


async def test_keys_are_made_listed_rotated_and_retired(pdp: Terminal, tmp_path: Path) -> None:
    keys = tmp_path / "mask.json"
    assert (await pdp("keys", "rotate", keys)).status == 1
    assert (await pdp("keys", "rotate", keys, "--realm", "prod")).status == 0
    assert keys.stat().st_mode & 0o777 == 0o600
    assert (await pdp("keys", "rotate", keys)).status == 0
    listed = (await pdp("keys", "list", keys)).out
    assert "realm prod" in listed
    assert "1  readable" in listed
    assert "2  active" in listed
    secret = json.loads(keys.read_text())["keys"][0]["secret"]
    assert secret not in listed
    assert (await pdp("keys", "retire", keys, "2")).status == 1
    assert (await pdp("keys", "retire", keys, "1")).status == 0
