"""How far a verification or an export has come, in a file that the next one goes on from.

The file is replaced as a whole, and names what lies beside it: so a process that is killed, or a full disk, loses at
most what was read since. One process at a time uses it.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from pdp.audit.sorted_runs import sync_folder
from pdp.cli import exit_code
from pdp.file_lock import locked

Resume = Annotated[
    Path | None, typer.Option("--resume", help="A file that keeps how far this has come; another run goes on there.")
]
_ANY_FORMAT = "placet/progress/"
FORMAT = f"{_ANY_FORMAT}v1"
_MEMBERS = {"realm", "key", "records", "writers"}
"""What the file has for every command."""


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold a state file while the block lasts. Ends the command where another process holds it."""
    try:
        handle = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        exit_code.fail(f"cannot write {path}: {error.strerror}", exit_code.USAGE)
    try:
        if not locked(handle, "state files of --resume"):
            exit_code.fail(f"another command is using {path}; wait until it ends, or name another file with --resume")
        yield
    finally:
        os.close(handle)


def read(path: Path, command: str) -> dict[str, Any]:
    """What the file says; empty where there is none yet. Ends the command where it is another file."""
    try:
        kept = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        exit_code.fail(f"cannot read {path}: {error.strerror}", exit_code.USAGE)
    except ValueError:
        kept = None
    held = kept if isinstance(kept, dict) else {}
    form = str(held.get("format"))
    if form != FORMAT and form.startswith(_ANY_FORMAT):
        exit_code.fail(
            f"another version of Placet wrote {path}; name another one, or use that version", exit_code.USAGE
        )
    if form != FORMAT or held.get("command") != command or not held.keys() >= _MEMBERS:
        exit_code.fail(
            f"{path} is not a file that `pdp audit {command} --resume` wrote; name another one", exit_code.USAGE
        )
    return held


def require_log(path: Path, kept: dict[str, Any], realm: str, kid: str) -> None:
    """End the command, or raise `Tampered`, where the file is about another log."""
    from pdp.audit.verify import Tampered

    if kept and kept["realm"] != realm:
        exit_code.fail(
            f"{path} is about realm {kept['realm']}, and this server's is {realm}; name another file", exit_code.USAGE
        )
    if kept and kept["key"] != kid:
        raise Tampered("key", f"the state {path}", f"names the audit key {kept['key']}, and the server names {kid}")


def write(path: Path, command: str, members: dict[str, Any]) -> None:
    """Replace the file as a whole. Raises `OSError`."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("w", encoding="utf-8") as file:
            json.dump({"format": FORMAT, "command": command, **members}, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)


def unwritten(error: OSError) -> str:
    """What to say where the state, or what lies beside it, cannot be written."""
    return (
        f"cannot write {error.filename or 'what was read'}: {error.strerror}; what was kept before still is: when "
        "that is mended, run the same command again"
    )
