"""Writes the questions of a query: what several of them know of their data is written once."""

from collections import Counter
from collections.abc import Sequence

OFF = b'{"state":"OFF"}'
"""What is known of data where lineage is off."""
OWN = b""
"""Stands where a question says itself what is known of its data."""


def questions(inputs: Sequence[bytes], lineages: Sequence[bytes]) -> bytes:
    """Members of a query's input: the questions, each with what is known of its data, as JSON.

    What only one of them knows is in that question, in `batch`. Those that share a view are in `sharing` and name its
    place in `views`: a core that does not know this leaves them without an answer.
    """
    times = Counter(lineages)
    repeated = [lineage for lineage in times if times[lineage] > 1 and lineage not in (OFF, OWN)]
    places = {lineage: place for place, lineage in enumerate(repeated)}
    alone, sharing = list[bytes](), list[bytes]()
    for index, (asked, lineage) in enumerate(zip(inputs, lineages, strict=True)):
        if lineage in places:
            sharing.append(b'"%d":{"item":%b,"view":%d}' % (index, asked, places[lineage]))
        else:
            alone.append(b'"%d":%b' % (index, _with_lineage(asked, lineage)))
    batch = b'"batch":{%b}' % b",".join(alone)
    return b'%b,"sharing":{%b},"views":[%b]' % (batch, b",".join(sharing), b",".join(repeated)) if sharing else batch


def _with_lineage(asked: bytes, lineage: bytes) -> bytes:
    if lineage == OWN:
        return asked
    return b'{"lineage":%b%b%b' % (lineage, b"" if asked == b"{}" else b",", asked[1:])
