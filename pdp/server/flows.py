"""The flows that every face of the server calls, each made once."""

from dataclasses import dataclass
from typing import Self

from pdp.admission import Admission
from pdp.config import Config
from pdp.grant import Grantor
from pdp.opa.batching import Batcher
from pdp.opa.engine import Engine
from pdp.recording.denials import Denials
from pdp.recording.uses import Uses
from pdp.search_page import Pages
from pdp.server.parts import Parts
from pdp.store.tasks import Tasks
from pdp.turns import Turns
from pdp.workflow.access_requests import AccessRequests
from pdp.workflow.briefing import Briefing
from pdp.workflow.checking import Unsaid
from pdp.workflow.deciding import Deciding
from pdp.workflow.integrity import Integrity
from pdp.workflow.queue import ReviewQueue
from pdp.workflow.requesting import Requesting
from pdp.workflow.review_limits import ReviewLimits
from pdp.workflow.reviewers import Reviewers
from pdp.workflow.reviewing import Reviewing
from pdp.workflow.searching import Searching
from pdp.workflow.settlement import Settlement
from pdp.workflow.watching import Watching


@dataclass(frozen=True, slots=True)
class Flows:
    """What happens to requests and approvals: each face translates and calls these."""

    batcher: Batcher
    turns: Turns
    admission: Admission
    reviewers: Reviewers
    reviewing: Reviewing
    briefing: Briefing
    requesting: Requesting
    queue: ReviewQueue
    watching: Watching
    deciding: Deciding
    searching: Searching
    requests: AccessRequests
    uses: Uses

    @classmethod
    def of(cls, config: Config, opa: Engine, parts: Parts, turns: Turns, unsaid: Unsaid) -> Self:
        """The flows of a configured server."""
        integrity, batcher = Integrity(parts.sealer, parts.writer), Batcher(opa.opa)
        signing, linked = parts.people.signing, parts.people.linked(batcher)
        reviewers = Reviewers(batcher, config.person_types, groups_open=config.groups_open)
        limits = ReviewLimits(parts.approvals, parts.pressure, config.person_types, parts.sealer)
        known = integrity, turns, parts.lineage, signing, linked
        reviewing, tasks = Reviewing(parts.approvals, batcher, parts.delivery, *known), Tasks(parts.database)
        queue, uses, denials = ReviewQueue(parts.queue, reviewing, batcher), Uses(parts.batches), Denials(parts.batches)
        deciding = Deciding(
            realm=config.realm,
            person_types=config.person_types,
            faults=opa.policy.faults,
            batcher=batcher,
            settlement=Settlement(parts.approvals, batcher, parts.delivery, uses, integrity, reviewers, limits, linked),
            delivery=parts.delivery,
            writer=parts.writer,
            grantor=Grantor(parts.signing.grant, config.realm),
            database=parts.database,
            turns=turns,
            lineage=parts.lineage,
            unsaid=unsaid,
            counts_rules=config.operations is not None and config.operations.rule_metrics,
        )
        requesting = Requesting(parts.approvals, parts.delivery, integrity, config.person_types, parts.outflow)
        watching = Watching(queue, reviewing, parts.changes, parts.feed, turns)
        asked = AccessRequests(deciding, parts.approvals, tasks, requesting, watching, integrity, denials)
        searching = Searching(deciding, opa.opa, parts.delivery, Pages(parts.signing.seal, config.realm), turns)
        briefing = Briefing(batcher, parts.lineage, config.person_types, masks=config.mask_keys is not None)
        reviews = reviewers, reviewing, briefing, requesting, queue, watching
        return cls(batcher, turns, Admission(config.limits), *reviews, deciding, searching, asked, uses)
