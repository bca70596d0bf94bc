"""The part `[slack]` of the configuration: the app in the team's Slack, and which channels hear what."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from pdp.identity_source import ConfigPath, Frozen

_SlackId = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,32}$")]


class SlackSettings(Frozen):
    """Slack is connected where this part stands: by Socket Mode with `app_token`, over HTTP with `signing_secret`."""

    team: _SlackId
    """The id of the team (workspace), such as `T0123ABCD`. Users of another team are nobody here."""
    bot_token: ConfigPath
    """A file with the bot's token (`xoxb-...`): mode 0600, or 0440 with a group of the process."""
    app_token: ConfigPath | None = None
    """A file with the app-level token (`xapp-...`, scope `connections:write`), likewise. Nothing listens then."""
    signing_secret: ConfigPath | None = None
    """A file with the app's signing secret, likewise: clicks come to `POST /slack/interactions` of the HTTP face."""
    channels: dict[str, _SlackId] = Field(default_factory=dict)
    """Channels that are told what waits for a group: `{"data-stewards" = "C0123ABCD"}`."""
    client_id: str = ""
    """The app's client id, for «Sign in with Slack», by which people connect their accounts."""
    client_secret: ConfigPath | None = None
    """A file with the secret that belongs to it, likewise."""

    @model_validator(mode="after")
    def _one_transport(self) -> Self:
        if (self.app_token is None) == (self.signing_secret is None):
            raise ValueError("give app_token (Socket Mode) or signing_secret (HTTP), one of them")
        if bool(self.client_id) != (self.client_secret is not None):
            raise ValueError("give client_id and client_secret together, or none of them")
        return self
