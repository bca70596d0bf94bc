"""What every client command shares: whom it calls, as whom, how it prints, and how it fails."""

import fcntl
import json
import os
import struct
import termios
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import typer

from pdp.cli import exit_code
from pdp.cli.session import Output, Session, client_command, show_text
from pdp.errors import InvalidRequest, NotAllowed, NotFound, PdpError, PolicyInvalid, StoreUnavailable, Unauthenticated
from pdp.v1.info_pb2 import GetServerInfoResponse
from tests.cli.terminal import Terminal, invoked


async def test_as_beats_the_token_and_takes_the_key_of_the_state_folder(pdp: Terminal) -> None:
    bob = await pdp("whoami", "--as", "bob", "-o", "table", PDP_TOKEN="wrong")  # noqa: S106
    assert (bob.status, bob.err) == (0, "")
    who = "user:bob, a person; roles requester, reviewer, steward; groups data-stewards"
    assert bob.out.startswith(f"{who}\nrealm dev, policy ")
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
        assert "set PDP_TOKEN or PDP_TOKEN_FILE, or with a `pdp dev` use --as NAME" in done.err
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
    assert done.err == (
        "UNAVAILABLE: nothing answers at 127.0.0.1:1.\n"
        "Start `pdp dev`, or name the server with --address (or PDP_ADDRESS).\n"
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["whoami", "--as", "mallory"], "--as knows alice, bob, carol, dana, report-bot, dev, etl; for anybody else"),
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


ANSWER = GetServerInfoResponse(realm="dev", policy_revision="r1")


def session(output: Output) -> Session:
    return Session("127.0.0.1:1", "token", 1.0, output)


def test_answer_is_printed_as_json_as_lines_or_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = {"realm": "dev", "policyRevision": "r1"}
    session(Output.JSON).print(ANSWER, lambda: "a table")
    text = capsys.readouterr().out
    assert json.loads(text) == wanted
    assert text.count("\n") > 1
    session(Output.JSONL).print(ANSWER, lambda: "a table")
    assert json.loads(capsys.readouterr().out) == wanted
    session(Output.JSONL).print(ANSWER, lambda: "a table", [ANSWER, ANSWER])
    assert capsys.readouterr().out.count("\n") == 2
    session(Output.TABLE).print(ANSWER, lambda: "a table")
    assert capsys.readouterr().out == "a table\n"


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (InvalidRequest.field("subject.id", "is required"), exit_code.USAGE, "subject.id"),
        (NotFound("APPROVAL_NOT_FOUND", "none"), exit_code.FAILURE, "APPROVAL_NOT_FOUND: none"),
        (NotAllowed("ROLE_REQUIRED", "not you"), exit_code.NOT_ALLOWED, "ROLE_REQUIRED: not you"),
        (Unauthenticated("who"), exit_code.NOT_ALLOWED, "--as NAME"),
        (PolicyInvalid("null", "nothing"), exit_code.POLICY_ERROR, "POLICY_INVALID: nothing"),
        (StoreUnavailable("away"), exit_code.UNAVAILABLE, "STORE_UNAVAILABLE: away"),
        (StoreUnavailable("a\x1b[2Jb"), exit_code.UNAVAILABLE, "\\u{1b}"),
    ],
)
def test_error_is_said_with_its_reason_and_ends_with_its_status(
    error: PdpError, status: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as end:
        session(Output.TABLE).fail(error)
    assert end.value.exit_code == status
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
    assert "\x1b" not in err


def command_with(command: Callable[..., Any]) -> list[str]:
    """The options of a command of this function."""
    app = typer.Typer()
    app.command()(client_command(command))
    return [option for one in typer.main.get_command(app).params for option in one.opts]


def test_command_gets_the_shared_options_but_for_those_that_it_has_itself() -> None:
    async def plain(session: Session, name: str = "") -> None:
        """Nothing."""

    async def own(session: Session, output: str = "", key: str = "") -> None:
        """Nothing."""

    shared = [
        "--address",
        "--token",
        "--token-file",
        "--as",
        "--ca",
        "--certificate",
        "--key",
        "--timeout",
        "-o",
        "--output",
    ]
    assert command_with(plain)[:1] == ["--name"]
    assert set(shared) <= set(command_with(plain))
    assert "-o" not in command_with(own)
    assert command_with(own).count("--key") == 1


def test_text_for_people_is_broken_by_us_on_a_terminal_and_left_alone_elsewhere() -> None:
    long = "word " * 100
    file = StringIO()
    show_text(long, file)
    assert file.getvalue() == f"{long}\n"
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    with os.fdopen(theirs, "w") as terminal:
        show_text(long, terminal)
        terminal.flush()
        lines = os.read(ours, 10_000).decode().split("\r\n")
    os.close(ours)
    assert max(map(len, lines)) <= 60
    assert len(lines) > 8
