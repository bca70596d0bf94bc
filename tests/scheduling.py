"""Which worker runs which tests, where several workers share a run (`pytest -n 3`).

1. The tests of one file are a unit: they run on one worker in their order, so its module fixtures are set up once.
2. Units below `LONG` start before the others, as a long one that starts last keeps the other workers waiting. Among
   them the file's name decides, which mixes those that wait with those that compute.
3. The files of `ALONE` are the last unit. It starts when every other worker has ended, because these tests bound a
   time more tightly than it holds while another test uses the machine.
"""

from pathlib import Path

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

ROOT = Path(__file__).parents[1]
ALONE = (
    "tests/e2e/test_drain.py",
    "tests/e2e/test_faults_clients.py",
    "tests/e2e/test_faults_mongodb.py",
    "tests/e2e/test_faults_opa.py",
    "tests/e2e/test_poison.py",
    "tests/e2e/test_races.py",
    "tests/pdp/authn/test_jwks.py",
    "tests/pdp/workflow/test_watching.py",
)
MODES = "tests/masker/test_modes.py"
LONG = ("tests/cli/", "tests/e2e/", "tests/examples/", "tests/pdp/server/", "tests/test_readme.py")
FEW = 2
"""Tests. A worker that has so few left gets its next unit; it keeps one back until it knows what follows."""


def unit(test: str) -> str:
    """The unit of a test: its file, unless that runs alone."""
    file = test.partition("::")[0]
    return "alone" if file in ALONE else file


def rank(name: str) -> tuple[int, str]:
    """Units of a lower rank start earlier."""
    if name.startswith(LONG):
        return 1, name.rpartition("/")[2]
    return {MODES: 0, "alone": 3}.get(name, 2), ""


class Units(LoadScopeScheduling):
    """Hands out one unit after the other, `alone` to the only worker that is left."""

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        following = min(self.workqueue, key=rank)
        if following == "alone" and self._has_company(node):
            return
        self.workqueue.move_to_end(following, last=False)
        super()._assign_work_unit(node)

    def _reschedule(self, node: WorkerController) -> None:
        """As the base does; where only `alone` is left, all workers but one end when they run out of tests."""
        others_stay = any(not other.shutting_down for other in self.nodes if other is not node)
        if list(self.workqueue) == ["alone"] and others_stay:
            if self._pending_of(self.assigned_work[node]) <= FEW:
                node.shutdown()
            return
        super()._reschedule(node)

    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:
        """The last test of one worker lets another one begin `alone`."""
        super().mark_test_complete(node, item_index, duration)
        for other in self.nodes:
            self._reschedule(other)

    def _has_company(self, node: WorkerController) -> bool:
        return any(self._pending_of(work) for other, work in self.assigned_work.items() if other is not node)
