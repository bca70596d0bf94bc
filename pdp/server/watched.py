"""What is told of each call of a server: lines of the access log and spans, as the configuration and `OTEL_*` say."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pdp.call_summary import Calls
from pdp.config import Config
from pdp.environment import TRACE_PROTOCOL, Environment
from pdp.errors import SetupError
from pdp.logs import Logs

log = logging.getLogger(__name__)


@asynccontextmanager
async def watched(config: Config, environment: Environment, logs: Logs) -> AsyncIterator[Calls]:
    """The calls of a server, until the block ends; then the last spans are sent.

    Raises `SetupError` where spans shall be sent in another way than OTLP over HTTP.
    """
    write = logs.access.write if config.operations and config.operations.access_log else None
    if not environment.is_traced:
        yield Calls(write)
        return
    if environment.trace_protocol != TRACE_PROTOCOL:
        raise SetupError(
            f"OTEL_EXPORTER_OTLP_PROTOCOL: Placet sends spans by {TRACE_PROTOCOL} alone; leave it out, and let "
            "OTEL_EXPORTER_OTLP_ENDPOINT name the collector's port for HTTP, which is usually 4318"
        )
    try:
        from pdp.telemetry import Telemetry  # noqa: PLC0415  # an extra, which is loaded only where it is wanted
    except ModuleNotFoundError:
        log.warning("OTEL_* asks for traces, which need `pip install 'placet[otel]'`; this server runs without them")
        yield Calls(write)
        return
    spans = Telemetry()
    try:
        yield Calls(write, spans)
    finally:
        await spans.close()
