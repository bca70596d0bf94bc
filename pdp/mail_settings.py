"""The part `[mail]` of the configuration: how people are told by e-mail."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from pdp.email_address import is_email_address
from pdp.identity_source import ConfigPath, Frozen

_SERVER = re.compile(r"(smtps|smtp\+starttls)://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):([0-9]{1,5})")
_MOST_PORT = 65535
"""The highest TCP port."""


def _server(url: str) -> str:
    match = _SERVER.fullmatch(url)
    if match is None or not 0 < int(match[3]) <= _MOST_PORT:
        raise ValueError("give smtps://host:465 or smtp+starttls://host:587; mail never goes without TLS")
    return url


def _sender(address: str) -> str:
    if not is_email_address(address):
        raise ValueError("give one address such as placet@example.com, without a name")
    return address


class MailSettings(Frozen):
    """E-mail is on where this part stands."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True)

    server: Annotated[str, AfterValidator(_server)]
    """`smtps://host:465` (TLS from the first byte) or `smtp+starttls://host:587`, and nothing else."""
    sender: Annotated[str, AfterValidator(_sender)] = Field(alias="from")
    """The address that notices come from."""
    user: str = ""
    """Who logs in at the server. Empty: nobody does."""
    password: ConfigPath | None = None
    """A file with the user's password: mode 0600, or 0440 with a group of the process."""

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if bool(self.user) != (self.password is not None):
            raise ValueError("give user and password together, or neither")
        return self

    @property
    def is_tls_from_the_start(self) -> bool:
        """Whether TLS begins with the connection; otherwise STARTTLS must come first."""
        return self.server.startswith("smtps:")

    @property
    def host(self) -> str:
        """The server's host."""
        return self._parts[1].strip("[]")

    @property
    def port(self) -> int:
        """Its port."""
        return int(self._parts[2])

    @property
    def _parts(self) -> tuple[str, ...]:
        match = _SERVER.fullmatch(self.server)
        return match.groups() if match else ("", "", "0")
