"""Builds what serves `LineageService`, of a server that keeps lineage."""

from functools import partial
from typing import TYPE_CHECKING, cast

from pdp.config import Config
from pdp.lineage.following import Following
from pdp.recording.writer import Writer
from pdp.server.flows import Flows
from pdp.server.lineage import Lineage
from pdp.service import lineage_off

if TYPE_CHECKING:
    from pdp.lineage.graph import Graph
    from pdp.lineage.past import At
    from pdp.lineage.views import Views


def lineage_service(config: Config, kept: Lineage | None, flows: Flows, writer: Writer) -> object:
    """The service. Without `[lineage]` it only says so, and nothing of the extra `lineage` is imported."""
    if config.lineage is None or kept is None:
        return lineage_off.LineageService()
    from pdp.lineage.graph import Graph  # noqa: PLC0415  # an extra
    from pdp.lineage.past import Past  # noqa: PLC0415
    from pdp.lineage.views import Views  # noqa: PLC0415
    from pdp.service.lineage_whole import LineageService  # noqa: PLC0415
    from pdp.workflow.known_data import KnownData  # noqa: PLC0415
    from pdp.workflow.lineage_saying import Saying  # noqa: PLC0415
    from pdp.workflow.reading_lineage import ReadingLineage  # noqa: PLC0415
    from pdp.workflow.tagging import TaggingData  # noqa: PLC0415
    from pdp.workflow.taken_before import Told  # noqa: PLC0415
    from pdp.workflow.taking_back import TakingBack  # noqa: PLC0415

    past = Past(
        partial(_now, kept.following),
        kept.documents,
        kept.snapshots,
        kept.signer,
        load=lambda dumped: Graph() if dumped is None else Graph.load(dumped),
        views=partial(Views, settings=config.lineage),
    )
    known = KnownData(config.lineage, flows.deciding, past)
    say = Saying(kept.writing, writer).say
    return LineageService(
        ingesting=kept.ingesting,
        reading=ReadingLineage(known),
        tagging=TaggingData(known, say, kept.limits),
        taking=TakingBack(known, flows.deciding, say, Told(kept.writing, flows.uses)),
        writers=config.lineage.writers,
    )


def _now(following: Following) -> "At":
    """What this process decides by."""
    from pdp.lineage.past import At  # noqa: PLC0415

    return At(cast("Graph", following.graph), cast("Views", following.views), following.revision)
