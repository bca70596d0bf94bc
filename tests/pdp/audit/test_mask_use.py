"""A decision that two jobs masked or unmasked under is found; the records of one job are one use."""

from collections.abc import Sequence

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pdp.audit.record import Entry, Kind, entry
from pdp.audit.verify import Tampered, Verifier
from pdp.v1.audit_pb2 import Batch
from tests.pdp.scribe import Scribe

SCRIBE = Scribe(Ed25519PrivateKey.generate())


def verified(log: Sequence[Batch]) -> None:
    verifier = Verifier(SCRIBE.realm, SCRIBE.key.public_key(), "kid")
    for batch in log:
        verifier.add(batch)
    verifier.finish()


def found(log: Sequence[Batch]) -> Tampered:
    with pytest.raises(Tampered) as caught:
        verified(log)
    return caught.value


def masking(kind: Kind, phase: str, use: str = "use_1", decision_id: str = "dec_1") -> Entry:
    details = {"decision_id": decision_id, "phase": phase, **({"use": use} if use else {})}
    return entry(kind, orjson.dumps({"caller": {}, "details": details}))


@pytest.mark.parametrize(
    "phases", [["complete"], ["failed"], ["started"], ["started", "complete"], ["started", "broken"]]
)
@pytest.mark.parametrize("use", ["use_1", ""])
@pytest.mark.parametrize("kind", [Kind.MASK, Kind.UNMASK])
def test_records_of_one_job_are_one_use(phases: list[str], use: str, kind: Kind) -> None:
    entries = [masking(kind, phase, use) for phase in phases]
    again = entries[-1]
    verified([SCRIBE.first(*entries, again, masking(kind, "complete", decision_id="dec_2"))])


@pytest.mark.parametrize(
    ("phases", "uses"),
    [
        (["complete", "complete"], ["", ""]),
        (["complete", "complete"], ["use_1", "use_1"]),
        (["complete", "failed"], ["use_1", "use_2"]),
        (["started", "complete"], ["use_1", "use_2"]),
        (["started", "started"], ["use_1", "use_2"]),
        (["started", "broken", "complete"], ["use_1", "use_1", "use_1"]),
    ],
)
@pytest.mark.parametrize("same_writer", [True, False])
def test_second_job_of_a_decision_is_found(phases: list[str], uses: list[str], *, same_writer: bool) -> None:
    *first, last = (masking(Kind.UNMASK, phase, use) for phase, use in zip(phases, uses, strict=True))
    one = SCRIBE.first(*first)
    other = SCRIBE.behind(one, last) if same_writer else SCRIBE.first(last, writer=b"v" * 16)
    fault = found([one, other])
    assert fault.kind == "masked-twice"
    assert fault.place.startswith(f"writer {other.writer.hex()} batch {other.seq} record 0")
    assert "another job used dec_1 before" in str(fault)


def test_record_of_masking_without_a_decision_is_found() -> None:
    assert found([SCRIBE.first(entry(Kind.UNMASK, b'{"details":{}}'))]).kind == "record"
