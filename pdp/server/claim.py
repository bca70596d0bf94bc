"""Holds the addresses that the workers of this process share, so that no other `pdp serve` opens them, too.

With SO_REUSEPORT the kernel lets any process of one user listen at an address beside others. So each address has a file
in the user's runtime folder, which this process locks, and before that it is tried whether the address is free.
"""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress

from pdp.errors import SetupError
from pdp.file_lock import locked
from pdp.runtime_folder import runtime_folder

_NUMBER_BYTES = 20
"""More bytes than the number of a process has."""


@contextmanager
def claimed(addresses: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Hold the addresses, by the names of their fields, until the block ends; for port 0 a free port stands in them.

    Raises `SetupError` that names the first that is taken. No address may be of a unix socket.
    """
    with ExitStack() as stack:
        held = {}
        for field, address in addresses.items():
            held[field] = _free(field, address)
            stack.enter_context(_locked(field, held[field]))
        yield held


def _free(field: str, address: str) -> str:
    """The address, at which nothing listens now, with a port."""
    host, _, port = address.rpartition(":")
    bare = host.strip("[]")
    try:
        with socket.create_server(
            (bare, int(port)), family=socket.AF_INET6 if ":" in bare else socket.AF_INET
        ) as tried:
            return f"{host}:{tried.getsockname()[1]}"
    except (OSError, ValueError):
        raise SetupError(f"{field}: cannot listen on {address}; another program may, choose another address") from None


@contextmanager
def _locked(field: str, address: str) -> Iterator[None]:
    folder = runtime_folder(make=True)
    if folder is None:
        raise SetupError("workers need a folder that only this user can enter; set XDG_RUNTIME_DIR to one")
    path = folder / f"{address}.lock"
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise SetupError(f"{path} cannot be locked ({error.strerror}); remove it") from None
    try:
        if not locked(file, "servers with workers"):
            raise SetupError(f"{field}: {address} belongs to another `pdp serve`{_holder(file)}; end it first")
        with suppress(OSError):  # the number only helps who reads it; a full disk stops no start
            os.ftruncate(file, 0)
            os.write(file, str(os.getpid()).encode())
        yield  # the file stays: another process may lock it by now
    finally:
        os.close(file)


def _holder(file: int) -> str:
    try:
        return f" (process {int(os.pread(file, _NUMBER_BYTES, 0))})"
    except (OSError, ValueError):
        return ""
