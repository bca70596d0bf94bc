"""TLS of the HTTP face: the contexts of its listeners, which follow their files as those of gRPC do."""

import os
import ssl
import tempfile

from pdp.authn.tls_files import TlsContent, TlsFiles
from pdp.config import Tls
from pdp.errors import SetupError

HANDSHAKE_SECONDS = 5.0
"""Seconds for TLS, before the timer over the first request begins."""


def context(tls: Tls, *, demanding: bool) -> ssl.SSLContext:
    """A context whose new connections use the files' present content. Raises `SetupError` if it cannot be used."""
    files = TlsFiles(tls, demanding=demanding)
    present = _context(files.content())

    def follow(connection: ssl.SSLObject, _: str | None, __: ssl.SSLContext) -> None:
        nonlocal present
        if (content := files.changed()) is not None:
            present = _context(content)
        connection.context = present

    first = _context(files.content())
    first.sni_callback = follow  # called in each handshake, whether or not the client names a host
    return first


def _context(content: TlsContent) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    made.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
    made.num_tickets = 0  # what is resumed would come without its chain
    _load(made, content)
    if content.signers is not None:
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_verify_locations(cadata=content.signers.decode())
    return made


def _load(made: ssl.SSLContext, content: TlsContent) -> None:
    """Give the context what was checked, and not what its files hold by now: the module `ssl` takes paths alone."""
    file = os.memfd_create("tls") if hasattr(os, "memfd_create") else None
    try:
        if file is None:
            with tempfile.NamedTemporaryFile() as named:
                _write(named.fileno(), content)
                made.load_cert_chain(named.name)
        else:
            _write(file, content)
            made.load_cert_chain(f"/proc/self/fd/{file}")
    except ssl.SSLError:
        raise SetupError("tls: the certificate or its key cannot be used") from None
    finally:
        if file is not None:
            os.close(file)


def _write(file: int, content: TlsContent) -> None:
    os.write(file, content.key + b"\n" + content.chain)
