"""Looks up what is known of the data that questions are about, before the policy is asked."""

from collections.abc import Sequence

from pdp import deadline
from pdp.lineage.view import State
from pdp.lineage_errors import LineageStale
from pdp.workflow.answer import Ask, Failed, error_record
from pdp.workflow.lineage_views import LineageViews

WAIT_SECONDS = 10.0
"""Seconds that a call waits for the revision that it asks for, if it does not end before."""
SPARE_SECONDS = 0.25
"""Seconds of a call's time that are kept for what follows: at most a quarter."""
NO_DATA = (State.OFF, State.NONE)
"""Where nothing can be known, so that nothing can be missed."""


class Informing:
    """Gives questions their views."""

    def __init__(self, lineage: LineageViews) -> None:
        self.lineage = lineage

    async def informed(self, asks: Sequence[Ask | Failed]) -> list[Ask | Failed]:
        """Each with what is known of its data, all as of one moment; what has a view or failed before stays as it is.

        A question about data fails where this process cannot say that it has the newest, or lacks the revision that
        the question asks for.
        """
        await self._wait(asks)
        stale = self._stale()
        return [self._informed(ask, stale) if isinstance(ask, Ask) else ask for ask in asks]

    async def _wait(self, asks: Sequence[Ask | Failed]) -> None:
        """Wait for the latest revision that a question about data asks for; who lacks it then is told one by one."""
        wanted = [ask.request.lineage_at_least for ask in asks if isinstance(ask, Ask) and self._awaits(ask)]
        if not wanted:
            return
        with deadline.spent_on(deadline.Stage.STORE):
            try:
                await self.lineage.at_least(max(wanted), deadline.end(WAIT_SECONDS, SPARE_SECONDS))
            except LineageStale:
                return

    def _awaits(self, ask: Ask) -> bool:
        if ask.lineage is not None or not ask.request.lineage_at_least:
            return False
        resource = ask.request.resource
        return self.lineage.view(resource.type, resource.id).state not in NO_DATA

    def _stale(self) -> LineageStale | None:
        try:
            self.lineage.require_fresh()
        except LineageStale as error:
            return error
        return None

    def _informed(self, ask: Ask, stale: LineageStale | None) -> Ask | Failed:
        if ask.lineage is not None:
            return ask
        view = self.lineage.view(ask.request.resource.type, ask.request.resource.id)
        if view.state not in NO_DATA:
            behind = view.revision.n < ask.request.lineage_at_least
            error = LineageStale(f"lineage is not at revision {ask.request.lineage_at_least} yet") if behind else stale
            if error:
                return Failed(error, [error_record(ask, error)])
        return ask.informed(view)
