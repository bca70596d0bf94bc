"""Opens the addresses on which the server listens.

1. Plaintext is allowed on loopback only, TLS on every address.
2. gRPC either demands a client certificate or does not ask for one. So a server that accepts callers with and without
   certificates needs two addresses.
"""

from collections.abc import Callable, Mapping

import grpc

from pdp.address import is_address, is_local
from pdp.authn.tls_files import TlsContent, TlsFiles
from pdp.config import Config, Tls
from pdp.errors import SetupError


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
    if config.masking.ticket_listen:
        ports.append(_opened(server, config.masking.ticket_listen, _Files(config.tls, began, demanding=False)))
    if both:
        ports.append(_opened(server, config.tls.client_listen, _Files(config.tls, began, demanding=True)))
    return ports


def ports_of(config: Config) -> list[int]:
    """The ports of the configured addresses, as `listen` returns them. Each must be named: port 0 is not allowed."""
    more = [config.masking.ticket_listen, config.tls.client_listen if config.tls else ""]
    places = [config.listen, *filter(None, more)]
    return [int(place.rpartition(":")[2]) for place in places]


def require_addresses(config: Config) -> None:
    """Raise `SetupError` that names the first place to listen on which is not `host:port`, or not for plaintext."""
    places = {"listen": config.listen}
    if config.tls and config.tls.client_listen:
        places["tls.client_listen"] = config.tls.client_listen
    if config.masking.ticket_listen:
        places["masking.ticket_listen"] = config.masking.ticket_listen
    if config.http:
        places["http.listen"] = config.http.listen
    if config.http and config.http.client_listen:
        places["http.client_listen"] = config.http.client_listen
    if config.operations and not config.operations.listen.startswith("unix:"):
        places["operations.listen"] = config.operations.listen
    for field, address in places.items():
        if not is_address(address):
            port = address.removeprefix(":")
            example = f"127.0.0.1:{port if port.isdecimal() else 4770}"
            raise SetupError(f"{field}: {address!r} is not host:port; write it like {example}")
    if config.tls is None:
        require_loopback(config.listen)
    _refuse_one_for_two(places)
    demands = config.tls is not None and config.tls.client_ca is not None and not config.tls.client_listen
    if config.masking.ticket_listen and not demands:
        raise SetupError(
            "masking.ticket_listen: leave it out; `listen` takes tickets, as it demands no client certificates"
        )


def _refuse_one_for_two(places: Mapping[str, str]) -> None:
    """Two places cannot be one address; port 0 is another port each time."""
    fields: dict[str, str] = {}
    for field, address in places.items():
        first = fields.setdefault(address, field)
        if first != field and not address.endswith(":0"):
            raise SetupError(f"{field}: {address} is the address of {first}, too; give it another port")


def require_loopback(address: str, field: str = "listen", otherwise: str = "") -> None:
    """Raise `SetupError` if others could read the plaintext sent to `address`. `otherwise` is one more way out."""
    if address.startswith("unix:") or not is_local(address):
        raise SetupError(
            f"{field}: {address} is not on loopback; give certificate and key under [tls], {otherwise}or without TLS "
            "listen on 127.0.0.1, ::1 or localhost"
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
        self._began, self._demanding = began, demanding
        self._files = TlsFiles(tls, demanding=demanding)

    def credentials(self) -> grpc.ServerCredentials:
        """The credentials of the listener. Raises `SetupError` if the files cannot be used."""
        return grpc.dynamic_ssl_server_credentials(
            _configuration(self._files.content()),
            self._asked,  # type: ignore[arg-type]  # the stubs lack its None, for unchanged
            require_client_authentication=self._demanding,
        )

    def _asked(self) -> grpc.ServerCertificateConfiguration | None:
        """What gRPC asks for at the beginning of each handshake."""
        self._began()
        content = self._files.changed()
        return None if content is None else _configuration(content)


def _configuration(content: TlsContent) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(content.key, content.chain)], content.signers)
