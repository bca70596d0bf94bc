"""AuthZEN's JSON, read once and strictly, from its bytes straight to the members of the canonical form.

1. The envelope and its `subject`, `action` and `resource` may have members that nobody here knows, as AuthZEN demands:
   they are read as strictly, ignored and named. `options` may not: a misspelt `dry_run` must not act. Nor may an option
   stand beside `options`, where it would be ignored.
2. What `context` says to the decision point (`supported_obligations`, `approval`) is not part of what is decided.
3. Where a default stands in for a member, it does so as a whole.
"""

from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import Any

from pdp.authzen_question import Asked
from pdp.authzen_reading import OF_ONE, PARTS, Reading
from pdp.bad_fields import Refused
from pdp.canonical import MAX_REQUEST_BYTES, Walk
from pdp.errors import InvalidRequest
from pdp.i_json import Pairs, parsed

MAX_ITEMS = 1000
"""Questions of one body: the contract's limit of a batch."""
MAX_BYTES = 4 * 1024 * 1024
"""Bytes of a body with its defaults filled in: a short default must not become gigabytes in a thousand questions."""
MAX_VALUES = 100_000
"""Values in a body at most, by its commas and what opens a list or an object, also where these stand in a text: to
parse so many takes at most 0.07 s, in which nobody else is answered."""
_MARKS = b",[{"
_ENVELOPE = frozenset({"subject", "action", "resource", "context", "options"})


class Envelope:
    """A body, read once.

    `parts` are the members of a question that it has, `ignored` the paths of members that nobody here knows. `others`
    are the members of `known` beyond those of a question, as `i_json.parsed` gives them: `plain` reads one.
    """

    def __init__(
        self, body: bytes, known: Collection[str] = (), options: Collection[str] = (), sought: str = ""
    ) -> None:
        """`known` and `options` are what a route knows beyond a question; `sought` is the member that a search is for.

        Raises `InvalidRequest`.
        """
        reading = Reading(options)
        found = reading.members(_pairs(body), "", _ENVELOPE | set(known))
        here = [name for name in PARTS if name in found]
        self.parts = {name: reading.part(name, found.pop(name), is_sought=name == sought) for name in here}
        self.options = reading.options(found.pop("options", ()))
        reading.require_good()
        self.others, self.ignored = found, tuple(reading.ignored)

    def asked(self) -> Asked:
        """The one question of the body. Raises `InvalidRequest`."""
        return Asked.of(self.parts, self.options, self.ignored)

    def plain(self, name: str) -> Any:
        """Another member as Python's values; None if it is not there. Raises `InvalidRequest`."""
        walk = Walk()
        try:
            return walk.value(self.others[name]) if name in self.others else None
        except Refused as refused:
            raise InvalidRequest.fields(refused.within(name).fields) from None


class Evaluations:
    """A body of many questions. Raises `InvalidRequest` where it is refused as a whole."""

    def __init__(self, body: bytes) -> None:
        self.envelope = Envelope(body, {"evaluations"})
        self._items = self.envelope.others.get("evaluations", [])
        if not isinstance(self._items, list):
            raise InvalidRequest.field("evaluations", "is not a list; send one")
        if len(self._items) > MAX_ITEMS:
            raise InvalidRequest.field("evaluations", f"holds {len(self._items)}; send at most {MAX_ITEMS}")
        if self._items:
            self._check_defaults()
            self._check_size(len(body))

    def __len__(self) -> int:
        """How many questions there are; none where the body is one question itself."""
        return len(self._items)

    def each(self) -> Iterator[Callable[[], Asked]]:
        """What reads each question. Raises `InvalidRequest` for one, with paths inside of it."""
        for item in self._items:
            yield partial(self._asked, item)

    def _asked(self, item: Any) -> Asked:
        if not isinstance(item, tuple):
            sentence = 'is not a JSON object; send one, with what is not as in the body, such as {"resource": {…}}'
            raise InvalidRequest.field("request", sentence)
        reading = Reading()
        found = reading.members(item, "", _ENVELOPE)
        own = {name: reading.part(name, found[name]) for name in PARTS if name in found}
        options = reading.options(found.get("options", ()), is_of_one=True)
        reading.require_good()
        parts = {**self.envelope.parts, **own}
        return Asked.of(parts, options.over(self.envelope.options), (*self.envelope.ignored, *reading.ignored))

    def _check_defaults(self) -> None:
        if sent := [name for name in OF_ONE if self.envelope.options.texts.get(name)]:
            sentence = "belongs to one evaluation; set it in the options of that one"
            raise InvalidRequest.fields([(f"options.{name}", sentence) for name in sent])

    def _check_size(self, total: int) -> None:
        """Refuse before merging what would be too much after it; a default counts in each item that takes it."""
        weights = {name: part.weight for name, part in self.envelope.parts.items()}
        chain = self.envelope.options.chain
        for item in self._items:
            own = {key for key, _ in item} if isinstance(item, tuple) else set()
            taken = sum(weight for name, weight in weights.items() if name not in own)
            total += min(taken + (chain.weight if chain else 0), MAX_REQUEST_BYTES)
        if total > MAX_BYTES:
            sentence = f"hold more than {MAX_BYTES} bytes with the defaults; send several bodies"
            raise InvalidRequest.field("evaluations", sentence)


def _pairs(body: bytes) -> Pairs:
    if len(body) - len(body.translate(None, _MARKS)) > MAX_VALUES:
        raise InvalidRequest.field("body", f"holds more than {MAX_VALUES:,} values; send several bodies")
    try:
        return parsed(body.decode())
    except UnicodeDecodeError as error:
        raise InvalidRequest.field("body", f"is not UTF-8 from byte {error.start + 1} on") from None
    except Refused as refused:
        raise InvalidRequest.fields(refused.within("body").fields) from None
