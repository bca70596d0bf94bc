"""How a client reaches a server: in plaintext on this machine, by TLS anywhere."""

from collections.abc import Sequence
from pathlib import Path

import grpc

from pdp.address import is_local

SPREAD = "dns:///"
"""How an address begins whose host has several servers: the calls of a channel go to one after the other."""


def credentials(address: str, ca: str, certificate: str, key: str) -> grpc.ChannelCredentials | None:
    """What a channel to `address` takes: TLS with the authorities in the PEM file `ca`, None for plaintext.

    `certificate` and `key` are the client's own, in PEM. `ValueError` says what is missing.
    """
    if not ca:
        if certificate or key:
            raise ValueError("a certificate goes with TLS: give ca too, the file of the server's authority")
        if not is_local(address.removeprefix(SPREAD)):
            raise ValueError(
                f"{address!r} is not host:port on this machine (127.0.0.1, [::1], localhost) or unix:/path; "
                "a token must not travel in plaintext: give ca, the file of the server's authority, for TLS"
            )
        return None
    if bool(certificate) != bool(key):
        raise ValueError("a certificate and its key go together: give both or neither")
    return grpc.ssl_channel_credentials(
        _read(ca, "ca"),
        _read(key, "key") if key else None,
        _read(certificate, "certificate") if certificate else None,
    )


def opened(
    address: str, secure: grpc.ChannelCredentials | None, options: Sequence[tuple[str, int | str]]
) -> grpc.aio.Channel:
    """A channel with what `credentials` gave."""
    if address.startswith(SPREAD):
        options = [*options, ("grpc.lb_policy_name", "round_robin")]
    if secure is None:
        return grpc.aio.insecure_channel(address, options=options)
    return grpc.aio.secure_channel(address, secure, options=options)


def _read(path: str, name: str) -> bytes:
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ValueError(f"{name} {path!r} cannot be read: {error.strerror}") from None
    if b"-----BEGIN " not in content:
        raise ValueError(f"{name} {path!r} is not a PEM file; it has no line with -----BEGIN")
    return content
