"""The kernels that mask, compiled beside everything else; until they are, health does not say SERVING."""

import asyncio
import logging
import sys
import threading
from pathlib import Path

from pdp.environment import Environment

log = logging.getLogger(__name__)


class Warming:
    """Compiles in a daemon thread, which does not keep the process from ending.

    What an earlier process kept below `folder` is taken from there instead, where that is safe.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._done = threading.Event()
        self._thread = threading.Thread(target=self.warm, name="warming", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    async def is_done(self) -> bool:
        """A probe for health."""
        return self._done.is_set()

    def warm(self) -> None:
        """Compile in this thread."""
        try:
            from masker.kept_kernels import keep_kernels  # noqa: PLC0415  # an extra, and a second to import
            from masker.warm import warm_all  # noqa: PLC0415
            from pdp.masking.rows import Rows  # noqa: PLC0415

            Rows.of_records(['{"a": ""}'])  # pyarrow imports pandas where it is: half a second that no call has
            keep_kernels(self._folder)
            warm_all()
        except Exception:
            log.exception("the masks could not be compiled; this server does not become healthy")
        else:
            self._done.set()


def main() -> None:
    """`python -m pdp.masking.warming`: keep the compiled masks in the folder for tools, as in an image."""
    warming = Warming(Environment.read().tool_cache)
    warming.warm()
    sys.exit(0 if asyncio.run(warming.is_done()) else 1)


if __name__ == "__main__":
    main()
