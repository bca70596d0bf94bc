"""The collection of approvals.

1. Each approval is one document, and each change is one compare-and-set on its `version`.
2. All time is MongoDB's: `$currentDate` writes the stamps, and the filter's `$expr` compares deadlines with `$$NOW`.
3. Changes use classic operators only, because a pipeline update would evaluate a reviewer's "$secret".
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from pdp import addressee, metrics
from pdp.approval import Approval, ApprovalAt, Opening, OutboxEntry, Outcome, Review, State, TakenBack, Use, transition
from pdp.audit.record import Entry
from pdp.caller import named
from pdp.canonical import kind
from pdp.errors import NotFound
from pdp.seal import Sealer
from pdp.store.addressees import Addressees
from pdp.store.approval_document import (
    from_document,
    of_opening,
    of_outcome,
    of_posted,
    of_review,
    of_taken_back,
    of_use,
)
from pdp.store.database import Database, Document, unavailable
from pdp.store.deadlines import current, deadline, overdue, within
from pdp.store.notifications import untold
from pdp.store.pace import Pace, Turn
from pdp.store.reminders import first_reminder

FOUND = {"document": "$$ROOT", "now": "$$NOW"}
"""What a query reads: the whole document, and MongoDB's time."""


class RequestIdTaken(Exception):
    """Another approval of this caller holds the request id."""


