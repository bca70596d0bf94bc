"""The log of `pdp serve`: what it says from its first line to its last is in one form, also why it does not start."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from pdp.cli import exit_code
from pdp.errors import PdpError
from pdp.log_line import exception
from pdp.logs import LogFormat, LogLevel, Logs

FAILED = "the server failed, so it ends"


@contextmanager
def whole(form: LogFormat, level: LogLevel, worker: int | None = None) -> Iterator[Logs]:
    """The log of the block. An error in it becomes the last line, and the exit status.

    An extra that is not installed is left to the console's entry, which says how to get it. `worker` is the number of
    this process among those of the server.
    """
    logs = Logs(form, level, worker=worker)
    try:
        yield logs
    except PdpError as error:
        logs.fail(error.sentence)
        raise typer.Exit(exit_code.of_error(error)) from None
    except (ModuleNotFoundError, typer.Exit, KeyboardInterrupt):
        raise
    except Exception as error:  # noqa: BLE001  # a traceback would not be one line, and may quote a request
        logs.fail(f"{FAILED}: {exception(error)}")
        raise typer.Exit(exit_code.FAILURE) from None
    finally:
        logs.close()
