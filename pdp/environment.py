"""The only reader of environment variables; each has the command-line option of the same name."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEFAULT_ADDRESS = "127.0.0.1:4770"
DEFAULT_STATE = Path(".placet")


@dataclass(frozen=True, slots=True)
class Environment:
    """What the commands take from their environment.

    `PDP_ADDRESS` and `PDP_TOKEN` reach a server, by TLS with the authority in the file `PDP_CA` and, where it asks for
    one, the certificate in `PDP_CERTIFICATE` with its `PDP_KEY`. `PDP_STATE` is the folder of a `pdp dev` stack,
    `PDP_CONFIG` the server's configuration file, `PDP_TOOL_CACHE` the folder for tools that are fetched once.
    """

    address: str
    token: str
    state: Path
    config: Path | None
    tool_cache: Path
    ca: str
    certificate: str
    key: str

    @staticmethod
    def quieten_grpc() -> None:
        """No notes of the library in the middle of our output: what matters comes as an error.

        No fork handlers either, which write such notes: we fork only to exec.
        """
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

    @staticmethod
    def inherited() -> Mapping[str, str]:
        """Everything, for a child that is the user's own command."""
        return os.environ

    @classmethod
    def read(cls, variables: Mapping[str, str] = os.environ) -> "Environment":
        """Read the process's environment, or what stands for it."""
        config = variables.get("PDP_CONFIG")
        return cls(
            variables.get("PDP_ADDRESS") or DEFAULT_ADDRESS,
            variables.get("PDP_TOKEN", ""),
            Path(variables.get("PDP_STATE") or DEFAULT_STATE),
            Path(config) if config else None,
            _tool_cache(variables),
            variables.get("PDP_CA", ""),
            variables.get("PDP_CERTIFICATE", ""),
            variables.get("PDP_KEY", ""),
        )


def _tool_cache(variables: Mapping[str, str]) -> Path:
    if named := variables.get("PDP_TOOL_CACHE"):
        return Path(named)
    return Path(variables.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "placet"
