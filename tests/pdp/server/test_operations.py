"""Health and metrics over plain HTTP: who answers, what counts for readiness, and what it costs to be asked."""

import asyncio
import gc
import socket
import time
import warnings
from pathlib import Path

import pytest

from pdp.errors import SetupError
from pdp.operations_settings import Operations
from pdp.server.operations import PLACES, Listener, Views, answering, operating, own_metrics
from pdp.server.readiness import SILENT_SECONDS, Pulse, Readiness
from tests.faults import eventually
from tests.parts import Placet
from tests.scrape import seen


async def test_server_that_decides_is_alive_and_ready_and_says_of_what(server: Placet) -> None:
    assert (await seen(server.operations, "/livez")).text == "alive\n"
    ready = await eventually(lambda: is_ready(server))
    assert ready == "loop: ok\nserver: ok\nopa: ok\nmongodb: ok\nissuers: ok\n" + ready[ready.index("issuers/user") :]
    assert ready.endswith("lineage: ok (not needed to decide)\nready\n")
    assert (await seen(server.operations, "/readyz")).text == "ready\n"


async def is_ready(server: Placet) -> str:
    """What `/readyz?verbose` says once everything is well."""
    found = await seen(server.operations, "/readyz?verbose")
    return "" if "failed" in found.text else found.text


async def test_metrics_are_text_of_prometheus(server: Placet) -> None:
    found = await seen(server.operations, "/metrics")
    assert found.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "# TYPE pdp_stage_seconds histogram" in found.text
    assert "process_resident_memory_bytes" in found.text


async def test_loop_that_hangs_is_told_while_it_hangs() -> None:
    """The listener has a thread of its own: this loop does nothing while it is asked."""
    now = [0.0]
    pulse = Pulse(lambda: now[0])
    with answering("127.0.0.1:0", Views(lambda: pulse.is_alive, Readiness, own_metrics)) as listener:
        assert said(listener.address, "/livez").startswith("HTTP/1.1 200")
        now[0] = SILENT_SECONDS + 0.1
        hanging = said(listener.address, "/livez")
        assert hanging.startswith("HTTP/1.1 503")
        assert "the event loop has not turned for 5 s" in hanging
        assert said(listener.address, "/readyz").startswith("HTTP/1.1 503")
        assert said(listener.address, "/metrics").startswith("HTTP/1.1 200")


