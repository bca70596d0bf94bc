"""What is said of versions, open files and memory."""

from importlib import metadata

import pytest

from pdp.server.connections import ENOUGH
from pdp.server.machine_check import MEMORY_BYTES, fault_of_need, files, machine, memory, python
from pdp.server.observed import Level


def test_this_machine_runs_servers() -> None:
    found = list(machine(None))
    assert [one.what for one in found] == ["Python", "packages", "open files", "memory"]
    assert Level.WRONG not in {one.level for one in found}


@pytest.mark.parametrize(
    ("version", "level"),
    [((3, 10), Level.WRONG), ((3, 11), Level.OK), ((3, 14), Level.OK), ((3, 15), Level.WARNING)],
)
def test_python(version: tuple[int, ...], level: Level) -> None:
    assert python(version).level is level


def test_files_and_memory() -> None:
    assert files(ENOUGH).level is Level.OK
    assert files(1024).level is Level.WARNING
    assert "LimitNOFILE" in files(1024).sentence
    assert [memory(number).level for number in (-1, MEMORY_BYTES, MEMORY_BYTES - 1)] == [
        Level.OK,
        Level.OK,
        Level.WARNING,
    ]


PYMONGO = metadata.version("pymongo")


@pytest.mark.parametrize(
    ("need", "fault"),
    [
        ('pymongo>=4.16; extra == "server"', ""),
        ("pymongo>=4", ""),
        ('pymongo<4; extra == "server"', f"pymongo {PYMONGO} is installed, and <4 is needed"),
        ('pymongo>=99.1; extra == "server"', f"pymongo {PYMONGO} is installed, and >=99.1 is needed"),
        ('pymongo>=99; extra == "other"', ""),
        ('no-such-package>=1; extra == "server"', "no-such-package is missing"),
        ("no-such-package>=1; sys_platform == 'win32' and extra == 'server'", ""),
        ('placet[cli]; extra == "server"', ""),
    ],
)
def test_packages_are_held_to_their_bounds(need: str, fault: str) -> None:
    assert fault_of_need(need, ("server",)) == fault
