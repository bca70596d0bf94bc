"""The log as a whole: what comes in, from where, and at which level."""

import asyncio
import json
import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pdp.access_log import NAME
from pdp.call_summary import Calls, decided
from pdp.logs import OWN, LogFormat, LogLevel, Logs


@pytest.fixture(autouse=True)
def others() -> Iterator[None]:
    """Gives the loggers back as they were."""
    root, levels = logging.getLogger(), {name: logging.getLogger(name).level for name in OWN}
    kept, level = root.handlers[:], root.level
    root.handlers = []
    hooks = threading.excepthook, sys.unraisablehook
    yield
    threading.excepthook, sys.unraisablehook = hooks
    logging.captureWarnings(capture=False)
    root.handlers = kept
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


@contextmanager
def logging_into(file: Path, form: LogFormat = LogFormat.JSON, level: LogLevel = LogLevel.INFO) -> Iterator[Logs]:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT)
    logs = Logs(form, level, descriptor=descriptor)
    try:
        yield logs
    finally:
        logs.close()
        os.close(descriptor)


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_level_is_that_of_our_own_loggers_and_libraries_stay_at_warnings(tmp_path: Path) -> None:
    with logging_into(tmp_path / "log", level=LogLevel.DEBUG):
        for name in ("pdp.x", "opa", "mongod", "pymongo.command", "asyncio"):
            logging.getLogger(name).debug("what it sends")
            logging.getLogger(name).warning("beware")
    told = [(line["logger"], line["level"]) for line in lines(tmp_path / "log")]
    ours = [(name, level) for name in ("pdp.x", "opa", "mongod") for level in ("debug", "warning")]
    assert told == [*ours, ("pymongo.command", "warning"), ("asyncio", "warning")]


def test_what_the_server_says_comes_at_every_level(tmp_path: Path) -> None:
    with logging_into(tmp_path / "log", level=LogLevel.ERROR) as logs:
        logging.getLogger("pdp.x").warning("beware")
        logs.say("serving on x")
        logs.say("warning: a policy is odd\nin two lines")
        logs.fail("it cannot start")
    told = [(line["logger"], line["level"], line["message"]) for line in lines(tmp_path / "log")]
    assert told == [
        ("pdp.server", "info", "serving on x"),
        ("pdp.server", "warning", "warning: a policy is odd\nin two lines"),
        ("pdp.server", "critical", "it cannot start"),
    ]


def test_on_a_console_the_server_says_sentences(tmp_path: Path) -> None:
    with logging_into(tmp_path / "log", LogFormat.CONSOLE) as logs:
        logs.say("serving on \x1b[2J")
        logging.getLogger("pdp.x").warning("beware")
    assert (tmp_path / "log").read_text() == "serving on \\u{1b}[2J\nWARNING pdp.x: beware\n"


def test_auto_is_json_where_there_is_no_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for is_terminal in (False, True):
        monkeypatch.setattr("sys.stderr.isatty", lambda is_terminal=is_terminal: is_terminal, raising=False)
        with logging_into(tmp_path / "log", LogFormat.AUTO) as logs:
            assert logs.is_json is not is_terminal


async def test_what_fails_where_nothing_waits_is_a_line_without_arguments(tmp_path: Path) -> None:
    async def broken(_: str) -> None:
        raise KeyError("canary7f3a")

    def thrown(_: str) -> None:
        raise KeyError("canary7f3a")

    with logging_into(tmp_path / "log") as logs:
        loop = asyncio.get_running_loop()
        before = loop.get_exception_handler()
        logs.watch(loop)
        task = asyncio.create_task(broken("canary7f3a"), name="canary7f3a")
        loop.call_soon(thrown, "canary7f3a")
        thread = threading.Thread(target=thrown, args=["canary7f3a"])
        thread.start()
        thread.join()
        await asyncio.wait({task})
        del task
        await asyncio.sleep(0)
        loop.set_exception_handler(before)
    told = lines(tmp_path / "log")
    assert {line["message"].partition(" test")[0] for line in told} == {
        "Task exception was never retrieved",
        "Exception in callback",
        "what nothing waits for failed",
    }
    assert all(line["exception"].startswith("KeyError\nat tests/") for line in told)
    assert "canary" not in (tmp_path / "log").read_text()


def test_warnings_of_python_are_lines(tmp_path: Path) -> None:
    with logging_into(tmp_path / "log"), warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("old\nway", stacklevel=1)
    [line] = lines(tmp_path / "log")
    assert (line["logger"], line["level"]) == ("py.warnings", "warning")


async def test_call_is_a_line_of_its_own(tmp_path: Path) -> None:
    with (
        logging_into(tmp_path / "log", level=LogLevel.ERROR) as logs,
        Calls(logs.access.write).summary("pdp.v1.DecisionService/Authorize"),
    ):
        decided(1, "ALLOW", "dec_1")
    [line] = lines(tmp_path / "log")
    assert line.pop("time").endswith("Z")
    assert line.pop("milliseconds") >= 0
    assert line == {
        "level": "info",
        "logger": NAME,
        "message": "pdp.v1.DecisionService/Authorize OK",
        "rpc": "pdp.v1.DecisionService/Authorize",
        "code": "OK",
        "effect": "ALLOW",
        "decision_id": "dec_1",
    }
