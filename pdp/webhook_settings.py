"""A part `[[webhooks]]` of the configuration: somewhere that is told of the steps of approvals."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, model_validator

from pdp.address import webhook_host
from pdp.approval import EVENTS
from pdp.identity_source import ConfigPath, Frozen, Name


def _webhook_url(url: str) -> str:
    if url:
        webhook_host(url)
    return url


def _webhook_event(event: str) -> str:
    if event not in EVENTS:
        raise ValueError(f"must be one of {', '.join(EVENTS)}")
    return event


class Webhook(Frozen):
    """Somewhere that is told of the steps of approvals, by messages signed as Standard Webhooks has it."""

    name: Name
    """How it is called where its messages are listed."""
    format: Literal["cloudevents", "slack", "teams"] = "cloudevents"
    """What it takes: signed CloudEvents, or a notice with a link for an incoming webhook of Slack or a Workflow of
    Teams. The address of these two is a secret by itself, so `secret` holds it and `url` is left out."""
    url: Annotated[str, AfterValidator(_webhook_url)] = ""
    """`https://...`, which must lead to a public address. One for this machine (host `localhost`, `127.0.0.1` or
    `[::1]`) may be `http://...` and leads nowhere else."""
    secret: ConfigPath
    """A file that others cannot read, for this webhook alone: `whsec_` and base64 of 24 to 64 random bytes, or the
    address of an incoming webhook."""
    events: tuple[Annotated[str, AfterValidator(_webhook_event)], ...] = EVENTS
    """What it is told of, such as `approval.created`; by default everything."""

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if (self.format == "cloudevents") != bool(self.url):
            raise ValueError(
                "give url for cloudevents; for slack and teams put the address into the file of secret alone"
            )
        return self
