"""What `[mail]` takes."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pdp.mail_settings import MailSettings


def settings(**changes: Any) -> MailSettings:
    members = {"server": "smtps://mail.example.com:465", "from": "placet@example.com", **changes}
    return MailSettings.model_validate(members)


def test_server_is_read_with_its_kind_of_tls() -> None:
    first, other = settings(), settings(server="smtp+starttls://[::1]:587")
    assert (first.host, first.port, first.is_tls_from_the_start) == ("mail.example.com", 465, True)
    assert (other.host, other.port, other.is_tls_from_the_start) == ("::1", 587, False)


@pytest.mark.parametrize(
    "server",
    [
        "",
        "mail.example.com",
        "smtp://mail.example.com:25",
        "smtps://mail.example.com",
        "smtps://u:p@mail.example.com:465",
        "smtps://mail.example.com:465/",
        "smtps://mail.example.com:0",
        "smtps://mail.example.com:65536",
        "http://mail.example.com:465",
    ],
)
def test_server_without_tls_is_not_taken(server: str) -> None:
    with pytest.raises(ValidationError, match="mail never goes without TLS"):
        settings(server=server)


@pytest.mark.parametrize("sender", ["", "Placet <placet@example.com>", "placet@example.com\r\nBcc: eve@example.com"])
def test_sender_is_one_address(sender: str) -> None:
    with pytest.raises(ValidationError, match="one address"):
        settings(**{"from": sender})


@pytest.mark.parametrize("half", [{"user": "placet"}, {"password": Path("file")}])
def test_user_and_password_come_together(half: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="user and password together"):
        settings(**half)
