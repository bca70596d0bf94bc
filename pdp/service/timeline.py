"""What happened to an approval becomes messages of the contract."""

from pdp.service import message
from pdp.v1 import approval_pb2
from pdp.workflow.timeline import Happened


def entry(one: Happened) -> approval_pb2.TimelineEntry:
    """One thing that happened."""
    return approval_pb2.TimelineEntry(
        kind=f"TIMELINE_KIND_{one.event}",
        at=message.timestamp(one.at),
        who=one.who,
        channel=message.channel(one.review.channel) if one.review else None,
        verdict=f"VERDICT_{one.review.verdict}" if one.review else None,
        state=f"APPROVAL_STATE_{one.state}" if one.state else None,
        outcome=f"OUTCOME_STATE_{one.outcome.state}" if one.outcome else None,
        event=one.told_of,
        record_id=one.record_id,
        told_in=one.told_in,
    )