class Approvals:
    """Reads approvals and changes them by compare-and-set.

    A change returns None if another call was faster or if the approval's time is over. `notified` says that webhooks
    are configured, so that each step also lists itself as untold. `sealer` signs the records of each step.
    """

    def __init__(self, database: Database, sealer: Sealer, *, notified: bool = False) -> None:
        self._collection, self._notified = database.database.get_collection("approvals"), notified
        self._database, self._sealer, self._pace = database, sealer, Pace(database)
        self._addressees = Addressees(database)

    async def now(self) -> datetime:
        """MongoDB's time."""
        return await self._database.now()

    async def get(self, approval_id: str) -> ApprovalAt | None:
        """One approval by id."""
        return await self._one({"_id": {"$eq": approval_id}})

    async def of_its_caller(self, caller: str, approval_id: str, advice: str = "") -> ApprovalAt:
        """The approval that this caller opened. `NotFound`, with `advice`, where there is none."""
        held = await self.get(approval_id)
        if held is None or held.approval.caller != caller:
            raise _unknown(advice)
        return held

    async def of_its_requester(self, principal: str, approval_id: str) -> ApprovalAt:
        """The approval that `principal` opened, or that has it among its requester principals. Else `NotFound`."""
        held = await self.get(approval_id)
        if held is None or principal not in {held.approval.caller, *held.approval.principals}:
            raise _unknown()
        return held

    async def by_request_id(self, caller: str, request_id: str) -> ApprovalAt | None:
        """The approval that this caller's request id opened or used."""
        return await self._one({"caller": {"$eq": caller}, "request_ids": {"$eq": request_id}})

    async def pending(self, caller: str, digest: str) -> ApprovalAt | None:
        """The caller's PENDING approval of this request. Its time may be over."""
        return await self._one({"caller": {"$eq": caller}, "digest": {"$eq": digest}, "state": {"$eq": State.PENDING}})

    async def of_caller(self, caller: str, state: State | None, before: str, limit: int) -> list[ApprovalAt]:
        """The caller's approvals with ids below `before` (empty: from the newest), newest first."""
        condition: Document = {"caller": {"$eq": caller}}
        return await self._page(condition, state, before, limit)

    async def in_the_name_of(self, principal: str, state: State | None, before: str, limit: int) -> list[ApprovalAt]:
        """The approvals that other callers opened with `principal` among their requester principals, newest first."""
        condition: Document = {"principals": {"$eq": principal}, "caller": {"$ne": principal}}
        return await self._page(condition, state, before, limit)

    async def last_approved(self, approval: Approval) -> ApprovalAt | None:
        """The newest other approval of the same caller and kind that was approved and not withdrawn."""
        condition: Document = {
            "caller": {"$eq": approval.caller},
            "kind": {"$eq": kind(approval.request)},
            "state": {"$in": [State.APPROVED, State.CONSUMED]},
            "_id": {"$ne": approval.id},
        }
        found = await self._find(condition, 1, newest_first=True)
        return found[0] if found else None

    async def suggesting(self, digests: Sequence[str]) -> list[ApprovalAt]:
        """The approvals with a review that suggests a request of these digests. One query, by an index of its own."""
        return await self._find({"reviews.suggestion_digest": {"$in": list(digests)}}, 0)

    async def open(self, opening: Opening, request_id: str, outbox: Sequence[Entry] = ()) -> Approval | None:
        """Insert a PENDING approval; None where the caller has one for this digest already. `request_id` may be empty.

        Raises `RequestIdTaken`.
        """
        await self._addressees.note(addressee.shared(opening.requirements))
        sealed_at = opening.sealed_at or await self.now()
        document = {
            **of_opening(replace(opening, outbox=self._signed(opening.id, 1, outbox))),
            "version": 1,
            "state": State.PENDING,
            "reviews": [],
            "kind": kind(opening.request),
            "named": named(opening.request),
            "addressees": addressee.words(opening.requirements),
            "due_at": sealed_at + timedelta(milliseconds=opening.pending_for_ms),
            "untold": untold(outbox, State.PENDING) if self._notified else [],
            **(first_reminder(opening, sealed_at) if self._notified else {}),
        }
        if request_id:
            document["request_ids"] = [request_id]
        update = {"$setOnInsert": document, "$currentDate": {"created_at": True, "updated_at": True}}
        try:
            opened = await self._update({"_id": {"$eq": opening.id}}, update, upsert=True)
            return metrics.came_into(State.PENDING, opened)
        except DuplicateKeyError as error:
            raise_if_request_id(error)
            return None

    async def review(
        self, approval: Approval, review: Review, after: State, outbox: Sequence[Entry], turn: Turn | None = None
    ) -> Approval | None:
        """Add a review to an approval whose time is not over. With `turn` it is paced: raises `TooSoon`."""
        changes: Document = {"$push": {"reviews": of_review(review)}}
        if after in (State.DENIED, State.REVOKED):
            changes["$set"] = {"closed_by": review.reviewer, "close_reason": review.reason}
        if turn is None:
            return await self._step(approval, after, outbox, changes)
        return await self._pace.step(
            turn, lambda session: self._step(approval, after, outbox, changes, session=session)
        )

    async def close(
        self, approval: Approval, after: State, closed_by: str, reason: str, outbox: Sequence[Entry]
    ) -> Approval | None:
        """End a PENDING or APPROVED approval whose time is not over, because `closed_by` asked for it."""
        changes: Document = {"$set": {"closed_by": closed_by, "close_reason": reason}}
        return await self._step(approval, after, outbox, changes)

    async def report(self, approval: Approval, outcome: Outcome, outbox: Sequence[Entry]) -> Approval | None:
        """Store the reported outcome of a CONSUMED approval."""
        changes: Document = {"$set": {"outcome": of_outcome(outcome)}}
        return await self._step(approval, approval.state, outbox, changes)

    async def take_back(
        self, approval: Approval, taken: TakenBack, outbox: Sequence[Entry], still: timedelta
    ) -> Approval | None:
        """Store that a denial of less than `still` ago was taken back."""
        changes: Document = {"$set": {"taken_back": of_taken_back(taken)}}
        return await self._step(approval, approval.state, outbox, changes, on=within("closed_at", still))

    async def consume(self, approval: Approval, use: Use, outbox: Sequence[Entry]) -> Approval | None:
        """Use an APPROVED approval whose time is not over. Raises `RequestIdTaken`."""
        changes: Document = {"$set": {"used_by": of_use(use)}}
        if use.request_id:
            changes["$addToSet"] = {"request_ids": use.request_id}
        try:
            return await self._step(approval, State.CONSUMED, outbox, changes)
        except DuplicateKeyError as error:
            raise_if_request_id(error)
            raise

    async def void(self, approval: Approval, outbox: Sequence[Entry]) -> Approval | None:
        """End an APPROVED approval whose reviews no longer meet what the policy requires."""
        return await self._step(approval, State.VOIDED, outbox, {})

    async def expire(self, approval: Approval, outbox: Sequence[Entry]) -> Approval | None:
        """End an approval whose time is over."""
        return await self._step(approval, State.EXPIRED, outbox, {}, is_overdue=True)

    async def delivered(self, approval: Approval) -> None:
        """Empty the outbox of exactly this version, because its records are in the log."""
        async with unavailable():
            this = {"_id": {"$eq": approval.id}, "version": approval.version}
            await self._collection.update_one(this, {"$set": {"outbox": []}})

    async def overdue(self, limit: int) -> list[ApprovalAt]:
        """PENDING and APPROVED approvals whose time is over, for the sweep."""
        return await self._find({"$or": [overdue(State.PENDING), overdue(State.APPROVED)]}, limit)

    async def of_an_older_version(self, limit: int) -> list[ApprovalAt]:
        """Open approvals that an older version of Placet sealed, whose time is not over."""
        waits = {"$or": [current(State.PENDING), current(State.APPROVED)]}
        return await self._find({**waits, "sealed_at": {"$exists": False}}, limit)

    async def undelivered(self, age: timedelta, limit: int) -> list[ApprovalAt]:
        """Approvals with records in the outbox for longer than `age`, for the sweep."""
        old = {"$lt": ["$updated_at", {"$subtract": ["$$NOW", int(age.total_seconds() * 1000)]}]}
        return await self._find({"outbox.0": {"$exists": True}, "$expr": old}, limit)

    async def _one(self, condition: Document) -> ApprovalAt | None:
        async with unavailable():
            document = await self._collection.find_one(condition, FOUND)
        return _found(document) if document else None

    async def _page(self, condition: Document, state: State | None, before: str, limit: int) -> list[ApprovalAt]:
        if state is not None:
            condition["state"] = {"$eq": state}
        if before:
            condition["_id"] = {"$lt": before}
        return await self._find(condition, limit, newest_first=True)

    async def _find(self, condition: Document, limit: int, *, newest_first: bool = False) -> list[ApprovalAt]:
        async with unavailable():
            cursor = self._collection.find(condition, FOUND, limit=limit)
            if newest_first:
                cursor = cursor.sort("_id", -1)
            return [_found(document) async for document in cursor]

    async def _step(
        self,
        approval: Approval,
        after: State,
        outbox: Sequence[Entry],
        changes: Document,
        *,
        is_overdue: bool = False,
        on: Document | None = None,
        session: AsyncClientSession | None = None,
    ) -> Approval | None:
        if after is not approval.state:
            transition(approval.state, after)
        condition: Document = {"_id": {"$eq": approval.id}, "version": approval.version, **(on or {})}
        if is_overdue:
            condition |= overdue(approval.state)
        elif approval.expires_at is not None:
            condition["$expr"] = {"$gt": [deadline(approval.state), "$$NOW"]}
        sets = {
            **changes.pop("$set", {}),
            "state": after,
            "outbox": [of_posted(posted) for posted in self._signed(approval.id, approval.version + 1, outbox)],
        }
        if self._notified:
            changes.setdefault("$push", {})["untold"] = {"$each": untold(outbox, after)}
        stamps = {"updated_at": True, **dict.fromkeys(_stamps(approval.state, after), True)}
        update = {**changes, "$set": sets, "$inc": {"version": 1}, "$currentDate": stamps}
        changed = await self._update(condition, update, session=session)
        return changed if after is approval.state else metrics.came_into(after, changed)

    def _signed(self, approval_id: str, version: int, outbox: Sequence[Entry]) -> tuple[OutboxEntry, ...]:
        return tuple(OutboxEntry(entry, self._sealer.outbox(approval_id, version, entry)) for entry in outbox)

    async def _update(
        self,
        condition: Document,
        update: Document,
        *,
        upsert: bool = False,
        session: AsyncClientSession | None = None,
    ) -> Approval | None:
        async with unavailable():
            document = await self._collection.find_one_and_update(
                condition, update, upsert=upsert, return_document=ReturnDocument.AFTER, session=session
            )
        return from_document(document) if document else None


def _stamps(before: State, after: State) -> tuple[str, ...]:
    if after is before:
        return ()
    return ("approved_at",) if after is State.APPROVED else ("closed_at",)


def raise_if_request_id(error: DuplicateKeyError) -> None:
    """Raise `RequestIdTaken` if the duplicate key is a request id."""
    pattern = (error.details or {}).get("keyPattern", {})
    if "request_ids" in pattern:
        raise RequestIdTaken from None


def _unknown(advice: str = "") -> NotFound:
    sentence = "this caller has no such approval"
    return NotFound("APPROVAL_NOT_FOUND", f"{sentence}; {advice}" if advice else sentence)


def _found(document: Document) -> ApprovalAt:
    return ApprovalAt(from_document(document["document"]), document["now"])
