"""URLs as text: which of them a webhook may have."""

import pytest

from pdp.address import webhook_host


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://hooks.example.com", "hooks.example.com"),
        ("https://hooks.example.com:8443/a/B%20c?d=e", "hooks.example.com"),
        ("https://8.8.8.8/", "8.8.8.8"),
        ("https://[2606:4700::1111]:65535", "[2606:4700::1111]"),
        ("http://localhost:8080/hook", "localhost"),
        ("http://127.0.0.1", "127.0.0.1"),
        ("http://[::1]:1", "[::1]"),
    ],
)
def test_url_has_a_host(url: str, wanted: str) -> None:
    assert webhook_host(url) == wanted


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.com",
        "http://hooks.example.com",
        "http://localhost.example.com",
        "http://localhost.",
        "http://127.1",
        "http://127.0.0.2",
        "http://2130706433",
        "http://0x7f.1",
        "http://[::ffff:127.0.0.1]",
        "ftp://hooks.example.com",
        "file://etc/passwd",
        "unix:///var/run/docker.sock",
        "https://",
        "https:///path",
        "https://user@hooks.example.com",
        "https://user:password@hooks.example.com",
        "https://hooks.example.com@localhost",
        "http://localhost\\@hooks.example.com",
        "http://localhost#@hooks.example.com",
        "https://hooks.example.com#x",
        "https://hooks.example.com:65536",
        "https://hooks.example.com:-1",
        "https://hooks.example.com:",
        "https://hooks.example.com/\n",
        "https://hooks.example.com/ x",
        "https://hööks.example.com",
        "https://hooks。example.com",
        " https://hooks.example.com",
        "HTTPS://hooks.example.com",
    ],
)
def test_url_to_which_no_message_may_go_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must"):
        webhook_host(url)
