"""Asks many questions of one OPA that nobody else uses, however slow or broken the policy is."""

from collections.abc import Sequence
from typing import Any

from pdp.errors import PolicyInvalid
from pdp.opa.queries import About, Opa, OpaLate, is_undefined
from pdp.opa.sharing import OWN
from pdp.opa.trial import SECONDS

MOST, MOST_BYTES = 1000, 4 * 1024 * 1024
"""Questions of one query, and their bytes. Their answers stay far below what `Opa` takes as one answer."""


class Asking:
    """Asks in batches. After a query that took too long, the next ones are half as large."""

    def __init__(self, connection: Opa) -> None:
        self._connection, self._most = connection, MOST

    async def answers(self, about: About, inputs: Sequence[bytes], *, as_a_server: bool) -> list[Any]:
        """OPA's answer to each input in order; None where it has none.

        `as_a_server`: a builtin that fails is an error, so there is no answer, and all rules that fired are explained.
        """
        answers: list[Any] = []
        while len(answers) < len(inputs):
            batch = self._next(inputs, len(answers))
            try:
                answers += await self._ask(about, batch, as_a_server=as_a_server)
            except OpaLate:
                if len(batch) == 1:
                    answers.append(None)
                self._most = max(1, len(batch) // 2)
        return answers

    def _next(self, inputs: Sequence[bytes], first: int) -> Sequence[bytes]:
        size, last = 0, first
        while last < min(len(inputs), first + self._most) and (size < MOST_BYTES or last == first):
            size, last = size + len(inputs[last]), last + 1
        return inputs[first:last]

    async def _ask(self, about: About, batch: Sequence[bytes], *, as_a_server: bool) -> list[Any]:
        """The answers of one query, or of its halves where one of them fails it."""
        explained = [as_a_server] * len(batch)
        try:
            found = await self._connection.answers(
                about, batch, explained, SECONDS, strict=as_a_server, lineages=[OWN] * len(batch)
            )
        except PolicyInvalid:
            if len(batch) == 1:
                return [None]
            middle = len(batch) // 2
            halves = (batch[:middle], batch[middle:])
            return [answer for half in halves for answer in await self._ask(about, half, as_a_server=as_a_server)]
        return [None if is_undefined(answer) else answer for answer in found]
