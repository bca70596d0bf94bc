"""The workers of a server as processes, and which connections each has."""

from pathlib import Path

from tests.faults import Served, children, command


def workers(server: Served) -> list[int]:
    """The process ids of the workers."""
    return [pid for pid in children(server.process.pid) if b"pdp.cli.worker" in command(pid)]


def held(pid: int) -> set[str]:
    """The sockets of a process."""
    links = (str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.is_symlink())
    return {link[len("socket:[") : -1] for link in links if link.startswith("socket:[")}


def connections(pid: int, port: int) -> int:
    """How many connections a process has at a port of its own."""
    tables = (Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6"))
    rows = [line.split() for table in tables for line in table]
    established = {row[9] for row in rows if row[3] == "01" and int(row[1].rpartition(":")[2], 16) == port}
    return len(established & held(pid))
