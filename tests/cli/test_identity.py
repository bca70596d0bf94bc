"""Who one is to the server, and how every client command fails."""

import time
from pathlib import Path

import pytest

from pdp.dev import identity
from tests.cli.terminal import PDP, Terminal, invoked
from tests.parts import Placet


async def test_as_beats_the_token_and_takes_the_key_of_the_state_folder(pdp: Terminal) -> None:
    bob = await pdp("whoami", "--as", "bob", "-o", "table", PDP_TOKEN="wrong")  # noqa: S106
    assert (bob.status, bob.err) == (0, "")
    assert bob.out.startswith("user:bob, a person; roles requester, reviewer; groups data-stewards\nrealm dev, policy ")
    by_token = await pdp("whoami", PDP_TOKEN=(await pdp("token", "--as", "agent:report-bot")).out.strip())
    assert by_token.json["caller"] == {"identity": "agent:report-bot", "kind": "workload", "roles": ["requester"]}
    assert by_token.json["limits"]["batchItems"] == 1000


async def test_without_pdp_state_the_folder_is_dot_placet(pdp: Terminal, state: Path) -> None:
    (pdp.folder / ".placet").symlink_to(state)
    assert (await pdp("whoami", "--as", "dana", PDP_STATE="")).json["caller"]["identity"] == "user:dana"


async def test_a_call_that_may_not_be_is_77_and_says_what_to_do(pdp: Terminal) -> None:
    nobody, wrong = await pdp("whoami"), await pdp("whoami", "--token", "wrong")
    assert (nobody.status, nobody.out) == (wrong.status, wrong.out) == (77, "")
    for done in (nobody, wrong):
        assert done.err.startswith("UNAUTHENTICATED: ")
        assert "set PDP_TOKEN, or with a `pdp dev` stack use --as NAME" in done.err
    auditor = await pdp("approvals", "list", "--queue", "--as", "dana")
    assert auditor.status == 77
    assert auditor.err.startswith("ROLE_REQUIRED: user:dana may not call pdp.v1.ReviewService/ListQueue")


async def test_an_unreachable_server_is_69_and_quick(pdp: Terminal) -> None:
    began = time.monotonic()
    done = await pdp(
        "authorize", "--as", "bob", "--subject", "a:b", "--action", "c", "--resource", "d:e", PDP_ADDRESS="127.0.0.1:1"
    )
    assert time.monotonic() - began < 4
    assert (done.status, done.out) == (69, "")
    assert (
        done.err
        == "UNAVAILABLE: nothing answers at 127.0.0.1:1.\nStart `pdp dev`, or name the server with --address.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["whoami", "--as", "mallory"], "--as knows alice, bob, carol, dana, report-bot, dev; for anybody else pass"),
        (["whoami", "--as", "agent:bob"], "--as knows alice, bob, carol, dana"),
        (["token", "--as", "bob"], "nowhere holds no dev key; start `pdp dev`, or name its folder with PDP_STATE"),
        (["whoami", "--token", "x", "--address", "127.0.0.1.example.org:1"], "is not host:port on this machine"),
        (["whoami", "--token", "x", "--address", "localhost"], "is not host:port on this machine"),
        (["whoami", "--token", "two\nlines"], "a token has only printable ASCII characters"),
        (["whoami", "--timeout", "0"], "--timeout"),
        (["whoami", "-o", "xml"], "'table', 'json', 'jsonl'"),
        (["whomi"], "No such command 'whomi'"),
    ],
)
def test_usage_errors_are_2_and_say_what_to_do(
    arguments: list[str], says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PDP_STATE", "nowhere")
    assert invoked(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err


def test_the_keys_of_a_stack_are_for_their_owner_only(server: Placet) -> None:
    keys = sorted((server.state / "keys").iterdir())
    assert [(key.name, key.stat().st_mode & 0o777) for key in keys] == [
        ("audit.jwk", 0o600),
        ("grant.jwk", 0o600),
        ("issuer.jwk", 0o600),
        ("mask.json", 0o600),
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


async def test_a_client_needs_no_part_of_the_server(pdp: Terminal) -> None:
    parts = "aiohttp grpc_health grpc_reflection opa_client jsonschema_rs pymongo uvloop watchfiles"
    script = f"import sys; sys.modules.update(dict.fromkeys('{parts}'.split())); from pdp.__main__ import main; main()"
    python = [PDP[0], "-c", script]
    assert (await pdp("whoami", "--as", "bob", command=python)).status == 0
    assert (await pdp("audit", "verify", "--as", "dana", command=python)).status == 0
    served = await pdp("serve", "--config", "x", command=python)
    assert served.status == 1
    assert "which `pip install 'placet[server]'` brings" in served.err
