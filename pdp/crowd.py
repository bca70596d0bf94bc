"""How many of the calls in flight are worth waiting for, so that they go on together: to OPA, and into the log."""

SHARE, SHARE_OF_MANY = 0.4, 0.8
"""The share of a small crowd that is worth going on without the others, and that of what is beyond `FEW`.

Measured with a larger share for all: 2 and 8 calls in flight are 0.6 times as many a second. With the small one for
all, 64 and 256 calls take a sixth more of this process, a quarter more of OPA and half more of MongoDB each.
"""
FEW = 32
"""Calls in flight that are a small crowd."""
DECAY = 0.9
"""The share of the last crowd that still counts at the next start.

A crowd is a decaying maximum, because gRPC hides calls that it has not handed over yet. With 0.9 a crowd of 64 counts
as a lone caller after 40 starts.
"""


def worth(crowd: float) -> float:
    """How many of a crowd are worth a start before the pace is over."""
    return SHARE * min(crowd, FEW) + SHARE_OF_MANY * max(crowd - FEW, 0.0)
