"""Asks OPA a few fixed questions, with a time limit and without a retry."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self, TypeAlias
from urllib.parse import urlsplit

import aiohttp
import orjson

from pdp.errors import EngineUnavailable, PolicyInvalid, SetupError
from pdp.opa.sharing import OFF, questions
from pdp.opa.transport import Transport

FLOOR = (1, 4, 0)
"""The oldest OPA that is used: in an older one a path can inject a query (CVE-2025-46569)."""
QUERY_SECONDS = 0.25
"""Seconds that one query may take. A full batch of 128 items at the measured 40 µs takes 5 ms."""
HEALTH_SECONDS = 0.25
"""Seconds that OPA's health check may take."""
LOADING_SECONDS = 5.0
"""Seconds for a query or a health check while OPA loads another policy: people by the million keep it busy for as long,
and a call that waits is better than one that fails."""
_MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""Bytes of an answer. It bounds the memory that a policy can make the server use."""
Place: TypeAlias = Callable[[str, int], str]
_PROBLEMS = {"eval_conflict_error": "conflict", "eval_builtin_error": "builtin_error"}
_OTHER = "the server at OPA's address is not OPA"
_REVISION_QUERY = b'{"input":{"batch":{}}}'


class About(StrEnum):
    """What is asked: entrypoints of the core that answer many questions in one query."""

    DECISIONS = "decisions"
    REVIEWS = "reviews"
    MASKS = "masks_each"
    ELIGIBLE = "eligible_each"


class Answers(list[Any]):
    """Raw answers in the order of the questions, and the seconds for which OPA worked on them."""

    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Candidates:
    """A page of what the policy's data declares for searches, as it stands there.

    `known` counts all of the type that was asked for. `declared` are the kinds that have any candidates.
    """

    page: Sequence[Any]
    known: int
    declared: Sequence[str]
    revision: str


class OpaLate(EngineUnavailable):
    """The query took too long. It may be slow by itself, or it waited for a slow one."""


class Opa:
    """A connection to one OPA. `url` is `unix:///path/to/socket` or `http(s)://host:port`."""

    def __init__(
        self,
        url: str,
        connections: int = 16,
        place: Place = lambda file, line: f"{file}:{line}",
        is_loading: Callable[[], bool] = lambda: False,
    ) -> None:
        """`place` says where in the policy OPA's file and line are, `is_loading` whether OPA may load another now."""
        self._place, self._is_loading = place, is_loading
        if urlsplit(url).scheme not in ("unix", "http", "https"):
            raise SetupError("the URL of OPA must begin with unix://, http:// or https://")
        self._client = Transport(url, connections, LOADING_SECONDS)

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close_connection()

    async def answers(
        self,
        about: About,
        inputs: Sequence[bytes],
        explained: Sequence[bool] = (),
        seconds: float = QUERY_SECONDS,
        *,
        strict: bool = True,
        lineages: Sequence[bytes] = (),
    ) -> Answers:
        """Ask about all inputs at once; of decisions, some are `explained`. Returns one raw answer for each, in order.

        `lineages` are what is known of the data of each, as JSON or `OWN`; where there are none, lineage is off.
        An answer that OPA left out `is_undefined`. Unless `strict`, a builtin that fails is undefined instead of an
        error: such an answer must not decide, it only tells where to look. Raises `PolicyInvalid` if the query failed
        as a whole, `OpaLate` if it took longer than `seconds`, and `EngineUnavailable` if OPA does not answer.
        """
        explain = orjson.dumps({str(index): True for index, wanted in enumerate(explained) if wanted})
        body = b'{"input":{%b,"explain":%b}}' % (questions(inputs, lineages or [OFF] * len(inputs)), explain)
        whole = await self._ask(about, body, seconds, strict=strict, options="&metrics=true")
        answers = whole["result"]
        if not isinstance(answers, dict) or not answers.keys() <= {str(index) for index in range(len(inputs))}:
            raise PolicyInvalid("wrong_keys", "the policy answered other questions than it was asked")
        found = Answers(answers.get(str(index), _UNDEFINED) for index in range(len(inputs)))
        found.seconds = _seconds(whole.get("metrics"))
        return found

    async def revision(self) -> str:
        """The revision of the policy in force; empty if OPA has no bundle."""
        revisions = (await self._ask("revisions", _REVISION_QUERY, QUERY_SECONDS))["result"]
        return str(revisions[0]) if isinstance(revisions, list) and len(revisions) == 1 else ""

    async def candidates(self, kind: str, of_type: str, first: int, most: int) -> Candidates:
        """At most so many of the declared candidates, from `first` on. Raises as `answers` does."""
        asked = {"kind": kind, "type": of_type, "first": first, "most": most}
        match (await self._ask("candidates", orjson.dumps({"input": asked}), QUERY_SECONDS))["result"]:
            case {"page": [*page], "all": int(known), "declared": [*declared], "revisions": [str(revision)]}:
                return Candidates(page, known, declared, revision)
        raise PolicyInvalid("wrong_type", "data.search is not what a search can read; run `pdp policy check`")

    async def tags(self) -> Any:
        """How the policy's data says that tags travel, as the core answers it. Raises as `answers` does."""
        return (await self._ask("tags", _REVISION_QUERY, QUERY_SECONDS))["result"]

    async def contact(self, identity: str) -> Any:
        """How the policy's data says that a person is told. Raises as `answers` does."""
        body = orjson.dumps({"input": {"identity": identity}})
        return (await self._ask("contact", body, QUERY_SECONDS))["result"]

    async def version(self) -> str:
        """OPA's version. Raises `SetupError` if it is older than `FLOOR`."""
        text = await self._provenance()
        numbers = tuple(int(part) for part in text.split("-")[0].split(".") if part.isdigit())
        if numbers < FLOOR:
            raise SetupError(f"OPA {text or 'of unknown version'} is too old; use 1.4.0 or newer")
        return text

    async def _provenance(self) -> str:
        url = f"{self._client.root_url}/data/pdp/revisions?provenance=true"
        match await self._post(url, _REVISION_QUERY, HEALTH_SECONDS * 4):
            case {"provenance": {"version": str(version)}}:
                return version
        raise EngineUnavailable(_OTHER)

    async def is_healthy(self) -> bool:
        """Whether OPA answers and its bundle is active."""
        try:
            async with asyncio.timeout(self._patience(HEALTH_SECONDS)):
                return bool(await self._client.check_health({"bundles": True}))
        except TimeoutError:
            return False

    async def _ask(
        self, entrypoint: str, body: bytes, seconds: float, *, strict: bool = True, options: str = ""
    ) -> dict[str, Any]:
        url = f"{self._client.root_url}/data/pdp/{entrypoint}?strict-builtin-errors={str(strict).lower()}{options}"
        answer = await self._post(url, body, seconds)
        if "result" not in answer:
            raise PolicyInvalid(
                "undefined", f"data.pdp.{entrypoint} is undefined; load the core of Placet as part of the policy"
            )
        return answer

    def _patience(self, seconds: float) -> float:
        return max(seconds, LOADING_SECONDS) if self._is_loading() else seconds

    async def _post(self, url: str, body: bytes, seconds: float) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self._patience(seconds)), self._client.post(url, body) as response:
                content = await _read(response)
                return _parsed(response.status, content, self._place)
        except TimeoutError:
            raise OpaLate("OPA did not answer in time; nothing was allowed") from None
        except (aiohttp.ClientError, OSError) as error:
            raise EngineUnavailable(_why(error)) from None


