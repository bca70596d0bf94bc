"""Deadlines of approvals as conditions of a query: MongoDB compares them with its own clock."""

from datetime import timedelta

from pdp.approval import State
from pdp.store.database import Document


def deadline(state: State) -> Document:
    """When this state ends by itself."""
    stamp, duration = ("created_at", "pending_for_ms") if state is State.PENDING else ("approved_at", "valid_for_ms")
    return {"$add": [f"${stamp}", f"${duration}"]}


def overdue(state: State) -> Document:
    """The condition of an approval in this state whose time is over."""
    return {"state": {"$eq": state}, "$expr": {"$lte": [deadline(state), "$$NOW"]}}


def current(state: State) -> Document:
    """The condition of an approval in this state whose time is not over."""
    return {"state": {"$eq": state}, "$expr": {"$gt": [deadline(state), "$$NOW"]}}


def within(stamp: str, time: timedelta) -> Document:
    """The condition that a stamp is less than this time ago."""
    ago = {"$subtract": ["$$NOW", int(time.total_seconds() * 1000)]}
    return {"$expr": {"$gt": [f"${stamp}", ago]}}
