"""The console entry: `pdp`, also `python -m pdp`."""

from pdp.cli import app, exit_code
from pdp.environment import Environment


def main() -> None:
    """Run the command line."""
    Environment.quieten_grpc()
    try:
        app()
    except ModuleNotFoundError as error:
        if (error.name or "pdp").startswith("pdp"):
            raise
        raise SystemExit(exit_code.missing(error)) from None


if __name__ == "__main__":
    main()
