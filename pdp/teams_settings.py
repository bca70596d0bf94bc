"""The part `[teams]` of the configuration: the bot in the tenant's Teams, and which channels hear what."""

from typing import Annotated

from pydantic import Field, StringConstraints

from pdp.identity_source import ConfigPath, Frozen

_Guid = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", to_lower=True)]
_ChannelId = Annotated[str, StringConstraints(pattern=r"^19:[!-~]{1,200}@thread\.(tacv2|skype)$")]


class TeamsSettings(Frozen):
    """Microsoft Teams is connected where this part stands. Clicks come to `POST /teams/messages` of the HTTP face.

    The bot's app is also the one at which people sign in to connect their accounts, by Entra.
    """

    app_id: _Guid
    """The app (client) id of the bot's registration in Entra."""
    tenant: _Guid
    """The id of the tenant (directory). People of another one are nobody here."""
    secret: ConfigPath
    """A file with the client secret of the registration: mode 0600, or 0440 with a group of the process. It is read
    for each token, and for each person who connects an account."""
    channels: dict[str, _ChannelId] = Field(default_factory=dict)
    """Channels that are told what waits for a group: `{"data-stewards" = "19:...@thread.tacv2"}`."""
