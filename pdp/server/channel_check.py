"""Finds out whether a configured channel would take messages, without a server and without a message to anybody."""

from pdp.channels.mail import Mail
from pdp.channels.notice import Channel, Refused
from pdp.channels.slack.channel import SlackChannel
from pdp.channels.slack.web import SlackWeb
from pdp.channels.teams.channel import TeamsChannel
from pdp.channels.teams.connector import Connector
from pdp.config import Config
from pdp.microsoft import Microsoft


def configured(config: Config, name: str) -> Channel | None:
    """The channel of this name; None where it is not configured. Raises `SetupError` where it cannot be used."""
    if name == "mail" and config.mail:
        return Mail(config.mail)
    if name == "slack" and config.slack:
        return SlackChannel(SlackWeb(config.slack.bot_token), config.slack.team)
    if name == "teams" and config.teams:
        held = config.teams
        return TeamsChannel(Connector(held.app_id, held.tenant, held.secret, Microsoft()))
    return None


async def problem_of(channel: Channel) -> str:
    """Why it would take no message, where it was tried and what to do; empty if nothing speaks against it."""
    try:
        await channel.check()
    except Refused as refused:
        return "; ".join(filter(None, [refused.problem, refused.mend]))
    return ""


def names(config: Config) -> list[str]:
    """What can be tried: the webhooks and the channels that are configured."""
    channels = {"mail": config.mail, "slack": config.slack, "teams": config.teams}
    return [*(hook.name for hook in config.webhooks), *(name for name, held in channels.items() if held)]
