"""The console entry: `pdp`, also `python -m pdp`."""

from pdp.cli import app, exit_code, streams
from pdp.environment import Environment


def main() -> None:
    """Run the command line."""
    Environment.quieten_grpc()
    streams.prepare()
    try:
        app()
    except ModuleNotFoundError as error:
        if (error.name or "pdp").startswith("pdp"):
            raise
        raise SystemExit(exit_code.missing(error)) from None
    except BaseException as end:
        if streams.is_closed(end) or not streams.flushed():
            streams.end_quietly()
        raise


if __name__ == "__main__":
    main()
