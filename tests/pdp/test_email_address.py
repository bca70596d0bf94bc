"""Which addresses are written to."""

import pytest

from pdp.email_address import is_email_address


@pytest.mark.parametrize("text", ["bob@example.com", "b.o'b+placet@mail.example.co.uk", "bob@localhost"])
def test_plain_addresses_are_taken(text: str) -> None:
    assert is_email_address(text)


@pytest.mark.parametrize(
    "text", ["", "bob", "bob@", "@example.com", "bob@exa mple.com", "bob@a..b", "bob@-a", "bob@a@b"]
)
def test_what_has_another_form_is_none(text: str) -> None:
    assert not is_email_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "bob@example.com\r\nBcc: eve@example.com",
        "bob@example.com\n",
        "bob@example.com,eve@example.com",
        "Bob <bob@example.com>",
        '"b b"@example.com',
        "b\u00f8b@example.com",
        "bob@[127.0.0.1]",
        "=?utf-8?q?=0A?=@example.com",
        "=?utf-8?q?x=2Ceve=40example.org?=@example.com",
        None,
        ["bob@example.com"],
    ],
)
def test_nothing_more_than_one_address_is_taken(text: object) -> None:
    assert not is_email_address(text)
