"""Opens the addresses on which the server listens.

1. Plaintext is allowed on loopback only, TLS on every address.
2. gRPC either demands a client certificate or does not ask for one. So a server that accepts callers with and without
   certificates needs two addresses.
"""

import logging
from collections.abc import Callable
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from pdp.address import is_local
from pdp.authn.authorities import authorities
from pdp.config import Config, Tls
from pdp.errors import SetupError
from pdp.keys import require_secret, stamp

log = logging.getLogger(__name__)

_Stamp = tuple[tuple[int, int, int], ...]


def listen(server: grpc.aio.Server, config: Config, began: Callable[[], None]) -> list[int]:
    """Open the configured addresses and return their ports. Raises `SetupError` if one cannot be used.

    `began` is called at the beginning of each TLS handshake, from a thread of gRPC.
    """
    if config.tls is None:
        require_loopback(config.listen)
        return [_opened(server, config.listen, None)]
    both = bool(config.tls.client_listen)
    demanding = config.tls.client_ca is not None and not both
    ports = [_opened(server, config.listen, _Files(config.tls, began, demanding=demanding))]
    if both:
        ports.append(_opened(server, config.tls.client_listen, _Files(config.tls, began, demanding=True)))
    return ports


def require_loopback(address: str) -> None:
    """Raise `SetupError` if others could read the plaintext that is sent to `address`."""
    if address.startswith("unix:") or not is_local(address):
        raise SetupError(
            f"listen: {address} is not on loopback; give certificate and key under [tls], or without TLS listen on "
            "127.0.0.1, ::1 or localhost"
        )


def _opened(server: grpc.aio.Server, address: str, files: "_Files | None") -> int:
    try:
        if files is None:
            return server.add_insecure_port(address)
        return server.add_secure_port(address, files.credentials())
    except RuntimeError:
        raise SetupError(f"cannot listen on {address}; another program may, choose another with --listen") from None


class _Files:
    """The files of a TLS listener. Each new connection uses their present content."""

    def __init__(self, tls: Tls, began: Callable[[], None], *, demanding: bool) -> None:
        self._tls, self._began, self._demanding = tls, began, demanding
        self._stamp = self._stamps()

    def credentials(self) -> grpc.ServerCredentials:
        """The credentials of the listener. Raises `SetupError` if the files cannot be used."""
        return grpc.dynamic_ssl_server_credentials(
            self._configuration(),
            self._asked,  # type: ignore[arg-type]  # the stubs lack its None, for unchanged
            require_client_authentication=self._demanding,
        )

    def _asked(self) -> grpc.ServerCertificateConfiguration | None:
        """What gRPC asks for at the beginning of each handshake."""
        self._began()
        return self._changed()

    def _changed(self) -> grpc.ServerCertificateConfiguration | None:
        """The files' content if it has changed, else None. If the new content cannot be used, the last one stays."""
        now = self._stamps()
        if now == self._stamp:
            return None
        self._stamp = now
        try:
            return self._configuration()
        except SetupError as error:
            log.warning("the last TLS files stay in use: %s", error.sentence)
            return None

    def _stamps(self) -> _Stamp:
        return tuple(stamp(path) for path in (self._tls.certificate, self._tls.key, self._tls.client_ca) if path)

    def _configuration(self) -> grpc.ServerCertificateConfiguration:
        if self._tls.key.exists():
            require_secret(self._tls.key)
        chain, key = _bytes(self._tls.certificate, "certificate"), _bytes(self._tls.key, "key")
        try:
            private = load_pem_private_key(key, None).public_key()
            public = x509.load_pem_x509_certificates(chain)[0].public_key()
        except (ValueError, TypeError):
            raise SetupError(
                f"tls: {self._tls.certificate} or {self._tls.key} is not a PEM file without a password"
            ) from None
        if _der(private) != _der(public):
            raise SetupError(f"tls: {self._tls.key} is not the key of {self._tls.certificate}")
        signers = authorities(self._tls.client_ca) if self._demanding and self._tls.client_ca else None
        return grpc.ssl_server_certificate_configuration([(key, chain)], signers)


def _der(key: object) -> bytes:
    return bytes(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))  # type: ignore[attr-defined]  # a union


def _bytes(path: Path, field: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise SetupError(f"tls.{field}: {path} cannot be read") from None
