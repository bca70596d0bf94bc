"""The origin of the pages."""

import pytest

from pdp.http.origin import Origin
from pdp.http.problem import Refusal


@pytest.mark.parametrize(
    ("url", "text", "host", "strict"),
    [
        ("https://Placet.example", "https://placet.example", "placet.example", True),
        ("https://placet.example:443", "https://placet.example", "placet.example", True),
        ("https://placet.example:8443", "https://placet.example:8443", "placet.example:8443", True),
        ("http://localhost:80", "http://localhost", "localhost", False),
        ("http://localhost:4780", "http://localhost:4780", "localhost:4780", False),
        ("https://localhost:4780", "https://localhost:4780", "localhost:4780", False),
        ("https://[::1]:4780", "https://[::1]:4780", "[::1]:4780", False),
    ],
)
def test_origin_is_as_browsers_write_it(url: str, text: str, host: str, *, strict: bool) -> None:
    origin = Origin.of(url)
    assert (origin.text, origin.host) == (text, host)
    assert ("Strict-Transport-Security" in origin.headers) == strict


@pytest.mark.parametrize("hosts", [[], ["other.example"], ["placet.example:80"], ["placet.example"] * 2, [""]])
def test_another_host_is_not_ours(hosts: list[str]) -> None:
    with pytest.raises(Refusal):
        Origin.of("https://placet.example").require_host(hosts)


def test_host_has_no_case() -> None:
    Origin.of("https://placet.example").require_host(["Placet.EXAMPLE"])
