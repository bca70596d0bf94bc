"""What workers are told by the process that starts them: a file in a folder that only their user can enter."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

from pdp.config import Config, load
from pdp.errors import SetupError
from pdp.operations_settings import Operations
from pdp.server.share import Share

_FILE = "order.json"


@dataclass(frozen=True, slots=True)
class Order:
    """What all workers are told. It holds the URI of MongoDB if that came from the command line."""

    config: str
    """The path of the configuration, which each worker reads when it starts."""
    changes: Mapping[str, str]
    """What the command line says in place of the configuration."""
    addresses: Mapping[str, tuple[str, str]]
    """Each address as the configuration names it, and as it is opened, by its field."""
    connection_seconds: float
    stream_seconds: float
    log_format: str
    log_level: str
    opas: tuple[str, ...] = ()
    """The URLs of the OPAs; none where the operator runs one."""

    def write(self, folder: Path) -> Path:
        """Write the order for the workers of this folder, and return its file."""
        part = folder / f".{_FILE}"
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(self), file)
        return part.replace(folder / _FILE)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The order in this folder. Raises `SetupError`."""
        try:
            said = json.loads((folder / _FILE).read_bytes())
            return cls(**{**said, "opas": tuple(said["opas"])})
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise SetupError(f"{folder / _FILE} cannot be read ({error}); a worker is started by `pdp serve`") from None

    def configuration(self, status: Path) -> Config:
        """The configuration of a worker that shows its health on the socket `status`. Raises `SetupError`."""
        config = load(Path(self.config), self.changes)
        if addresses(config) != {field: named for field, (named, _) in self.addresses.items()}:
            raise SetupError("the addresses in the configuration changed; end `pdp serve` and start it again")
        opened = with_addresses(config, {field: opened for field, (_, opened) in self.addresses.items()})
        own = replace_listen(config.operations, f"unix:{status}")
        return opened.model_copy(update={"operations": own})

    def share(self, number: int, folder: Path) -> Share:
        """The place of one worker."""
        of_opa = number % len(self.opas) if self.opas else 0
        share = Share(number, self.connection_seconds, folder / "handed")
        return replace(share, opa=self.opas[of_opa], opa_number=of_opa) if self.opas else share


def replace_listen(operations: Operations | None, listen: str) -> Operations:
    """The part of operations with another address; without the part, with no pause before the drain."""
    return (operations or Operations(drain_seconds=0)).model_copy(update={"listen": listen})


def addresses(config: Config) -> dict[str, str]:
    """The addresses that the workers share, by their fields."""
    found = {"listen": config.listen}
    if config.tls and config.tls.client_listen:
        found["tls.client_listen"] = config.tls.client_listen
    if config.http:
        found["http.listen"] = config.http.listen
    if config.http and config.http.client_listen:
        found["http.client_listen"] = config.http.client_listen
    return found


def with_addresses(config: Config, opened: Mapping[str, str]) -> Config:
    """The configuration with these addresses."""
    update: dict[str, object] = {"listen": opened["listen"]}
    if config.tls and "tls.client_listen" in opened:
        update["tls"] = config.tls.model_copy(update={"client_listen": opened["tls.client_listen"]})
    if config.http:
        own = {field.removeprefix("http."): named for field, named in opened.items() if field.startswith("http.")}
        update["http"] = config.http.model_copy(update=own)
    return config.model_copy(update=update)
