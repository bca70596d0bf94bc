"""`pdp keys` as a user runs it."""

import json
from pathlib import Path

from pdp import keys
from tests.cli.terminal import Terminal


async def test_keys_are_made_listed_rotated_and_retired(pdp: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "mask.json"
    nothing = await pdp("keys", "rotate", file)
    assert (nothing.status, nothing.err.partition(";")[0]) == (1, f"there is no {file}")
    nowhere = await pdp("keys", "rotate", tmp_path / "none" / "mask.json", "--realm", "prod")
    assert (nowhere.status, len(nowhere.err.splitlines())) == (1, 1), nowhere.err
    assert (await pdp("keys", "rotate", file, "--realm", "prod")).status == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert (await pdp("keys", "rotate", file)).status == 0
    other = await pdp("keys", "rotate", file, "--realm", "staging")
    assert (other.status, "is of the realm prod; nothing was changed" in other.err) == (1, True)
    listed = (await pdp("keys", "list", file)).out
    assert "realm prod" in listed
    assert "1  readable" in listed
    assert "2  active" in listed
    secret = json.loads(file.read_text())["keys"][0]["secret"]
    assert secret not in listed
    assert (await pdp("keys", "retire", file, "2")).status == 1
    assert (await pdp("keys", "retire", file, "1")).status == 0


async def test_keys_of_a_server_are_split_once(pdp: Terminal, tmp_path: Path) -> None:
    folder = tmp_path / "keys of a server"
    assert (await pdp("keys", "split", folder)).status == 1
    before = keys.generate(folder / "grant.jwk")
    done = await pdp("keys", "split", folder)
    assert (done.status, done.out) == (0, "")
    assert "seal.jwk signs seals" in done.err
    assert keys.private_key(folder / "seal.jwk").thumbprint() == before.thumbprint()
    again = await pdp("keys", "split", folder)
    assert (again.status, again.err) == (1, f"{folder} has grant.jwk and seal.jwk: its keys are split already\n")
