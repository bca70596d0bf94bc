"""The console entry: `pdp`, also `python -m pdp`."""

import gc
import sys

from pdp import blocking, closed_streams


def main() -> None:
    """Run the command line."""
    closed_streams.replace()
    if status := blocking.status_of(sys.argv[1:]):
        blocking.supervised(status)  # before anything is imported that takes a while
    from pdp.environment import Environment

    try:
        from pdp.cli import app, exit_code, streams
        from pdp.say import say
    except ModuleNotFoundError as error:
        if (error.name or "pdp").startswith("pdp"):
            raise
        raise SystemExit(f"pdp: the command line needs {error.name}: pip install 'placet[cli]'") from None

    Environment.quieten_grpc()
    streams.prepare()
    try:
        app()
    except ModuleNotFoundError as error:
        if (error.name or "pdp").startswith("pdp"):
            raise
        raise SystemExit(exit_code.missing(error)) from None
    except BaseException as end:
        if why := streams.unwritable(end):
            say(f"cannot write standard output: {why}")
            streams.end_quietly(exit_code.USAGE)
        if streams.is_closed(end) or not streams.flushed():
            streams.end_quietly()
        raise
    finally:
        gc.freeze()  # what the process still holds goes with it: to look through a policy's trees took half a second


if __name__ == "__main__":
    main()
