"""Where the pages are: the address of an approval, and what WebAuthn knows them by."""

import pytest

from pdp.http.origin import Origin
from pdp.site import Site


@pytest.mark.parametrize(
    ("url", "origin", "host"),
    [
        ("https://pdp.example", "https://pdp.example", "pdp.example"),
        ("https://PDP.example:443", "https://pdp.example", "pdp.example"),
        ("https://pdp.example:8443", "https://pdp.example:8443", "pdp.example"),
        ("http://localhost:4780", "http://localhost:4780", "localhost"),
        ("http://localhost:80", "http://localhost", "localhost"),
    ],
)
def test_origin_is_that_of_the_pages_and_the_host_has_no_port(url: str, origin: str, host: str) -> None:
    site = Site(url)
    assert (site.origin, site.host) == (origin, host)
    assert site.origin == Origin.of(url).text
    assert site.approval("apr_1") == f"{url}/inbox/approvals/apr_1"


def test_without_pages_there_is_no_address() -> None:
    site = Site()
    assert (site.approval("apr_1"), site.origin, site.host) == ("", "", "")
