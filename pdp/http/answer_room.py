"""What the answer to questions may hold: it is bounded before anything is settled, so that what is settled is told.

Known before is what the policy said; what settling finds of an approval is not. Where that does not fit any more, the
error stands in the place of an answer, and the same attempt may ask for it again, alone.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from pdp.decision import Effect, Verdict
from pdp.errors import AnswerTooLarge, PdpError
from pdp.http.answers import LARGEST_BYTES
from pdp.http.decision import failed, said
from pdp.turns import Turns
from pdp.workflow.answer import Ask, Failed

OWN_BYTES = 1024
"""Bytes of ids, digest, effect and approval of an answer, and of the members' names."""
_TOKEN_BYTES = 1536
"""Bytes of a binding token and what is around it, without the names of the context's members."""
_GRANT_BYTES = 1024
"""Bytes of a grant without the caller's identity and the realm, of which it has each once, in base64."""


class AnswerRoom:
    """The room of one answer. `ignored` are the members of each question that nobody here knows."""

    def __init__(
        self, endpoint: str, ignored: Sequence[Sequence[str]], turns: Turns, most_bytes: int = LARGEST_BYTES
    ) -> None:
        self._endpoint, self._ignored, self._turns, self._most = endpoint, ignored, turns, most_bytes
        self._too_large = AnswerTooLarge(
            f"the answer is larger than {most_bytes >> 20} MiB; ask fewer questions at once, and without `explain`"
        )

    async def require(self, asks: Sequence[Ask | Failed], verdicts: Sequence[Verdict | PdpError]) -> None:
        """Raise `AnswerTooLarge` where the answers do not fit, as far as they are known."""
        judged, known = iter(verdicts), 0
        for index, ask in enumerate(asks):
            known += self._of(index, ask, next(judged)) if isinstance(ask, Ask) else _size(failed(ask))
            if known > self._most:
                raise self._too_large
            if isinstance(ask, Ask):
                await self._turns.behind(index, ask.caller.identity)

    def one(self, answer: dict[str, Any]) -> bytes:
        """The answer to one question. Raises `AnswerTooLarge` where it does not fit after all."""
        body = orjson.dumps(answer)
        if len(body) > self._most:
            raise self._too_large
        return body

    def all(self, answers: Sequence[dict[str, Any]]) -> bytes:
        """The answers to many, each that does not fit any more as its error."""
        body = orjson.dumps({"evaluations": answers})
        if len(body) <= self._most:
            return body
        error, left = failed(Failed(self._too_large)), self._most
        fitting = list[dict[str, Any]]()
        for place, answer in enumerate(answers):
            left -= (size := _size(answer))
            fits = left > (len(answers) - place) * OWN_BYTES
            fitting.append(answer if fits else error)
            left += 0 if fits else size - OWN_BYTES
        return orjson.dumps({"evaluations": fitting})

    def _of(self, index: int, ask: Ask, verdict: Verdict | PdpError) -> int:
        if isinstance(verdict, PdpError):
            return _size(failed(Failed(verdict)))
        words = _size(said(verdict))
        about = _size([ask.canonical.members["on_behalf_of"], list(self._ignored[index]), verdict.revision])
        return OWN_BYTES + words + about + _of_grant(ask, verdict.effect) + self._of_request(ask, verdict, words)

    def _of_request(self, ask: Ask, verdict: Verdict, words: int) -> int:
        """Bytes of how people are asked: it has the reasons again, and a token."""
        if verdict.effect is not Effect.NEEDS_APPROVAL:
            return 0
        token = _TOKEN_BYTES + 2 * _size([list(ask.canonical.members["context"]), verdict.revision])
        return words + token + len(self._endpoint)


def _of_grant(ask: Ask, effect: Effect) -> int:
    may_have_one = effect is Effect.NEEDS_APPROVAL or (effect is Effect.ALLOW and ask.request.want_grant)
    return _GRANT_BYTES + 2 * len(ask.caller.identity.encode()) if may_have_one and not ask.request.dry_run else 0


def _size(content: Any) -> int:
    return len(orjson.dumps(content))
