"""A seal counts in its own place only: each kind has its type, and none has a member of a grant."""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from pdp import jws
from pdp.approval import Approval, OutboxEntry, ReviewVerdict, State, TakenBack, Use
from pdp.audit.record import Kind, entry
from pdp.grant import Grantor
from tests.pdp.specimens import SEALER, T0, approval, review, signed

RECORD = entry(Kind.DECISION, b"{}", effect="ALLOW")


BACK = TakenBack("user:carol", T0)


def used() -> Approval:
    """An approval with everything that is sealed."""
    plain = approval(State.CONSUMED, sealed_at=T0, approved_at=T0, closed_at=T0)
    held = replace(plain, seal=SEALER.frozen(plain))
    use = Use("dec_1", "r", "0" * 64, T0, claim="c", attempt_id="a")
    return replace(
        held,
        reviews=tuple(signed(held, review(name)) for name in ("bob", "carol")),
        used_by=replace(use, signature=SEALER.use(held.id, held.digest, use)),
        outbox=(OutboxEntry(RECORD, SEALER.outbox(held.id, 1, RECORD)),),
        taken_back=replace(BACK, signature=SEALER.taken_back(held.id, held.digest, BACK)),
    )


Change = Callable[[str], str]


def with_seal(held: Approval, change: Change) -> Approval:
    return replace(held, seal=change(held.seal))


def with_review(held: Approval, change: Change) -> Approval:
    first, *others = held.reviews
    return replace(held, reviews=(replace(first, signature=change(first.signature)), *others))


def with_use(held: Approval, change: Change) -> Approval:
    assert held.used_by is not None
    return replace(held, used_by=replace(held.used_by, signature=change(held.used_by.signature)))


def with_outbox(held: Approval, change: Change) -> Approval:
    [posted] = held.outbox
    return replace(held, outbox=(replace(posted, signature=change(posted.signature)),))


def with_taken_back(held: Approval, change: Change) -> Approval:
    assert held.taken_back is not None
    return replace(held, taken_back=replace(held.taken_back, signature=change(held.taken_back.signature)))


PLACES = {
    "approval": with_seal,
    "review": with_review,
    "use": with_use,
    "outbox": with_outbox,
    "taken-back": with_taken_back,
}
TYPES = [*(f"placet-{kind}+jwt" for kind in PLACES), "placet-grant+jwt", "JWT"]


def is_taken(held: Approval) -> bool:
    return not SEALER.fault(held) and SEALER.wrote(held, held.outbox[0])


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("place", PLACES)
def test_what_is_sealed_counts_under_its_own_type_only(place: str, kind: str) -> None:
    def retyped(signature: str) -> str:
        return jws.signed(kind, jws.claims(signature, SEALER.key), SEALER.key)

    assert is_taken(used())
    assert is_taken(PLACES[place](used(), retyped)) == (kind == f"placet-{place}+jwt")


@pytest.mark.parametrize("name", sorted(one.name for one in fields(Use)))
def test_each_member_of_a_use_is_signed(name: str) -> None:
    held = used()
    assert held.used_by is not None
    value = getattr(held.used_by, name)
    other = value + timedelta(seconds=1) if isinstance(value, datetime) else f"{value}x"
    assert not is_taken(replace(held, used_by=replace(held.used_by, **{name: other})))


@pytest.mark.parametrize("place", PLACES)
def test_grant_by_the_same_key_counts_nowhere(place: str) -> None:
    grant = Grantor(SEALER.key, "dev").grant(caller="c", decision_id="d", approval_id="a", digest="d", at=T0)
    assert not is_taken(PLACES[place](used(), lambda _: grant))


def claims_of(place: str, held: Approval) -> dict[str, Any]:
    found: list[str] = []
    PLACES[place](held, lambda signature: found.append(signature) or signature)
    return jws.claims(found[0], SEALER.key)


@pytest.mark.parametrize("place", PLACES)
def test_seal_has_no_member_of_a_grant(place: str) -> None:
    grant = Grantor(SEALER.key, "dev").grant(caller="c", decision_id="d", approval_id="a", digest="d", at=T0)
    assert not claims_of(place, used()).keys() & jws.claims(grant, SEALER.key).keys()


def test_neither_has_a_denial_that_suggests_another_request() -> None:
    denial = review(verdict=ReviewVerdict.CHANGES_REQUESTED, suggestion_digest="e")
    grant = Grantor(SEALER.key, "dev").grant(caller="c", decision_id="d", approval_id="a", digest="d", at=T0)
    claims = jws.claims(SEALER.review("apr_1", "d", denial), SEALER.key)
    assert not claims.keys() & jws.claims(grant, SEALER.key).keys()
