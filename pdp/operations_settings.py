"""The part `[operations]` of the configuration: what operators see of a server, and how it stops."""

from pydantic import Field

from pdp.identity_source import Frozen


class Operations(Frozen):
    """Health and metrics over plain HTTP, for probes and scrapes, which carry no credential."""

    listen: str = "127.0.0.1:4790"
    """`host:port`, off loopback too, because nothing on it is secret; port 0 takes a free one."""
    drain_seconds: float = Field(default=5.0, ge=0, le=300)
    """Seconds between NOT_SERVING and the end of new calls, in which balancers look again."""
    access_log: bool = False
    """Write a line to the log for each call."""
    rule_metrics: bool = False
    """Count decisions by the rule that made them, too. Its names come from the policy, so bound their number."""
