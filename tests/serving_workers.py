"""`pdp serve --workers` with connections that last a second: `python -m tests.serving_workers CONFIG COUNT`."""

import sys
from pathlib import Path

from pdp.cli.exit_code import fail
from pdp.cli.serve import run_until_stopped
from pdp.cli.workers import serve_with_workers
from pdp.errors import PdpError

CONNECTION_SECONDS = 1.0

if __name__ == "__main__":
    try:
        run_until_stopped(serve_with_workers(Path(sys.argv[1]), {}, int(sys.argv[2]), CONNECTION_SECONDS))
    except PdpError as error:
        fail(error.sentence)
