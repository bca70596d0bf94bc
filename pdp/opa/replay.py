"""Decides again what a record says was decided: the same request, caller, time and lineage, by the same policy."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from pdp.decision import Effect, Verdict, verdict
from pdp.errors import PdpError
from pdp.opa.queries import About
from pdp.opa.sharing import OFF
from pdp.opa.trial import SECONDS, answering
from pdp.policy.sources import read, revision

_PEOPLES = ("pdp.approval_", "pdp.lineage_grew", "pdp.unreachable_requirement", "pdp.recently_denied")
"""What the rules of the server's own denials begin with, which it gives where the policy asks for people."""


class NotReplayable(PdpError):
    """The record cannot be decided again; the sentence says why."""

    code = "INVALID_ARGUMENT"
    reason = "NOT_REPLAYABLE"


class OtherRevision(PdpError):
    """The folder is of another policy than the one that decided."""

    code = "FAILED_PRECONDITION"
    reason = "POLICY_REFUSED"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A decision as its record and its payload have it."""

    effect: Effect
    rules: Sequence[str]
    reasons: Sequence[dict[str, str]]
    revision: str
    approval_id: str
    input: bytes
    lineage: bytes

    @classmethod
    def of(cls, record: bytes, salt: bytes, payload: bytes) -> "Recorded":
        """The decision of a record. Raises `NotReplayable`."""
        members = orjson.loads(record)
        if members["kind"] != "decision":
            raise NotReplayable(f"this record is not a decision, but of the kind {members['kind']}")
        if not payload:
            raise NotReplayable("what this record says of the request was erased")
        if sha256(salt + payload).hexdigest().encode() not in record:
            raise NotReplayable("what this record says of the request is not what was recorded; run pdp audit verify")
        held = orjson.loads(payload)
        if "now" not in held:
            raise NotReplayable("this record is of an older version, which did not keep the time that the policy got")
        asked = {**held["request"], "caller": held["caller"], "now": held["now"]}
        return cls(
            Effect(members["effect"]),
            members["rules"],
            held["details"].get("reasons", []),
            members["policy_revision"],
            members.get("approval_id", ""),
            orjson.dumps(asked),
            orjson.dumps(held["lineage"]) if "lineage" in held else OFF,
        )

    def differs(self, again: Verdict) -> str:
        """How the answer differs; empty if it is the same. What people said of it is not decided again."""
        given = [{"rule": one.rule, "reason": one.reason} for one in again.reasons]
        if again.effect is Effect.NEEDS_APPROVAL and self.effect is not again.effect:
            is_theirs = bool(self.rules) and all(rule.startswith(_PEOPLES) for rule in self.rules)
            if is_theirs or (self.effect is Effect.ALLOW and self.approval_id and given == self.reasons):
                return ""
        if self.effect is not again.effect:
            return f"the record says {self.effect}, and the policy {again.effect}"
        return "" if given == self.reasons else "the reasons are other ones"


async def replayed(
    opa: Path, folder: Path, recorded: Recorded, *, person_types: frozenset[str], say: Any = lambda _: None
) -> Verdict:
    """What the policy in a folder says to the same question.

    Raises `OtherRevision`, and `SetupError` for a policy that a server would refuse.
    """
    sources = [source for source in read([folder]) if not source.is_test]
    if (found := revision(sources)) != recorded.revision:
        raise OtherRevision(
            f"{folder} is policy {found[:12]}, and {recorded.revision[:12]} decided; nothing was decided again"
        )
    async with answering(opa, sources, say) as connection:
        asked = connection.answers(About.DECISIONS, [recorded.input], [False], SECONDS, lineages=[recorded.lineage])
        [answer] = await asked
    result: Any = answer
    return verdict(result, person_types)
