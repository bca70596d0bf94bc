"""HTTP/2 pings, by which both ends notice that a connection is dead.

gRPC's servers close a connection that sends more than two pings in five minutes without data. Ours takes one each 10 s,
also while no call waits, so that the usual settings of clients (30 s, 20 s to answer) are welcome.
"""

PING_SECONDS = 10.0
"""Seconds between two pings of a client."""
_EARLY = 0.9
"""A ping may come a tenth early: clocks and networks are not exact."""


def keepalive(seconds: float) -> list[tuple[str, int]]:
    """The options of a server that takes a ping of each client every `seconds`, and sends its own as clients do."""
    return [
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.http2.ping_timeout_ms", 20_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", int(seconds * 1000 * _EARLY)),
    ]
