"""Whether this machine and this process suit a server: versions, open files and memory."""

import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from pdp.config import Config
from pdp.server.connections import CONNECTIONS, ENOUGH
from pdp.server.observed import Observed, doubtful, fine, wrong

OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 14)
"""The versions that are tried."""
MEMORY_BYTES = 1 << 30
"""Bytes that a server, its OPA and a small policy take under load; more data takes more."""
_EXTRAS = ("server", "mask")
_NEED = re.compile(r"([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*([^;]*)(?:;\s*(.*))?")
_BOUND = re.compile(r"(>=|<)\s*([0-9.]+)")
_CGROUP = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Where the limit of a container is, in the two versions of control groups."""
_MEMORY = Path("/proc/meminfo")


def machine(config: Config | None) -> Iterator[Observed]:
    """What is found of it. Without masks, the packages for them do not count."""
    yield python(sys.version_info[:2])
    yield from _packages(_EXTRAS if config is None or config.mask_keys else _EXTRAS[:1])
    yield files(_descriptors())
    yield memory(_available())


def python(version: tuple[int, ...]) -> Observed:
    """The version of Python."""
    text = ".".join(map(str, version))
    if version < OLDEST_PYTHON:
        return wrong("Python", f"version {text} is too old; use 3.11 to 3.14")
    if version > NEWEST_PYTHON:
        return doubtful("Python", f"version {text} is newer than what is tried; use 3.11 to 3.14")
    return fine("Python", f"version {text}")


def files(most: int) -> Observed:
    """How many files and connections a process may open at most."""
    if most >= ENOUGH:
        return fine("open files", f"a process may have {most}, enough for {CONNECTIONS} connections")
    return doubtful(
        "open files",
        f"a process may have {most}, so it takes fewer than {CONNECTIONS} connections; let it have {ENOUGH} "
        "(ulimit -Hn, LimitNOFILE of systemd)",
    )


def memory(available: int) -> Observed:
    """How much memory is left for a server, its OPA and its masks; -1 if the system does not say."""
    if available < 0:
        return fine("memory", "this system does not say how much there is")
    mib = available >> 20
    if available < MEMORY_BYTES:
        return doubtful("memory", f"{mib} MiB are left, and a server with its OPA takes up to 1,024 MiB; give it more")
    return fine("memory", f"{mib} MiB are left")


def _packages(extras: tuple[str, ...]) -> Iterator[Observed]:
    try:
        needs = metadata.requires("placet") or []
    except metadata.PackageNotFoundError:
        yield doubtful("packages", "Placet is not installed as a package; run: pip install 'placet[server]'")
        return
    faults = [fault for need in needs if (fault := fault_of_need(need, extras))]
    for fault in faults:
        yield wrong("packages", f"{fault}; run: pip install --upgrade 'placet[{','.join(extras)}]'")
    if not faults:
        yield fine("packages", f"placet[{','.join(extras)}] has what it needs")


def fault_of_need(need: str, extras: tuple[str, ...]) -> str:
    """What is wrong with the package that a line of the metadata names; empty if nothing, or if it is not needed."""
    match = _NEED.fullmatch(need.strip())
    if match is None or not _counts(match[3] or "", extras) or match[1] == "placet":
        return ""
    try:
        version = metadata.version(match[1])
    except metadata.PackageNotFoundError:
        return f"{match[1]} is missing"
    for sign, bound in _BOUND.findall(match[2]):
        if (_numbers(version) < _numbers(bound)) == (sign == ">="):
            return f"{match[1]} {version} is installed, and {sign}{bound} is needed"
    return ""


def _counts(marker: str, extras: tuple[str, ...]) -> bool:
    """Whether a need is of one of the extras, on this system. A marker of another kind is left to pip."""
    named = re.findall(r"extra\s*==\s*['\"]([^'\"]+)['\"]", marker)
    rest = re.sub(r"extra\s*==\s*['\"][^'\"]+['\"]", "", marker).strip(" ()and")
    return (not named or bool(set(named) & set(extras))) and (not rest or (rest.startswith("sys_platform != 'win32'")))


def _numbers(version: str) -> tuple[int, ...]:
    numbers = [int(number) for number in re.findall(r"\d+", re.split(r"[+a-z]", version, maxsplit=1)[0])]
    return tuple([*numbers, 0, 0, 0][:4])


def _descriptors() -> int:
    try:
        import resource  # noqa: PLC0415  # Windows has no such limit
    except ImportError:
        return ENOUGH
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if most == resource.RLIM_INFINITY else most


def _available() -> int:
    """Bytes that the system or the container has left; -1 if neither says."""
    limits = [path.read_text().strip() for path in _CGROUP if path.exists()]
    found = [int(text) for text in limits if text.isdecimal()]
    told = re.search(r"MemAvailable:\s+(\d+) kB", _MEMORY.read_text()) if _MEMORY.exists() else None
    return min([*found, *([int(told[1]) << 10] if told else [])], default=-1)
