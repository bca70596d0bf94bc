"""The masker's errors become ours, and no content leaves in any of them."""

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import masker
from pdp.errors import KeyRefused, MaskPlanRefused, PdpError, ValueRefused

log = logging.getLogger(__name__)

MAX_SHOWN = 200
"""Characters of a column, a rule or a sentence that an error repeats; names come from the caller and may be long."""


@contextmanager
def refusals() -> Iterator[None]:
    """Turn the masker's errors into ours. What it did not mean to raise is logged without its text, which may quote."""
    failure: PdpError
    try:
        yield
    except PdpError:
        raise
    except masker.PlanRefused as error:
        failure = MaskPlanRefused(_sentence(error))
        failure.metadata |= _place(error)
    except masker.ValueRefused as error:
        failure = ValueRefused(_sentence(error))
        failure.metadata |= _place(error)
    except masker.KeyRefused as error:
        failure = KeyRefused(_sentence(error))
    except Exception as error:  # noqa: BLE001  # its text may quote a value
        frames = " < ".join(
            f"{frame.filename}:{frame.lineno}" for frame in reversed(traceback.extract_tb(error.__traceback__))
        )
        log.error("masking failed with %s at %s", type(error).__name__, frames)  # noqa: TRY400
        failure = PdpError("masking failed by an error of the server's own; its log says where")
    else:
        return
    raise failure


def shortened(text: str) -> str:
    """At most `MAX_SHOWN` characters of a name or sentence."""
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"


def _sentence(error: masker.MaskError) -> str:
    return shortened(str(error))


def _place(error: masker.PlanRefused | masker.ValueRefused) -> dict[str, str]:
    row = getattr(error, "row", None)
    place = {"column": error.column, "rule": error.rule, "row": "" if row is None else str(row)}
    return {name: shortened(value) for name, value in place.items() if value}
