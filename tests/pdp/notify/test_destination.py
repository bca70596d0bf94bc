"""Addresses as numbers: which of them a message may go to."""

import pytest

from pdp.notify.destination import may_connect

PUBLIC = ["1.1.1.1", "8.8.8.8", "100.63.255.255", "172.32.0.1", "223.255.255.255", "2606:4700::1111", "2a00:1450::1"]
CLOSED = [
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3"),  # this machine  # noqa: S104
    *("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),  # private
    *("169.254.0.1", "169.254.169.254", "168.63.129.16", "100.100.100.200", "192.0.0.192"),  # metadata of clouds
    *("100.64.0.1", "100.127.255.255"),  # behind a carrier's NAT
    *("192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "192.88.99.1"),  # documentation, benchmarks, relays
    *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),  # nobody's
    *("::", "::1", "fe80::1", "fe80::1%lo", "2606:4700::1%lo", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1"),
    *("::ffff:10.0.0.1", "::ffff:8.8.8.8", "::ffff:7f00:1", "::127.0.0.1", "::ffff:0:127.0.0.1"),  # IPv4 in IPv6
    *("64:ff9b::a00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001::1", "2001:db8::1", "3fff::1", "100::1"),
    *("", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "8.8.8.8 ", "\u0661.1.1.1"),  # no addresses
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_address_is_reached(address: str) -> None:
    assert may_connect("hooks.example.com", address)


@pytest.mark.parametrize("address", CLOSED)
def test_address_that_is_not_public_is_refused(address: str) -> None:
    assert not may_connect("hooks.example.com", address)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]"])
@pytest.mark.parametrize("address", [*PUBLIC, *CLOSED])
def test_webhook_of_this_machine_leads_nowhere_else(name: str, address: str) -> None:
    assert may_connect(name, address) == (address in {"127.0.0.1", "127.255.255.254", "::1"})
