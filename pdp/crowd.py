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

MANY = 8
"""Calls in flight here beyond which the share that is worth a start waits for a pace, too.

A loop that is always busy takes calls from gRPC one by one, so that a crowd of 64 looks like one of 10, and its share
goes on with a few others while gRPC holds back the rest. Measured in turns: with the pace, 64 in flight are 1.2 times
as many a second, and each takes 0.85 times of this process, 0.8 of OPA and 0.65 of MongoDB; 16 in flight are 0.8 times
as many, 8 and 256 as many as without it.
"""


def worth(crowd: float) -> float:
    """How many of a crowd are worth a start before the pace is over."""
    return SHARE * min(crowd, FEW) + SHARE_OF_MANY * max(crowd - FEW, 0.0)
