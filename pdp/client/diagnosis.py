"""Why a server does not answer, as far as one more connection tells: often one side speaks TLS, and the other not."""

import asyncio
import socket
import ssl

from pdp.client.call_error import CallError

SECONDS = 2.0
"""Seconds that the connection, and each answer on it, may take."""
_WRONG_NAME = {62, 64}
"""OpenSSL's codes for a certificate of another host name or address (X509_V_ERR_HOSTNAME_MISMATCH, IP_ADDRESS)."""
_EXPIRED = 10
_NO_CONNECTION = "failed to connect"
"""How gRPC's words begin where no connection came about."""


async def explained(error: CallError, *at: str) -> CallError:
    """The error of a call; where no connection came about, in words about the address and what to do (`silence`)."""
    if error.reason != "UNAVAILABLE" or not error.sentence.startswith(_NO_CONNECTION):
        return error
    return CallError(error.code, error.reason, await asyncio.to_thread(silence, *at))


def silence(address: str, ca: str = "", certificate: str = "", key: str = "") -> str:
    """What a person is told of a server that does not answer, and what to do about it."""
    if why := cause(address, ca, certificate, key):
        return f"the server at {address} gives no answer: {why}."
    return f"nothing answers at {address}.\nStart `pdp dev`, or name the server with --address (or PDP_ADDRESS)."


def cause(address: str, ca: str = "", certificate: str = "", key: str = "") -> str:
    """A sentence about the server at `address` (`host:port`), which did not answer; empty if nothing listens there.

    The files are those that the client has, in PEM; without `ca` it speaks plaintext.
    """
    host, _, port = address.rpartition(":")
    if address.startswith("unix:") or not port.isdigit():
        return ""
    try:
        with socket.create_connection((host.strip("[]"), int(port)), SECONDS) as connection:
            return _secure(connection, host.strip("[]"), ca, certificate, key) if ca else _plain(connection)
    except OSError:
        return ""


def _plain(connection: socket.socket) -> str:
    """What a server says to a client without TLS: one with TLS takes the beginning of a TLS session."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is sent but this greeting
    context.set_alpn_protocols(["h2"])
    try:
        with context.wrap_socket(connection):
            return "it speaks TLS; pass --ca FILE (or PDP_CA), the PEM file of the server's authority"
    except ssl.SSLError:
        return ""


def _secure(connection: socket.socket, host: str, ca: str, certificate: str, key: str) -> str:
    context = ssl.create_default_context(cafile=ca)
    context.set_alpn_protocols(["h2"])
    if certificate:
        context.load_cert_chain(certificate, key)
    try:
        with context.wrap_socket(connection, server_hostname=host) as secure:
            is_refused = not secure.recv(1)  # with TLS 1.3 a refused client hears of it only here
    except ssl.SSLCertVerificationError as error:
        return _untrusted(error.verify_code, host, ca)
    except ssl.SSLError as error:
        if "ALERT" not in (error.reason or ""):
            return "it does not speak TLS; leave --ca (and PDP_CA) out"
        is_refused = True
    except ConnectionError:
        is_refused = True
    return _refused(certificate) if is_refused else ""


def _untrusted(code: int, host: str, ca: str) -> str:
    if code in _WRONG_NAME:
        return f"its certificate is not for the name {host}; call it by a name that the certificate has"
    if code == _EXPIRED:
        return "its certificate has expired"
    return f"no authority in {ca} signed its certificate; pass its own authority with --ca"


def _refused(certificate: str) -> str:
    if certificate:
        return f"it does not accept the client certificate {certificate}"
    return "it demands a client certificate; pass --certificate and --key"
