"""The keys of a dev stack, and what every command costs and needs."""

import time
from pathlib import Path

import pytest

from pdp.dev import identity
from tests import tokens
from tests.cli.terminal import PDP, Terminal, invoked, without_anchors
from tests.parts import Placet


def test_the_keys_of_a_stack_are_for_their_owner_only(server: Placet) -> None:
    keys = sorted((server.state / "keys").iterdir())
    assert [(key.name, key.stat().st_mode & 0o777) for key in keys] == [
        ("audit.jwk", 0o600),
        ("grant.jwk", 0o600),
        ("issuer.jwk", 0o600),
        ("mask.json", 0o600),
        ("seal.jwk", 0o600),
    ]


def test_a_dev_key_that_others_can_read_mints_nothing(
    tmp_path: Path, server: Placet, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = identity.key_path(tmp_path)
    copy.parent.mkdir()
    copy.write_text(identity.key_path(server.state).read_text())
    copy.chmod(0o644)
    monkeypatch.setenv("PDP_STATE", str(tmp_path))
    assert invoked("token", "--as", "bob") == 2
    assert "chmod 600" in capsys.readouterr().err


async def test_help_is_quick_and_plain(pdp: Terminal) -> None:
    began = time.monotonic()
    done = await pdp("--help", NO_COLOR="1")
    assert time.monotonic() - began < 2  # 0.15 s, on a machine that does nothing else
    assert done.status == 0
    assert "\x1b" not in done.out
    for command in (
        "dev",
        "demo",
        "serve",
        "healthcheck",
        "token",
        "whoami",
        "authorize",
        "run",
        "grant",
        "approvals",
        "audit",
        "policy",
    ):
        assert f"\n  {command} " in done.out


LOADED_LATE = ("grpc", "google.protobuf", "pymongo", "aiohttp", "pydantic.main", "joserfc", "cryptography", "rich")


async def test_help_loads_nothing_that_only_commands_need(pdp: Terminal) -> None:
    script = f"import pdp.cli, sys; print([name for name in {LOADED_LATE} if name in sys.modules])"
    done = await pdp("-c", script, command=PDP[:1])
    assert done.out == "[]\n"


async def test_a_client_needs_no_part_of_the_server(pdp: Terminal, state: Path, tmp_path: Path) -> None:
    parts = "aiohttp grpc_health grpc_reflection opa_client jsonschema_rs pymongo uvloop watchfiles"
    script = f"import sys; sys.modules.update(dict.fromkeys('{parts}'.split())); from pdp.__main__ import main; main()"
    python = [PDP[0], "-c", script]
    assert (await pdp("whoami", "--as", "bob", command=python)).status == 0
    own = without_anchors(state, tmp_path)
    assert (await pdp("audit", "verify", "--as", "dana", command=python, PDP_STATE=own)).status == 0
    served = await pdp("serve", "--config", "x", command=python)
    assert served.status == 1
    assert "which `pip install 'placet[server]'` brings" in served.err


async def test_whoami_says_what_a_token_only_refers_to(pdp: Terminal, server: Placet) -> None:
    members = tokens.claims("user:bob", roles="reviewer", _claim_names={"groups": "src1"})
    done = await pdp("whoami", "-o", "table", PDP_TOKEN=tokens.signed(server.state, members))
    assert "user:bob, a person; roles reviewer\n" in done.out.replace("requester, ", "")
    assert "its token only refers to groups (too many for it?), so none of them counts" in done.out
