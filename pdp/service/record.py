"""A stored record as the contract's messages."""

from dataclasses import dataclass, replace
from typing import Any

import orjson
from google.protobuf import json_format
from google.protobuf.timestamp_pb2 import Timestamp

from pdp import identifier
from pdp.service import message
from pdp.v1.approval_pb2 import Approval
from pdp.v1.audit_pb2 import Batch, GetRecordResponse, Payload, RecordSummary
from pdp.v1.decision_pb2 import AuthorizeResponse, Fired, GetDecisionResponse
from pdp.v1.request_pb2 import Effect, Reason, Request


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One record, parsed, and where it stands."""

    batch: Batch
    index: int
    members: dict[str, Any]
    payload: dict[str, Any]

    @property
    def caller(self) -> str:
        """Who asked; empty once erased."""
        return str(self.payload.get("caller", {}).get("identity", ""))

    @property
    def record(self) -> bytes:
        """The signed part as it is stored."""
        return self.batch.records[self.index]

    @property
    def held(self) -> Payload:
        """The payload and its salt as they are stored; both are empty where they are gone."""
        return self.batch.payloads[self.index] if self.index < len(self.batch.payloads) else Payload()

    def full(self) -> GetRecordResponse:
        """For an auditor."""
        payload = self.held
        return GetRecordResponse(
            summary=summary(self.members),
            record=self.record,
            payload=payload.payload,
            salt=payload.salt,
            writer=self.batch.writer,
            seq=self.batch.seq,
            index=self.index,
        )

    def decision(self) -> GetDecisionResponse:
        """For the caller who asked."""
        details = self.payload["details"]
        request = json_format.ParseDict(self.payload["request"], Request())
        answer = AuthorizeResponse(
            decision_id=identifier.decision_id(self.members["id"]),
            effect=_effect(self.members),
            reasons=[Reason(**reason) for reason in details.get("reasons", [])],
            policy_revision=self.members["policy_revision"],
            request_digest=self.payload["request_digest"],
            on_behalf_of=request.on_behalf_of,
            dry_run=details.get("dry_run", False),
            withheld=details.get("withheld", False),
        )
        for obligation in details.get("obligations", []):
            properties = message.struct(obligation.pop("properties"))
            answer.obligations.add(properties=properties, **obligation)
        if "approval_id" in self.members:
            answer.approval.CopyFrom(Approval(approval_id=self.members["approval_id"]))
        if "fired" in details:
            fired = {name: [Reason(**reason) for reason in reasons] for name, reasons in details["fired"].items()}
            answer.fired.CopyFrom(Fired(**fired))
        return GetDecisionResponse(
            decision=answer,
            request=request,
            recorded_at=_time(self.members),
            record_id=self.members["id"],
        )


def stored_record(batch: Batch, record_id: str) -> StoredRecord | None:
    """The record with this id in `batch`. What is damaged beside it, or in its payload, is as if it were empty."""
    for index, record in enumerate(batch.records):
        members = _members(record)
        if members.get("id") == record_id:
            found = StoredRecord(batch, index, members, {})
            return replace(found, payload=_members(found.held.payload))
    return None


def _members(stored: bytes) -> dict[str, Any]:
    try:
        members = orjson.loads(stored)
    except ValueError:
        return {}
    return members if isinstance(members, dict) else {}


def summary(members: dict[str, Any]) -> RecordSummary:
    """The signed part, without the commitment."""
    return RecordSummary(
        record_id=members["id"],
        kind=members["kind"],
        recorded_at=_time(members),
        effect=_effect(members),
        rules=members.get("rules", []),
        policy_revision=members.get("policy_revision", ""),
        approval_id=members.get("approval_id", ""),
        withheld=members.get("withheld", False),
    )


def _effect(members: dict[str, Any]) -> Effect:
    return message.effect(members.get("effect", "UNSPECIFIED"))


def _time(members: dict[str, Any]) -> Timestamp:
    stamp = Timestamp()
    stamp.FromJsonString(members["time"])
    return stamp
