"""The console entry: `pdp`, also `python -m pdp`."""

from pdp.cli import app
from pdp.environment import Environment


def main() -> None:
    """Run the command line."""
    Environment.quieten_grpc()
    app()


if __name__ == "__main__":
    main()
