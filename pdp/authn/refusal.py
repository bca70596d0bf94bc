"""Why a credential was refused: for the server's log, never for the answer, which tells all callers the same."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)

SILENT_SECONDS = 60.0
"""Seconds for which a sentence that was logged is only counted. It keeps a flood out of the log."""
MAX_SENTENCES = 200
"""Different sentences a minute. When more come, only their number is logged."""
_MAX_SHOWN = 80
"""Characters of what an unverified token says of itself: anybody can write it."""


class Refused(ValueError):
    """A credential is refused; the text says why, in words of our own."""


@dataclass(slots=True)
class Attempt:
    """What is known of a token while it is verified: its word for its issuer and key, and the present step."""

    issuer: str = ""
    key_id: str = ""
    step: str = "it is not a JWT"

    def refused(self, error: Exception) -> str:
        """The sentence for the log: the error's own reason if we wrote it, else the step that failed."""
        reason = error if isinstance(error, Refused) else self.step
        return f"a token was refused: issuer {shown(self.issuer)}, key {shown(self.key_id)}: {reason}"


class Notices:
    """Logs each sentence once a minute, with how often it came. `clock` gives seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._since = clock, clock()
        self._said: set[str] = set()
        self._more = 0

    def say(self, sentence: str) -> None:
        """Log `sentence`, if this minute has not seen it and is not full."""
        if self._clock() - self._since >= SILENT_SECONDS:
            self._begin_again()
        if sentence in self._said or len(self._said) >= MAX_SENTENCES:
            self._more += 1
            return
        self._said.add(sentence)
        log.warning("%s", sentence)

    def _begin_again(self) -> None:
        if self._more:
            log.warning("%d more like those of the last minute", self._more)
        self._said, self._more, self._since = set(), 0, self._clock()


def shown(text: str) -> str:
    """A text of an unverified token in one line of ASCII."""
    if not text:
        return "unknown"
    return ascii(text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…")
