"""The kernel's filter on the sockets that listen: whose first packets it drops."""

import socket
from collections.abc import Iterator

import pytest

from pdp.server.doors import NAMED, Doors, Source

WAIT_SECONDS = 0.3
HOME = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
SOURCE = {socket.AF_INET: bytes([127, 0, 0, 1]), socket.AF_INET6: bytes(8)}
OTHERS = [bytes([10, 0, number // 256, number % 256]) for number in range(NAMED // 2)]
OTHERS += [b"\x20\x01" + number.to_bytes(6) for number in range(NAMED // 2)]


class Listening:
    """A listener of one family of addresses, and its doors."""

    def __init__(self, family: int) -> None:
        self.socket = socket.create_server((HOME[family], 0), family=family)
        self.home, self.source = HOME[family], SOURCE[family]
        self.port: int = self.socket.getsockname()[1]
        self.doors = Doors([self.port])

    def lets_in(self) -> bool:
        try:
            socket.create_connection((self.home, self.port), WAIT_SECONDS).close()
        except TimeoutError:
            return False
        return True


@pytest.fixture(params=[socket.AF_INET, socket.AF_INET6], ids=["IPv4", "IPv6"])
def listening(request: pytest.FixtureRequest) -> Iterator[Listening]:
    made = Listening(request.param)
    yield made
    made.doors.close()
    made.socket.close()


def test_shut_doors_open_again(listening: Listening) -> None:
    assert listening.lets_in()
    listening.doors.shut()
    assert not listening.lets_in()
    listening.doors.open()
    assert listening.lets_in()


@pytest.mark.parametrize("others", [[], OTHERS[1:]], ids=["alone", "among many"])
def test_one_source_is_kept_out_or_let_in(listening: Listening, others: list[Source]) -> None:
    listening.doors.shut_to([*others, listening.source])
    assert not listening.lets_in()
    listening.doors.open_to([*others, listening.source])
    assert listening.lets_in()


def test_other_sources_are_not_meant(listening: Listening) -> None:
    listening.doors.shut_to(OTHERS)
    assert listening.lets_in()
    listening.doors.open_to(OTHERS)
    assert not listening.lets_in()


def test_only_so_many_are_named(listening: Listening) -> None:
    listening.doors.open_to([*OTHERS, listening.source])
    assert not listening.lets_in()


def test_without_sockets_nothing_happens() -> None:
    doors = Doors([])
    assert not doors
    doors.shut()
    doors.open()
    doors.close()
