"""`pdp serve` and `pdp healthcheck`: run the server in production, and ask for its health."""

import asyncio
import logging
import signal
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pdp.cli import exit_code, serving_log
from pdp.cli.workers import Given, serve_with_workers
from pdp.environment import DEFAULT_ADDRESS, Environment
from pdp.logs import LogFormat, LogLevel, Logs
from pdp.say import Printable, say, tell

if TYPE_CHECKING:
    import grpc

    from pdp.server.parent import Family
    from pdp.server.running import Running
    from pdp.server.stop import StopSignal

_PAUSE_SECONDS = 0.2
"""Seconds between two questions of `pdp healthcheck --wait`."""


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(serve)
    app.command()(healthcheck)


def serve(
    config: Annotated[
        Path | None,
        typer.Option(envvar="PDP_CONFIG", show_envvar=True, metavar="FILE", help="The configuration in TOML."),
    ] = None,
    listen: Annotated[
        str, typer.Option(metavar="ADDRESS", help="host:port, in place of `listen` in the configuration.")
    ] = "",
    mongodb_uri: Annotated[
        str, typer.Option(metavar="URI", help="A URI, in place of `mongodb_uri` in the configuration.")
    ] = "",
    opa_url: Annotated[
        str,
        typer.Option(metavar="URL", help="An OPA that has the bundle, in place of `policy` in the configuration."),
    ] = "",
    workers: Annotated[
        int, typer.Option(metavar="COUNT", min=1, max=64, help="Processes that share the addresses and one OPA.")
    ] = 1,
    wait: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=0, help="How long to wait for MongoDB, OPA and keys. 0: try once."),
    ] = 60.0,
    log_format: Annotated[
        LogFormat,
        typer.Option(
            envvar="PDP_LOG_FORMAT", show_envvar=True, help="How the log is written: auto is JSON off a terminal."
        ),
    ] = LogFormat.AUTO,
    log_level: Annotated[
        LogLevel, typer.Option(envvar="PDP_LOG_LEVEL", show_envvar=True, help="The least level of the log's lines.")
    ] = LogLevel.INFO,
) -> None:
    """Run a decision point until SIGTERM or SIGINT.

    After the signal, the calls in flight finish, and the exit status is 0. It is 75 where MongoDB, OPA or the keys of
    issuers are not there in time, so that a supervisor starts it again. A second signal skips `drain_seconds`. With
    workers, SIGHUP replaces them one after another. The log is on standard error.
    """
    if config is None:
        exit_code.fail("name the configuration with --config FILE", exit_code.USAGE)
    given = {"listen": listen, "mongodb_uri": mongodb_uri, "opa_url": opa_url}
    changes = {name: value for name, value in given.items() if value}
    with serving_log.whole(log_format, log_level) as logs:
        several = Given(config, changes, workers, log_level, wait)
        if workers > 1:
            run_on_loop(serve_with_workers(several, logs, stop_signal, stopped))
        else:
            run_on_loop(_serve(config, changes, logs, wait))


def healthcheck(
    address: Annotated[
        str, typer.Option(envvar="PDP_ADDRESS", show_envvar=True, metavar="ADDRESS", help="The server.")
    ] = DEFAULT_ADDRESS,
    service: Annotated[
        str,
        typer.Option(
            metavar="NAME", help='"opa", "mongodb", "issuers" or a service of the contract; by default all of them.'
        ),
    ] = "",
    wait: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long to ask again while the server is not serving.")
    ] = 0.0,
) -> None:
    """Ask for the server's health. Exit status: 0 it is serving, else 69.

    It uses TLS if PDP_CA is set, and a client certificate if PDP_CERTIFICATE and PDP_KEY are set.
    """
    until = time.monotonic() + wait
    while (answer := _health(address, service)) != "SERVING" and time.monotonic() < until:
        time.sleep(_PAUSE_SECONDS)
    say(answer) if " " in answer else tell(answer)
    if answer != "SERVING":
        raise typer.Exit(exit_code.UNAVAILABLE)


