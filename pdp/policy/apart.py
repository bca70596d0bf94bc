"""Builds a large policy in a process of its own, so that the server answers its calls meanwhile.

In the server's process the checks of a million people held up calls for eight seconds, and some failed.
"""

import asyncio
import os
import pickle
import sys
import tempfile
import threading
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pdp.errors import SetupError
from pdp.policy.bundle import Built, built
from pdp.policy.finding import PolicyRefused
from pdp.policy.sources import read

SMALL_BYTES = 128 * 1024
"""Bytes of a policy that is built in the server's own process: that takes a tenth of a second of Python's time, and the
syntax trees of unchanged files are kept there."""
NICE = 10
"""How much the building process yields to the server, as nice(2) counts it."""
_START = "import sys; sys.path[:] = {path!r}; from pdp.policy.apart import main; main(sys.argv[1])"


async def built_beside(opa: Path, folders: Sequence[Path], *more: Any) -> Built:
    """As `built` of what the folders hold, while other tasks go on; raises what `read` and `built` raise.

    The files are read once, where they are built: to hand on 50 MB of them held up the loop for 0.17 s.
    """
    if await asyncio.to_thread(_size, folders) <= SMALL_BYTES:
        return await asyncio.to_thread(_built, opa, folders, *more)
    with tempfile.TemporaryDirectory(prefix="pdp-build-") as folder:
        order = Path(folder, "order")
        order.write_bytes(pickle.dumps((opa, folders, *more)))  # noqa: ASYNC240  # a few names
        answer = await _answer(order)
    if isinstance(answer, Built):
        return answer
    raise PolicyRefused(answer) if isinstance(answer, list) else SetupError(answer)


def _size(folders: Sequence[Path]) -> int:
    """The bytes of all files below the folders."""
    files = (Path(above, name) for folder in folders for above, _, names in os.walk(folder) for name in names)
    return sum(file.lstat().st_size for file in files if file.exists())


def _built(opa: Path, folders: Sequence[Path], *more: Any) -> Built:
    return built(opa, read(folders), *more)


async def _answer(order: Path) -> Built | list[Any] | str:
    """What the building process found: the bundle's description, findings, or the sentence of another error."""
    start = _START.format(path=sys.path)
    process = await asyncio.create_subprocess_exec(sys.executable, "-P", "-c", start, order, stdin=PIPE, stdout=PIPE)
    assert process.stdout is not None  # noqa: S101  # it was asked for
    try:
        found = await process.stdout.read()
        status = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if status:
        raise SetupError(f"the process that builds the policy ended with status {status}; is there memory for it?")
    answer: Built | list[Any] | str = pickle.loads(found)  # noqa: S301  # from a child of ours
    return answer


def main(order: str) -> None:
    """Build as the file `order` says, and write what came of it to standard output; end when the server does."""
    threading.Thread(target=_end_with_the_server, daemon=True).start()
    os.nice(NICE)
    answer: Built | list[Any] | str
    try:
        answer = _built(*pickle.loads(Path(order).read_bytes()))  # noqa: S301  # from the server
    except PolicyRefused as refused:
        answer = list(refused.findings)
    except SetupError as error:
        answer = error.sentence
    sys.stdout.buffer.write(pickle.dumps(answer))
    sys.stdout.buffer.flush()
    os._exit(0)  # to take the people down again, one by one, takes seconds


def _end_with_the_server() -> None:
    """Standard input ends when the server is gone."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)
