"""What flows through one part: batches that Spark gives, and masked ones that Spark takes.

1. Spark's batches are read in a thread of their own, one ahead. Masked ones go to the thread that Spark called us in.
2. A piece is a stream's share of the batches. It ends where none comes, or Spark takes none, for `LATE_SECONDS`: the
   server would end the stream a little later. What comes after that goes in another piece.
3. No batch leaves before the server has let the stream in, so that a stream that is refused can be tried again.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pdp.arrow.table import Batch

LATE_SECONDS = 40.0
"""Seconds without a batch after which a stream is ended; a server ends one after 60 s without a message."""
ROOM = 4
"""Masked batches that wait for Spark. With those under way they bound what a part takes of the memory."""


class Flow:
    """The two ways of a part. `late_seconds` is as `LATE_SECONDS`."""

    def __init__(self, batches: Iterable[Batch], late_seconds: float = LATE_SECONDS) -> None:
        self._late_seconds = late_seconds
        self._news = threading.Condition()
        self._given: deque[Batch] = deque()
        self._masked: deque[Batch] = deque()
        self._is_read = self._has_ended = self._is_closed = self._is_open = self._is_stopped = False
        self._unread: BaseException | None = None
        self._failure: BaseException | None = None
        threading.Thread(target=self._read, args=(batches,), name="placet-read", daemon=True).start()

    def taken(self) -> Iterator[Batch]:
        """The masked batches, as they come. Raises what `end` was told."""
        while True:
            with self._news:
                self._news.wait_for(lambda: self._masked or self._has_ended)
                if not self._masked:
                    break
                batch = self._masked.popleft()
                self._news.notify_all()
            yield batch
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Spark takes no more."""
        self._set(_is_closed=True)

    def has_more(self) -> bool:
        """Wait for Spark's next batch, as long as it takes; False at the end. Raises what reading it raised."""
        with self._news:
            self._news.wait_for(lambda: self._given or self._is_read or self._is_closed)
            if self._unread is not None and not self._given:
                raise self._unread
            return bool(self._given) and not self._is_closed

    @property
    def first(self) -> Batch:
        """The batch that comes next, once it `has_more`."""
        return self._given[0]

    def piece(self) -> Iterator[Batch]:
        """The batches of the next stream."""
        self._set(_is_open=False, _is_stopped=False)
        return self._piece()

    def open(self) -> None:
        """The server has let the stream in."""
        self._set(_is_open=True)

    def stop(self) -> None:
        """The stream takes no more."""
        self._set(_is_stopped=True)

    def give_back(self, batch: Batch) -> None:
        """What a stream took and had no time for comes next."""
        with self._news:
            self._given.appendleft(batch)

    def give(self, batch: Batch) -> None:
        """A masked batch."""
        with self._news:
            self._masked.append(batch)
            self._news.notify_all()

    def end(self, failure: BaseException | None = None) -> None:
        """No masked batch comes any more."""
        self._set(_has_ended=True, _failure=failure)

    def _piece(self) -> Iterator[Batch]:
        self._waited(lambda: self._is_open, None)
        while self._waited(lambda: len(self._masked) < ROOM, self._late_seconds):
            if not self._waited(lambda: bool(self._given) or self._is_read, self._late_seconds):
                return
            with self._news:
                if not self._given:
                    return
                batch = self._given.popleft()
                self._news.notify_all()
            yield batch

    def _waited(self, ready: Callable[[], bool], seconds: float | None) -> bool:
        """Whether it is ready in time, and nothing has stopped."""
        with self._news:
            self._news.wait_for(lambda: ready() or self._is_stopped or self._is_closed, seconds)
            return ready() and not self._is_stopped and not self._is_closed

    def _read(self, batches: Iterable[Batch]) -> None:
        failure: BaseException | None = None
        try:
            for batch in batches:
                with self._news:
                    self._given.append(batch)
                    self._news.notify_all()
                    self._news.wait_for(lambda: not self._given or self._is_closed)
                if self._is_closed:
                    return
        except BaseException as error:  # noqa: BLE001  # it is raised where the batch is waited for
            failure = error
        self._set(_is_read=True, _unread=failure)

    def _set(self, **members: Any) -> None:
        with self._news:
            for name, value in members.items():
                setattr(self, name, value)
            self._news.notify_all()
