"""AuthZEN's searches: a body in which one member has no name yet, and the question about each name that it may have."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

import orjson

from pdp.authzen import Envelope
from pdp.authzen_question import REQUIRED, Asked, Part, required
from pdp.authzen_reading import Reading
from pdp.bad_fields import MAX_NAMED
from pdp.errors import InvalidRequest
from pdp.i_json import parsed

MAX_CANDIDATES = 1000
"""Candidates that a caller may send, and that a page looks at."""
_LOOKS_AT_LEAST, _LOOKS_AHEAD = 100, 4
"""Candidates that a page looks at for each result that it may have, and the least: most searches find but few."""
_PAGE = frozenset({"token", "next_token", "limit", "properties"})


class Search:
    """A search, read once.

    `kind` is the member that is sought: `subject`, `resource` or `action`, and `type` its type. `candidates` are those
    that the caller sent, as they came; None if the policy's are meant. `token` names a further page. `limit` is the
    most results of a page, and `looks_at` the most candidates. `ignored` are the paths of members that nobody knows.
    """

    def __init__(self, kind: str, body: bytes) -> None:
        """Raises `InvalidRequest`."""
        envelope = Envelope(body, {"page"}, {"candidates"}, sought=kind)
        self.kind, self._parts = kind, dict(envelope.parts)
        self._options, self.ignored = _options(envelope), envelope.ignored
        if kind == "action":
            self._parts.setdefault("action", Part({"name": "", "properties": {}}))
        if missing := [name for name in REQUIRED if name not in self._parts]:
            raise InvalidRequest.fields([(name, required(name)) for name in missing])
        self.sought: Part = self._parts.pop(kind)
        self.context = replace(self._parts.pop("context", Part({})), approval="")
        self.ignored += tuple(path for part in (*self._parts.values(), self.sought) for path in part.ignored)
        self.candidates = _candidates(self._options.others)
        self.token, self.limit = self._page(envelope.plain("page"))
        self.ignored = self.ignored[:MAX_NAMED]

    @property
    def type(self) -> str:
        """The type that is sought; empty for actions."""
        return str(self.sought.members.get("type", ""))

    @property
    def looks_at(self) -> int:
        """The most candidates that one page looks at."""
        known = MAX_CANDIDATES if self.candidates is None else len(self.candidates)
        return min(known, max(self.limit * _LOOKS_AHEAD, _LOOKS_AT_LEAST))

    @property
    def subject(self) -> str:
        """The identity of the subject; empty where subjects are sought."""
        subject = self._parts.get("subject")
        return f"{subject.members['type']}:{subject.members['id']}" if subject else ""

    @property
    def chain(self) -> list[str]:
        """The identities for whom the subject acts."""
        return [f"{one['type']}:{one['id']}" for one in self._chain]

    @property
    def query(self) -> Mapping[str, Any]:
        """What is asked, for the log; the same in all pages."""
        return {
            "kind": self.kind,
            **{name: part.members for name, part in self._parts.items()},
            self.kind: self.sought.members,
            "on_behalf_of": self._chain,
            "context": self.context.members,
            "supported_obligations": sorted(self.context.supports),
        }

    @property
    def digest(self) -> str:
        """The digest of the query, and of the candidates that the caller sent."""
        whole = {"query": self.query, "candidates": self.candidates}
        return sha256(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def part(self, index: int, candidate: Any) -> Part:
        """The member with a candidate in it. Raises `InvalidRequest`."""
        reading = Reading()
        read = reading.candidate(self.sought, self.kind, candidate, f"options.candidates[{index}]")
        reading.require_good()
        return read

    def asked(self, part: Part) -> Asked:
        """The question about a candidate. Raises `InvalidRequest` if it is too large."""
        return Asked.of({**self._parts, "context": self.context, self.kind: part}, self._options)

    @property
    def _chain(self) -> list[Any]:
        return list(self._options.chain.members) if self._options.chain else []

    def _page(self, page: Any) -> tuple[str, int]:
        """The token and the limit."""
        page = {} if page is None else page
        if not isinstance(page, dict):
            raise InvalidRequest.field("page", 'is not an object; send one, such as {"limit": 100}')
        self.ignored += tuple(f"page.{name}" for name in page if name not in _PAGE)
        tokens = {page[name] for name in ("token", "next_token") if name in page and isinstance(page[name], str)}
        if len(tokens) > 1 or any(not isinstance(page.get(name, ""), str) for name in ("token", "next_token")):
            raise InvalidRequest.field("page.token", "is not one text; send the `next_token` of the page before")
        limit = page.get("limit", MAX_CANDIDATES)
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
            raise InvalidRequest.field("page.limit", "is not a whole number from 1 on; leave it out for a full page")
        return next(iter(tokens), ""), min(limit, MAX_CANDIDATES)


def read_candidates(page: Sequence[Any]) -> list[Any]:
    """Candidates of the policy's data, in the form in which a body's are. Raises `Refused`."""
    [(_, found)] = parsed(orjson.dumps({"page": page}).decode())
    return list(found)


def result(kind: str, part: Part, candidate: Any) -> dict[str, Any]:
    """A candidate as it is answered, with the properties that it has of its own."""
    keys = ("name",) if kind == "action" else ("type", "id")
    own = {key for key, _ in candidate} if isinstance(candidate, tuple) else set()
    shown = {key: part.members[key] for key in keys}
    return {**shown, "properties": part.members["properties"]} if "properties" in own else shown


def _candidates(others: Mapping[str, Any]) -> list[Any] | None:
    if "candidates" not in others:
        return None
    sent = others["candidates"]
    if not isinstance(sent, list):
        raise InvalidRequest.field("options.candidates", 'is not a list; send one, such as ["orders", "customers"]')
    if len(sent) > MAX_CANDIDATES:
        raise InvalidRequest.field("options.candidates", f"holds {len(sent)}; send at most {MAX_CANDIDATES}")
    return sent


def _options(envelope: Envelope) -> Any:
    """The options of a search: those of a decision that acts do not belong here."""
    options = envelope.options
    acting = sorted({*options.texts, *(options.flags - {"dry_run"})})
    if acting:
        sentence = "belongs to one decision, and a search makes none; leave it out"
        raise InvalidRequest.fields([(f"options.{name}", sentence) for name in acting])
    return replace(options, flags=frozenset({"dry_run"}))
