"""Authorize on a server with HTTP, inbox, Slack and e-mail, beside one without, on one MongoDB, in turns.

    python -m tests.bench.inbox_beside [--rounds N] [--seconds S]

Both are processes, and one stands still while the other is measured. The first is connected to a double of Slack and
knows a mail server; nobody is told of an allow.
"""

import argparse
import asyncio
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import uvloop

from pdp.dev import identity
from pdp.mail_settings import MailSettings
from pdp.process import toolcache
from pdp.process.mongod import MongodProcess
from pdp.slack_settings import SlackSettings
from tests.bench.decisions import AUTHORIZE, question
from tests.bench.lineage_row import Row, shown
from tests.bench.load import Load, Rate, measure
from tests.mailbox import mailbox
from tests.parts import placet
from tests.slack import APP, BOT, TEAM, double
from tests.tokens import Metadata

LOOPS = 64
ROUNDS, SECONDS = 8, 3.0
"""Less than a minute in all."""
BAR = 0.95
PAUSE_SECONDS = 0.1
"""Before a server is asked again that is not ready."""
ALLOW = b"\x10\x01"


async def serve(given: dict[str, Any]) -> None:
    """Serve until the input ends: with what `given` has of people, or without."""
    changes: dict[str, Any] = {"http": None}
    if "slack" in given:
        slack, mail = SlackSettings.model_validate(given["slack"]), MailSettings.model_validate(given["mail"])
        changes = {"slack": slack, "slack_host": given["slack_host"], "mail": mail}
    async with placet(Path(given["state"]), given["mongodb"], **changes) as server:
        assert bool(server.http) is ("slack" in given)
        print(server.address, flush=True)
        await asyncio.to_thread(sys.stdin.read)


class Serving(NamedTuple):
    """A server in a process of its own."""

    address: str
    process: subprocess.Popen[str]

    @contextmanager
    def paused(self) -> Iterator[None]:
        """It stands still until the block ends, so that it takes nothing from the other one."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@contextmanager
def serving(given: dict[str, Any]) -> Iterator[Serving]:
    """Such a server."""
    command = [sys.executable, "-m", "tests.bench.inbox_beside", "--serve", json.dumps(given)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            address = process.stdout.readline().strip()
            if not address:
                sys.exit("a server did not start")
            yield Serving(address, process)
        finally:
            process.stdin.close()


def people(folder: Path, slack_host: str, mail: MailSettings) -> dict[str, Any]:
    """What the server with all of it is given, as JSON; `folder` gets the app's tokens."""
    tokens = {"bot_token": BOT, "app_token": APP}
    for name, token in tokens.items():
        (folder / name).touch(mode=0o600)
        (folder / name).write_text(token)
    settings = {"team": TEAM, **{name: str(folder / name) for name in tokens}}
    return {"slack": settings, "slack_host": slack_host, "mail": mail.model_dump(mode="json", by_alias=True)}


def load(address: str, token: str, seconds: float) -> Load:
    """Loops that ask what is allowed, after one call that shows how long an answer is."""
    body, metadata = question().SerializeToString(), (("authorization", f"Bearer {token}"),)
    answer = answered(address, body, metadata)
    if ALLOW not in answer:
        sys.exit("Authorize does not allow what it should")
    return Load(address, AUTHORIZE, body, len(answer), metadata, LOOPS, seconds)


def answered(address: str, body: bytes, metadata: Metadata) -> bytes:
    """The answer of a server that stood still a moment ago: it must look first at what it missed."""
    with grpc.insecure_channel(address) as channel:
        while True:
            try:
                return bytes(channel.unary_unary(AUTHORIZE)(body, metadata=metadata))
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
            time.sleep(PAUSE_SECONDS)


def in_turns(with_it: Serving, without: Serving, state: Path, rounds: int, seconds: float) -> Row:
    """Each round measures both, the other one first each time."""
    rates: dict[str, list[Rate]] = {with_it.address: [], without.address: []}
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        turns = [(with_it, without), (without, with_it)]
        for measured, other in turns if number % 2 else reversed(turns):
            with other.paused():
                rates[measured.address].append(
                    measure(load(measured.address, identity.token(state, "report-bot"), seconds))
                )
    pairs = zip(rates[with_it.address], rates[without.address], strict=True)
    ratios = [one.per_second / other.per_second for one, other in pairs]
    mine, theirs = (statistics.median(one.per_second for one in found) for found in rates.values())
    beside = f"{mine:,.0f} and {theirs:,.0f} decisions/s; of {min(ratios):.2f} to {max(ratios):.2f}"
    return Row("Authorize with inbox, Slack, mail, of without", statistics.median(ratios), beside, least=BAR)


async def main(rounds: int = ROUNDS, seconds: float = SECONDS) -> bool:
    """Print the row. Returns whether it is within its bar."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with (
            MongodProcess(toolcache.mongod(), folder / "mongodb", say=print) as mongod,
            double() as slack,
            mailbox(folder) as box,
        ):
            plain = {"state": str(folder / "state"), "mongodb": mongod.uri}
            given = {**plain, **people(folder, slack.url, box.settings())}
            row = await asyncio.to_thread(_measured, given, plain, rounds, seconds)
    return shown([row])


def _measured(given: dict[str, Any], plain: dict[str, Any], rounds: int, seconds: float) -> Row:
    with ExitStack() as stack:
        with_it, without = (stack.enter_context(serving(each)) for each in (given, plain))
        return in_turns(with_it, without, Path(plain["state"]), rounds, seconds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--serve", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        uvloop.run(serve(arguments.serve))
    else:
        sys.exit(0 if asyncio.run(main(arguments.rounds, arguments.seconds)) else 1)