def said(address: str, path: str) -> str:
    """What an address answers, read without an event loop."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as asking:
        asking.sendall(f"GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: asking.recv(65536), b"")).decode()


async def test_readiness_follows_probes_and_the_end_and_forgets_old_answers() -> None:
    readiness = Readiness()
    with answering("127.0.0.1:0", Views(lambda: True, lambda: readiness, own_metrics)) as listener:
        assert (await seen(listener.address, "/readyz")).text == "not ready: server\n"
        readiness.told({"opa": True, "mongodb": False}, {"slack": False})
        assert (await seen(listener.address, "/readyz")).text == "not ready: mongodb\n"
        readiness.told({"opa": True, "mongodb": True}, {"slack": False})
        assert (await seen(listener.address, "/readyz")).status == 200
        assert "slack: failed (not needed to decide)\nready" in (await seen(listener.address, "/readyz?verbose")).text
        readiness.told_at = time.monotonic() - 60
        assert (await seen(listener.address, "/readyz")).status == 503
        readiness.told({"opa": True}, {})
        readiness.leave()
        assert (await seen(listener.address, "/readyz")).text == "not ready: server\n"
        assert (await seen(listener.address, "/livez")).status == 200


async def test_start_that_waits_is_alive_and_not_ready() -> None:
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    async with operating(Operations(listen="127.0.0.1:0"), failed) as watched:
        assert (await seen(watched.address, "/livez")).status == 200
        assert (await seen(watched.address, "/readyz")).text == "not ready: server\n"
    async with operating(None, failed) as silent:
        assert not silent.address


async def test_only_what_is_asked_for_in_the_right_way_is_answered() -> None:
    with answering("127.0.0.1:0", Views(lambda: True, Readiness, own_metrics)) as listener:
        assert (await seen(listener.address, "/")).text == "there is /livez, /readyz, /metrics\n"
        refused = await seen(listener.address, "/livez", "POST")
        assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD")
        assert (await seen(listener.address, "/livez", "HEAD")).status == 200
        host, _, port = listener.address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=10) as asking:
            asking.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 40_000)
            reading = asyncio.get_running_loop().run_in_executor(None, asking.recv, 65536)
            assert b" 200 " not in await reading


async def test_connections_of_one_source_have_a_bound() -> None:
    with answering("127.0.0.1:0", Views(lambda: True, Readiness, own_metrics)) as listener:
        host, _, port = listener.address.rpartition(":")
        many = [socket.create_connection((host, int(port)), timeout=10) for _ in range(PLACES // 8 + 1)]
        first = asyncio.get_running_loop().run_in_executor(None, ended, many[0])
        assert await first, "the oldest idle one gives its place up"
        assert (await seen(listener.address, "/livez")).status == 200
        for one in many:
            one.close()


def ended(one: socket.socket) -> bool:
    try:
        return one.recv(1) == b""
    except ConnectionResetError:
        return True


async def test_text_of_metrics_is_made_once_a_second() -> None:
    made = []

    async def metrics() -> str:
        made.append(1)
        return f"made {len(made)}"

    with answering("127.0.0.1:0", Views(lambda: True, Readiness, metrics)) as listener:
        texts = {(await seen(listener.address, "/metrics")).text for _ in range(5)}
    assert len(made) <= 2
    assert "made 1" in texts


def test_only_a_socket_that_a_server_left_gives_way(tmp_path: Path) -> None:
    file, left = tmp_path / "file", tmp_path / "left.sock"
    file.write_text("kept")
    with socket.socket(socket.AF_UNIX) as ended:
        ended.bind(str(left))
    views = Views(lambda: True, Readiness, own_metrics)
    with answering(f"unix:{left}", views), pytest.raises(SetupError, match="and nothing else there"):
        Listener(f"unix:{left}", views)
    with pytest.raises(SetupError, match="and nothing else there"):
        Listener(f"unix:{file}", views)
    assert file.read_text() == "kept"


def test_connection_of_the_last_moment_is_closed(tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True) as left:
        warnings.simplefilter("always", ResourceWarning)
        for number in range(20):
            path = tmp_path / f"{number}.sock"
            with socket.socket(socket.AF_UNIX) as caller:
                with answering(f"unix:{path}", Views(lambda: True, Readiness, own_metrics)):
                    caller.connect(str(path))
                caller.settimeout(10)
                assert caller.recv(1) == b""
        gc.collect()
    assert [str(warning.message) for warning in left] == []


async def test_process_of_several_answers_at_a_socket_of_its_own(tmp_path: Path) -> None:
    address = f"unix:{tmp_path / 'worker.sock'}"
    with answering(address, Views(lambda: True, Readiness, own_metrics)) as listener:
        assert listener.address == address
        assert "pdp_decisions_total" in (await seen(address, "/metrics")).text
        assert (tmp_path / "worker.sock").stat().st_mode & 0o777 == 0o600
    with answering(address, Views(lambda: True, Readiness, own_metrics)):
        assert (await seen(address, "/livez")).status == 200, "a socket that was left behind is replaced"


@pytest.mark.parametrize("address", ["unix:/nowhere/at/all.sock", "TAKEN"])
def test_address_that_cannot_be_used_is_told_with_what_to_change(address: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        given = f"127.0.0.1:{taken.getsockname()[1]}" if address == "TAKEN" else address
        with (
            pytest.raises(SetupError, match=r"operations: cannot listen on .*; "),
            answering(given, Views(lambda: True, Readiness, own_metrics)),
        ):
            pass
