"""A stored mask job as what works on it reads it: its question, its caller, its plan."""

import base64
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import Any

import orjson

import masker
from pdp.caller import Caller, Role, named
from pdp.canonical import Canonical
from pdp.mask_job import MaskJob
from pdp.masking.plan import stored
from pdp.masking.refusals import refusals
from pdp.masking.rows import Shape
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.workflow.answer import Ask, Decided

KEPT_PLANS = 64
"""Plans of jobs that a process keeps, so that each part does not compile its plan again."""


@dataclass(frozen=True)
class HeldJob:
    """A job, and what it began with."""

    job: MaskJob

    @property
    def facts(self) -> Mapping[str, Any]:
        """What it began with."""
        return self.job.facts

    @cached_property
    def plan(self) -> masker.MaskPlan:
        """Its plan, which never changes. Raises `MaskPlanRefused` where this version of the masker reads it no more."""
        with refusals():
            return _plan(self.facts["plan"])

    @property
    def shape(self) -> Shape:
        """Its table."""
        return Shape(self.plan.input_schema)

    @cached_property
    def caller(self) -> Caller:
        """Its caller, as it was when the job began."""
        held = self.facts["caller"]
        return Caller(
            held["identity"],
            held["kind"],
            frozenset({Role.REQUESTER}),
            tuple(held["groups"]),
            held["json"].encode(),
            claims=held["claims"],
            vouched=tuple((kind, identifier) for kind, identifier in held["vouched"]),
        )

    @property
    def persons(self) -> Mapping[str, Sequence[str]]:
        """The people behind it with their names, when it began."""
        return dict(self.facts["persons"])

    @property
    def request(self) -> bytes:
        """Its request in canonical form."""
        return str(self.facts["request"]).encode()

    def ask(self) -> Ask:
        """The question that it was, asked now."""
        request = AuthorizeRequest.FromString(base64.b64decode(self.facts["message"]))
        return Ask(request, self.caller, Canonical(self.request, self.facts["digest"]), time.time_ns())


def beginnings(job_id: str, keys: str, decided: Decided, plan: masker.MaskPlan, use: str, persons: Any) -> bytes:
    """What a job begins with, as the text that is signed."""
    ask, answer = decided.ask, decided.answer
    caller, request = ask.caller, json.loads(ask.canonical.json)
    approval = answer.approval.approval.id if answer.approval and answer.used else ""
    return orjson.dumps(
        {
            "job": job_id,
            "attempt": _attempt(ask),
            "keys": keys,
            "caller": {
                "identity": caller.identity,
                "kind": caller.kind,
                "groups": caller.groups,
                "claims": caller.claims,
                "vouched": caller.vouched,
                "json": caller.json.decode(),
            },
            "message": base64.b64encode(ask.request.SerializeToString(deterministic=True)).decode(),
            "request": ask.canonical.json.decode(),
            "digest": ask.canonical.digest,
            "people": named(ask.canonical.json),
            "persons": persons,
            "decision": answer.decision_id,
            "approval": approval,
            "use": use,
            "table": plan.table,
            "subject": plan.subject,
            "destination": _text(request["context"].get("destination")),
            "key_version": plan.key_version if any(leaf.key_version for leaf in plan.leaves) else 0,
            "plan": stored(plan),
            "plan_sha256": plan.sha256(),
        }
    )


def _attempt(ask: Ask) -> str:
    """What a call and its repetitions have in common, and no other call; empty where its caller names no attempt."""
    asked = ask.request
    said = [ask.caller.identity, asked.request_id, asked.attempt_id, ask.canonical.digest]
    return sha256(orjson.dumps(said)).hexdigest() if asked.attempt_id else ""


@lru_cache(maxsize=KEPT_PLANS)
def _plan(text: str) -> masker.MaskPlan:
    return masker.MaskPlan.from_json(text)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