def _why(error: Exception) -> str:
    """The cause of a call that failed, as far as an operator can mend it."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "the certificate at OPA's address is not one that this server trusts; nothing is allowed"
    if isinstance(error, aiohttp.ClientSSLError):
        return "the server at OPA's address does not speak TLS; nothing is allowed (write http:// in its URL?)"
    if isinstance(error, aiohttp.ClientResponseError | aiohttp.ServerDisconnectedError):
        return f"{_OTHER} (or it speaks TLS: write https:// in its URL?)"
    return "OPA does not answer; nothing is allowed until it does"


def _seconds(metrics: Any) -> float:
    """OPA's own seconds for a query; 0 where it does not say."""
    took = metrics.get("timer_server_handler_ns") if isinstance(metrics, dict) else None
    return took / 1e9 if isinstance(took, int) else 0.0


_UNDEFINED = object()
"""Stands for the answer of an item that OPA left out."""


def is_undefined(answer: Any) -> bool:
    """Whether OPA left this item's answer out."""
    return answer is _UNDEFINED


async def _read(response: aiohttp.ClientResponse) -> bytes:
    content = await response.content.read(_MAX_ANSWER_BYTES + 1)
    while chunk := await response.content.read(_MAX_ANSWER_BYTES + 1):
        content += chunk
        if len(content) > _MAX_ANSWER_BYTES:
            raise PolicyInvalid("wrong_type", f"the policy's answer is larger than {_MAX_ANSWER_BYTES} bytes")
    return content


def _parsed(status: int, content: bytes, place: Place) -> dict[str, Any]:
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise EngineUnavailable(_OTHER)
    if status == 200:  # noqa: PLR2004  # HTTP
        return body
    if status == 500 and isinstance(body.get("errors"), list):  # noqa: PLR2004  # HTTP
        raise _evaluation_error(body["errors"], place)
    raise EngineUnavailable(f"OPA refused the question with HTTP status {status}")


def _evaluation_error(errors: Sequence[Any], place: Place) -> PolicyInvalid:
    """The code and place of OPA's first error, without its message, which may quote the request."""
    error = errors[0] if errors and isinstance(errors[0], dict) else {}
    problem = _PROBLEMS.get(str(error.get("code")), "builtin_error")
    location = error.get("location")
    where = place(str(location.get("file")), int(location.get("row", 0))) if isinstance(location, dict) else ""
    return PolicyInvalid(problem, f"the policy failed ({problem}){' at ' + where if where else ''}", file=where)
