"""The streams of one unmasking follow one another; a chunk that was opened in any other order is found."""

import itertools
import random
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pdp.audit.chunk_order import CHUNK, ChunkOrder
from pdp.audit.record import Kind, entry
from pdp.audit.verify import Tampered, Verifier
from tests.pdp.scribe import Scribe

SCRIBE = Scribe(Ed25519PrivateKey.generate())
Streams = list[tuple[str, str, list[int]]]
"""Each stream's name, the one it follows, and its chunks."""

IN_ORDER: dict[str, Streams] = {
    "one stream": [("a", "", [0, 1, 2])],
    "nothing sent": [("a", "", [])],
    "goes on at the next": [("a", "", [0, 1]), ("b", "a", [2, 3])],
    "goes on at the last": [("a", "", [0, 1]), ("b", "a", [1, 2])],
    "the last twice": [("a", "", [0, 1]), ("b", "a", [1]), ("c", "b", [1, 2])],
    "broken at once": [("a", "", [0]), ("b", "a", []), ("c", "b", [0, 1])],
    "two began at once, and one went on": [("a", "", []), ("b", "", [0, 1]), ("c", "b", [2])],
    "the one that lost had recorded itself": [("a", "", [0, 1]), ("b", "a", []), ("c", "a", [1, 2])],
}
OUT_OF_ORDER: dict[str, Streams] = {
    "from the beginning again": [("a", "", [0, 1, 2]), ("b", "a", [0, 1])],
    "one before the last": [("a", "", [0, 1, 2]), ("b", "a", [1])],
    "two beginnings": [("a", "", [0, 1]), ("b", "", [0, 1])],
    "two that follow the same": [("a", "", [0]), ("b", "a", [0, 1]), ("c", "a", [0, 1])],
    "follows one that is not known": [("a", "", [0, 1]), ("b", "x", [0, 1])],
    "follows itself": [("a", "b", [0]), ("b", "a", [0])],
    "left one out": [("a", "", [0, 2])],
    "left one out between": [("a", "", [0]), ("b", "a", [2])],
    "begins late": [("a", "", [1, 2])],
    "the first again behind an empty one": [("a", "", [0, 1, 2]), ("b", "a", []), ("c", "b", [0])],
}


def details(name: str, after: str, phase: str, last: int = 0) -> dict[str, Any]:
    place = {"stream": name, "after": after, "to_chunk": last}
    return {"decision_id": "dec_1", "use": "use_1", "phase": phase, **place}


def records(streams: Streams) -> list[dict[str, Any]]:
    """Of each stream its beginning, its chunks and its end."""
    found = []
    for name, after, chunks in streams:
        found.append(details(name, after, "started"))
        found += [details(name, after, CHUNK, chunk + 1) for chunk in chunks]
        found.append(details(name, after, "broken", max(chunks, default=-1) + 1))
    return found


@pytest.mark.parametrize("last", [0, 2])
@pytest.mark.parametrize("ends", ["broken broken", "broken complete", "complete broken", "complete complete"])
def test_nothing_is_opened_behind_two_streams_that_were_complete(last: int, ends: str) -> None:
    order, (first, second) = ChunkOrder(), ends.split()
    done = [details("a", "", CHUNK, chunk + 1) for chunk in range(last + 1)]
    again = [details("b", "a", CHUNK, last + 1), details("c", "b", CHUNK, last + 1)]
    ended = [details("a", "", first, last + 1), details("b", "a", second, last + 1)]
    for number, record in enumerate([*again, *done, *ended]):
        order.add(f"rec_{number}", record)
    is_wrong = ends == "complete complete"
    assert order.fault() == (("rec_1", "it was opened again when all had been unmasked") if is_wrong else ("", ""))


@pytest.mark.parametrize("name", IN_ORDER)
def test_streams_that_follow_one_another_are_in_order_however_the_records_come(name: str) -> None:
    found = records(IN_ORDER[name])
    for seed in range(20):
        random.Random(seed).shuffle(found)
        order = ChunkOrder()
        for number, each in enumerate(found):
            order.add(f"rec_{number}", each)
        assert order.fault() == ("", "")


@pytest.mark.parametrize("name", OUT_OF_ORDER)
def test_chunk_opened_out_of_order_is_found_however_the_records_come(name: str) -> None:
    found = records(OUT_OF_ORDER[name])
    for seed in range(20):
        random.Random(seed).shuffle(found)
        order = ChunkOrder()
        for number, each in enumerate(found):
            order.add(f"rec_{number}", each)
        record_id, fault = order.fault()
        assert record_id.startswith("rec_")
        assert fault


def verified(found: list[dict[str, Any]]) -> None:
    verifier = Verifier(SCRIBE.realm, SCRIBE.key.public_key(), "kid")
    verifier.add(SCRIBE.first(*(entry(Kind.UNMASK, orjson.dumps({"caller": {}, "details": one})) for one in found)))
    verifier.finish()


def test_all_records_of_a_claim_are_one_use_for_the_whole_log() -> None:
    verified(list(itertools.chain(*(records(IN_ORDER[name]) for name in ("goes on at the last",)))))
    with pytest.raises(Tampered) as tampered:
        verified(records(OUT_OF_ORDER["from the beginning again"]))
    assert tampered.value.kind == "chunk-order"
    assert "chunk 0 was opened, and the last before it is 2" in str(tampered.value)


@pytest.mark.parametrize("other", [{"use": "use_2"}, {"stream": "", "phase": "complete"}])
def test_another_job_under_the_decision_of_chunks_is_found(other: dict[str, str]) -> None:
    found = records(IN_ORDER["one stream"])
    with pytest.raises(Tampered) as tampered:
        verified([*found, {**found[-1], **other}])
    assert tampered.value.kind == "masked-twice"
