"""What lies outside a server, where it always is: no setting moves any of it, only `pdp dev` and tests do."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pdp.channels.slack.web import HOST
from pdp.channels.ways import Way
from pdp.microsoft import Microsoft
from pdp.server.inbox import DemoLogin
from pdp.server.linking import SlackIssuer


@dataclass(frozen=True, slots=True)
class Outside:
    """The services of others, and ways to tell people beside those of the configuration."""

    demo: DemoLogin | None = None
    """Who lets people in where no login is configured."""
    slack_host: str = HOST
    """Where Slack is."""
    slack_issuer: SlackIssuer = field(default_factory=SlackIssuer)
    """Who signs who people are in Slack."""
    microsoft: Microsoft = field(default_factory=Microsoft)
    """Where the services of Teams are."""
    ways: Sequence[Way] = ()
