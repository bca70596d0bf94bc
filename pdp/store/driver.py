"""What MongoDB's driver remarks about a connection string, as sentences of ours for the log."""

import logging
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pymongo.errors import PyMongoError
from pymongo.uri_parser import split_options

log = logging.getLogger(__name__)


@contextmanager
def in_our_words(uri: str) -> Iterator[None]:
    """Log what the driver warns of inside the block, in which it reads `uri`, each option as one sentence."""
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        yield
    for remark in remarks(uri):
        log.warning("mongodb_uri: %s", remark)


def remarks(uri: str) -> list[str]:
    """A sentence for each option of `uri` that does not count as it is written; values are not quoted."""
    options = [option for option in uri.partition("?")[2].split("&") if option]
    often = Counter(option.partition("=")[0].lower() for option in options)
    twice = [f"the option {name} stands there twice; keep one" for name, count in often.items() if count > 1]
    return twice + [_remark(option.partition("=")[0], text) for option in options for text in _warnings(option)]


def _warnings(option: str) -> list[str]:
    """What the driver says of one option alone; it does not always name the option."""
    with warnings.catch_warnings(record=True) as caught, suppress(PyMongoError, ValueError, TypeError):
        warnings.simplefilter("always")
        split_options(option, warn=True)
    return [str(warning.message) for warning in caught]


def _remark(name: str, text: str) -> str:
    if text.startswith("Unknown option"):
        return f"the driver does not know the option {name}; mend its name, or leave it out"
    if "ompressor" in text or "compression" in text:
        return f"the driver goes on without what {name} names: it does not know it, or lacks its package"
    return f"the value of {name} does not fit, so its default counts; mend it"
