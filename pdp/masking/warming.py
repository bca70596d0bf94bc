"""The kernels that mask, compiled beside everything else; until they are, health does not say SERVING."""

import logging
import threading

log = logging.getLogger(__name__)


class Warming:
    """Compiles in a daemon thread, which does not keep the process from ending."""

    def __init__(self) -> None:
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._warm, name="warming", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    async def is_done(self) -> bool:
        """A probe for health."""
        return self._done.is_set()

    def _warm(self) -> None:
        try:
            from masker.warm import warm_all  # noqa: PLC0415  # an extra, and a second to import

            warm_all()
        except Exception:
            log.exception("the masks could not be compiled; this server does not become healthy")
        else:
            self._done.set()
