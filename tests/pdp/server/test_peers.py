"""Whose connections a process has, found by their descriptors."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from pdp.server.peers import Peer, cut, named, peer, peers


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


def connected(stack: ExitStack, listener: socket.socket) -> tuple[socket.socket, socket.socket]:
    """Both ends of a new connection: a client's and ours."""
    family = socket.AF_INET if "." in listener.getsockname()[0] else socket.AF_INET6
    client = stack.enter_context(socket.socket(family))
    client.connect(listener.getsockname()[:2])
    ours, _ = listener.accept()
    return client, stack.enter_context(ours)


@pytest.mark.parametrize(("host", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)])
def test_connections_to_our_ports_are_found_with_their_descriptors(stack: ExitStack, host: str, family: int) -> None:
    listener, other = (stack.enter_context(socket.create_server((host, 0), family=family)) for _ in range(2))
    client, ours = connected(stack, listener)
    connected(stack, other)
    address = socket.inet_pton(family, host)
    assert peers([listener.getsockname()[1]]) == {Peer(address, client.getsockname()[1]): ours.fileno()}


def test_an_ipv4_address_is_one_also_where_ipv6_listens(stack: ExitStack) -> None:
    listener = stack.enter_context(socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True))
    port = listener.getsockname()[1]
    client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
    stack.enter_context(listener.accept()[0])
    [found] = peers([port])
    assert found == peer("ipv4:127.0.0.1:{1}".format(*client.getsockname()))


def test_a_connection_is_cut_only_at_its_peer(stack: ExitStack) -> None:
    listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    client, ours = connected(stack, listener)
    client.setblocking(False)  # the socket module's own
    [at] = peers([listener.getsockname()[1]])
    cut(ours.fileno(), Peer(at.address, at.port ^ 1))
    with pytest.raises(BlockingIOError):
        client.recv(1)
    cut(ours.fileno(), at)
    assert client.recv(1) == b""


def test_what_is_no_connection_is_left_alone(stack: ExitStack) -> None:
    for end in os.pipe():
        stack.callback(os.close, end)
        cut(end, Peer(bytes(4), 1))
    cut(2**20, Peer(bytes(4), 1))
    stack.enter_context(socket.socket())
    assert peers([0]) == {}


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ("ipv4:192.0.2.7:4711", "192.0.2.7"),
        ("ipv6:%5B2001:db8::1%5D:4711", "2001:db8::/64"),
        ("ipv6:[2001:db8::2]:4711", "2001:db8::/64"),
        ("ipv6:[::ffff:192.0.2.7]:4711", "192.0.2.7"),
        ("unix:socket", None),
        ("unix:", None),
        ("", None),
    ],
)
def test_peers_as_grpc_names_them(said: str, source: str | None) -> None:
    found = peer(said)
    assert (named(found.source) if found else None) == source
