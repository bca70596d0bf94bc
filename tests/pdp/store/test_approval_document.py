"""An approval is stored and read back without loss, also where it was stored before a field was there."""

from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest
from bson import decode, encode
from bson.codec_options import CodecOptions
from hypothesis import given
from hypothesis import strategies as st

from pdp.approval import Opening, OutboxEntry, Outcome, OutcomeState, Review, ReviewVerdict, State, Use
from pdp.audit.record import Entry
from pdp.requirement import Requirement
from pdp.store.approval_document import from_document, of_opening, of_outcome, of_posted, of_review, of_use
from tests.pdp.specimens import T0, approval, opening, records, review

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
SCALAR = TEXT | st.booleans() | st.integers(-(2**53), 2**53)
CLAIMS = st.dictionaries(TEXT | st.sampled_from(["$set", "a.b", ""]), SCALAR, max_size=3)
MILLISECONDS = st.integers(1, 10**9)
REQUIREMENT = st.builds(
    Requirement, TEXT, TEXT, TEXTS, TEXTS, st.integers(1, 1000), MILLISECONDS, MILLISECONDS, CLAIMS, st.booleans()
)
ENTRY = st.builds(Entry, TEXT, st.binary(max_size=20), st.binary(max_size=16), st.binary(max_size=20))
POSTED = st.builds(OutboxEntry, ENTRY, TEXT)
TIMES = st.integers(0, 10**9).map(lambda seconds: T0 + timedelta(seconds=seconds))
OPENING = st.builds(
    Opening,
    id=TEXT,
    caller=TEXT,
    request=st.binary(max_size=20),
    digest=TEXT,
    justification=TEXT,
    requirements=st.lists(REQUIREMENT, min_size=1, max_size=3).map(tuple),
    principals=TEXTS,
    decision_id=TEXT,
    policy_revision=TEXT,
    supersedes=TEXT,
    seal=TEXT,
    sealed_at=st.none() | TIMES,
    outbox=st.lists(POSTED, max_size=2).map(tuple),
)
REVIEW = st.builds(
    Review,
    reviewer=TEXT,
    person=TEXT,
    groups=TEXTS,
    verdict=st.sampled_from(ReviewVerdict),
    reason=TEXT | st.just("$secret"),
    at=TIMES,
    fits=st.lists(st.integers(0, 9), max_size=3).map(tuple),
    policy_revision=TEXT,
    suggestion=st.binary(max_size=20),
    signature=TEXT,
    claims=st.dictionaries(TEXT, SCALAR | st.lists(SCALAR, max_size=2), max_size=3),
)


def stored(document: dict[str, Any]) -> dict[str, Any]:
    """What MongoDB gives back of it."""
    return decode(encode(document), CodecOptions(tz_aware=True))


def opened(held: Opening) -> dict[str, Any]:
    """The document as the first step leaves it."""
    beside = {"_id": held.id, "version": 1, "state": State.PENDING, "reviews": [], "created_at": T0}
    return {**of_opening(held), **beside}


@given(OPENING)
def test_opening_is_read_back_as_it_was_stored(held: Opening) -> None:
    found = from_document(stored(opened(held)))
    assert {field.name: getattr(found, field.name) for field in fields(Opening)} == {
        field.name: getattr(held, field.name) for field in fields(Opening)
    }
    assert (found.version, found.state, found.created_at, found.reviews) == (1, State.PENDING, T0, ())


@given(st.lists(REVIEW, max_size=3))
def test_reviews_are_read_back_as_they_were_stored(reviews: list[Review]) -> None:
    document = {**opened(opening()), "reviews": [of_review(one) for one in reviews]}
    assert from_document(stored(document)).reviews == tuple(reviews)


@given(OPENING)
def test_deadlines_are_stored_as_the_shortest_of_the_requirements(held: Opening) -> None:
    document = of_opening(held)
    assert document["pending_for_ms"] == min(one.pending_for_ms for one in held.requirements)
    assert document["valid_for_ms"] == min(one.valid_for_ms for one in held.requirements)


def test_end_of_an_approval_is_read_back() -> None:
    outcome = Outcome(OutcomeState.FAILED, "no room", T0 + timedelta(seconds=3), late=True)
    ended: dict[str, Any] = {
        "approved_at": T0 + timedelta(seconds=1),
        "closed_at": T0 + timedelta(seconds=2),
        "used_by": Use("dec_1", "x", "00ff", T0 + timedelta(seconds=2), "signed"),
        "closed_by": "user:bob",
        "close_reason": "$secret",
    }
    stored_use = {**ended, "used_by": of_use(ended["used_by"])}
    document = {**opened(opening()), **stored_use, "state": "CONSUMED", "version": 7, "outcome": of_outcome(outcome)}
    assert from_document(stored(document)) == approval(State.CONSUMED, version=7, outcome=outcome, **ended)


@pytest.mark.parametrize("field", ["supersedes", "seal", "outbox"])
def test_field_that_an_older_document_lacks_has_its_default(field: str) -> None:
    document = opened(
        opening(**{field: tuple(OutboxEntry(one, "s") for one in records()) if field == "outbox" else "x"})
    )
    del document[field]
    assert from_document(stored(document)) == approval()


def test_review_of_an_older_document_has_no_suggestion() -> None:
    document = of_review(review(signature="s"))
    del document["suggestion"]
    held = from_document(stored({**opened(opening()), "reviews": [document]}))
    assert held.reviews == (review(signature="s"),)


@pytest.mark.parametrize("field", ["caller", "request", "digest", "requirements", "principals", "decision_id"])
def test_document_without_what_it_always_had_is_no_approval(field: str) -> None:
    document = opened(opening())
    del document[field]
    with pytest.raises(TypeError):
        from_document(document)


def test_names_of_claims_are_no_keys_of_mongodb() -> None:
    asked = Requirement("r", "because", claims={"$where": "x", "a.b": True})
    document = of_opening(opening(requirements=(asked,)))["requirements"][0]
    assert isinstance(document["claims"], bytes)
    assert from_document(stored(opened(opening(requirements=(asked,))))).requirements == (asked,)


def test_outbox_holds_the_exact_bytes() -> None:
    [entry] = records()
    made = OutboxEntry(entry, "signed")
    raw = {"id": entry.id, "record": entry.record, "salt": entry.salt, "payload": entry.payload}
    assert of_posted(made) == {**raw, "signature": "signed"}
    [found] = from_document(stored(opened(opening(outbox=(made,))))).outbox
    assert found == made
