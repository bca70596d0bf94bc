"""What is known of data: which dataset a caller means, who may see it, and how it was at a revision."""

from collections.abc import Sequence

from pdp.caller import READS_LINEAGE, Caller, Role, subject_of
from pdp.canonical import MAX_ID_BYTES
from pdp.decision import Effect
from pdp.errors import InvalidRequest, NotAllowed, NotFound
from pdp.lineage.fact import Dataset
from pdp.lineage.name import Names
from pdp.lineage.past import At, Past
from pdp.lineage.resource import DATASET, Resources
from pdp.lineage.view import State
from pdp.lineage_errors import DatasetAmbiguous
from pdp.lineage_settings import LineageSettings
from pdp.v1.dataset_pb2 import DatasetName
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.lineage_pb2 import DataName, LineageScope
from pdp.v1.request_pb2 import Action, Resource
from pdp.workflow.answer import Decided
from pdp.workflow.deciding import Deciding
from pdp.workflow.lineage import no_writer

READ = "lineage.read"
"""The action as which the policy is asked for a read."""
_SHOWN = 4
"""Datasets of an ambiguous resource that the error names."""


class KnownData:
    """The reading half of lineage for people."""

    def __init__(self, settings: LineageSettings, deciding: Deciding, past: Past) -> None:
        self.names = Names(settings.schemes, settings.exact_case, settings.partitions)
        self._deciding, self.at = deciding, past.at
        self._writers = settings.writers
        self._resources = Resources(settings.resources, self.names)

    async def one(self, data: DataName, n: int = 0, path: str = "data") -> Dataset:
        """The one dataset that a change is of. A resource that is not known yet is what the configuration names.

        Raises `DatasetAmbiguous`, and `NotFound` where it stands for nothing.
        """
        self.require_named(data, path)
        if not data.HasField("resource"):
            return self.dataset(data.dataset, f"{path}.dataset")
        at, resource = await self.at(n), data.resource
        view = at.views.view(resource.type, resource.id, at.revision)
        found = list(view.datasets) or sorted(self._resources.named(resource.type, resource.id))
        if view.state is State.AMBIGUOUS or not _are_one(at, found):
            several = ", ".join(f"{one.namespace}/{one.name}" for one in found[:_SHOWN]) or "more than are looked at"
            raise DatasetAmbiguous(f"{path}: stands for several datasets; name one of them: {several}")
        if not found:
            raise NotFound("DATASET_NOT_FOUND", f"{path}: no dataset is known for this resource; name it as a dataset")
        return found[0]

    def require_own(self, dataset: Dataset, caller: Caller) -> None:
        """Raise `NotAllowed` where a caller without the role `steward` may not write this data."""
        if Role.STEWARD in caller.roles:
            return
        writer = self._writers.get(caller.identity)
        if writer is None:
            raise no_writer(caller)
        if not self.names.may_write(writer.namespaces, dataset):
            raise NotAllowed("DATASET_FOREIGN", "data: its namespace is not one that this writer may write")

    async def other_names(self, dataset: Dataset) -> Sequence[Dataset]:
        """The names that a dataset has beside this one, as far as this process has read."""
        nodes = (await self.at(0)).graph.structure.nodes
        number = nodes.numbers.get(dataset)
        return () if number is None else sorted(nodes.datasets[one] for one in nodes.together(number) - {number})

    def found(self, at: At, data: DataName, path: str) -> tuple[State, Sequence[Dataset]]:
        """Whether data is known at a revision, and the datasets that it stands for."""
        if data.HasField("resource"):
            view = at.views.view(data.resource.type, data.resource.id, at.revision)
            return view.state, view.datasets
        dataset = self.dataset(data.dataset, f"{path}.dataset")
        known = dataset in at.graph.structure.nodes.numbers
        return (State.KNOWN, [dataset]) if known else (State.UNKNOWN, [])

    @staticmethod
    def require_named(data: DataName, path: str) -> None:
        """Raise `InvalidRequest` where a message names no data."""
        if data.WhichOneof("name") is None:
            raise InvalidRequest.field(path, "is required: a resource or a dataset")

    def dataset(self, name: DatasetName, path: str) -> Dataset:
        """A dataset under its folded names. Raises `InvalidRequest`."""
        for member in ("namespace", "name"):
            text = getattr(name, member)
            if not text or len(text.encode()) > MAX_ID_BYTES:
                raise InvalidRequest.field(f"{path}.{member}", f"must have 1 to {MAX_ID_BYTES} bytes")
        return self.names.dataset(name.namespace, name.name)

    async def permitted(self, data: DataName, scope: LineageScope, caller: Caller) -> Decided | None:
        """The policy's decision on a read, where the caller has no role that reads."""
        if caller.roles & READS_LINEAGE:
            return None
        request = question(READ, data, scope, caller)
        return await self._deciding.decide_one(self._deciding.checked(request, caller))


def question(action: str, data: DataName, scope: LineageScope, caller: Caller) -> AuthorizeRequest:
    """What the policy is asked: this action on the data, as the subject of the scope, or else as the caller itself."""
    named = data.resource if data.HasField("resource") else None
    resource = (
        Resource(type=named.type, id=named.id)
        if named
        else Resource(type=DATASET, id=f"{data.dataset.namespace}/{data.dataset.name}")
    )
    return AuthorizeRequest(
        subject=scope.subject if scope.HasField("subject") else subject_of(caller.identity),
        on_behalf_of=scope.on_behalf_of,
        action=Action(name=action),
        resource=resource,
        request_id=scope.request_id,
        approval_id=scope.approval_id,
        justification=scope.justification,
        attempt_id=scope.attempt_id,
        expected_digest=scope.expected_digest,
    )


def is_allowed(decided: Decided | None) -> bool:
    """Whether an answer may hold what was asked for."""
    return decided is None or decided.effect is Effect.ALLOW


def _are_one(at: At, found: Sequence[Dataset]) -> bool:
    """Whether these are names of one dataset."""
    nodes = at.graph.structure.nodes
    numbers = {nodes.numbers[name] for name in found if name in nodes.numbers}
    return len(found) <= 1 or (bool(numbers) and numbers <= nodes.together(min(numbers)))
