"""What the server's connections may cost: how many there are, how long a silent one stays, and what waits unread.

All of it bounds what a client costs before anybody knows who it is.
"""

import logging
from contextlib import suppress
from dataclasses import dataclass

from pdp.http import places
from pdp.server.edge import STREAM_SECONDS
from pdp.server.pings import PING_SECONDS, keepalive
from pdp.server.share import Share
from pdp.service.info import MESSAGE_BYTES

log = logging.getLogger(__name__)

CONNECTIONS = 10_000
"""Connections at one time, if there are descriptors for them. One costs 15 KiB in plaintext and 45 KiB with TLS."""
OTHER_DESCRIPTORS = 256
"""Descriptors for all that is not a client's connection: MongoDB, OPA, webhooks, issuers and files."""
ENOUGH = CONNECTIONS + places.MOST + OTHER_DESCRIPTORS
"""Descriptors of a process that takes as many connections as it can on both faces."""
HANDSHAKE_SECONDS = 5
"""Seconds for TLS and the first frames of HTTP/2."""
IDLE_SECONDS = 300
"""Seconds after which a connection without a call is closed."""
AGE_SECONDS = 600.0
"""Seconds after which a client is asked to come with a new connection."""
MAX_STREAMS = 1024
"""Calls at one time on one connection, waits and watches among them. A client's further calls wait for one to end."""
UNREAD_BYTES = 16 * 1024
"""Bytes of a message that gRPC takes before anybody asks for it: the flow-control window, which gRPC would widen."""
UNSEEN_CALLS = 4096
"""Calls that have come and that no handler has seen; gRPC cancels further ones. With `UNREAD_BYTES` each they hold
64 MiB. It is the calls of four connections, because a burst of one client must not fail others."""
NO_COMPRESSION = 0b1
"""The bit of "identity": a compressed message is refused. 4 KiB of gzip become 4 MiB before its caller is known."""
MAX_METADATA_BYTES = 8 * 1024
"""Bytes of a call's metadata. It has room for one token of the largest size that is accepted."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """How many connections each face takes at one time."""

    grpc: int = CONNECTIONS
    http: int = 0


def options(rooms: Rooms, share: Share | None = None) -> list[tuple[str, int]]:
    """The options of the gRPC server, which may have an address together with others."""
    return [
        ("grpc.max_receive_message_length", MESSAGE_BYTES),
        ("grpc.max_send_message_length", MESSAGE_BYTES),
        ("grpc.max_metadata_size", MAX_METADATA_BYTES),
        ("grpc.absolute_max_metadata_size", MAX_METADATA_BYTES),
        ("grpc.max_concurrent_streams", MAX_STREAMS),
        ("grpc.so_reuseport", int(share is not None)),
        *keepalive(PING_SECONDS),
        ("grpc.max_connection_age_ms", int(1000 * (share.connection_seconds if share else AGE_SECONDS))),
        ("grpc.max_connection_age_grace_ms", int(STREAM_SECONDS * 1000)),
        ("grpc.max_connection_idle_ms", IDLE_SECONDS * 1000),
        ("grpc.max_allowed_incoming_connections", rooms.grpc),
        ("grpc.server_handshake_timeout_ms", HANDSHAKE_SECONDS * 1000),
        ("grpc.server.max_pending_requests", UNSEEN_CALLS),
        ("grpc.server.max_pending_requests_hard_limit", UNSEEN_CALLS),
        ("grpc.http2.lookahead_bytes", UNREAD_BYTES),
        ("grpc.http2.bdp_probe", 0),
        ("grpc.compression_enabled_algorithms_bitset", NO_COMPRESSION),
    ]


def descriptors() -> int:
    """Raise this process's limit of open descriptors as far as the system lets it, and return it."""
    try:
        import resource  # noqa: PLC0415  # Windows has no such limit
    except ImportError:
        return ENOUGH
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # some systems call it unlimited and then allow less
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    now, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return ENOUGH if now == resource.RLIM_INFINITY else now


def rooms(allowed: int, *, http: bool) -> Rooms:
    """How many connections so many descriptors leave room for, said in the log if they are fewer than there may be.

    With the HTTP face both have less, in proportion.
    """
    wanted = Rooms(CONNECTIONS, places.MOST if http else 0)
    both, left = wanted.grpc + wanted.http, max(allowed - OTHER_DESCRIPTORS, allowed // 2)
    if left >= both:
        return wanted
    share = left * wanted.http // both
    log.warning(
        "this process may have %d descriptors, so it takes %d connections, %d of them over HTTP; for %d let it have %d"
        " (ulimit -Hn)",
        allowed,
        left,
        share,
        both,
        both + OTHER_DESCRIPTORS,
    )
    return Rooms(left - share, share)
