"""Tickets: what they say, and that nothing else is taken for one."""

import json
from dataclasses import asdict, replace

import pytest
from joserfc.jwk import OKPKey

from pdp import jws, mask_ticket
from pdp.mask_ticket import KEYS_IN_SERVER, TYPE, Ticket, is_ticket, public_key, read

KEY, OTHER = (OKPKey.generate_key("Ed25519", {"kid": name}) for name in ("seal", "other"))
TICKET = Ticket("example", "job_1", "agent:etl", "dec_1", "crm.customers", "ab" * 32, 3, KEYS_IN_SERVER, 2_000)


def test_ticket_says_what_was_written() -> None:
    assert read(TICKET.signed(KEY), KEY, 1_999.0) == TICKET
    assert read(TICKET.signed(KEY), public_key(KEY), 0.0) == TICKET


def test_public_half_of_the_key_has_no_private_member() -> None:
    assert "d" not in json.loads(public_key(KEY))


def test_ticket_of_another_key_is_refused() -> None:
    with pytest.raises(ValueError, match="not signed"):
        read(TICKET.signed(OTHER), KEY, 0.0)


def test_changed_ticket_is_refused() -> None:
    header, _, signature = TICKET.signed(KEY).split(".")
    _, claims, _ = replace(TICKET, table="crm.salaries").signed(KEY).split(".")
    with pytest.raises(ValueError, match="not signed"):
        read(f"{header}.{claims}.{signature}", KEY, 0.0)


def test_ticket_ends_at_its_end() -> None:
    with pytest.raises(ValueError, match="over"):
        read(TICKET.signed(KEY), KEY, 2_000.0)


@pytest.mark.parametrize("kind", ["JWT", "placet-use+jwt", "placet-mask-job+jwt", "placet-mask-ticket"])
def test_what_else_the_key_signed_is_not_a_ticket(kind: str) -> None:
    text = jws.signed(kind, asdict(TICKET), KEY)
    assert not is_ticket(text)
    with pytest.raises(ValueError, match="not a ticket"):
        read(text, KEY, 0.0)


@pytest.mark.parametrize("name", asdict(TICKET))
def test_ticket_has_each_claim_of_its_type(name: str) -> None:
    claims = asdict(TICKET)
    for changed in ({key: value for key, value in claims.items() if key != name}, {**claims, name: [1]}):
        with pytest.raises(ValueError, match=name):
            read(jws.signed(TYPE, changed, KEY), KEY, 0.0)


@pytest.mark.parametrize("text", ["", "x", "x.y.z", "e30.e30.", "." * 5])
def test_rubbish_is_not_a_ticket(text: str) -> None:
    assert not is_ticket(text)
    with pytest.raises(ValueError, match="ticket"):
        mask_ticket.read(text, KEY, 0.0)