def _health(address: str, service: str) -> str:
    """A status of `grpc.health.v1`, or a sentence if there is no answer."""
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    from pdp.client.diagnosis import cause

    try:
        with _channel(address) as channel:
            request = health_pb2.HealthCheckRequest(service=service)
            stub: Any = health_pb2_grpc.HealthStub(channel)  # its stub file lacks the methods
            status = stub.Check(request, timeout=2).status
    except grpc.RpcError as error:
        if error.code() == grpc.StatusCode.NOT_FOUND:
            exit_code.fail(f"{address} has no service {service}", exit_code.USAGE)
        own = Environment.read()
        why = cause(address, own.ca, own.certificate, own.key)
        mend = "; start the server there, or name another address with --address (or PDP_ADDRESS)"
        return f"{address} does not answer ({error.code().name}){f': {why}' if why else mend}"
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(status))


def _channel(address: str) -> "grpc.Channel":
    import grpc

    from pdp.client import channel

    own, options = Environment.read(), [("grpc.enable_http_proxy", 0)]
    try:
        secure = channel.credentials(address, own.ca, own.certificate, own.key)
    except ValueError as error:
        exit_code.fail(str(error), exit_code.USAGE)
    return grpc.secure_channel(address, secure, options) if secure else grpc.insecure_channel(address, options)


async def _serve(path: Path, changes: dict[str, str], logs: Logs, wait: float) -> None:
    from pdp.config import load
    from pdp.server.notify_socket import supervised
    from pdp.server.preflight import refuse_unsafe
    from pdp.server.running import running
    from pdp.server.start import Stopped, awaited, stoppable
    from pdp.server.stop import pause
    from pdp.server.watched import watched

    stop, own = stop_signal(), Environment.read()
    config = load(path, changes)
    refuse_unsafe(config)
    logs.watch(asyncio.get_running_loop())
    ready = partial(awaited, config, wait, logs.say, stop)
    with suppress(Stopped), stoppable(stop) as started:
        async with (
            supervised(own) as supervisor,
            watched(config, own, logs) as calls,
            running(config, own.tool_cache, logs.say, calls=calls, ready=ready) as server,
        ):
            also = f" and {server.web.url}" if server.web else ""
            state = f"serving on {server.address}{also}, policy {server.policy_revision[:12]}, OPA {server.opa_version}"
            logs.say(state)
            supervisor.ready(state)
            started()
            await stopped(stop, server)
            supervisor.stopping()
            logs.say("draining")
            await pause(server.leave, config.operations, stop)


def run_until_stopped(work: Any) -> None:
    """Run a server's coroutine for somebody at a terminal, with warnings of the log between its own sentences."""
    log = logging.StreamHandler(sys.stderr)
    log.setFormatter(Printable("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[log])
    run_on_loop(work)


def run_on_loop(work: Any) -> None:
    """Run a server's coroutine, on uvloop if it is installed."""
    from pdp.process import malloc

    if not hasattr(signal, "SIGHUP"):
        exit_code.fail("servers run on Linux and macOS; on this system the client, its commands and `policy check` do")
    malloc.keep_freed()
    try:
        import uvloop
    except ImportError:
        asyncio.run(work)
    else:
        uvloop.run(work)


def stop_signal() -> "StopSignal":
    """An event; SIGTERM or SIGINT sets it."""
    from pdp.server.stop import StopSignal

    stop = StopSignal()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.come)
    return stop


async def stopped(stop: asyncio.Event, server: "Running | Family") -> None:
    """Return at the signal. If a part of the server ends before, raise its error."""
    waiting = asyncio.ensure_future(stop.wait())
    ends: set[asyncio.Future[Any]] = {waiting, server.failed}
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    if server.failed.done():
        waiting.cancel()
        await server.failed
