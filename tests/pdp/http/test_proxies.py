"""Where a request comes from, with proxies before the server and without."""

from typing import Any

import pytest

from pdp.http.proxies import Proxies

OURS = Proxies(["10.0.3.0/24", "192.0.2.1", "2001:db8::/64"])


@pytest.mark.parametrize(
    ("peer", "covered"),
    [
        (("10.0.3.9", 1), True),
        (("::ffff:10.0.3.9", 1, 0, 0), True),
        (("192.0.2.1", 1), True),
        (("2001:db8::9", 1, 0, 0), True),
        (("10.0.4.9", 1), False),
        (("127.0.0.1", 1), False),
        (None, False),
        (("", 1), False),
    ],
)
def test_proxies_are_known_by_their_address(peer: Any, covered: bool) -> None:  # noqa: FBT001  # a column of the table
    assert OURS.covers(peer) == covered


@pytest.mark.parametrize(
    ("peer", "forwarded", "source"),
    [
        ("10.0.3.9", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.3.9", ["203.0.113.1, 198.51.100.7"], "198.51.100.7"),
        ("10.0.3.9", ["203.0.113.1", "198.51.100.7, 192.0.2.1"], "198.51.100.7"),
        ("10.0.3.9", ["2001:db8:1:2::3"], "2001:db8:1:2::/64"),
        ("10.0.3.9", ["203.0.113.1, unknown"], "10.0.3.9"),
        ("10.0.3.9", [], "10.0.3.9"),
        ("10.0.3.9", ["10.0.3.1"], "10.0.3.9"),
        ("198.51.100.9", ["203.0.113.1"], "198.51.100.9"),
    ],
)
def test_proxies_alone_say_who_is_behind_them(peer: str, forwarded: list[str], source: str) -> None:
    assert OURS.source((peer, 1), forwarded) == source
