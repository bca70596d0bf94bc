"""LineageService: its three parts as one."""

from collections.abc import Collection

from pdp.service.lineage import LineageRead
from pdp.service.lineage_change import LineageChange
from pdp.service.lineage_ingest import LineageIngest
from pdp.workflow.lineage import Ingesting
from pdp.workflow.reading_lineage import ReadingLineage
from pdp.workflow.tagging import TaggingData
from pdp.workflow.taking_back import TakingBack


class LineageService(LineageIngest, LineageRead, LineageChange):
    """Takes events, is read, and is changed by stewards."""

    def __init__(
        self,
        *,
        ingesting: Ingesting,
        reading: ReadingLineage,
        tagging: TaggingData,
        taking: TakingBack,
        writers: Collection[str],
    ) -> None:
        LineageIngest.__init__(self, ingesting)
        LineageRead.__init__(self, reading, writers)
        LineageChange.__init__(self, tagging, taking)
