"""The OpenID certification scenario of AuthZEN 1.0, asked of a running server as any client would.

The rows of `tests/cases/authzen/scenario.jsonl` name the scenario's section, the request and what must come back.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

CASES = Path(__file__).parents[1] / "cases" / "authzen" / "scenario.jsonl"
WELL_KNOWN = "/.well-known/authzen-configuration"
ENDPOINTS: Mapping[str, str] = {
    "evaluation": "access_evaluation_endpoint",
    "evaluations": "access_evaluations_endpoint",
    "search/subject": "search_subject_endpoint",
    "search/resource": "search_resource_endpoint",
    "search/action": "search_action_endpoint",
}
REQUEST_ID = "bfe9eb29-ab87-4ca3-be83-a1d5d8305716"
LEVELS = ("Basic Core", "Basic Properties", "Batch Core", "Batch Properties", "Search Core", "Search Properties")
DISCOVERY = "Discovery"


@dataclass(frozen=True)
class Result:
    """One check: what was wrong, or nothing. An `advisory` one says why it may fail."""

    level: str
    name: str
    wrong: str = ""
    advisory: str = ""
    is_offered: bool = True

    @property
    def fails(self) -> bool:
        return bool(self.wrong) and not self.advisory


async def checked(url: str, token: str) -> list[Result]:
    """Every check of every level. `token` may ask as the users of the scenario."""
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers, skip_auto_headers=["Content-Type"]) as session:
        async with session.get(_well_known(url)) as answer:
            found = await _json(answer)
            results = [Result(DISCOVERY, name, wrong) for name, wrong in _discovery(url, answer, found)]
        return results + [await _checked(session, url, found, row) for row in rows()]


def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in CASES.read_text().splitlines()]


def _well_known(url: str) -> str:
    """The well-known path stands between the host and the path (RFC 8615)."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{WELL_KNOWN}{parts.path.rstrip('/')}"


async def _json(answer: aiohttp.ClientResponse) -> Any:
    try:
        return json.loads(await answer.read())
    except ValueError:
        return None


def _discovery(url: str, answer: aiohttp.ClientResponse, found: Any) -> list[tuple[str, str]]:
    members: Mapping[str, Any] = found if isinstance(found, dict) else {}
    checks = [
        ("6.2 status", "" if answer.status == 200 else f"is {answer.status}"),
        ("6.2 content type", "" if answer.content_type == "application/json" else f"is {answer.content_type}"),
        ("6.5 JSON", "" if members else "the body is not an object"),
        ("6.5 policy_decision_point", "" if members.get("policy_decision_point") == url else "is not the base URL"),
        ("6.3 access_evaluation_endpoint", "" if "access_evaluation_endpoint" in members else "is missing"),
        ("6.5 capabilities", "" if _are_texts(members.get("capabilities", [])) else "is not a list of texts"),
    ]
    endpoints = [name for name in members if name.endswith("_endpoint")]
    return checks + [
        (f"6.5 {name}", "" if _is_secure(members[name]) else "is not a URL with https") for name in endpoints
    ]


def _is_secure(value: Any) -> bool:
    """Whether it is a URL with https. On the machine itself plain HTTP counts: `pdp dev` has no certificate."""
    parts = urlsplit(value) if isinstance(value, str) else urlsplit("")
    is_local = parts.hostname in {"127.0.0.1", "::1", "localhost"}
    return bool(parts.netloc) and (parts.scheme == "https" or (parts.scheme == "http" and is_local))


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


async def _checked(session: aiohttp.ClientSession, url: str, found: Any, row: Mapping[str, Any]) -> Result:
    endpoints = found if isinstance(found, dict) else {name: f"{url}/access/v1/{at}" for at, name in ENDPOINTS.items()}
    at = endpoints.get(ENDPOINTS[row["at"]])
    if at is None:
        return Result(row["level"], row["id"], is_offered=False)
    headers = {"Content-Type": row.get("media", "application/json")}
    if row.get("request_id", REQUEST_ID):
        headers["X-Request-ID"] = REQUEST_ID
    data = row["text"] if "text" in row else json.dumps(row["body"])
    async with session.post(at, data=data.encode(), headers=headers) as answer:
        wrong = _answer_wrong(answer, row) or _body_wrong(await _json(answer), row)
    return Result(row["level"], row["id"], wrong, row.get("advisory", ""))


def _answer_wrong(answer: aiohttp.ClientResponse, row: Mapping[str, Any]) -> str:
    if answer.status != row["status"]:
        return f"status {answer.status}, not {row['status']}"
    if answer.status == 200 and answer.content_type != "application/json":
        return f"content type {answer.content_type}"
    if row.get("request_id", REQUEST_ID) and answer.headers.get("X-Request-ID") != REQUEST_ID:
        return "X-Request-ID did not come back"
    return ""


def _body_wrong(body: Any, row: Mapping[str, Any]) -> str:
    want = row.get("want")
    if row["status"] != 200:
        return "a decision beside an error" if isinstance(body, dict) and "decision" in body else ""
    if not isinstance(body, dict):
        return "the body is not an object"
    if isinstance(want, bool):
        return _decision_wrong(body, want=want)
    return _batch_wrong(body, want) if isinstance(want, list) else _results_wrong(body, want or {})


def _decision_wrong(body: Any, *, want: bool | None) -> str:
    if not isinstance(body, dict) or not isinstance(body.get("decision"), bool):
        return "`decision` is not true or false"
    if not isinstance(body.get("context", {}), dict):
        return "`context` is not an object"
    return "" if want in {None, body["decision"]} else f"decision {body['decision']}, not {want}"


def _batch_wrong(body: Mapping[str, Any], want: Sequence[bool | None]) -> str:
    answers = body.get("evaluations")
    if not isinstance(answers, list) or len(answers) != len(want):
        return f"`evaluations` is not a list of {len(want)}"
    wrong = (_decision_wrong(answer, want=wanted) for answer, wanted in zip(answers, want, strict=True))
    return "; ".join(one for one in wrong if one)


def _results_wrong(body: Mapping[str, Any], want: Mapping[str, Any]) -> str:
    results, page = body.get("results"), body.get("page", {"next_token": ""})
    if not isinstance(results, list) or not all(isinstance(one, dict) for one in results):
        return "`results` is not a list of objects"
    if not isinstance(page, dict) or not isinstance(page.get("next_token", ""), str):
        return "`page` is not an object with the text `next_token`"
    names = [one.get("id", one.get("name")) for one in results]
    if missing := set(want["includes"]) - set(names):
        return f"`results` lacks {', '.join(sorted(missing))}"
    if want.get("empty") and results:
        return "`results` is not empty"
    return "" if all(one.get("type") == want.get("type") for one in results) else "a result is of another type"
