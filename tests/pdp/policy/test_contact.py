"""What `data.contacts` may hold."""

from typing import Any

import pytest

from pdp.policy.contact import is_contacts

BOB = {"email": "bob@example.com", "quiet": "22:00-07:00 Europe/Berlin"}


@pytest.mark.parametrize("contact", [BOB, {}, {"email": "bob@example.com"}, {"quiet": "12:00-13:00 UTC"}])
def test_address_and_quiet_hours_may_each_be_missing(contact: dict[str, Any]) -> None:
    assert is_contacts({"user:bob": contact})


@pytest.mark.parametrize(
    "contacts",
    [
        [],
        {"bob": BOB},
        {"user:bob": "bob@example.com"},
        {"user:bob": {"mail": "bob@example.com"}},
        {"user:bob": {"email": "bob@example.com, eve@example.com"}},
        {"user:bob": {"email": None}},
        {"user:bob": {"quiet": "at night"}},
        {"user:bob": {"quiet": 22}},
    ],
)
def test_everything_else_is_found(contacts: Any) -> None:
    assert not is_contacts(contacts)
