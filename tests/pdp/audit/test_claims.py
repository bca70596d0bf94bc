"""What is doubled is found wherever it stands; a dictionary of everything is the naive twin of the sorted files."""

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdp.audit import claims
from pdp.audit.claims import ClaimsInMemory, Reviews, Where
from pdp.audit.record import Kind
from pdp.audit.sorted_runs import SortedRuns

IDS = [f"rec_{number:032x}" for number in range(5)] + ["odd", ""]
APPROVALS = [f"apr_{number:032x}" for number in range(3)]
RECORDS = st.lists(
    st.tuples(
        st.sampled_from(IDS),
        st.sampled_from([Kind.DECISION, Kind.APPROVAL_CONSUMED]),
        st.sampled_from(APPROVALS),
        st.integers(0, 1),
        st.sampled_from(["", "spill", "again"]),
    ),
    max_size=30,
)


def record(name: str, kind: str, approval_id: str, version: int) -> tuple[dict[str, Any], bytes, bytes]:
    """A record's members, its bytes, and its leaf."""
    members = {"id": name, "kind": kind, "approval_id": approval_id, "version": version}
    raw = repr(members).encode()
    return members, raw, hashlib.sha256(raw).digest()


def naive(made: list[tuple[Any, ...]]) -> set[str]:
    """The kinds of faults, by keeping everything."""
    found, leaves, uses = set[str](), dict[str, bytes](), dict[str, str]()
    for name, kind, approval_id, version, _ in made:
        _, _, leaf = record(name, kind, approval_id, version)
        if leaves.setdefault(name, leaf) != leaf:
            found.add("duplicate-id")
        if kind == Kind.APPROVAL_CONSUMED and uses.setdefault(approval_id, name) != name:
            found.add("used-twice")
    return found


@settings(deadline=None, max_examples=60)  # files take their time
@given(made=RECORDS)
def test_sorted_files_find_what_a_dictionary_finds_across_writers_and_resumes(made: list[tuple[Any, ...]]) -> None:
    with TemporaryDirectory() as folder:
        runs = SortedRuns(Path(folder), fan_in=2)
        for order, (name, kind, approval_id, version, step) in enumerate(made):
            members, raw, leaf = record(name, kind, approval_id, version)
            for claim in claims.of_record(members, raw, b"{}", leaf, Where(order, order % 3, order, 0)):
                runs.add(claim)
            if step:
                runs.spill()
                runs.forget()
            if step == "again":
                runs = SortedRuns(Path(folder), runs.runs, fan_in=2)
        assert {fault.kind for fault in claims.faults(runs, "dev", Reviews())} == naive(made)


def faults(*made: tuple[dict[str, Any], bytes]) -> list[claims.Fault]:
    taken = ClaimsInMemory()
    for order, (members, payload) in enumerate(made):
        for claim in claims.of_record(members, orjson.dumps(members), payload, bytes(32), Where(order, 0, order, 0)):
            taken.add(claim)
    return list(claims.faults(taken, "dev", Reviews()))


def test_fault_stands_at_the_later_record_and_names_the_earlier() -> None:
    used = [({"id": name, "kind": Kind.APPROVAL_CONSUMED, "approval_id": APPROVALS[0]}, b"{}") for name in IDS[:2]]
    [fault] = faults(*used)
    assert (fault.kind, fault.where.order, fault.record_id) == ("used-twice", 1, IDS[1])
    assert fault.what == f"{APPROVALS[0]} was used before, by {IDS[0]}"


@pytest.mark.parametrize(
    ("members", "payload", "says"),
    [
        ({"id": "a", "kind": Kind.APPROVAL_CONSUMED}, b"{}", "names no approval"),
        ({"id": "a", "kind": Kind.MASK}, b"[]", "names no decision"),
    ],
)
def test_record_that_claims_nothing_it_should_is_refused(members: dict[str, Any], payload: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        faults((members, payload))


def test_claim_of_a_mask_that_is_both_whole_and_in_chunks_is_found_under_two_decisions() -> None:
    def masked(name: str, **details: Any) -> tuple[dict[str, Any], bytes]:
        return {"id": name, "kind": Kind.UNMASK}, orjson.dumps({"details": {"use": "use_1", **details}})

    chunk = masked(IDS[0], decision_id="dec_1", stream="s", phase="chunk", to_chunk=1)
    whole = masked(IDS[1], decision_id="dec_2", phase="complete")
    assert [fault.kind for fault in faults(chunk, whole)] == ["masked-twice"]
    assert faults(chunk) == []
