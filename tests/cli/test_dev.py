"""`pdp dev`: a whole stack for a command or in the foreground, of which nothing is left afterwards."""

import asyncio
import json
import re
import shlex
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pdp.process import toolcache
from tests.cli.terminal import EXPORT, PDP, ROOT, Terminal
from tests.parts import TOOL_CACHE
from tests.scrape import seen

SECONDS = 40
PDP_IN_SHELL = shlex.join(PDP)


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """An empty folder, whose temporary folders lie in it, so that what is left is seen."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    return Terminal(tmp_path, {"TMPDIR": str(temporary)})


def left(terminal: Terminal) -> tuple[list[str], list[str]]:
    """Temporary folders and processes of this test that are still there."""
    folder = str(terminal.folder)
    commands = [
        command.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        for command in Path("/proc").glob("[0-9]*/cmdline")
        if command.exists()
    ]
    return (
        [path.name for path in (terminal.folder / "tmp").iterdir()],
        [command for command in commands if folder in command],
    )


NOTHING: tuple[list[str], list[str]] = ([], [])


async def until(wanted: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not wanted():
            await asyncio.sleep(0.05)


GO = """#!/bin/sh
cat > $GOBIN/opa <<END
#!/bin/sh
[ "\\$1" = version ] && echo "Version: {version}" || exec {opa} "\\$@"
END
chmod +x $GOBIN/opa
"""


async def test_a_command_gets_a_stack_of_its_own_and_its_status_is_passed_on(terminal: Terminal) -> None:
    """On a machine without OPA, which is fetched first, with a note."""
    tools, cache = terminal.folder / "tools", terminal.folder / "cache"
    tools.mkdir()
    (tools / "go").write_text(GO.format(version=toolcache.OPA_VERSION, opa=toolcache.opa(TOOL_CACHE)))
    (tools / "go").chmod(0o755)
    path = f"{tools}:/usr/bin:/bin"
    assert shutil.which("opa", path=path) is None
    script = f"""{PDP_IN_SHELL} whoami; stat -c %a $PDP_STATE/keys/*; echo $PDP_ADDRESS $PDP_STATE
        read line; echo $line; exit 7"""
    variables = {"PATH": path, "PDP_TOOL_CACHE": str(cache), "PDP_ADDRESS": "127.0.0.1:1"}
    done = await terminal("dev", "--", "sh", "-c", script, given="said\n", **variables)
    assert done.status == 7, done.err
    assert done.err.startswith(f"building OPA {toolcache.OPA_VERSION} with `go install`: about 80 s, once\n")
    assert [file.name for file in cache.glob("opa*")] == [f"opa-{toolcache.OPA_VERSION}"]
    assert '"identity": "agent:dev"' in done.out  # by PDP_TOKEN
    *modes, place, said = done.out.splitlines()[-5:]
    assert modes == ["600", "600", "600"]
    assert re.fullmatch(rf"127\.0\.0\.1:(?!4770)\d+ {terminal.variables['TMPDIR']}/placet-dev-\S+", place)
    assert said == "said"
    assert left(terminal) == NOTHING


async def test_a_named_state_is_kept_and_two_stacks_do_not_collide(terminal: Terminal) -> None:
    ask = shlex.join([*PDP, *EXPORT, "-o", "jsonl"])
    list_mine = f"{PDP_IN_SHELL} approvals list --as report-bot; kill -9 $$"
    first, other = await asyncio.gather(
        terminal("dev", "--state", "mine", "--", "sh", "-c", ask),
        terminal("dev", "--state", "yours", "--", "sh", "-c", list_mine),
    )
    assert first.status == 11
    assert other.status == 128 + signal.SIGKILL
    assert other.json == {}
    list_them = [*PDP, "approvals", "list", "--queue", "--as", "bob", "-o", "jsonl"]
    again = await terminal("dev", "--state", "mine", "--", *list_them)
    assert [line["approvalId"] for line in again.lines] == [first.lines[0]["approval"]["approvalId"]]
    assert left(terminal) == NOTHING


async def test_sigterm_reaches_the_command_and_nothing_is_left(terminal: Terminal) -> None:
    ready = terminal.folder / "ready"
    script = f"trap 'echo told; exit 5' TERM; touch {ready}; while :; do sleep 0.05; done"
    process = await terminal.start("dev", "--", "sh", "-c", script)
    await until(ready.exists)
    process.send_signal(signal.SIGTERM)
    out, err = await asyncio.wait_for(process.communicate(), SECONDS)
    assert (process.returncode, out) == (5, b"told\n"), err
    assert left(terminal) == NOTHING


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_while_it_starts_leaves_nothing(terminal: Terminal, number: signal.Signals) -> None:
    process = await terminal.start("dev", "--", "touch", "started")
    await until(lambda: any("mongod" in command for command in left(terminal)[1]))
    process.send_signal(number)
    await asyncio.wait_for(process.communicate(), SECONDS)
    assert process.returncode == 128 + number
    assert not (terminal.folder / "started").exists()
    assert left(terminal) == NOTHING


async def test_todo_cases_are_decided_as_published(terminal: Terminal) -> None:
    """40 single cases and 3 batches of the AuthZEN interop scenario, by its own policy, through the command line."""
    cases = ROOT / "tests/cases/authzen-todo"
    pick = "import json, sys; [print(json.dumps(json.loads(line)['request'])) for line in sys.stdin]"
    items = (
        "import json, sys\n"
        "for request in (json.loads(line)['request'] for line in sys.stdin):\n"
        "    for item in request['items']: print(json.dumps({**request['defaults'], **item}))"
    )
    python = shlex.quote(PDP[0])
    script = f"""
        {python} -c {shlex.quote(pick)} < {cases}/decisions.jsonl | {PDP_IN_SHELL} authorize -f - &&
        {python} -c {shlex.quote(items)} < {cases}/batches.jsonl | {PDP_IN_SHELL} authorize -f -"""
    done = await terminal("dev", "--policy", cases / "policy", "--", "sh", "-c", script)
    assert done.status == 0, done.err
    singles, batches = (read_lines(cases / name) for name in ("decisions.jsonl", "batches.jsonl"))
    wanted = [case["effect"] for case in singles] + [effect for case in batches for effect in case["effects"]]
    assert len(wanted) == 46
    assert [answer["effect"] for answer in done.lines] == wanted


def read_lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


@asynccontextmanager
async def in_foreground(
    terminal: Terminal, *arguments: str | Path
) -> AsyncIterator[tuple[asyncio.subprocess.Process, Callable[[], str]]]:
    """`pdp dev` that is ready, and what it has said so far."""
    log = terminal.folder / "said"
    with log.open("wb") as target:
        process = await asyncio.create_subprocess_exec(
            *PDP, "dev", *map(str, arguments), cwd=terminal.folder, env=terminal.environment(), stderr=target
        )
    try:
        await until(lambda: "Try in another terminal:" in log.read_text() or process.returncode is not None)
        yield process, log.read_text
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_in_the_foreground_it_prints_commands_that_work_and_reloads_edits(terminal: Terminal) -> None:
    policy, state = terminal.folder / "policy", terminal.folder / "my state"
    policy.mkdir()
    rules = policy / "rules.rego"
    rules.write_text(ALLOW_READ)
    async with in_foreground(terminal, "--policy", policy, "--state", state, "--listen", "127.0.0.1:0") as (dev, said):
        (address,) = re.findall(r"^Placet decides on (127\.0\.0\.1:\d+) by \S+/policy; ", said(), re.MULTILINE)
        here = {"PDP_ADDRESS": address, "PDP_STATE": str(state)}
        (shown,) = re.findall(r"^Probes and scrapes are on http://(127\.0\.0\.1:\d+): ", said(), re.MULTILINE)
        assert (await seen(shown, "/livez")).text == "alive\n"

        async def effect(action: str) -> str:
            asked = ["authorize", "--as", "dev", "--subject", "a:b", "--action", action, "--resource", "c:d"]
            return str((await terminal(*asked, **here)).json["effect"])

        printed = [line.strip() for line in said().splitlines() if " pdp " in line and not re.search(r"\bID\b", line)]
        assert len(printed) == 2  # the queue and the log
        for line in printed:
            done = await terminal("-c", line, command=["sh"])
            assert done.status == 0, done.said
        assert await effect("write") == "EFFECT_DENY"

        rules.write_text(ALLOW_READ.replace("read", "write"))
        await until(lambda: said().count("policy built, revision") == 1)
        await becomes(lambda: effect("write"), "EFFECT_ALLOW")

        rules.write_text("package policy\n\ndeny if true\n")
        await until(lambda: "The last good policy stays in force." in said())
        assert re.search(rf"^{rules}:3: .*", said(), re.MULTILINE)
        assert await effect("write") == "EFFECT_ALLOW"

        dev.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(dev.wait(), SECONDS) == 0
        assert said().endswith("draining\n")
    assert left(terminal) == NOTHING


ALLOW_READ = """package policy

allow contains {"rule": "a", "reason": "b"} if input.action.name == "read"
"""


async def becomes(found: Callable[[], Awaitable[str]], wanted: str) -> None:
    async with asyncio.timeout(SECONDS):
        while await found() != wanted:
            pass


async def test_a_taken_port_says_so(terminal: Terminal) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = await terminal("dev", "--listen", address)
    assert done.status == 1
    assert done.err == f"cannot listen on {address}; another program may, choose another with --listen\n"
    assert left(terminal) == NOTHING


async def test_what_cannot_start_says_why(terminal: Terminal) -> None:
    broken = terminal.folder / "broken"
    broken.mkdir()
    (broken / "p.rego").write_text("package policy\n\ndenny contains {}\n")
    refused, missing, remote, unknown = await asyncio.gather(
        terminal("dev", "--policy", broken, "--", "true"),
        terminal("dev", "--policy", "nowhere", "--", "true"),
        terminal("dev", "--listen", "0.0.0.0:4770", "--", "true"),
        terminal("dev", "--", "no-such-command"),
    )
    assert refused.status == 3
    assert refused.err.startswith("the policy was not loaded; mend these first:\n")
    assert f"{broken}/p.rego:3: " in refused.err
    assert (missing.status, missing.err.partition(";")[0]) == (1, "nowhere is not a folder")
    assert (remote.status, remote.err.partition(";")[0]) == (1, "listen: 0.0.0.0:4770 is not on loopback")
    assert (unknown.status, unknown.err) == (1, "cannot run no-such-command: No such file or directory\n")
    assert left(terminal) == NOTHING


PROTO_LOADER = """
import os, grpc
from google.protobuf.struct_pb2 import Struct
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.decision_pb2_grpc import DecisionServiceStub
from pdp.v1.request_pb2 import Action, Resource, Subject
request = AuthorizeRequest(subject=Subject(type="agent", id="dev"), action=Action(name="read"))
request.resource.CopyFrom(Resource(type="table", id="t", properties=Struct()))
by = [("authorization", "Bearer " + os.environ["PDP_TOKEN"])]
with grpc.insecure_channel(os.environ["PDP_ADDRESS"]) as channel:
    for _ in range(2):
        DecisionServiceStub(channel).Authorize(request, metadata=by)
"""


async def test_it_warns_once_of_a_caller_whose_library_makes_empty_structs(terminal: Terminal) -> None:
    """As JavaScript's proto-loader makes of `properties: {tags: ["pii"]}`."""
    done = await terminal("dev", "--", sys.executable, "-c", PROTO_LOADER)
    assert done.status == 0, done.err
    assert done.err.count("'agent:dev' sends an empty resource.properties and no expected_digest") == 1
