"""The only file that reads environment variables. Each has a command-line option of the same name."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEFAULT_ADDRESS = "127.0.0.1:4770"
DEFAULT_STATE = Path(".placet")
TRACE_PROTOCOL = "http/protobuf"
"""How spans are sent, and OpenTelemetry's own default."""


@dataclass(frozen=True, slots=True)
class Environment:
    """The environment variables that the commands read.

    * `PDP_ADDRESS` is the server's address, `PDP_TOKEN` the bearer token for it. `PDP_TOKEN_FILE` is a file that holds
      the token, for one that something renews; it counts where `PDP_TOKEN` is not set.
    * `PDP_KEEPALIVE` is how many seconds lie between two pings.
    * `PDP_CA` is the file with the authority of the server's certificate. `PDP_CERTIFICATE` and `PDP_KEY` are the
      client's certificate and key, for a server that asks for one.
    * `PDP_STATE` is the folder of a `pdp dev` stack; `names_state` and `names_address` say
      whether the variables are set.
    * `PDP_CONFIG` is the server's configuration file.
    * `PDP_TOOL_CACHE` is the folder for tools that are fetched once, and for masks that were compiled.
    * `OTEL_TRACES_EXPORTER`, `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_PROTOCOL` (and their like for traces
      alone) and `OTEL_SDK_DISABLED` say whether spans are sent, and how; what else begins so is OpenTelemetry's.
    * `XDG_RUNTIME_DIR` is the user's folder for what runs; a `pdp dev` is found there.
    * `CREDENTIALS_DIRECTORY` comes from systemd: the folder of the credentials that it gives to a server.
    * `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` come from systemd: where it is told how a server does, and how
      many microseconds it waits for a sign of life, of that process alone.
    """

    address: str
    token: str
    token_file: str
    state: Path
    config: Path | None
    tool_cache: Path
    ca: str
    certificate: str
    key: str
    names_address: bool
    names_state: bool
    runtime: Path | None
    is_traced: bool
    trace_protocol: str
    credentials: str
    notify_socket: str
    watchdog_seconds: float

    @staticmethod
    def quieten_grpc() -> None:
        """Keep the gRPC library from writing notes into our output; what matters comes as an error.

        Its fork handlers write such notes, too. They are switched off because we fork only to exec.
        """
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

    @staticmethod
    def inherited() -> Mapping[str, str]:
        """The whole environment, for a child process that is the user's own command."""
        return os.environ

    @classmethod
    def read(cls, variables: Mapping[str, str] = os.environ) -> "Environment":
        """Read the process's environment, or the given `variables` in its place."""
        config = variables.get("PDP_CONFIG")
        return cls(
            variables.get("PDP_ADDRESS") or DEFAULT_ADDRESS,
            variables.get("PDP_TOKEN", ""),
            variables.get("PDP_TOKEN_FILE", ""),
            Path(variables.get("PDP_STATE") or DEFAULT_STATE),
            Path(config) if config else None,
            _tool_cache(variables),
            variables.get("PDP_CA", ""),
            variables.get("PDP_CERTIFICATE", ""),
            variables.get("PDP_KEY", ""),
            bool(variables.get("PDP_ADDRESS")),
            bool(variables.get("PDP_STATE")),
            Path(variables["XDG_RUNTIME_DIR"]) if variables.get("XDG_RUNTIME_DIR") else None,
            _is_traced(variables),
            _of_traces(variables, "PROTOCOL") or TRACE_PROTOCOL,
            variables.get("CREDENTIALS_DIRECTORY", ""),
            variables.get("NOTIFY_SOCKET", ""),
            _watchdog_seconds(variables),
        )


def _tool_cache(variables: Mapping[str, str]) -> Path:
    if named := variables.get("PDP_TOOL_CACHE"):
        return Path(named)
    return Path(variables.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "placet"


def _is_traced(variables: Mapping[str, str]) -> bool:
    """Whether the environment asks for spans: without an endpoint nothing leaves, unless an exporter is named."""
    if variables.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    if named := variables.get("OTEL_TRACES_EXPORTER", "").strip():
        return "otlp" in [one.strip() for one in named.split(",")]
    return bool(_of_traces(variables, "ENDPOINT"))


def _of_traces(variables: Mapping[str, str], name: str) -> str:
    """A variable of OTLP: the one for traces counts before the one for all."""
    return variables.get(f"OTEL_EXPORTER_OTLP_TRACES_{name}") or variables.get(f"OTEL_EXPORTER_OTLP_{name}") or ""


def _watchdog_seconds(variables: Mapping[str, str]) -> float:
    """The longest time without a sign of life; 0 if none is waited for, or that of another process is."""
    is_ours = variables.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    microseconds = variables.get("WATCHDOG_USEC", "")
    return int(microseconds) / 1_000_000 if is_ours and microseconds.isdecimal() else 0.0
