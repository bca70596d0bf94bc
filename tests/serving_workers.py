"""`pdp serve --workers`, left by clients in seconds: `python -m tests.serving_workers CONFIG COUNT`."""

import sys
from pathlib import Path

from pdp.cli import serving_log
from pdp.cli.serve import run_on_loop, stop_signal, stopped
from pdp.cli.workers import Given, serve_with_workers
from pdp.logs import LogFormat, LogLevel

SECONDS = {"connection_seconds": 1.0, "stream_seconds": 1.0}

if __name__ == "__main__":
    with serving_log.whole(LogFormat.CONSOLE, LogLevel.WARNING) as logs:
        given = Given(Path(sys.argv[1]), {}, int(sys.argv[2]), LogLevel.WARNING, **SECONDS)
        run_on_loop(serve_with_workers(given, logs, stop_signal, stopped))
