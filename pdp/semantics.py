"""When a batch stops: the one meaning of its semantics, for every face."""

from collections.abc import Callable

from pdp.decision import Effect
from pdp.v1.decision_pb2 import BatchSemantics


def stops_at(semantics: BatchSemantics) -> Callable[[Effect], bool]:
    """Says of each answer whether it is the last one that is wanted. An error, too, counts as deny."""
    if semantics == BatchSemantics.BATCH_SEMANTICS_DENY_ON_FIRST_DENY:
        return lambda effect: effect is not Effect.ALLOW
    if semantics == BatchSemantics.BATCH_SEMANTICS_PERMIT_ON_FIRST_PERMIT:
        return lambda effect: effect is Effect.ALLOW
    return lambda _: False
