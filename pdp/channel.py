"""Where a verdict comes from. The words are those of the policy, the log and, in capitals, the contract."""

from enum import StrEnum


class Channel(StrEnum):
    """A way in which a person's verdict reaches the server."""

    API = "api"
    WEB = "web"
    SLACK = "slack"
    TEAMS = "teams"


DEFAULT_CHANNELS = (Channel.API, Channel.WEB)
"""Where a yes counts if the policy does not say: where the whole request is shown, and nothing of it in a chat."""
