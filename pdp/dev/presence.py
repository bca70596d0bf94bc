"""Where the stacks of `pdp dev` run: each is known to its own folder, and those in the foreground to their user.

1. A stack locks `running.json` in its folder as long as it lives, so a file that a dead one left counts for nothing.
2. The runtime folder of the user names the folders of the stacks. Only what belongs to this user is believed.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from pdp.environment import DEFAULT_ADDRESS, Environment
from pdp.errors import SetupError
from pdp.file_lock import locked
from pdp.runtime_folder import runtime_folder

FILE = "running.json"
_WHO = "`pdp dev` and --as"
_LOOKS, _PAUSE_SECONDS = 20, 0.05
"""A reader holds the lock for a moment: a second is more than all readers take."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack that runs: its folder, its process, and its address, empty while it starts."""

    state: Path
    pid: int
    address: str


class Claim:
    """The lock of a stack on its folder."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def serves(self, address: str) -> None:
        """Note the address, for who looks."""
        self._file.seek(0)
        self._file.truncate()
        self._file.write(json.dumps({"pid": os.getpid(), "address": address}).encode())
        self._file.flush()

    def ends(self) -> None:
        """Leave an empty file, without the lock. It is not removed: another process may lock it by now."""
        self._file.truncate(0)
        self._file.close()


@contextmanager
def claimed(state: Path) -> Iterator[Claim]:
    """Hold the folder for one stack. Raises `SetupError` that names the stack which holds it."""
    state.mkdir(parents=True, exist_ok=True)
    file = os.fdopen(os.open(state / FILE, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "r+b")
    for look in range(_LOOKS):
        if locked(file.fileno(), _WHO):
            break
        if look == _LOOKS - 1:
            file.close()
            raise SetupError(_taken(state))
        time.sleep(_PAUSE_SECONDS)
    claim = Claim(file)
    claim.serves("")
    try:
        yield claim
    finally:
        claim.ends()


def running(state: Path) -> Stack | None:
    """The stack that runs on this folder now."""
    try:
        with (state / FILE).open("rb") as file:
            if locked(file.fileno(), _WHO, alone=False) or os.fstat(file.fileno()).st_uid != os.getuid():
                return None
            said = json.loads(file.read())
            return Stack(state.resolve(), int(said["pid"]), str(said["address"]))
    except (OSError, ValueError, LookupError, TypeError):
        return None


@contextmanager
def announced(state: Path) -> Iterator[None]:
    """Name the folder in the user's runtime folder, so that `--as` finds its stack from everywhere."""
    folder = runtime_folder(make=True)
    if folder is None:
        yield
        return
    note = folder / f"{sha256(os.fsencode(state.resolve())).hexdigest()[:16]}.json"
    part = note.with_suffix(f".{os.getpid()}")
    part.write_text(json.dumps({"state": str(state.resolve())}))
    part.replace(note)
    try:
        yield
    finally:
        note.unlink(missing_ok=True)
        with suppress(OSError):
            folder.rmdir()


def stacks() -> list[Stack]:
    """The stacks of this user that are announced and run. Notes of dead ones are removed."""
    folder, found = runtime_folder(), []
    for note in sorted(folder.glob("*.json")) if folder else ():
        try:
            stack = running(Path(json.loads(note.read_bytes())["state"]))
        except (OSError, ValueError, LookupError, TypeError):
            stack = None
        if stack is not None:
            found.append(stack)
        else:
            note.unlink(missing_ok=True)
    return found


def meant(environment: Environment, address: str = "") -> tuple[Path, str]:
    """The folder of the stack that `--as` means, and its address if it runs.

    PDP_STATE names it; else it is the one of this folder if it runs, or the only one that runs, at `address` if that
    is given. Raises `SetupError` if several run.
    """
    here = running(environment.state)
    if environment.names_state or here is not None:
        return environment.state, here.address if here else ""
    found = [stack for stack in stacks() if stack.address and address in {"", stack.address}]
    if len(found) > 1:
        named = "\n".join(f"  PDP_STATE={stack.state}  at {stack.address}" for stack in found)
        raise SetupError(f"several `pdp dev` run; name the folder of one with PDP_STATE:\n{named}")
    return (found[0].state, found[0].address) if found else (environment.state, "")


def refuse_taken(listen: str) -> None:
    """Raise `SetupError` if a stack of this user in another folder listens on this address."""
    for stack in stacks():
        if stack.address == listen:
            raise SetupError(
                f"the `pdp dev` of {stack.state}, process {stack.pid}, listens on {listen}; use it with --as, end it "
                "with Ctrl-C in its terminal, or start this one with --listen 127.0.0.1:0"
            )


def _taken(state: Path) -> str:
    holder = running(state)
    where = f", process {holder.pid}, {'on ' + holder.address if holder.address else 'which starts'}" if holder else ""
    other = "--state DIR" + (" --listen 127.0.0.1:0" if holder is None or holder.address == DEFAULT_ADDRESS else "")
    return (
        f"a `pdp dev` runs on {state.resolve()} already{where}; use it with --as, end it with Ctrl-C in its terminal, "
        f"or start another with {other}"
    )
