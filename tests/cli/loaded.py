"""A process that has loaded what `pdp` loads, and forks for each command: `python -m tests.cli.loaded FD [serves]`.

To load takes most of a command's time. Each command is a process of its own, with its own streams and exit status.
What depends on how a process starts, such as what it imports, is for tests that start one themselves.
"""

import ast
import atexit
import gc
import importlib
import json
import os
import runpy
import socket
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pdp.cli

LARGEST_BYTES = 64 * 1024
"""Of an order, and of what a pipe holds that is not read yet."""
STREAMS = 3
SERVERS = ("pdp.dev.stack", "pdp.opa.handed", "pdp.server.parent", "pdp.server.running", "uvloop")
"""What those load that serve."""
HEAVY = ("pdp.cli.suggest", "pdp.dev", "pdp.lineage.suggesting", "pdp.server")
"""Loading these takes seconds, and few commands load them."""


def later_imports() -> Iterator[str]:
    """The modules that the commands import inside their functions."""
    for file in sorted(Path(pdp.cli.__file__).parent.glob("*.py")):
        for function in ast.walk(ast.parse(file.read_text())):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.ImportFrom) and node.module:
                        yield from (node.module, *(f"{node.module}.{name.name}" for name in node.names))


def load(further: Sequence[str]) -> None:
    """Import all that commands may need, unless it is heavy; a name that is not a module is passed over.

    The threads that numpy and Arrow begin here have handlers of their own for a fork.
    """
    for name in dict.fromkeys([*later_imports(), *further]):
        if name in further or not name.startswith(HEAVY):
            with suppress(ImportError):
                importlib.import_module(name)
    gc.collect()
    gc.freeze()


def run(order: dict[str, Any], streams: Sequence[int]) -> int:
    """Be `python -m` this module with these arguments, and return its exit status."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv = [order["module"], *order["arguments"]]
    sys.path[0] = order["folder"]
    try:
        runpy.run_module(order["module"], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)  # noqa: T201
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  # as the interpreter ends
        traceback.print_exc()
        return 1
    return 0


def end(status: int) -> None:
    """As the interpreter, without taking its modules apart."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


def supervise(order: dict[str, Any], streams: Sequence[int], told: int) -> None:
    """Run the command in a child; tell its process id and, behind a line's end, its exit status."""
    if (child := os.fork()) == 0:
        os.close(told)
        end(run(order, streams))
    for stream in streams:
        os.close(stream)
    os.write(told, f"{child}\n".encode())
    os.write(told, str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])).encode())
    os._exit(0)


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    load(SERVERS if sys.argv[2:] else ())
    while True:
        order, handed, _, _ = socket.recv_fds(control, LARGEST_BYTES, STREAMS + 1)
        if not order:
            return
        if os.fork() == 0:
            control.close()
            supervise(json.loads(order), handed[:STREAMS], handed[STREAMS])
        for one in handed:
            os.close(one)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass


if __name__ == "__main__":
    main()
